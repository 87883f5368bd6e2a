//! The function that sets default encryption where `s3-bucket-server-side-encryption-enabled` finds it missing or too weak.

use rectify_s3::S3BucketServerSideEncryptionEnabled;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<S3BucketServerSideEncryptionEnabled, Clients>()
}

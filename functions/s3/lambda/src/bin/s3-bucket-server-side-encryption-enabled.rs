//! The function behind the Config rule `s3-bucket-server-side-encryption-enabled`.

use rectify_s3::S3BucketServerSideEncryptionEnabled;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<S3BucketServerSideEncryptionEnabled, Clients>()
}

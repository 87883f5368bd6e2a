//! The function that ends public access where `s3-bucket-public-write-prohibited` finds it.

use rectify_s3::S3BucketPublicWriteProhibited;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<S3BucketPublicWriteProhibited, Clients>()
}

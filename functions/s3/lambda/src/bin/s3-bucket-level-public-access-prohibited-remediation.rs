//! The function that completes the block of a bucket where `s3-bucket-level-public-access-prohibited` finds it incomplete.

use rectify_s3::S3BucketLevelPublicAccessProhibited;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<S3BucketLevelPublicAccessProhibited, Clients>()
}

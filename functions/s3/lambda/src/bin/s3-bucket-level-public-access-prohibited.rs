//! The function behind the Config rule `s3-bucket-level-public-access-prohibited`.

use rectify_s3::S3BucketLevelPublicAccessProhibited;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<S3BucketLevelPublicAccessProhibited, Clients>()
}

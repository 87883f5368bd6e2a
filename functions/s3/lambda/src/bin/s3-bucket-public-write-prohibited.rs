//! The function behind the Config rule `s3-bucket-public-write-prohibited`.

use rectify_s3::S3BucketPublicWriteProhibited;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<S3BucketPublicWriteProhibited, Clients>()
}

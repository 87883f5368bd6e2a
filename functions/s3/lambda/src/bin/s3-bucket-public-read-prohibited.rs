//! The function behind the Config rule `s3-bucket-public-read-prohibited`.

use rectify_s3::S3BucketPublicReadProhibited;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<S3BucketPublicReadProhibited, Clients>()
}

//! The function behind the Config rule `s3-account-level-public-access-blocks-periodic`.

use rectify_s3::S3AccountLevelPublicAccessBlocksPeriodic;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<S3AccountLevelPublicAccessBlocksPeriodic, Clients>()
}

//! The function that completes the block of the account where `s3-account-level-public-access-blocks-periodic` finds it incomplete.

use rectify_s3::S3AccountLevelPublicAccessBlocksPeriodic;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<S3AccountLevelPublicAccessBlocksPeriodic, Clients>()
}

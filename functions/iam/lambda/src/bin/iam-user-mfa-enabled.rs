//! The rule `iam-user-mfa-enabled`, as AWS Config invokes it.

use rectify_iam::iam_user_mfa_enabled::IamUserMfaEnabled;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<IamUserMfaEnabled, Clients>()
}

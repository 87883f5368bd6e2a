//! The rule `root-account-mfa-enabled`, as AWS Config invokes it.

use rectify_iam::root_account_mfa_enabled::RootAccountMfaEnabled;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<RootAccountMfaEnabled, Clients>()
}

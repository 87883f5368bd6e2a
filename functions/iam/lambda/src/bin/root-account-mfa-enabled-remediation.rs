//! The remediation of `root-account-mfa-enabled`, as EventBridge invokes it: it plans, a person acts.

use rectify_iam::root_account_mfa_enabled::RootAccountMfaEnabled;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<RootAccountMfaEnabled, Clients>()
}

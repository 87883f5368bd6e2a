//! The remediation of `iam-user-mfa-enabled`, as EventBridge invokes it.

use rectify_iam::iam_user_mfa_enabled::IamUserMfaEnabled;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<IamUserMfaEnabled, Clients>()
}

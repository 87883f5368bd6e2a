//! The remediation of `mfa-enabled-for-iam-console-access`, as EventBridge invokes it.

use rectify_iam::mfa_enabled_for_iam_console_access::MfaEnabledForIamConsoleAccess;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<MfaEnabledForIamConsoleAccess, Clients>()
}

//! The remediation of `mfa-enabled-for-iam-console-access`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

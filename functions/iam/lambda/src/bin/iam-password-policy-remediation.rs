//! The remediation of `iam-password-policy`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

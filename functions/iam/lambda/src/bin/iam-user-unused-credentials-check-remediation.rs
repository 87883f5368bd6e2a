//! The remediation of `iam-user-unused-credentials-check`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

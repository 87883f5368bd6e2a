//! The remediation of `iam-user-no-policies-check`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

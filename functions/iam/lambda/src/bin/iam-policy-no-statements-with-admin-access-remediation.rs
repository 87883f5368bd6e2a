//! The remediation of `iam-policy-no-statements-with-admin-access`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

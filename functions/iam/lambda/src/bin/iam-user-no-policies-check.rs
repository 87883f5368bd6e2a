//! The rule `iam-user-no-policies-check`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

//! The rule `iam-policy-no-statements-with-full-access`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_policy_no_statements_with_full_access::IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

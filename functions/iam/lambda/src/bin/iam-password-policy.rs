//! The rule `iam-password-policy`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

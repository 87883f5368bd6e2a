//! The rule `iam-root-access-key-check`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_iam::controls::iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

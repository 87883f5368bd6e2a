//! The rule `access-keys-rotated`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

//! The rule `encrypted-volumes`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::encrypted_volumes::ENCRYPTED_VOLUMES as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

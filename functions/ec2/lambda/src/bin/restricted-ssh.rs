//! The rule `restricted-ssh`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::restricted_ssh::RESTRICTED_SSH as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}

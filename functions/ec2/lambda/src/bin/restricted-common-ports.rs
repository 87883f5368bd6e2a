//! The rule `restricted-common-ports`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::restricted_common_ports::RESTRICTED_COMMON_PORTS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}

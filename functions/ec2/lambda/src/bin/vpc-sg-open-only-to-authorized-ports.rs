//! The rule `vpc-sg-open-only-to-authorized-ports`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}

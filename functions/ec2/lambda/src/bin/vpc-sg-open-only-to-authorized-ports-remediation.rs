//! The remediation of `vpc-sg-open-only-to-authorized-ports`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

//! The rule `vpc-flow-logs-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

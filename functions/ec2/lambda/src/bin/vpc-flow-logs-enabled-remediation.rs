//! The remediation of `vpc-flow-logs-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

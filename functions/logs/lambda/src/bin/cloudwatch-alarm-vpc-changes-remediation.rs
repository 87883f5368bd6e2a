//! The remediation of `cloudwatch-alarm-vpc-changes`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_vpc_changes::CLOUDWATCH_ALARM_VPC_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

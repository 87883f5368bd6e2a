//! The remediation of `cloudwatch-alarm-security-group-changes`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_security_group_changes::CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

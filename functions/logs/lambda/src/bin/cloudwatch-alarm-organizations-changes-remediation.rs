//! The remediation of `cloudwatch-alarm-organizations-changes`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

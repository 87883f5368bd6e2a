//! The remediation of `cloudwatch-alarm-root-usage`, as EventBridge invokes it.

use rectify_logs::cloudwatch_alarm_root_usage::CloudwatchAlarmRootUsage;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudwatchAlarmRootUsage, Clients>()
}

//! The remediation of `cloudwatch-alarm-root-usage`, as EventBridge invokes it.

use rectify_logs::client::Clients;
use rectify_logs::cloudwatch_alarm_root_usage::CloudwatchAlarmRootUsage;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudwatchAlarmRootUsage, Clients>()
}

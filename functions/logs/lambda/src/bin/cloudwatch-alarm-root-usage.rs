//! The rule `cloudwatch-alarm-root-usage`, as AWS Config invokes it.

use rectify_logs::cloudwatch_alarm_root_usage::CloudwatchAlarmRootUsage;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<CloudwatchAlarmRootUsage, Clients>()
}

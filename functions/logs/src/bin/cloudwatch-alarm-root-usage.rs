//! The rule `cloudwatch-alarm-root-usage`, as AWS Config invokes it.

use rectify_logs::client::Clients;
use rectify_logs::cloudwatch_alarm_root_usage::CloudwatchAlarmRootUsage;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<CloudwatchAlarmRootUsage, Clients>()
}

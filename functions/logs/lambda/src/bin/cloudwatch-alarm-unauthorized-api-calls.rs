//! The rule `cloudwatch-alarm-unauthorized-api-calls`, as AWS Config invokes it.

use rectify_logs::cloudwatch_alarm_unauthorized_api_calls::CloudwatchAlarmUnauthorizedApiCalls;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<CloudwatchAlarmUnauthorizedApiCalls, Clients>()
}

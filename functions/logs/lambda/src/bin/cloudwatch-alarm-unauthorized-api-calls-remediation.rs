//! The remediation of `cloudwatch-alarm-unauthorized-api-calls`, as EventBridge invokes it.

use rectify_logs::cloudwatch_alarm_unauthorized_api_calls::CloudwatchAlarmUnauthorizedApiCalls;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudwatchAlarmUnauthorizedApiCalls, Clients>()
}

//! The remediation of `cloudwatch-alarm-unauthorized-api-calls`, as EventBridge invokes it.

use rectify_logs::client::Clients;
use rectify_logs::cloudwatch_alarm_unauthorized_api_calls::CloudwatchAlarmUnauthorizedApiCalls;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudwatchAlarmUnauthorizedApiCalls, Clients>()
}

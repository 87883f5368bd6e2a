//! The remediation of `cloudwatch-alarm-console-login-without-mfa`, as EventBridge invokes it.

use rectify_logs::cloudwatch_alarm_console_login_without_mfa::CloudwatchAlarmConsoleLoginWithoutMfa;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudwatchAlarmConsoleLoginWithoutMfa, Clients>()
}

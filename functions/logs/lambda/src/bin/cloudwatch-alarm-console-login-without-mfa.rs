//! The rule `cloudwatch-alarm-console-login-without-mfa`, as AWS Config invokes it.

use rectify_logs::cloudwatch_alarm_console_login_without_mfa::CloudwatchAlarmConsoleLoginWithoutMfa;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<CloudwatchAlarmConsoleLoginWithoutMfa, Clients>()
}

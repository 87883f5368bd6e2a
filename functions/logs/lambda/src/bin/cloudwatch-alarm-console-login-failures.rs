//! The rule `cloudwatch-alarm-console-login-failures`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_console_login_failures::CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

//! The remediation of `cloudwatch-alarm-root-usage`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

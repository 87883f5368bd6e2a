//! The rule `cloudwatch-alarm-cmk-disabled-or-deleted`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_cmk_disabled_or_deleted::CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

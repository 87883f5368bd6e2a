//! The rule `cloudwatch-alarm-cloudtrail-changes`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_cloudtrail_changes::CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

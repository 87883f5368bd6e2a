//! The rule `cloudwatch-alarm-organizations-changes`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

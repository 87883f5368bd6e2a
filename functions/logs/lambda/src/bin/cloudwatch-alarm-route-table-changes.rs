//! The rule `cloudwatch-alarm-route-table-changes`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_route_table_changes::CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

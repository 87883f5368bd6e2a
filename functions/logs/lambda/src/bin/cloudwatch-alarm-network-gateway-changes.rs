//! The rule `cloudwatch-alarm-network-gateway-changes`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_network_gateway_changes::CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}

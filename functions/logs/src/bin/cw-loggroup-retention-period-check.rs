//! The rule `cw-loggroup-retention-period-check`, as AWS Config invokes it.

use rectify_logs::client::Clients;
use rectify_logs::cw_loggroup_retention_period_check::CwLoggroupRetentionPeriodCheck;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<CwLoggroupRetentionPeriodCheck, Clients>()
}

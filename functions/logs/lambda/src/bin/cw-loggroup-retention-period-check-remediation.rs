//! The remediation of `cw-loggroup-retention-period-check`, as EventBridge invokes it.

use rectify_logs::cw_loggroup_retention_period_check::CwLoggroupRetentionPeriodCheck;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CwLoggroupRetentionPeriodCheck, Clients>()
}

//! The remediation of `cw-loggroup-retention-period-check`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

//! The remediation of `rds-multi-az-support`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

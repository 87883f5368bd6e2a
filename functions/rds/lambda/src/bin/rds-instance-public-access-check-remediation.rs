//! The remediation of `rds-instance-public-access-check`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

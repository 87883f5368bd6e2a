//! The remediation of `rds-snapshots-public-prohibited`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

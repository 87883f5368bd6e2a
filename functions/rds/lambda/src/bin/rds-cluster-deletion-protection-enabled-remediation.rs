//! The remediation of `rds-cluster-deletion-protection-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

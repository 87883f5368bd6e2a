//! The rule `rds-cluster-deletion-protection-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

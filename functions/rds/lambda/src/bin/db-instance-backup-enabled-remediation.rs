//! The remediation of `db-instance-backup-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

//! The remediation of `db-instance-backup-enabled`, as EventBridge invokes it.

use rectify_rds::db_instance_backup_enabled::DbInstanceBackupEnabled;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<DbInstanceBackupEnabled, Clients>()
}

//! The remediation of `db-instance-backup-enabled`, as EventBridge invokes it.

use rectify_rds::client::Clients;
use rectify_rds::db_instance_backup_enabled::DbInstanceBackupEnabled;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<DbInstanceBackupEnabled, Clients>()
}

//! The rule `db-instance-backup-enabled`, as AWS Config invokes it.

use rectify_rds::db_instance_backup_enabled::DbInstanceBackupEnabled;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<DbInstanceBackupEnabled, Clients>()
}

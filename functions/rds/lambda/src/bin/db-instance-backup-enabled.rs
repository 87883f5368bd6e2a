//! The rule `db-instance-backup-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

//! The rule `rds-storage-encrypted`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

//! The remediation of `rds-storage-encrypted`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}

//! The rule `efs-encrypted-check`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_efs::controls::efs_encrypted_check::EFS_ENCRYPTED_CHECK as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}

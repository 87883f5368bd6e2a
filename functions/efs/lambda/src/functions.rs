//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "efs-encrypted-check", serve: || rectify_runtime::rule::on_item(&rectify_efs::controls::efs_encrypted_check::EFS_ENCRYPTED_CHECK).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
];

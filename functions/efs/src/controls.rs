//! The controls, one file each.

pub mod efs_encrypted_check;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_item;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[on_item(&efs_encrypted_check::EFS_ENCRYPTED_CHECK).reported()];

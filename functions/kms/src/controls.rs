//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod cmk_backing_key_rotation_enabled;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change_and_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] =
    &[on_change_and_schedule(&cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED).remediated()];

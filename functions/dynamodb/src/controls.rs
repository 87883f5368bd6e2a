//! The controls, one file each; one stored attempt is in the folder of the same name.

pub mod dynamodb_pitr_enabled;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change_and_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[on_change_and_schedule(&dynamodb_pitr_enabled::DYNAMODB_PITR_ENABLED).remediated()];

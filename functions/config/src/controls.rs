//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod config_recorder_healthy;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[on_schedule(&config_recorder_healthy::CONFIG_RECORDER_HEALTHY).remediated()];

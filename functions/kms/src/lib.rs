//! KMS controls: are keys rotated.
//!
//! The pure half names no SDK; the calls are in `rectify-kms-lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`key`] | a key with its rotation, from items and answers alike |
//! | [`cmk_backing_key_rotation_enabled`] | customer managed key is not rotated |

pub mod cmk_backing_key_rotation_enabled;
pub mod key;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change_and_schedule;

pub use cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[on_change_and_schedule(&CMK_BACKING_KEY_ROTATION_ENABLED).remediated()];

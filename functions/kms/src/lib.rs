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

use cmk_backing_key_rotation_enabled::CmkBackingKeyRotationEnabled;
use rectify_compliance::Entry;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[Entry::of::<CmkBackingKeyRotationEnabled>()
    .on_change::<CmkBackingKeyRotationEnabled>()
    .on_schedule::<CmkBackingKeyRotationEnabled>()
    .remediated::<CmkBackingKeyRotationEnabled>()];

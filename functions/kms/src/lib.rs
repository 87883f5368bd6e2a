//! KMS controls: are keys rotated.
//!
//! The pure half names no SDK; everything that calls KMS stands in `client.rs`, behind the feature `lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`key`] | a key with its rotation, from items and answers alike |
//! | [`cmk_backing_key_rotation_enabled`] | customer managed key is not rotated |
//! | `client` | lists, reads and changes keys; the only place that names `aws_sdk_kms` |

pub mod cmk_backing_key_rotation_enabled;
pub mod key;

use cmk_backing_key_rotation_enabled::CmkBackingKeyRotationEnabled;
use rectify_compliance::Entry;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[Entry::of::<CmkBackingKeyRotationEnabled>()
    .on_change::<CmkBackingKeyRotationEnabled>()
    .on_schedule::<CmkBackingKeyRotationEnabled>()
    .remediated::<CmkBackingKeyRotationEnabled>()];

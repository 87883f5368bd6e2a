//! RDS controls: are databases backed up, available and protected.
//!
//! The pure half names no SDK; everything that calls RDS stands in `client.rs`, behind the feature `lambda`.

use rectify_compliance::Entry;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[];

/// What the controls of this crate can do to a live account: read, apply, revert.
#[cfg(feature = "lambda")]
pub const OPERATIONS: &[rectify_runtime::Operations] = &[];

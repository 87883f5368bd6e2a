//! What every control must prove, for the controls' own tests: an author writes cases and a generator, not machinery.
//!
//! | module | what |
//! |---|---|
//! | [`cases`] | a table of subjects with verdict and plan |
//! | [`laws`] | what holds of every remediation, over generated subjects |

#![allow(clippy::panic)] // a law that does not hold fails its test

pub mod cases;
pub mod laws;

pub use cases::{Case, Cases};
pub use laws::Laws;

use rectify_compliance::Timestamp;

/// The event time of cases and laws, unless they state one.
pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

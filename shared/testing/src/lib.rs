//! Test tables and property tests of controls: the author of a control writes cases and a generator only.
//!
//! | module | noun |
//! |---|---|
//! | [`cases`] | a table of subjects, each with its verdict and plan |
//! | [`lamp`] | an example resource with one setting |
//! | [`laws`] | properties of every remediation, over generated subjects |
//! | [`policies`] | generated resource policies |

#![allow(clippy::panic)] // a law that does not hold fails its test

pub mod cases;
pub mod lamp;
pub mod laws;
pub mod policies;

pub use cases::{Case, Cases};
pub use laws::Laws;
pub use policies::policies;

use rectify_compliance::Timestamp;

/// The default event time of cases and laws.
pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

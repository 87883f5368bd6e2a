//! Test tables and property tests of controls: the author of a control writes cases and a generator only.
//!
//! | module | noun |
//! |---|---|
//! | [`cases`] | a table of subjects, each with its verdict and plan |
//! | [`lamp`] | an example resource with one setting |
//! | [`laws`] | properties of every remediation, over generated subjects |

#![allow(clippy::panic)] // a law that does not hold fails its test

pub mod cases;
pub mod lamp;
pub mod laws;

pub use cases::{Case, Cases};
pub use laws::Laws;

use rectify_compliance::Timestamp;

/// The default event time of cases and laws.
pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

//! AWS Config controls: does the recorder record.
//!
//! The pure half names no SDK; the calls are in `rectify-config-lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`recording`] | recorder and delivery channel of an account in a region, as AWS Config answers them |
//! | `fault` | what is wrong with them, in words, and what would put it right |
//! | [`config_recorder_healthy`] | AWS Config does not record everything it should |

pub mod config_recorder_healthy;
mod fault;
pub mod recording;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_schedule;

pub use config_recorder_healthy::CONFIG_RECORDER_HEALTHY;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[on_schedule(&CONFIG_RECORDER_HEALTHY).remediated()];

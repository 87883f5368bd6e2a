//! CloudWatch controls: are logs kept, and does an alarm reach a person.
//!
//! The pure half names no SDK; everything that calls CloudWatch, its logs and SNS stands in `client.rs`, behind the feature `lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`alarm_chain`] | the links from an event to a person: filter, alarm, policy of a topic |
//! | [`cw_loggroup_retention_period_check`] | log group keeps events too short |
//! | [`pattern`] | metric filter patterns, compared by what they match |
//! | `client` | lists, reads and changes them; the only place that names an SDK |

pub mod alarm_chain;
pub mod cw_loggroup_retention_period_check;
pub mod pattern;

#[cfg(feature = "lambda")]
pub mod client;

use cw_loggroup_retention_period_check::CwLoggroupRetentionPeriodCheck;
use rectify_compliance::Entry;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[Entry::of::<CwLoggroupRetentionPeriodCheck>()
    .on_schedule::<CwLoggroupRetentionPeriodCheck>()
    .remediated::<CwLoggroupRetentionPeriodCheck>()];

/// What the controls of this crate can do to a live account: read, apply, revert.
#[cfg(feature = "lambda")]
pub const OPERATIONS: &[rectify_runtime::Operations] =
    &[rectify_runtime::Operations::of::<CwLoggroupRetentionPeriodCheck, client::Clients>()];

//! Resources as AWS returns them, in configuration items and API responses. Knows no control.

pub mod account_trails;
pub mod qualifying;
pub mod recording;
pub mod selectors;
pub mod trail;
pub mod trail_delivery;
pub mod trail_key;

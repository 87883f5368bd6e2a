//! Resources as AWS answers them, from items and API calls alike. Knows no control.

pub mod account_trails;
pub mod qualifying;
pub mod recording;
pub mod selectors;
pub mod trail;
pub mod trail_delivery;
pub mod trail_key;

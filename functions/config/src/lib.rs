//! AWS Config controls: recorder health.
//!
//! No SDK is linked; the API calls are in `rectify-config-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY;

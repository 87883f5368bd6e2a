//! AWS Config controls: does the recorder record.
//!
//! The pure half names no SDK; the calls are in `rectify-config-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY;

//! CloudTrail controls: can the audit log be trusted.
//!
//! A trail is judged where it is owned: by its account, in its home region. Everywhere else it is a replica.
//! The pure half names no SDK; the calls are in `rectify-cloudtrail-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED;
pub use controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED;
pub use controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED;
pub use controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED;

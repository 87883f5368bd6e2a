//! CloudTrail controls: whether the audit log is complete and can be trusted.
//!
//! A trail is evaluated by the account that owns it, in its home region; other accounts and regions answer
//! NOT_APPLICABLE.
//! This crate links no SDK; the API calls are in `rectify-cloudtrail-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED;
pub use controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED;
pub use controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED;
pub use controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED;

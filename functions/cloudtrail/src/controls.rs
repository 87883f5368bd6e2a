//! The controls, one file each; tests and a stored attempt are in the folder of the same name.

pub mod cloud_trail_cloud_watch_logs_enabled;
pub mod cloud_trail_encryption_enabled;
pub mod cloud_trail_log_file_validation_enabled;
pub mod multi_region_cloudtrail_enabled;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change_and_schedule, on_schedule};

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_change_and_schedule(&cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED).remediated(),
    on_change_and_schedule(&cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED).remediated(),
    on_change_and_schedule(&cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED)
        .remediated(),
    on_schedule(&multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED).remediated(),
];

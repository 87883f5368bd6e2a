//! CloudTrail controls: can the audit log be trusted.
//!
//! A trail is judged where it is owned: by its account, in its home region. Everywhere else it is a replica.
//! The pure half names no SDK; the calls are in `rectify-cloudtrail-lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`trail`] | a trail as one account sees it in one region, from items and answers alike |
//! | [`trail_key`] | the KMS keys of a trail: the one it has, and one it would be given |
//! | [`selectors`] | what of the management events a trail records |
//! | [`qualifying`] | which trails record the management events of a whole account; used by other crates too |
//! | [`account_trails`] | all trails that show in one account |
//! | [`trail_delivery`] | what of a trail reaches CloudWatch Logs, and where it would be sent |
//! | [`recording`] | the calls that make a trail record more |
//! | [`cloud_trail_cloud_watch_logs_enabled`] | events do not reach CloudWatch Logs |
//! | [`cloud_trail_encryption_enabled`] | log files are not encrypted with a KMS key |
//! | [`cloud_trail_log_file_validation_enabled`] | log files can be altered unnoticed |
//! | [`multi_region_cloudtrail_enabled`] | no trail records management events in all regions |

pub mod account_trails;
pub mod cloud_trail_cloud_watch_logs_enabled;
pub mod cloud_trail_encryption_enabled;
pub mod cloud_trail_log_file_validation_enabled;
pub mod multi_region_cloudtrail_enabled;
pub mod qualifying;
pub mod recording;
pub mod selectors;
pub mod trail;
pub mod trail_delivery;
pub mod trail_key;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change_and_schedule, on_schedule};

pub use cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED;
pub use cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED;
pub use cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED;
pub use multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_change_and_schedule(&CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED).remediated(),
    on_change_and_schedule(&CLOUD_TRAIL_ENCRYPTION_ENABLED).remediated(),
    on_change_and_schedule(&CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED).remediated(),
    on_schedule(&MULTI_REGION_CLOUDTRAIL_ENABLED).remediated(),
];

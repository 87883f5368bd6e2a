//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "cloud-trail-cloud-watch-logs-enabled", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED).serve() },
    Function { name: "cloud-trail-cloud-watch-logs-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED).serve() },
    Function { name: "cloud-trail-encryption-enabled", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED).serve() },
    Function { name: "cloud-trail-encryption-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED).serve() },
    Function { name: "cloud-trail-log-file-validation-enabled", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED).serve() },
    Function { name: "cloud-trail-log-file-validation-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED).serve() },
    Function { name: "multi-region-cloudtrail-enabled", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED).serve() },
    Function { name: "multi-region-cloudtrail-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED),
    || Operations::listed::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED),
    || Operations::listed::<_, Clients>(&rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED),
    || Operations::listed::<_, Clients>(&rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED),
];

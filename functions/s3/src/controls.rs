//! The controls, one file each; the folder of the same name holds a control's tests and one stored attempt.

pub mod s3_account_level_public_access_blocks_periodic;
pub mod s3_bucket_level_public_access_prohibited;
pub mod s3_bucket_logging_enabled;
pub mod s3_bucket_public_read_prohibited;
pub mod s3_bucket_public_write_prohibited;
pub mod s3_bucket_server_side_encryption_enabled;
pub mod s3_bucket_ssl_requests_only;
pub mod s3_bucket_versioning_enabled;
pub mod s3_lifecycle_log_archive;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change, on_change_and_schedule, on_item, on_schedule};

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&s3_account_level_public_access_blocks_periodic::S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC)
        .remediated(),
    on_change(&s3_bucket_level_public_access_prohibited::S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED).remediated(),
    on_item(&s3_bucket_logging_enabled::S3_BUCKET_LOGGING_ENABLED).remediated(),
    on_change_and_schedule(&s3_bucket_public_read_prohibited::S3_BUCKET_PUBLIC_READ_PROHIBITED).remediated(),
    on_change_and_schedule(&s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED).remediated(),
    on_change(&s3_bucket_server_side_encryption_enabled::S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED).remediated(),
    on_item(&s3_bucket_ssl_requests_only::S3_BUCKET_SSL_REQUESTS_ONLY).remediated(),
    on_change(&s3_bucket_versioning_enabled::S3_BUCKET_VERSIONING_ENABLED).remediated(),
    on_item(&s3_lifecycle_log_archive::S3_LIFECYCLE_LOG_ARCHIVE).remediated(),
];

//! The S3 controls: access to buckets, and encryption and lifecycle of their objects.
//!
//! This crate is pure and uses no SDK; the API calls are in `rectify-s3-lambda`.

pub mod controls;
pub mod families;
pub mod resources;

#[cfg(test)]
mod testing;

pub use controls::CONTROLS;
pub use controls::s3_account_level_public_access_blocks_periodic::{
    S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC, S3AccountLevelPublicAccessBlocksPeriodic,
};
pub use controls::s3_bucket_level_public_access_prohibited::{
    S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, S3BucketLevelPublicAccessProhibited,
};
pub use controls::s3_bucket_logging_enabled::{S3_BUCKET_LOGGING_ENABLED, S3BucketLoggingEnabled};
pub use controls::s3_bucket_public_read_prohibited::S3_BUCKET_PUBLIC_READ_PROHIBITED;
pub use controls::s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED;
pub use controls::s3_bucket_server_side_encryption_enabled::{
    S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, S3BucketServerSideEncryptionEnabled,
};
pub use controls::s3_bucket_ssl_requests_only::{S3_BUCKET_SSL_REQUESTS_ONLY, S3BucketSslRequestsOnly};
pub use controls::s3_bucket_versioning_enabled::{S3_BUCKET_VERSIONING_ENABLED, S3BucketVersioningEnabled};
pub use controls::s3_lifecycle_log_archive::{S3_LIFECYCLE_LOG_ARCHIVE, S3LifecycleLogArchive};

//! The S3 controls: who can reach a bucket, and how it keeps what lies in it.
//!
//! The crate is pure and links no SDK; the calls are in `rectify-s3-lambda`.
//!
//! | module | noun |
//! |---|---|
//! | [`bucket`] | an `AWS::S3::Bucket` configuration item, typed |
//! | [`encryption`] | default encryption, typed |
//! | [`encryption_requirement`] | what it is compared with, and the call that sets it |
//! | [`lifecycle`] | a lifecycle configuration, typed |
//! | [`log_archive`] | what that of a log bucket is compared with, and the rule it lacks |
//! | [`access`] | who can reach a bucket, all settings taken together |
//! | [`public_access`] | the controls that let nobody outside do one class of access, and the block that ends it |
//! | [`s3_account_level_public_access_blocks_periodic`] | the account's block |
//! | [`s3_bucket_level_public_access_prohibited`] | the bucket's own block |
//! | [`s3_bucket_public_read_prohibited`] | the public reads |
//! | [`s3_bucket_public_write_prohibited`] | the public writes |
//! | [`s3_bucket_server_side_encryption_enabled`] | encryption of new objects |
//! | [`s3_bucket_ssl_requests_only`] | requests without TLS |
//! | [`s3_lifecycle_log_archive`] | how long log buckets keep what, and where |

pub mod access;
pub mod bucket;
pub mod encryption;
pub mod encryption_requirement;
pub mod lifecycle;
pub mod log_archive;
pub mod public_access;
pub mod s3_account_level_public_access_blocks_periodic;
pub mod s3_bucket_level_public_access_prohibited;
pub mod s3_bucket_public_read_prohibited;
pub mod s3_bucket_public_write_prohibited;
pub mod s3_bucket_server_side_encryption_enabled;
pub mod s3_bucket_ssl_requests_only;
pub mod s3_lifecycle_log_archive;

#[cfg(test)]
mod testing;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change, on_change_and_schedule, on_item, on_schedule};

pub use s3_account_level_public_access_blocks_periodic::{
    S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC, S3AccountLevelPublicAccessBlocksPeriodic,
};
pub use s3_bucket_level_public_access_prohibited::{
    S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, S3BucketLevelPublicAccessProhibited,
};
pub use s3_bucket_public_read_prohibited::S3_BUCKET_PUBLIC_READ_PROHIBITED;
pub use s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED;
pub use s3_bucket_server_side_encryption_enabled::{
    S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, S3BucketServerSideEncryptionEnabled,
};
pub use s3_bucket_ssl_requests_only::{S3_BUCKET_SSL_REQUESTS_ONLY, S3BucketSslRequestsOnly};
pub use s3_lifecycle_log_archive::{S3_LIFECYCLE_LOG_ARCHIVE, S3LifecycleLogArchive};

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC).remediated(),
    on_change(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED).remediated(),
    on_change_and_schedule(&S3_BUCKET_PUBLIC_READ_PROHIBITED).remediated(),
    on_change_and_schedule(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED).remediated(),
    on_change(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED).remediated(),
    on_item(&S3_BUCKET_SSL_REQUESTS_ONLY).remediated(),
    on_item(&S3_LIFECYCLE_LOG_ARCHIVE).remediated(),
];

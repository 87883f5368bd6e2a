//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "s3-account-level-public-access-blocks-periodic", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_s3::controls::s3_account_level_public_access_blocks_periodic::S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC).serve() },
    Function { name: "s3-account-level-public-access-blocks-periodic-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_account_level_public_access_blocks_periodic::S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC).serve() },
    Function { name: "s3-bucket-level-public-access-prohibited", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_s3::controls::s3_bucket_level_public_access_prohibited::S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED).serve() },
    Function { name: "s3-bucket-level-public-access-prohibited-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_level_public_access_prohibited::S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED).serve() },
    Function { name: "s3-bucket-logging-enabled", serve: || rectify_runtime::rule::on_item(&rectify_s3::controls::s3_bucket_logging_enabled::S3_BUCKET_LOGGING_ENABLED).serve() },
    Function { name: "s3-bucket-logging-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_logging_enabled::S3_BUCKET_LOGGING_ENABLED).serve() },
    Function { name: "s3-bucket-public-read-prohibited", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_s3::controls::s3_bucket_public_read_prohibited::S3_BUCKET_PUBLIC_READ_PROHIBITED).serve() },
    Function { name: "s3-bucket-public-read-prohibited-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_public_read_prohibited::S3_BUCKET_PUBLIC_READ_PROHIBITED).serve() },
    Function { name: "s3-bucket-public-write-prohibited", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_s3::controls::s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED).serve() },
    Function { name: "s3-bucket-public-write-prohibited-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED).serve() },
    Function { name: "s3-bucket-server-side-encryption-enabled", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_s3::controls::s3_bucket_server_side_encryption_enabled::S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED).serve() },
    Function { name: "s3-bucket-server-side-encryption-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_server_side_encryption_enabled::S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED).serve() },
    Function { name: "s3-bucket-ssl-requests-only", serve: || rectify_runtime::rule::on_item(&rectify_s3::controls::s3_bucket_ssl_requests_only::S3_BUCKET_SSL_REQUESTS_ONLY).serve() },
    Function { name: "s3-bucket-ssl-requests-only-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_ssl_requests_only::S3_BUCKET_SSL_REQUESTS_ONLY).serve() },
    Function { name: "s3-bucket-versioning-enabled", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_s3::controls::s3_bucket_versioning_enabled::S3_BUCKET_VERSIONING_ENABLED).serve() },
    Function { name: "s3-bucket-versioning-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_bucket_versioning_enabled::S3_BUCKET_VERSIONING_ENABLED).serve() },
    Function { name: "s3-lifecycle-log-archive", serve: || rectify_runtime::rule::on_item(&rectify_s3::controls::s3_lifecycle_log_archive::S3_LIFECYCLE_LOG_ARCHIVE).serve() },
    Function { name: "s3-lifecycle-log-archive-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_s3::controls::s3_lifecycle_log_archive::S3_LIFECYCLE_LOG_ARCHIVE).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_s3::controls::s3_account_level_public_access_blocks_periodic::S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC),
    || Operations::of::<_, Clients>(&rectify_s3::controls::s3_bucket_level_public_access_prohibited::S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED),
    || Operations::of::<_, Clients>(&rectify_s3::controls::s3_bucket_logging_enabled::S3_BUCKET_LOGGING_ENABLED),
    || Operations::listed::<_, Clients>(&rectify_s3::controls::s3_bucket_public_read_prohibited::S3_BUCKET_PUBLIC_READ_PROHIBITED),
    || Operations::listed::<_, Clients>(&rectify_s3::controls::s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED),
    || Operations::of::<_, Clients>(&rectify_s3::controls::s3_bucket_server_side_encryption_enabled::S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED),
    || Operations::of::<_, Clients>(&rectify_s3::controls::s3_bucket_ssl_requests_only::S3_BUCKET_SSL_REQUESTS_ONLY),
    || Operations::of::<_, Clients>(&rectify_s3::controls::s3_bucket_versioning_enabled::S3_BUCKET_VERSIONING_ENABLED),
    || Operations::of::<_, Clients>(&rectify_s3::controls::s3_lifecycle_log_archive::S3_LIFECYCLE_LOG_ARCHIVE),
];

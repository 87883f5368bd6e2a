//! The controls, one file each; the folder of the same name holds a control's tests and one stored attempt.

pub mod db_instance_backup_enabled;
pub mod rds_automatic_minor_version_upgrade_enabled;
pub mod rds_cluster_deletion_protection_enabled;
pub mod rds_instance_deletion_protection_enabled;
pub mod rds_instance_public_access_check;
pub mod rds_multi_az_support;
pub mod rds_snapshots_public_prohibited;
pub mod rds_storage_encrypted;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change_and_schedule, on_item};

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_item(&db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED).remediated(),
    on_item(&rds_multi_az_support::RDS_MULTI_AZ_SUPPORT).remediated(),
    on_item(&rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED).remediated(),
    on_item(&rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED).remediated(),
    on_item(&rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED).remediated(),
    on_item(&rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK).remediated(),
    on_item(&rds_storage_encrypted::RDS_STORAGE_ENCRYPTED).remediated(),
    on_change_and_schedule(&rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED).remediated(),
];

//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "db-instance-backup-enabled", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED).serve() },
    Function { name: "db-instance-backup-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED).serve() },
    Function { name: "rds-multi-az-support", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT).serve() },
    Function { name: "rds-multi-az-support-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT).serve() },
    Function { name: "rds-instance-deletion-protection-enabled", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED).serve() },
    Function { name: "rds-instance-deletion-protection-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED).serve() },
    Function { name: "rds-cluster-deletion-protection-enabled", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED).serve() },
    Function { name: "rds-cluster-deletion-protection-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED).serve() },
    Function { name: "rds-automatic-minor-version-upgrade-enabled", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED).serve() },
    Function { name: "rds-automatic-minor-version-upgrade-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED).serve() },
    Function { name: "rds-instance-public-access-check", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK).serve() },
    Function { name: "rds-instance-public-access-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK).serve() },
    Function { name: "rds-storage-encrypted", serve: || rectify_runtime::rule::on_item(&rectify_rds::controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED).serve() },
    Function { name: "rds-storage-encrypted-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED).serve() },
    Function { name: "rds-snapshots-public-prohibited", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_rds::controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED).serve() },
    Function { name: "rds-snapshots-public-prohibited-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_rds::controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::of::<_, Clients>(&rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED),
    || Operations::of::<_, Clients>(&rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT),
    || Operations::of::<_, Clients>(&rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED),
    || Operations::of::<_, Clients>(&rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED),
    || Operations::of::<_, Clients>(&rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED),
    || Operations::of::<_, Clients>(&rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK),
    || Operations::of::<_, Clients>(&rectify_rds::controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED),
    || Operations::listed::<_, Clients>(&rectify_rds::controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED),
];

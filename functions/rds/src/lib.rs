//! RDS controls: backups, availability, protection, exposure and encryption of databases.
//!
//! AWS Config identifies a database by its resource id, the API by its identifier; the runtime looks the identifier up.
//! This crate is pure and uses no SDK; the API calls are in `rectify-rds-lambda`.

pub mod controls;
pub mod resources;

#[cfg(test)]
mod arbitrary;
use rectify_compliance::Permission;

pub use controls::CONTROLS;
pub use controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED;
pub use controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED;
pub use controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED;
pub use controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
pub use controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK;
pub use controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;
pub use controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED;
pub use controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED;

const INSTANCES: &str = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:db:*";
const CLUSTERS: &str = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:*";
const DESCRIBE_INSTANCES: Permission = Permission::on("rds:DescribeDBInstances", INSTANCES);
const DESCRIBE_CLUSTERS: Permission = Permission::on("rds:DescribeDBClusters", CLUSTERS);
const MODIFY_INSTANCE: Permission = Permission::on("rds:ModifyDBInstance", INSTANCES);
const MODIFY_CLUSTER: Permission = Permission::on("rds:ModifyDBCluster", CLUSTERS);

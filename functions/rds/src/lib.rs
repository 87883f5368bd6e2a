//! RDS controls: are databases backed up, available and protected.
//!
//! AWS Config identifies a database by its resource id, the API by its identifier; the shell resolves the one to the other.
//! The pure half names no SDK; the calls are in `rectify-rds-lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`database`] | what instances and clusters have in common |
//! | [`instance`] | a DB instance, from items and answers alike |
//! | [`backups`] | the automated backups of an instance or a cluster, likewise |
//! | [`window`] | a time of day from and to |
//! | [`db_instance_backup_enabled`] | database has no or too short automated backups |
//! | [`rds_multi_az_support`] | database runs in one Availability Zone |
//! | [`rds_instance_deletion_protection_enabled`] | database can be deleted by one call |

pub mod backups;
pub mod database;
pub mod db_instance_backup_enabled;
pub mod instance;
pub mod rds_instance_deletion_protection_enabled;
pub mod rds_multi_az_support;
pub mod window;

#[cfg(test)]
mod arbitrary;
use rectify_compliance::entry::on_item;
use rectify_compliance::{Entry, Permission};

pub use db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED;
pub use rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
pub use rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_item(&DB_INSTANCE_BACKUP_ENABLED).remediated(),
    on_item(&RDS_MULTI_AZ_SUPPORT).remediated(),
    on_item(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED).remediated(),
];

const INSTANCES: &str = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:db:*";
const CLUSTERS: &str = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:*";
const DESCRIBE_INSTANCES: Permission = Permission::on("rds:DescribeDBInstances", INSTANCES);
const DESCRIBE_CLUSTERS: Permission = Permission::on("rds:DescribeDBClusters", CLUSTERS);
const MODIFY_INSTANCE: Permission = Permission::on("rds:ModifyDBInstance", INSTANCES);
const MODIFY_CLUSTER: Permission = Permission::on("rds:ModifyDBCluster", CLUSTERS);

//! What instances and clusters have in common: identifiers, engine, status and tags.
//!
//! Depends on no control and no SDK. AWS Config identifies a database by its resource id, the API by its identifier.

use rectify_compliance::{ConfigurationItem, ResourceIdentity, ResourceKey, ShapeError, Tags, Target};
use serde::{Deserialize, Serialize};

/// The resource type of an instance. Its id is the `DbiResourceId`, `db-…`.
pub const INSTANCE: &str = "AWS::RDS::DBInstance";

/// The resource type of a cluster. Its id is the `DbClusterResourceId`, `cluster-…`.
pub const CLUSTER: &str = "AWS::RDS::DBCluster";

/// The only status in which RDS takes every change.
const AVAILABLE: &str = "available";

/// An instance or a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Database {
    /// Instance or cluster.
    pub kind: Kind,
    /// `DbiResourceId` or `DbClusterResourceId`; it stays the same when the identifier changes.
    pub id: String,
    /// `DBInstanceIdentifier` or `DBClusterIdentifier`.
    pub identifier: String,
    /// `DBInstanceArn` or `DBClusterArn`.
    pub arn: String,
    /// `Engine`, e.g. `aurora-mysql`.
    pub engine: String,
    /// `DBInstanceStatus` or `Status`, e.g. `available`.
    pub status: String,
    /// The tags.
    pub tags: Tags,
}

/// The API's type for a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// `DBInstance`.
    Instance,
    /// `DBCluster`.
    Cluster,
}

/// An instance or a cluster as AWS Config or RDS describes it; every field may be missing. Reads the `configuration` of
/// an item of either type, in the casing of AWS Config: `dBInstanceIdentifier`, but `dbiResourceId` and `multiAZ`, and
/// for a cluster `dbclusterIdentifier`, but `dbClusterResourceId` (aws-config-resource-schema, and captured
/// notifications).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    /// `DbiResourceId` or `DbClusterResourceId`.
    #[serde(rename = "dbiResourceId", alias = "dbClusterResourceId")]
    pub resource_id: Option<String>,
    /// `DBInstanceIdentifier` or `DBClusterIdentifier`.
    #[serde(rename = "dBInstanceIdentifier", alias = "dbclusterIdentifier")]
    pub identifier: Option<String>,
    /// `DBInstanceArn` or `DBClusterArn`.
    #[serde(rename = "dBInstanceArn", alias = "dbclusterArn")]
    pub arn: Option<String>,
    /// `Engine`.
    pub engine: Option<String>,
    /// `DBInstanceStatus` or `Status`.
    #[serde(rename = "dBInstanceStatus", alias = "status")]
    pub status: Option<String>,
    /// `DBClusterIdentifier` of an instance.
    #[serde(rename = "dBClusterIdentifier")]
    pub cluster: Option<String>,
    /// `ReadReplicaSourceDBInstanceIdentifier`.
    #[serde(rename = "readReplicaSourceDBInstanceIdentifier")]
    pub source_instance: Option<String>,
    /// `ReadReplicaSourceDBClusterIdentifier`.
    #[serde(rename = "readReplicaSourceDBClusterIdentifier")]
    pub source_cluster: Option<String>,
    /// `DeletionProtection`.
    pub deletion_protection: Option<bool>,
    /// `MultiAZ`.
    #[serde(rename = "multiAZ")]
    pub multi_az: Option<bool>,
    /// `AutoMinorVersionUpgrade` of an instance.
    pub auto_minor_version_upgrade: Option<bool>,
    /// `PubliclyAccessible` of an instance.
    pub publicly_accessible: Option<bool>,
    /// `StorageEncrypted`.
    pub storage_encrypted: Option<bool>,
    /// `KmsKeyId`, the ARN of a key.
    pub kms_key_id: Option<String>,
    /// `BackupRetentionPeriod`.
    pub backup_retention_period: Option<i32>,
    /// `PreferredBackupWindow`.
    pub preferred_backup_window: Option<String>,
    /// `PendingModifiedValues`.
    pub pending_modified_values: Option<PendingValues>,
}

/// The values of `PendingModifiedValues` that a control reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PendingValues {
    /// `MultiAZ`.
    #[serde(rename = "multiAZ")]
    pub multi_az: Option<bool>,
    /// `BackupRetentionPeriod`.
    pub backup_retention_period: Option<i32>,
}

impl Kind {
    /// The resource type in AWS Config.
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::Instance => INSTANCE,
            Self::Cluster => CLUSTER,
        }
    }
}

impl Database {
    /// The resource as AWS Config identifies it.
    pub(crate) fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity {
            key: ResourceKey::new(self.kind.resource_type(), &self.id),
            arn: Some(&self.arn),
            name: Some(&self.identifier),
            tags: &self.tags,
        }
    }

    /// Whether the engine is Amazon DocumentDB or Neptune, whose clusters the RDS API returns as well.
    pub fn has_non_rds_engine(&self) -> bool {
        ["docdb", "neptune"].contains(&self.engine.as_str())
    }

    /// Whether every instance of this engine belongs to a cluster.
    pub fn has_cluster_only_engine(&self) -> bool {
        self.engine.starts_with("aurora") || self.has_non_rds_engine()
    }

    /// Whether the database is being created or deleted.
    pub fn is_creating_or_deleting(&self) -> bool {
        ["creating", "deleting"].contains(&self.status.as_str())
    }

    /// Whether the status is not `available`, so RDS may reject a modification.
    pub fn is_busy(&self) -> bool {
        self.status != AVAILABLE
    }

    /// Why the database cannot be modified now; `None` if it can. The status changes later.
    pub fn blocker(&self) -> Option<String> {
        self.is_busy().then(|| format!("status of {} is `{}`, not `{AVAILABLE}`", self.identifier, self.status))
    }

    /// Whether this is the database that `target` identifies. Another database may use the identifier by now.
    pub fn is_target(&self, target: &Target) -> bool {
        self.identity().key == target.resource
    }
}

impl Description {
    /// Reads the description and the database from the `configuration` of an item. The resource id is the item's; so is
    /// the ARN where the configuration has none.
    ///
    /// # Errors
    /// [`ShapeError`] when a value has another type than AWS documents, or a required field of [`Database`] is missing.
    pub fn of_item(item: &ConfigurationItem) -> Result<(Self, Database), ShapeError> {
        let (kind, expected) = match item.resource.kind.as_str() {
            CLUSTER => (Kind::Cluster, "a DB cluster"),
            _ => (Kind::Instance, "a DB instance"),
        };
        let mut description = Self::deserialize(&item.configuration)
            .map_err(|error| ShapeError::new("configuration", expected, error))?;
        description.resource_id = Some(item.resource.id.clone());
        description.arn = description.arn.or_else(|| item.arn.clone());
        let database = description.database(kind, item.tags.clone()).map_err(|error| error.within("configuration"))?;
        Ok((description, database))
    }

    /// The described database.
    ///
    /// # Errors
    /// [`ShapeError`] that names the missing field.
    pub fn database(&self, kind: Kind, tags: Tags) -> Result<Database, ShapeError> {
        let required = |value: &Option<String>, path: &str| {
            non_empty(value.clone()).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
        };
        Ok(Database {
            kind,
            id: required(&self.resource_id, "resourceId")?,
            identifier: required(&self.identifier, "identifier")?,
            arn: required(&self.arn, "arn")?,
            engine: required(&self.engine, "engine")?,
            status: required(&self.status, "status")?,
            tags,
        })
    }

    /// The cluster that the instance belongs to.
    pub fn cluster(&self) -> Option<String> {
        non_empty(self.cluster.clone())
    }

    /// The source of a read replica.
    pub fn replica_of(&self) -> Option<String> {
        non_empty(self.source_instance.clone().or_else(|| self.source_cluster.clone()))
    }

    /// The changes pending until the maintenance window.
    pub fn pending(&self) -> PendingValues {
        self.pending_modified_values.unwrap_or_default()
    }
}

pub(crate) fn non_empty(value: Option<String>) -> Option<String> {
    value.filter(|it| !it.is_empty())
}

/// The identifier of `target` for API calls: its `resourceName` in AWS Config.
///
/// # Errors
/// [`ShapeError`] where AWS Config records no name. The resource id is not an identifier: RDS would return "not found".
pub fn identifier_of(target: &Target) -> Result<&str, ShapeError> {
    target.name.as_deref().ok_or_else(|| ShapeError::missing(format!("{}.resourceName", target.resource), "a name"))
}

#[cfg(test)]
mod tests {
    use rectify_compliance::{AccountId, Region};

    use super::*;

    fn database(engine: &str, status: &str) -> Database {
        let text = |value: &str| Some(value.to_owned());
        let description = Description {
            resource_id: text("db-1"),
            identifier: text("orders"),
            arn: text("arn:aws:rds:eu-west-1:111122223333:db:orders"),
            engine: text(engine),
            status: text(status),
            ..Description::default()
        };
        description.database(Kind::Instance, Tags::new()).unwrap()
    }

    #[test]
    fn engines_and_statuses_are_distinguished() {
        for (engine, cluster_only, non_rds) in [
            ("mysql", false, false),
            ("sqlserver-ee", false, false),
            ("custom-oracle-ee", false, false),
            ("aurora-mysql", true, false),
            ("aurora-postgresql", true, false),
            ("aurora", true, false),
            ("docdb", true, true),
            ("neptune", true, true),
        ] {
            let database = database(engine, AVAILABLE);
            assert_eq!(database.has_cluster_only_engine(), cluster_only, "{engine}");
            assert_eq!(database.has_non_rds_engine(), non_rds, "{engine}");
        }
        for (status, in_transition, blocker) in [
            ("available", false, None),
            ("creating", true, Some("status of orders is `creating`, not `available`")),
            ("stopped", false, Some("status of orders is `stopped`, not `available`")),
        ] {
            let database = database("mysql", status);
            assert_eq!(database.is_creating_or_deleting(), in_transition, "{status}");
            assert_eq!(database.blocker().as_deref(), blocker, "{status}");
        }
    }

    #[test]
    fn a_reused_identifier_is_not_the_target() {
        let target = |kind: &str, id: &str| Target {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            resource: ResourceKey::new(kind, id),
            name: Some("orders".to_owned()),
            arn: None,
        };
        let database = database("mysql", AVAILABLE);
        assert!(database.is_target(&target(INSTANCE, "db-1")));
        assert!(!database.is_target(&target(INSTANCE, "db-2")) && !database.is_target(&target(CLUSTER, "db-1")));
        assert_eq!(identifier_of(&target(INSTANCE, "db-1")), Ok("orders"));
        let nameless = Target { name: None, ..target(INSTANCE, "db-1") };
        assert_eq!(identifier_of(&nameless).unwrap_err().path, "AWS::RDS::DBInstance db-1.resourceName");
    }

    #[test]
    fn a_description_without_a_resource_id_is_rejected() {
        let error = Description::default().database(Kind::Cluster, Tags::new()).unwrap_err();
        assert_eq!(error.path, "resourceId");
    }
}

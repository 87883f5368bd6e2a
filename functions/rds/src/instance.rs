//! A DB instance, whether from a configuration item or from the API.
//!
//! Knows no control and no SDK. AWS Config writes `dBInstanceIdentifier`, but `dbiResourceId` and `multiAZ`
//! (aws-config-resource-schema, and captured notifications).

use rectify_compliance::{
    ConfigurationItem, Image, Operation, Permission, Resource, ResourceKey, ShapeError, Tags, View,
};
use serde::{Deserialize, Serialize};

use crate::database::{Database, INSTANCE, Identity, Kind};
use crate::{DESCRIBE_INSTANCES, MODIFY_INSTANCE};

/// An instance, as far as anything here concerns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// What it is.
    pub database: Database,
    /// `DBClusterIdentifier`, where it belongs to a cluster.
    pub cluster: Option<String>,
    /// `ReadReplicaSourceDBInstanceIdentifier` or `ReadReplicaSourceDBClusterIdentifier`, where it is a read replica.
    pub replica_of: Option<String>,
    /// `DeletionProtection`; what was not told is off.
    pub deletion_protection: bool,
    /// `MultiAZ`; what was not told is one zone.
    pub multi_az: bool,
    /// `PendingModifiedValues.MultiAZ`: what it becomes in its maintenance window.
    pub pending_multi_az: Option<bool>,
}

/// An instance as it is told by AWS, before anything is known to be there. Reads the `configuration` of an item as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    /// `DbiResourceId`.
    pub dbi_resource_id: Option<String>,
    /// `DBInstanceIdentifier`.
    #[serde(rename = "dBInstanceIdentifier")]
    pub identifier: Option<String>,
    /// `DBInstanceArn`.
    #[serde(rename = "dBInstanceArn")]
    pub arn: Option<String>,
    /// `Engine`.
    pub engine: Option<String>,
    /// `DBInstanceStatus`.
    #[serde(rename = "dBInstanceStatus")]
    pub status: Option<String>,
    /// `DBClusterIdentifier`.
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
    /// `BackupRetentionPeriod`.
    pub backup_retention_period: Option<i32>,
    /// `PreferredBackupWindow`.
    pub preferred_backup_window: Option<String>,
    /// `PendingModifiedValues`.
    pub pending_modified_values: Option<PendingValues>,
}

/// `PendingModifiedValues`, as far as they matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PendingValues {
    /// `MultiAZ`.
    #[serde(rename = "multiAZ")]
    pub multi_az: Option<bool>,
    /// `BackupRetentionPeriod`.
    pub backup_retention_period: Option<i32>,
}

impl Instance {
    /// Why what is set for its cluster is not judged here, if it belongs to one.
    pub fn membership(&self) -> Option<String> {
        membership(&self.database, self.cluster.as_deref())
    }
}

/// Why an instance is not judged, if its cluster is instead: `DBClusterIdentifier` is set, or the engine has no others.
pub fn membership(database: &Database, cluster: Option<&str>) -> Option<String> {
    let name = &database.identifier;
    match cluster {
        Some(cluster) => Some(format!("{name} belongs to cluster {cluster}")),
        None if database.has_clustered_engine() => Some(format!("{name} ({}) belongs to a cluster", database.engine)),
        None => None,
    }
}

impl Image for Instance {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        self.database.key()
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.database.arn)
    }

    fn name(&self) -> Option<&str> {
        Some(&self.database.identifier)
    }

    fn tags(&self) -> &Tags {
        &self.database.tags
    }
}

/// `ModifyDBInstance`; every setting it leaves out stays as it is.
pub const MODIFY: Operation =
    Operation { name: "ModifyDBInstance", resource: "DBInstanceIdentifier", permissions: &[MODIFY_INSTANCE] };

impl View for Instance {
    type Resource = Self;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] = &[DESCRIBE_INSTANCES];
    const LIST: &'static [Permission] = &[];
    const NEEDS_NAME: bool = true;

    fn of(instance: Self, (): ()) -> Self {
        instance
    }

    fn call_id(&self) -> &str {
        &self.database.identifier
    }

    fn blocked(&self) -> Option<String> {
        self.database.obstacle()
    }

    /// RDS works on the instance for a moment, and may show a changed setting only then.
    fn is_settling(&self) -> bool {
        self.database.is_busy()
    }
}

impl Description {
    /// Reads the `configuration` of an item.
    ///
    /// # Errors
    /// [`ShapeError`] when a value is of another type than AWS documents.
    pub fn of_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Self::deserialize(&item.configuration).map_err(|error| ShapeError::new("configuration", "a DB instance", error))
    }

    /// What identifies it.
    pub fn identity(&self) -> Identity {
        Identity {
            id: self.dbi_resource_id.clone(),
            identifier: self.identifier.clone(),
            arn: self.arn.clone(),
            engine: self.engine.clone(),
            status: self.status.clone(),
        }
    }

    /// The cluster it belongs to.
    pub fn cluster(&self) -> Option<String> {
        self.cluster.clone().filter(|it| !it.is_empty())
    }

    /// What it is a read replica of.
    pub fn replica_of(&self) -> Option<String> {
        self.source_instance.clone().or_else(|| self.source_cluster.clone()).filter(|it| !it.is_empty())
    }

    /// The instance as the API described it.
    ///
    /// # Errors
    /// [`ShapeError`] when something that identifies it is missing.
    pub fn live(self, tags: Tags) -> Result<Instance, ShapeError> {
        let database = self.identity().read(Kind::Instance, tags)?;
        Ok(self.instance(database))
    }

    fn instance(self, database: Database) -> Instance {
        Instance {
            database,
            cluster: self.cluster(),
            replica_of: self.replica_of(),
            deletion_protection: self.deletion_protection.unwrap_or(false),
            multi_az: self.multi_az.unwrap_or(false),
            pending_multi_az: self.pending_modified_values.and_then(|it| it.multi_az),
        }
    }
}

impl Resource for Instance {
    const TYPES: &'static [&'static str] = &[INSTANCE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let description = Description::of_item(item)?;
        let database = description.identity().recorded(Kind::Instance, item)?;
        Ok(description.instance(database))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An item of an instance `orders`; `changes` replace keys of its configuration.
    pub(crate) fn item(changes: &Value) -> ConfigurationItem {
        let mut configuration = json!({
            "dBInstanceIdentifier": "orders", "dBInstanceClass": "db.m6g.large", "engine": "mysql",
            "dBInstanceStatus": "available", "dbiResourceId": "db-ORDERS", "multiAZ": false,
            "deletionProtection": false, "backupRetentionPeriod": 3, "preferredBackupWindow": "08:50-09:20",
            "pendingModifiedValues": {}, "dBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:orders"
        });
        for (key, value) in changes.as_object().unwrap() {
            configuration.as_object_mut().unwrap().insert(key.clone(), value.clone());
        }
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": INSTANCE,
            "resourceId": "db-ORDERS", "resourceName": "orders", "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": configuration,
            "tags": {"team": "shop"}
        }))
        .unwrap()
    }

    pub(crate) fn instance() -> Instance {
        let text = str::to_owned;
        Instance {
            database: Database {
                kind: Kind::Instance,
                id: text("db-ORDERS"),
                identifier: text("orders"),
                arn: text("arn:aws:rds:eu-west-1:111122223333:db:orders"),
                engine: text("mysql"),
                status: text("available"),
                tags: Tags::from([(text("team"), text("shop"))]),
            },
            cluster: None,
            replica_of: None,
            deletion_protection: false,
            multi_az: false,
            pending_multi_az: None,
        }
    }

    #[test]
    fn an_item_is_read_in_the_casing_of_aws_config() {
        assert_eq!(Instance::from_item(&item(&json!({}))).unwrap(), instance());
        let changes = json!({
            "dBClusterIdentifier": "shop", "readReplicaSourceDBInstanceIdentifier": "first", "deletionProtection": true,
            "multiAZ": true, "pendingModifiedValues": {"multiAZ": false, "port": 3307}, "dbInstancePort": 0
        });
        let expected = Instance {
            cluster: Some("shop".to_owned()),
            replica_of: Some("first".to_owned()),
            deletion_protection: true,
            multi_az: true,
            pending_multi_az: Some(false),
            ..instance()
        };
        assert_eq!(Instance::from_item(&item(&changes)).unwrap(), expected);
    }

    #[test]
    fn a_setting_that_is_not_told_is_off() {
        let silent = json!({"deletionProtection": null, "multiAZ": null, "pendingModifiedValues": null});
        assert_eq!(Instance::from_item(&item(&silent)).unwrap(), instance());
    }

    #[test]
    fn what_identifies_an_instance_is_never_guessed() {
        for (changes, path) in [
            (json!({"dBInstanceIdentifier": null}), "configuration.identifier"),
            (json!({"engine": ""}), "configuration.engine"),
            (json!({"dBInstanceStatus": null}), "configuration.status"),
            (json!({"dBInstanceArn": null}), "configuration.arn"),
            (json!({"multiAZ": "yes"}), "configuration"),
        ] {
            assert_eq!(Instance::from_item(&item(&changes)).unwrap_err().path, path, "{changes}");
        }
    }

    #[test]
    fn a_member_of_a_cluster_is_told_by_the_cluster_or_by_its_engine() {
        let of = |engine: &str, cluster: Option<&str>| {
            let mut it = instance();
            it.database.engine = engine.to_owned();
            it.cluster = cluster.map(str::to_owned);
            it.membership()
        };
        assert_eq!(of("mysql", None), None);
        assert_eq!(of("mysql", Some("shop")).unwrap(), "orders belongs to cluster shop");
        assert_eq!(of("docdb", None).unwrap(), "orders (docdb) belongs to a cluster");
    }
}

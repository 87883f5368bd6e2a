//! A DB instance, read from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    ConfigurationItem, Operation, Permission, Resource, ResourceIdentity, ResourceState, ShapeError, View,
};
use serde::{Deserialize, Serialize};

use crate::resources::database::{Database, Description, INSTANCE};
use crate::{DESCRIBE_INSTANCES, MODIFY_INSTANCE};

/// An instance with the settings that the controls read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// Its identifiers, engine, status and tags.
    pub database: Database,
    /// `DBClusterIdentifier`, where the instance belongs to a cluster.
    pub cluster: Option<String>,
    /// `ReadReplicaSourceDBInstanceIdentifier` or `ReadReplicaSourceDBClusterIdentifier`, where the instance is a read
    /// replica.
    pub replica_of: Option<String>,
    /// `DeletionProtection`; off where missing.
    pub deletion_protection: bool,
    /// `MultiAZ`; single-AZ where missing.
    pub multi_az: bool,
    /// `PendingModifiedValues.MultiAZ`: the value after the next maintenance window.
    pub pending_multi_az: Option<bool>,
    /// `AutoMinorVersionUpgrade`; `None` where missing, and in older stored states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_minor_version_upgrade: Option<bool>,
    /// `PubliclyAccessible`; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publicly_accessible: Option<bool>,
    /// `StorageEncrypted`; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_encrypted: Option<bool>,
    /// `KmsKeyId` of encrypted storage: the ARN of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
}

impl Instance {
    /// Builds the instance from a description.
    pub fn of(description: &Description, database: Database) -> Self {
        Self {
            database,
            cluster: description.cluster(),
            replica_of: description.replica_of(),
            deletion_protection: description.deletion_protection.unwrap_or(false),
            multi_az: description.multi_az.unwrap_or(false),
            pending_multi_az: description.pending().multi_az,
            auto_minor_version_upgrade: description.auto_minor_version_upgrade,
            publicly_accessible: description.publicly_accessible,
            storage_encrypted: description.storage_encrypted,
            kms_key_id: description.kms_key_id.clone(),
        }
    }

    /// Why cluster-level settings are not judged on this instance; `None` where it belongs to no cluster.
    pub fn membership(&self) -> Option<String> {
        membership(&self.database, self.cluster.as_deref())
    }

    /// Why no call can modify the instance: it belongs to a Multi-AZ DB cluster, whose engine is that of an instance.
    pub fn multi_az_cluster(&self) -> Option<String> {
        let cluster = self.cluster.as_ref().filter(|_| !self.database.has_cluster_only_engine())?;
        let name = &self.database.identifier;
        Some(format!(
            "{name} belongs to Multi-AZ DB cluster {cluster}, and RDS modifies the cluster, not its instances"
        ))
    }
}

/// Why the cluster is judged instead of the instance: `DBClusterIdentifier` is set, or the engine always runs in a
/// cluster. `None` where neither is so.
pub fn membership(database: &Database, cluster: Option<&str>) -> Option<String> {
    let name = &database.identifier;
    match cluster {
        Some(cluster) => Some(format!("{name} belongs to cluster {cluster}")),
        None if database.has_cluster_only_engine() => {
            Some(format!("{name} ({}) belongs to a cluster", database.engine))
        }
        None => None,
    }
}

impl ResourceState for Instance {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.database.identity()
    }
}

/// `ModifyDBInstance`; settings that it does not name stay unchanged.
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
        self.database.blocker()
    }

    /// RDS modifies the instance for a while and may return the new setting only afterwards.
    fn is_in_progress(&self) -> bool {
        self.database.is_busy()
    }
}

impl Resource for Instance {
    const TYPES: &'static [&'static str] = &[INSTANCE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let (description, database) = Description::of_item(item)?;
        Ok(Self::of(&description, database))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rectify_compliance::Tags;
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::database::Kind;

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
            auto_minor_version_upgrade: None,
            publicly_accessible: None,
            storage_encrypted: None,
            kms_key_id: None,
        }
    }

    #[test]
    fn an_item_is_parsed_in_the_casing_of_aws_config() {
        assert_eq!(Instance::from_item(&item(&json!({}))).unwrap(), instance());
        let changes = json!({
            "dBClusterIdentifier": "shop", "readReplicaSourceDBInstanceIdentifier": "first", "deletionProtection": true,
            "multiAZ": true, "pendingModifiedValues": {"multiAZ": false, "port": 3307}, "dbInstancePort": 0,
            "autoMinorVersionUpgrade": true, "publiclyAccessible": false,
            "storageEncrypted": true, "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1"
        });
        let expected = Instance {
            cluster: Some("shop".to_owned()),
            replica_of: Some("first".to_owned()),
            deletion_protection: true,
            multi_az: true,
            pending_multi_az: Some(false),
            auto_minor_version_upgrade: Some(true),
            publicly_accessible: Some(false),
            storage_encrypted: Some(true),
            kms_key_id: Some("arn:aws:kms:eu-west-1:111122223333:key/1".to_owned()),
            ..instance()
        };
        assert_eq!(Instance::from_item(&item(&changes)).unwrap(), expected);
    }

    #[test]
    fn a_missing_setting_is_off() {
        let unstated = json!({"deletionProtection": null, "multiAZ": null, "pendingModifiedValues": null});
        assert_eq!(Instance::from_item(&item(&unstated)).unwrap(), instance());
    }

    #[test]
    fn a_missing_or_malformed_required_field_is_an_error() {
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
    fn a_cluster_member_is_identified_by_its_cluster_or_its_engine() {
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

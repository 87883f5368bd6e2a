//! The automated backups of an instance or a cluster, read from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceState, ShapeError};
use serde::{Deserialize, Serialize};

use crate::resources::database::{CLUSTER, Database, Description, INSTANCE, Kind};
use crate::resources::instance::membership;

/// When a database is backed up, and how long the backups are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backups {
    /// The instance or cluster.
    pub database: Database,
    /// `DBClusterIdentifier` of an instance that belongs to a cluster.
    pub cluster: Option<String>,
    /// `ReadReplicaSourceDBInstanceIdentifier` or `ReadReplicaSourceDBClusterIdentifier` of an instance that is a
    /// replica.
    pub replica_of: Option<String>,
    /// `BackupRetentionPeriod`, days; 0 means no automated backups. Absent only where the database itself is not
    /// judged.
    pub retention: Option<u32>,
    /// `PendingModifiedValues.BackupRetentionPeriod`: the retention after the next maintenance window.
    pub pending_retention: Option<u32>,
    /// `PreferredBackupWindow`, UTC.
    pub window: Option<String>,
}

impl Backups {
    /// Why the cluster is judged instead of this instance; `None` where it is not.
    pub fn membership(&self) -> Option<String> {
        match self.database.kind {
            Kind::Instance => membership(&self.database, self.cluster.as_deref()),
            Kind::Cluster => None,
        }
    }

    /// The retention to judge: the pending one where it is longer, else the current one.
    pub fn evaluated_retention(&self) -> u32 {
        self.retention.unwrap_or(0).max(self.pending_retention.unwrap_or(0))
    }

    /// Whether [`Self::evaluated_retention`] is the pending one.
    pub fn is_pending(&self) -> bool {
        self.pending_retention.is_some_and(|pending| pending > self.retention.unwrap_or(0))
    }

    /// The retention after the maintenance window.
    pub fn retention_after_window(&self) -> Option<u32> {
        self.pending_retention.or(self.retention)
    }

    /// Reads the backups from a description.
    ///
    /// # Errors
    /// [`ShapeError`] when the retention is not a number of days, or is missing although the database is judged: a
    /// verdict needs a known retention.
    pub fn of(description: &Description, database: Database) -> Result<Self, ShapeError> {
        let is_instance = database.kind == Kind::Instance;
        let backups = Self {
            cluster: description.cluster().filter(|_| is_instance),
            replica_of: description.replica_of().filter(|_| is_instance),
            retention: days(description.backup_retention_period)?,
            pending_retention: days(description.pending().backup_retention_period)?,
            window: description.preferred_backup_window.clone(),
            database,
        };
        let is_not_judged = backups.membership().is_some() || backups.database.is_creating_or_deleting();
        if backups.retention.is_none() && !is_not_judged {
            return Err(ShapeError::missing("backupRetentionPeriod", "a number of days"));
        }
        Ok(backups)
    }
}

fn days(value: Option<i32>) -> Result<Option<u32>, ShapeError> {
    let days = |value: i32| {
        u32::try_from(value).map_err(|_| ShapeError::new("backupRetentionPeriod", "a number of days", value))
    };
    value.map(days).transpose()
}

impl Resource for Backups {
    const TYPES: &'static [&'static str] = &[INSTANCE, CLUSTER];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let (description, database) = Description::of_item(item)?;
        Self::of(&description, database).map_err(|error| error.within("configuration"))
    }
}

impl ResourceState for Backups {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.database.identity()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rectify_compliance::ResourceKey;
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::instance::tests::{instance, item};

    /// An item of a cluster `shop`; `changes` replace keys of its configuration.
    pub(crate) fn cluster_item(changes: &Value) -> ConfigurationItem {
        let mut configuration = json!({
            "dbclusterIdentifier": "shop", "dbClusterResourceId": "cluster-SHOP", "engine": "aurora-mysql",
            "status": "available", "backupRetentionPeriod": 1, "preferredBackupWindow": "04:48-05:18",
            "dbclusterArn": "arn:aws:rds:eu-west-1:111122223333:cluster:shop"
        });
        for (key, value) in changes.as_object().unwrap() {
            configuration.as_object_mut().unwrap().insert(key.clone(), value.clone());
        }
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": CLUSTER,
            "resourceId": "cluster-SHOP", "resourceName": "shop", "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": configuration
        }))
        .unwrap()
    }

    pub(crate) fn backups(retention: u32) -> Backups {
        Backups {
            database: instance().database,
            cluster: None,
            replica_of: None,
            retention: Some(retention),
            pending_retention: None,
            window: Some("08:50-09:20".to_owned()),
        }
    }

    #[test]
    fn items_of_both_types_are_parsed_in_the_casing_of_aws_config() {
        assert_eq!(Backups::from_item(&item(&json!({}))).unwrap(), backups(3));
        let pending = item(&json!({"pendingModifiedValues": {"backupRetentionPeriod": 7}}));
        assert_eq!(Backups::from_item(&pending).unwrap(), Backups { pending_retention: Some(7), ..backups(3) });
        let cluster = Backups::from_item(&cluster_item(&json!({}))).unwrap();
        assert_eq!(cluster.identity().key, ResourceKey::new(CLUSTER, "cluster-SHOP"));
        assert_eq!((cluster.retention, cluster.window.as_deref()), (Some(1), Some("04:48-05:18")));
    }

    #[test]
    fn a_missing_retention_is_an_error_where_the_database_is_judged() {
        let unstated = json!({"backupRetentionPeriod": null});
        for recorded in [item(&unstated), cluster_item(&unstated), item(&json!({"backupRetentionPeriod": -1}))] {
            assert_eq!(Backups::from_item(&recorded).unwrap_err().path, "configuration.backupRetentionPeriod");
        }
        let member = json!({"backupRetentionPeriod": null, "dBClusterIdentifier": "shop"});
        let created = json!({"backupRetentionPeriod": null, "dBInstanceStatus": "creating"});
        for recorded in [item(&member), item(&created)] {
            assert_eq!(Backups::from_item(&recorded).unwrap().retention, None);
        }
    }

    #[test]
    fn a_longer_pending_retention_counts_and_a_shorter_one_does_not() {
        let with = |retention, pending| Backups { pending_retention: pending, ..backups(retention) };
        for (subject, evaluated, pending, after_window) in [
            (with(3, None), 3, false, 3),
            (with(0, Some(7)), 7, true, 7),
            (with(7, Some(0)), 7, false, 0),
            (with(7, Some(7)), 7, false, 7),
        ] {
            assert_eq!((subject.evaluated_retention(), subject.is_pending()), (evaluated, pending), "{subject:?}");
            assert_eq!(subject.retention_after_window(), Some(after_window), "{subject:?}");
        }
    }
}

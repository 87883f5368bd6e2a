//! A snapshot of an instance or a cluster, with the accounts that may restore it, read from a configuration item or from
//! the API.
//!
//! Depends on no control and no SDK. AWS Config and the API identify a snapshot by the same identifier.

use std::collections::BTreeSet;

use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags};
use serde::{Deserialize, Serialize};

use crate::resources::database::{Kind, non_empty};

/// The resource type of a snapshot of an instance.
pub const INSTANCE_SNAPSHOT: &str = "AWS::RDS::DBSnapshot";

/// The resource type of a snapshot of a cluster.
pub const CLUSTER_SNAPSHOT: &str = "AWS::RDS::DBClusterSnapshot";

/// The attribute with the accounts that may copy and restore a snapshot.
pub const RESTORE: &str = "restore";

/// The value of [`RESTORE`] that means every account.
pub const ALL: &str = "all";

/// The types that RDS does not share.
const NEVER_SHARED: [&str; 2] = ["automated", "awsbackup"];

/// The only status in which RDS changes the attributes.
const AVAILABLE: &str = "available";

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// Of an instance or of a cluster.
    pub kind: Kind,
    /// `DBSnapshotIdentifier` or `DBClusterSnapshotIdentifier`.
    pub identifier: String,
    /// `DBSnapshotArn` or `DBClusterSnapshotArn`.
    pub arn: String,
    /// `SnapshotType`, e.g. `manual`.
    pub snapshot_type: String,
    /// `Status`, e.g. `available`.
    pub status: String,
    /// The values of the attribute [`RESTORE`]: account ids and [`ALL`]. `None` where they are not read.
    pub restorable_by: Option<BTreeSet<String>>,
    /// The tags.
    pub tags: Tags,
}

/// A snapshot as AWS Config or RDS describes it; every field may be missing. Reads the `configuration` of an item of
/// either type, in the casing of AWS Config (aws-config-resource-schema, November 2026).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    /// `DBSnapshotIdentifier` or `DBClusterSnapshotIdentifier`.
    #[serde(rename = "dBSnapshotIdentifier", alias = "dbclusterSnapshotIdentifier")]
    pub identifier: Option<String>,
    /// `DBSnapshotArn` or `DBClusterSnapshotArn`.
    #[serde(rename = "dBSnapshotArn", alias = "dbclusterSnapshotArn")]
    pub arn: Option<String>,
    /// `SnapshotType`.
    pub snapshot_type: Option<String>,
    /// `Status`.
    pub status: Option<String>,
}

/// A member of `supplementaryConfiguration.DBSnapshotAttributes` or `DBClusterSnapshotAttributes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    attribute_name: String,
    attribute_values: Option<BTreeSet<String>>,
}

impl Snapshot {
    /// Whether RDS can share the snapshot with other accounts.
    pub fn can_be_shared(&self) -> bool {
        !NEVER_SHARED.contains(&self.snapshot_type.as_str())
    }

    /// Whether every account may restore it; so it counts where the accounts are unknown.
    pub fn is_public(&self) -> bool {
        self.restorable_by.as_ref().is_none_or(|accounts| accounts.contains(ALL))
    }

    /// Why RDS does not change the attributes now; `None` if it does. The status changes later.
    pub fn blocker(&self) -> Option<String> {
        let Self { identifier, status, .. } = self;
        (status != AVAILABLE).then(|| format!("status of {identifier} is `{status}`, not `{AVAILABLE}`"))
    }
}

impl Description {
    /// The described snapshot, without the accounts that may restore it.
    ///
    /// # Errors
    /// [`ShapeError`] that names the missing field.
    pub fn snapshot(self, kind: Kind, tags: Tags) -> Result<Snapshot, ShapeError> {
        let required = |value: Option<String>, path: &str| {
            non_empty(value).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
        };
        Ok(Snapshot {
            kind,
            identifier: required(self.identifier, "identifier")?,
            arn: required(self.arn, "arn")?,
            snapshot_type: required(self.snapshot_type, "snapshotType")?,
            status: required(self.status, "status")?,
            restorable_by: None,
            tags,
        })
    }
}

impl Resource for Snapshot {
    const TYPES: &'static [&'static str] = &[INSTANCE_SNAPSHOT, CLUSTER_SNAPSHOT];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let (kind, key) = match item.resource.kind.as_str() {
            CLUSTER_SNAPSHOT => (Kind::Cluster, "DBClusterSnapshotAttributes"),
            _ => (Kind::Instance, "DBSnapshotAttributes"),
        };
        let description = Description::deserialize(&item.configuration)
            .map_err(|error| ShapeError::new("configuration", "a snapshot", error))?;
        let arn = description.arn.or_else(|| item.arn.clone());
        let description = Description { identifier: Some(item.resource.id.clone()), arn, ..description };
        let snapshot = description.snapshot(kind, item.tags.clone()).map_err(|error| error.within("configuration"))?;
        let attributes = item.supplement(key).map(Vec::<Attribute>::deserialize).transpose();
        let attributes = attributes
            .map_err(|error| ShapeError::new(format!("supplementaryConfiguration.{key}"), "attributes", error))?;
        let restore = attributes.into_iter().flatten().find(|it| it.attribute_name == RESTORE);
        Ok(Self { restorable_by: restore.and_then(|it| it.attribute_values), ..snapshot })
    }
}

impl ResourceState for Snapshot {
    fn identity(&self) -> ResourceIdentity<'_> {
        let resource_type = match self.kind {
            Kind::Instance => INSTANCE_SNAPSHOT,
            Kind::Cluster => CLUSTER_SNAPSHOT,
        };
        ResourceIdentity {
            key: ResourceKey::new(resource_type, &self.identifier),
            arn: Some(&self.arn),
            name: None,
            tags: &self.tags,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A manual snapshot of an instance.
    pub(crate) fn snapshot() -> Snapshot {
        let text = str::to_owned;
        Snapshot {
            kind: Kind::Instance,
            identifier: text("orders-1"),
            arn: text("arn:aws:rds:eu-west-1:111122223333:snapshot:orders-1"),
            snapshot_type: text("manual"),
            status: text("available"),
            restorable_by: Some(BTreeSet::new()),
            tags: Tags::from([(text("team"), text("shop"))]),
        }
    }

    fn item(kind: &str, configuration: &Value, supplementary: &Value) -> ConfigurationItem {
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": kind, "resourceId": "orders-1",
            "resourceName": "orders-1", "configurationItemStatus": "OK", "tags": {"team": "shop"},
            "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": configuration,
            "supplementaryConfiguration": supplementary
        }))
        .unwrap()
    }

    fn instance_item(attributes: &Value) -> Result<Snapshot, ShapeError> {
        let configuration = json!({
            "dBSnapshotIdentifier": "orders-1", "snapshotType": "manual", "status": "available",
            "dBSnapshotArn": "arn:aws:rds:eu-west-1:111122223333:snapshot:orders-1"
        });
        Snapshot::from_item(&item(INSTANCE_SNAPSHOT, &configuration, &json!({ "DBSnapshotAttributes": attributes })))
    }

    #[test]
    fn items_of_both_types_are_parsed_in_the_casing_of_aws_config() {
        let attributes = json!([{"attributeName": "restore", "attributeValues": []}]);
        assert_eq!(instance_item(&attributes), Ok(snapshot()));
        let arn = "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:orders-1";
        let configuration = json!({
            "dbclusterSnapshotIdentifier": "orders-1", "snapshotType": "manual", "status": "available",
            "dbclusterSnapshotArn": arn
        });
        let attributes = json!([{"attributeName": "restore", "attributeValues": ["all"]}]);
        let supplementary = json!({ "DBClusterSnapshotAttributes": attributes });
        let cluster = Snapshot::from_item(&item(CLUSTER_SNAPSHOT, &configuration, &supplementary)).unwrap();
        let restorable_by = Some(BTreeSet::from([ALL.to_owned()]));
        assert_eq!(cluster, Snapshot { kind: Kind::Cluster, arn: arn.to_owned(), restorable_by, ..snapshot() });
        assert_eq!(cluster.identity().key, ResourceKey::new(CLUSTER_SNAPSHOT, "orders-1"));
    }

    #[test]
    fn accounts_that_are_not_recorded_are_unknown_and_malformed_ones_an_error() {
        let other = json!([{"attributeName": "other", "attributeValues": []}]);
        for absent in [json!(null), json!([]), other, json!([{"attributeName": "restore"}])] {
            assert_eq!(instance_item(&absent).unwrap().restorable_by, None, "{absent}");
        }
        let error = instance_item(&json!([{"attributeName": "restore", "attributeValues": "all"}])).unwrap_err();
        assert_eq!(error.path, "supplementaryConfiguration.DBSnapshotAttributes");
    }
}

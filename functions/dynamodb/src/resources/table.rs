//! A table with its point-in-time recovery, from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    ConfigurationItem, Operation, Permission, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
    View,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type in AWS Config. The resource id is the name of the table.
pub const TYPE: &str = "AWS::DynamoDB::Table";

const TABLES: &str = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/*";
const DESCRIBE: Permission = Permission::on("dynamodb:DescribeTable", TABLES);
const DESCRIBE_BACKUPS: Permission = Permission::on("dynamodb:DescribeContinuousBackups", TABLES);
const LIST_TAGS: Permission = Permission::on("dynamodb:ListTagsOfResource", TABLES);
const UPDATE_BACKUPS: Permission = Permission::on("dynamodb:UpdateContinuousBackups", TABLES);

/// The status of a table that can be changed.
const ACTIVE: &str = "ACTIVE";
/// The statuses of tables that do not exist yet, or will not exist for long.
const TRANSIENT: [&str; 4] = ["CREATING", "DELETING", "ARCHIVING", "ARCHIVED"];

/// A table in its region. Each replica of a global table is a table of its own, with its own recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Table {
    /// `TableName`.
    pub name: String,
    /// `TableArn`.
    pub arn: String,
    /// `TableStatus`.
    pub status: String,
    /// Whether `PointInTimeRecoveryStatus` is `ENABLED`; not read, and false, for tables that are not evaluated.
    pub point_in_time_recovery: bool,
    /// The tags, if they were read.
    pub tags: Tags,
}

/// `PointInTimeRecoverySpecification`. Without `RecoveryPeriodInDays` DynamoDB keeps 35 days, the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PointInTimeRecovery {
    /// `PointInTimeRecoveryEnabled`.
    pub point_in_time_recovery_enabled: bool,
}

impl Table {
    /// Why the table is not evaluated; `None` if it is.
    pub fn exemption(&self) -> Option<String> {
        is_transient(&self.status).then(|| format!("Table {} is {}", self.name, self.status))
    }
}

/// Whether a table of this status is not evaluated. One of an unknown status is.
pub fn is_transient(status: &str) -> bool {
    TRANSIENT.contains(&status)
}

/// Whether this `PointInTimeRecoveryStatus` is on.
///
/// # Errors
/// [`ShapeError`] for a status other than `ENABLED` and `DISABLED`.
pub fn is_enabled(status: &str) -> Result<bool, ShapeError> {
    match status {
        "ENABLED" => Ok(true),
        "DISABLED" => Ok(false),
        other => Err(ShapeError::new("pointInTimeRecoveryStatus", "ENABLED or DISABLED", other)),
    }
}

impl ResourceState for Table {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.name), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

/// `UpdateContinuousBackups`.
pub const UPDATE_CONTINUOUS_BACKUPS: Operation =
    Operation { name: "UpdateContinuousBackups", resource: "TableName", permissions: &[UPDATE_BACKUPS] };

impl View for Table {
    type Resource = RecordedTable;
    /// Whether recovery is on, read if the item does not state it.
    type Facts = Option<bool>;
    const FACTS: &'static [Permission] = &[DESCRIBE_BACKUPS];
    const READ: &'static [Permission] = &[DESCRIBE, DESCRIBE_BACKUPS, LIST_TAGS];
    const LIST: &'static [Permission] = &[Permission::unscoped("dynamodb:ListTables"), DESCRIBE, DESCRIBE_BACKUPS];

    fn of(recorded: RecordedTable, live: Option<bool>) -> Self {
        let RecordedTable { table, point_in_time_recovery: stated } = recorded;
        Self { point_in_time_recovery: stated.or(live).unwrap_or(false), ..table }
    }

    fn call_id(&self) -> &str {
        &self.name
    }

    fn blocked(&self) -> Option<String> {
        let Self { name, status, .. } = self;
        (status != ACTIVE).then(|| format!("status of {name} is `{status}`, not `{ACTIVE}`"))
    }
}

/// A table as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTable {
    table: Table,
    point_in_time_recovery: Option<bool>,
}

impl RecordedTable {
    /// The name of the table.
    pub fn name(&self) -> &str {
        &self.table.name
    }

    /// Whether the item is enough for a verdict.
    pub fn is_sufficient(&self) -> bool {
        self.point_in_time_recovery.is_some() || is_transient(&self.table.status)
    }
}

impl Resource for RecordedTable {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let text = |key: &str| item.configuration.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        let required = |value: Option<&str>, path: &str| {
            value.map(str::to_owned).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
        };
        let backups = item.supplement("ContinuousBackupsDescription");
        let status = backups.and_then(|it| it.pointer("/pointInTimeRecoveryDescription/pointInTimeRecoveryStatus"));
        // A status that is not text becomes text that is no status.
        let status = status.filter(|it| !it.is_null());
        let status = status.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
        Ok(Self {
            table: Table {
                name: item.resource.id.clone(),
                arn: required(text("tableArn").or(item.arn.as_deref()), "configuration.tableArn")?,
                status: required(text("tableStatus"), "configuration.tableStatus")?,
                point_in_time_recovery: false,
                tags: item.tags.clone(),
            },
            point_in_time_recovery: status.as_deref().map(is_enabled).transpose()?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// The table `orders`, without recovery.
    pub(crate) fn table() -> Table {
        Table {
            name: "orders".into(),
            arn: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders".into(),
            status: ACTIVE.into(),
            point_in_time_recovery: false,
            tags: Tags::from([("team".into(), "shop".into())]),
        }
    }

    /// Its item, with this status and this `ContinuousBackupsDescription`.
    pub(crate) fn recorded(status: &Value, backups: &Value) -> Result<RecordedTable, ShapeError> {
        let item = ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": "orders",
            "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": {"tableName": "orders", "tableArn": table().arn, "tableStatus": status},
            "supplementaryConfiguration": {"ContinuousBackupsDescription": backups}, "tags": {"team": "shop"}
        }));
        RecordedTable::from_item(&item.unwrap())
    }

    /// `ContinuousBackupsDescription` with this `pointInTimeRecoveryStatus`.
    pub(crate) fn backups(status: &Value) -> Value {
        json!({"continuousBackupsStatus": "ENABLED",
            "pointInTimeRecoveryDescription": {"pointInTimeRecoveryStatus": status}})
    }

    #[test]
    fn an_item_states_the_recovery_or_a_live_read_does() {
        let active = json!(ACTIVE);
        let on = Table { point_in_time_recovery: true, ..table() };
        for (stated, live, expected) in [
            (backups(&json!("ENABLED")), None, &on),
            (backups(&json!("DISABLED")), None, &table()),
            (backups(&json!(null)), Some(true), &on),
            (json!(null), Some(true), &on),
            (json!({"continuousBackupsStatus": "ENABLED"}), Some(false), &table()),
            (json!(null), None, &table()),
        ] {
            let recorded = recorded(&active, &stated).unwrap();
            assert_eq!(recorded.is_sufficient(), stated.to_string().contains("ABLED\"}}"), "{stated}");
            assert_eq!(Table::of(recorded, live), *expected, "{stated}");
        }
        assert!(recorded(&json!("DELETING"), &json!(null)).unwrap().is_sufficient());
    }

    #[test]
    fn an_unknown_or_missing_status_is_an_error() {
        for (status, backups, path) in [
            (json!(null), backups(&json!("ENABLED")), "configuration.tableStatus"),
            (json!(ACTIVE), backups(&json!("ENABLING")), "pointInTimeRecoveryStatus"),
            (json!(ACTIVE), backups(&json!(true)), "pointInTimeRecoveryStatus"),
        ] {
            assert_eq!(recorded(&status, &backups).unwrap_err().path, path, "{backups}");
        }
    }
}

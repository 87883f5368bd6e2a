//! A configuration item (CI): AWS Config's record of one resource at one moment, in one model for every shape.
//!
//! Two shapes reach a rule: the notification (JSON values, `awsAccountId`, `ARN`) and the answer of
//! `GetResourceConfigHistory` (strings inside strings, `accountId`, `arn`). Both become [`ConfigurationItem`].

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AccountId, Region, ResourceKey, ShapeError, Tags, Target, Timestamp};

/// Supplementary values that are JSON text even in the notification, and so are encoded twice in the API's answer.
const TEXT_IN_NOTIFICATION: [&str; 2] = ["AccessControlList", "Policy"];

/// `configurationItemStatus`, the current and the pre-2017 spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemStatus {
    /// The resource is recorded.
    #[serde(rename = "OK", alias = "Ok")]
    Ok,
    /// The resource was just found.
    #[serde(rename = "ResourceDiscovered", alias = "Discovered")]
    Discovered,
    /// The resource is gone.
    #[serde(rename = "ResourceDeleted", alias = "Deleted")]
    Deleted,
    /// The resource is no longer recorded.
    #[serde(rename = "ResourceNotRecorded")]
    NotRecorded,
    /// The resource is gone and was not recorded.
    #[serde(rename = "ResourceDeletedNotRecorded")]
    DeletedNotRecorded,
}

impl ItemStatus {
    /// Reads the status as AWS Config spells it.
    ///
    /// # Errors
    /// [`ShapeError`] for a spelling that is not known.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        serde_json::from_value(Value::String(text.to_owned()))
            .map_err(|_| ShapeError::new("configurationItemStatus", "a known status", text))
    }

    /// Whether there is a configuration to judge.
    pub const fn is_recorded(self) -> bool {
        matches!(self, Self::Ok | Self::Discovered)
    }
}

/// One resource at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigurationItem {
    /// `awsAccountId` / `accountId`: who owns the resource.
    pub account: AccountId,
    /// `awsRegion`; `global` for IAM.
    pub region: Region,
    /// `resourceType` and `resourceId`.
    pub resource: ResourceKey,
    /// `resourceName`, often null.
    pub name: Option<String>,
    /// `ARN` / `arn`.
    pub arn: Option<String>,
    /// `configurationItemStatus`.
    pub status: ItemStatus,
    /// `configurationItemCaptureTime`: what orders evaluations.
    pub captured_at: Timestamp,
    /// `configuration`, decoded; null when the resource is gone.
    pub configuration: Value,
    /// `supplementaryConfiguration`, every value decoded as far as it is JSON.
    pub supplementary: Map<String, Value>,
    /// `tags`, empty for types that never fill it.
    pub tags: Tags,
    /// `relationships`.
    pub relationships: Vec<Relationship>,
}

/// A line from one resource to another, e.g. an instance to its security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    /// `resourceType` of the other end.
    pub resource_type: String,
    /// `resourceId` of the other end, where known.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// `resourceName` of the other end, where known.
    #[serde(default)]
    pub resource_name: Option<String>,
    /// `name` (notification) / `relationshipName` (API), e.g. `Is associated with SecurityGroup`.
    #[serde(default, alias = "relationshipName")]
    pub name: Option<String>,
}

/// What identifies, orders and qualifies an item: the same keys in a notification and in the summary of an oversized one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    aws_account_id: Option<String>,
    aws_region: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
    resource_name: Option<String>,
    #[serde(rename = "ARN")]
    arn: Option<String>,
    configuration_item_status: Option<String>,
    configuration_item_capture_time: Option<String>,
}

impl Identity {
    /// The resource, its status and when it was captured; all but name and ARN must be there.
    pub(crate) fn read(self) -> Result<(Target, ItemStatus, Timestamp), ShapeError> {
        let target = Target {
            account: AccountId::new(required(self.aws_account_id, "awsAccountId")?),
            region: Region::new(required(self.aws_region, "awsRegion")?),
            resource: ResourceKey::new(
                required(self.resource_type, "resourceType")?,
                required(self.resource_id, "resourceId")?,
            ),
            name: self.resource_name.filter(|it| !it.is_empty()),
            arn: self.arn.filter(|it| !it.is_empty()),
        };
        let status = ItemStatus::parse(&required(self.configuration_item_status, "configurationItemStatus")?)?;
        let captured_at = timestamp(self.configuration_item_capture_time.as_deref(), "configurationItemCaptureTime")?;
        Ok((target, status, captured_at))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    #[serde(flatten)]
    identity: Identity,
    #[serde(default)]
    configuration: Value,
    supplementary_configuration: Option<Map<String, Value>>,
    tags: Option<BTreeMap<String, Option<String>>>,
    relationships: Option<Vec<Relationship>>,
}

/// An item as `GetResourceConfigHistory` and `BatchGetResourceConfig` answer it, without their SDK's types.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ApiItem {
    /// `accountId`.
    pub account: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// `resourceType`.
    pub resource_type: Option<String>,
    /// `resourceId`.
    pub resource_id: Option<String>,
    /// `resourceName`.
    pub resource_name: Option<String>,
    /// `arn`.
    pub arn: Option<String>,
    /// `configurationItemStatus`.
    pub status: Option<String>,
    /// `configurationItemCaptureTime`.
    pub captured_at: Option<Timestamp>,
    /// `configuration`, JSON text.
    pub configuration: Option<String>,
    /// `supplementaryConfiguration`, every value JSON text.
    pub supplementary: HashMap<String, String>,
    /// `tags`.
    pub tags: HashMap<String, String>,
    /// `relationships`.
    pub relationships: Vec<Relationship>,
}

impl ConfigurationItem {
    /// Reads the notification shape (`invokingEvent.configurationItem`).
    ///
    /// # Errors
    /// [`ShapeError`] when what identifies, orders or qualifies the item is missing. Unknown keys are ignored, and
    /// `configuration` may be null: whether that matters is decided by the [gate](crate::gate).
    pub fn from_notification(item: &Value) -> Result<Self, ShapeError> {
        let raw: Notification = Notification::deserialize(item)
            .map_err(|error| ShapeError::new("configurationItem", "a configuration item", error))?;
        let (target, status, captured_at) = raw.identity.read()?;
        Ok(Self {
            account: target.account,
            region: target.region,
            resource: target.resource,
            name: target.name,
            arn: target.arn,
            status,
            captured_at,
            configuration: raw.configuration,
            supplementary: raw.supplementary_configuration.map(decode_supplementary).unwrap_or_default(),
            tags: raw
                .tags
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, value.unwrap_or_default()))
                .collect(),
            relationships: raw.relationships.unwrap_or_default(),
        })
    }

    /// Reads the API shape.
    ///
    /// # Errors
    /// [`ShapeError`] as for the notification, and for a `configuration` that is no JSON.
    pub fn from_api(item: ApiItem) -> Result<Self, ShapeError> {
        let configuration = match item.configuration.as_deref() {
            None | Some("") => Value::Null,
            Some(text) => {
                serde_json::from_str(text).map_err(|error| ShapeError::new("configuration", "JSON text", error))?
            }
        };
        let supplementary = item.supplementary.into_iter().map(|(key, text)| (key, Value::String(text))).collect();
        Ok(Self {
            account: AccountId::new(required(item.account, "accountId")?),
            region: Region::new(required(item.region, "awsRegion")?),
            resource: ResourceKey::new(
                required(item.resource_type, "resourceType")?,
                required(item.resource_id, "resourceId")?,
            ),
            name: item.resource_name.filter(|it| !it.is_empty()),
            arn: item.arn.filter(|it| !it.is_empty()),
            status: ItemStatus::parse(&required(item.status, "configurationItemStatus")?)?,
            captured_at: item
                .captured_at
                .ok_or_else(|| ShapeError::missing("configurationItemCaptureTime", "a time"))?,
            configuration,
            supplementary: decode_supplementary(supplementary),
            tags: item.tags.into_iter().collect(),
            relationships: item.relationships,
        })
    }

    /// A supplementary value; absent and null are the same.
    pub fn supplement(&self, key: &str) -> Option<&Value> {
        self.supplementary.get(key).filter(|value| !value.is_null())
    }

    /// The resource as something to call APIs about.
    pub fn target(&self) -> Target {
        Target {
            account: self.account.clone(),
            region: self.region.clone(),
            resource: self.resource.clone(),
            name: self.name.clone(),
            arn: self.arn.clone(),
        }
    }
}

/// Parses each value once as JSON, and the two that are text even in the notification twice; what is not JSON stays text.
fn decode_supplementary(values: Map<String, Value>) -> Map<String, Value> {
    values
        .into_iter()
        .map(|(key, value)| {
            let times = if TEXT_IN_NOTIFICATION.contains(&key.as_str()) { 2 } else { 1 };
            let value = (0..times).fold(value, |value, _| match &value {
                Value::String(text) => serde_json::from_str(text).unwrap_or(value),
                _ => value,
            });
            (key, value)
        })
        .collect()
}

pub(crate) fn required(value: Option<String>, path: &str) -> Result<String, ShapeError> {
    value.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
}

pub(crate) fn timestamp(text: Option<&str>, path: &str) -> Result<Timestamp, ShapeError> {
    let text = text.ok_or_else(|| ShapeError::missing(path, "an RFC 3339 time"))?;
    text.parse().map_err(|_| ShapeError::new(path, "an RFC 3339 time", text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use serde_json::json;

    fn notification() -> Value {
        json!({
            "configurationItemVersion": "1.3", "configurationStateId": 1_700_000_000_123_u64,
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::S3::Bucket",
            "resourceId": "invoices", "resourceName": "invoices", "ARN": "arn:aws:s3:::invoices",
            "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": {"name": "invoices"}, "availabilityZone": "Regional", "resourceCreationTime": null,
            "supplementaryConfiguration": {
                "AccessControlList": "{\"grantList\":[]}", "IsRequesterPaysEnabled": false,
                "BucketPolicy": {"policyText": null}, "Odd": "plain words"
            },
            "tags": {"team": "finance", "empty": null},
            "relationships": [{"resourceType": "AWS::KMS::Key", "resourceId": "k", "name": "Is encrypted by "}],
            "somethingNew": 1
        })
    }

    fn api() -> ApiItem {
        ApiItem {
            account: Some("111122223333".into()),
            region: Some("eu-west-1".into()),
            resource_type: Some("AWS::S3::Bucket".into()),
            resource_id: Some("invoices".into()),
            resource_name: Some("invoices".into()),
            arn: Some("arn:aws:s3:::invoices".into()),
            status: Some("OK".into()),
            captured_at: Some("2026-03-04T05:06:07.890Z".parse().unwrap()),
            configuration: Some("{\"name\":\"invoices\"}".into()),
            supplementary: HashMap::from([
                ("AccessControlList".into(), "\"{\\\"grantList\\\":[]}\"".into()),
                ("IsRequesterPaysEnabled".into(), "false".into()),
                ("BucketPolicy".into(), "{\"policyText\":null}".into()),
                ("Odd".into(), "plain words".into()),
            ]),
            tags: HashMap::from([("team".into(), "finance".into()), ("empty".into(), String::new())]),
            relationships: vec![Relationship {
                resource_type: "AWS::KMS::Key".into(),
                resource_id: Some("k".into()),
                resource_name: None,
                name: Some("Is encrypted by ".into()),
            }],
        }
    }

    #[test]
    fn both_shapes_of_one_resource_give_the_same_item() {
        let item = ConfigurationItem::from_notification(&notification()).unwrap();
        assert_eq!(item, ConfigurationItem::from_api(api()).unwrap());
        assert_eq!(item.supplementary.get("AccessControlList"), Some(&json!({"grantList": []})));
        assert_eq!(item.supplementary.get("Odd"), Some(&json!("plain words")));
    }

    #[test]
    fn a_null_and_an_absent_supplement_are_the_same() {
        let mut event = notification();
        event["supplementaryConfiguration"] = json!({"PublicAccessBlockConfiguration": null});
        let item = ConfigurationItem::from_notification(&event).unwrap();
        assert_eq!(item.supplement("PublicAccessBlockConfiguration"), None);
        assert_eq!(item.supplement("ServerSideEncryptionConfiguration"), None);
    }

    #[test]
    fn every_spelling_of_a_status_is_read_and_no_other() {
        for (text, recorded) in [
            ("OK", true),
            ("Ok", true),
            ("ResourceDiscovered", true),
            ("Discovered", true),
            ("ResourceDeleted", false),
            ("Deleted", false),
            ("ResourceNotRecorded", false),
            ("ResourceDeletedNotRecorded", false),
        ] {
            assert_eq!(ItemStatus::parse(text).unwrap().is_recorded(), recorded, "{text}");
        }
        assert!(ItemStatus::parse("Gone").unwrap_err().to_string().contains("received `Gone`"));
    }

    #[test]
    fn what_orders_and_identifies_an_item_must_be_there() {
        for key in [
            "awsAccountId",
            "awsRegion",
            "resourceType",
            "resourceId",
            "configurationItemStatus",
            "configurationItemCaptureTime",
        ] {
            let mut event = notification();
            event.as_object_mut().unwrap().remove(key);
            let error = ConfigurationItem::from_notification(&event).unwrap_err();
            assert!(error.path.contains(key), "{key}: {error}");
        }
    }

    #[test]
    fn a_configuration_of_null_is_kept_as_null_in_both_shapes() {
        let mut event = notification();
        event["configuration"] = Value::Null;
        assert_eq!(ConfigurationItem::from_notification(&event).unwrap().configuration, Value::Null);
        for text in [None, Some(String::new()), Some("null".to_owned())] {
            let item = ConfigurationItem::from_api(ApiItem { configuration: text, ..api() }).unwrap();
            assert_eq!(item.configuration, Value::Null);
        }
    }
}

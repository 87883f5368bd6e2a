//! A configuration item (CI): AWS Config's record of one resource at one point in time, in one model for every shape.
//!
//! A rule gets two shapes: the notification (JSON values, `awsAccountId`, `ARN`) and the response of
//! `GetResourceConfigHistory` (strings inside strings, `accountId`, `arn`). Both become [`ConfigurationItem`].

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rule_event::ItemSummary;
use crate::{AccountId, Region, ResourceKey, ShapeError, Tags, Target, Timestamp};

/// Supplementary values that are JSON text even in the notification, so the API response encodes them twice.
const TEXT_IN_NOTIFICATION: [&str; 2] = ["AccessControlList", "Policy"];

/// `configurationItemStatus`, in the current and the pre-2017 spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemStatus {
    /// The resource is recorded.
    #[serde(rename = "OK", alias = "Ok")]
    Ok,
    /// The resource was discovered.
    #[serde(rename = "ResourceDiscovered", alias = "Discovered")]
    Discovered,
    /// The resource is deleted.
    #[serde(rename = "ResourceDeleted", alias = "Deleted")]
    Deleted,
    /// The resource is no longer recorded.
    #[serde(rename = "ResourceNotRecorded")]
    NotRecorded,
    /// The resource is deleted and was not recorded.
    #[serde(rename = "ResourceDeletedNotRecorded")]
    DeletedNotRecorded,
}

impl ItemStatus {
    /// Parses the status in AWS Config's spelling.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown status.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        serde_json::from_value(Value::String(text.to_owned()))
            .map_err(|_| ShapeError::new("configurationItemStatus", "a known status", text))
    }

    /// The current spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Discovered => "ResourceDiscovered",
            Self::Deleted => "ResourceDeleted",
            Self::NotRecorded => "ResourceNotRecorded",
            Self::DeletedNotRecorded => "ResourceDeletedNotRecorded",
        }
    }

    /// Whether there is a configuration to evaluate.
    pub const fn is_recorded(self) -> bool {
        matches!(self, Self::Ok | Self::Discovered)
    }
}

/// One resource at one point in time.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigurationItem {
    /// `awsAccountId` / `accountId`: the owner of the resource.
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
    /// `configurationItemCaptureTime`: the `OrderingTimestamp` of evaluations.
    pub captured_at: Timestamp,
    /// `configuration`, decoded; null if the resource is deleted.
    pub configuration: Value,
    /// `supplementaryConfiguration`; every value that is JSON is decoded.
    pub supplementary: Map<String, Value>,
    /// `tags`; empty for types without this member.
    pub tags: Tags,
    /// `relationships`.
    pub relationships: Vec<Relationship>,
}

/// A relationship from one resource to another, e.g. from an instance to its security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    /// `resourceType` of the other resource.
    pub resource_type: String,
    /// `resourceId` of the other resource, if known.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// `resourceName` of the other resource, if known.
    #[serde(default)]
    pub resource_name: Option<String>,
    /// `name` (notification) / `relationshipName` (API), e.g. `Is associated with SecurityGroup`.
    #[serde(default, alias = "relationshipName")]
    pub name: Option<String>,
}

/// Identity, capture time and status of an item: the same keys in a notification and in the summary of an oversized
/// one.
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

/// Account and region of the rule of an event, from its envelope. Both are optional in AWS's API. An item without its
/// own has these: AWS Config sends a rule no items of other accounts or regions.
#[derive(Debug, Clone, Default)]
pub(crate) struct RulePlace {
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
}

impl Identity {
    /// The resource, its status and its capture time. All but name and ARN are required; account and region may come
    /// from `rule`.
    pub(crate) fn read(self, rule: &RulePlace) -> Result<(Target, ItemStatus, Timestamp), ShapeError> {
        let account = non_empty(self.aws_account_id).or_else(|| rule.account.clone());
        let region = non_empty(self.aws_region).or_else(|| rule.region.clone());
        let target = Target {
            account: AccountId::new(required(account, "awsAccountId")?),
            region: Region::new(required(region, "awsRegion")?),
            resource: ResourceKey::new(
                required(self.resource_type, "resourceType")?,
                required(self.resource_id, "resourceId")?,
            ),
            name: non_empty(self.resource_name),
            arn: non_empty(self.arn),
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
    relationships: Option<Vec<Value>>,
}

/// An item as `GetResourceConfigHistory` and `BatchGetResourceConfig` return it, without SDK types. Every field is
/// optional in the API; [`about`](Self::about) and [`or_summary`](Self::or_summary) fill in missing ones from the
/// request or the event.
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

impl ApiItem {
    /// The same, as the response to a request about `target`: missing fields are filled in from the target.
    #[must_use]
    pub fn about(self, target: &Target) -> Self {
        let or = |own: Option<String>, known: &str| non_empty(own).or_else(|| Some(known.to_owned()));
        Self {
            account: or(self.account, target.account.as_str()),
            region: or(self.region, target.region.as_str()),
            resource_type: or(self.resource_type, &target.resource.kind),
            resource_id: or(self.resource_id, &target.resource.id),
            resource_name: non_empty(self.resource_name).or_else(|| target.name.clone()),
            arn: non_empty(self.arn).or_else(|| target.arn.clone()),
            ..self
        }
    }

    /// The same, as the item of the oversized event with this summary: missing fields are filled in from the summary.
    #[must_use]
    pub fn or_summary(self, summary: &ItemSummary) -> Self {
        let item = self.about(&summary.target);
        Self {
            status: non_empty(item.status).or_else(|| Some(summary.status.name().to_owned())),
            captured_at: item.captured_at.or(Some(summary.captured_at)),
            ..item
        }
    }
}

impl ConfigurationItem {
    /// Reads the notification shape (`invokingEvent.configurationItem`).
    ///
    /// # Errors
    /// [`ShapeError`] if identity, capture time or status is missing. Unknown keys are ignored. `configuration` may be
    /// null: the [gate](crate::gate) decides whether that is an error.
    pub fn from_notification(item: &Value) -> Result<Self, ShapeError> {
        Self::for_rule(item, &RulePlace::default())
    }

    /// Reads the notification shape in an event for a rule in this account and region.
    pub(crate) fn for_rule(item: &Value, rule: &RulePlace) -> Result<Self, ShapeError> {
        let raw: Notification = Notification::deserialize(item)
            .map_err(|error| ShapeError::new("configurationItem", "a configuration item", error))?;
        let (target, status, captured_at) = raw.identity.read(rule)?;
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
            // A relationship without a type has no meaning.
            relationships: (raw.relationships.iter().flatten())
                .filter_map(|it| Relationship::deserialize(it).ok())
                .collect(),
        })
    }

    /// Reads the API shape.
    ///
    /// # Errors
    /// [`ShapeError`] as for the notification, and for a `configuration` that is not JSON.
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
            name: non_empty(item.resource_name),
            arn: non_empty(item.arn),
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

    /// A supplementary value; null counts as absent.
    pub fn supplement(&self, key: &str) -> Option<&Value> {
        self.supplementary.get(key).filter(|value| !value.is_null())
    }

    /// The resource as a target of API calls.
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

/// Parses each value as JSON once, or twice if it is text even in the notification. A value that is not JSON stays
/// text.
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

/// The string, unless it is empty.
pub(crate) fn non_empty(value: Option<String>) -> Option<String> {
    value.filter(|it| !it.is_empty())
}

pub(crate) fn required(value: Option<String>, path: &str) -> Result<String, ShapeError> {
    non_empty(value).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
}

pub(crate) fn timestamp(text: Option<&str>, path: &str) -> Result<Timestamp, ShapeError> {
    let text = text.ok_or_else(|| ShapeError::missing(path, "an RFC 3339 time"))?;
    text.parse().map_err(|_| ShapeError::new(path, "an RFC 3339 time", text))
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;

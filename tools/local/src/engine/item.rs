//! One recorded configuration item, kept in the notification shape.
//!
//! The API shape (`GetResourceConfigHistory`, `BatchGetResourceConfig`) is derived on demand: it has other names, JSON
//! inside strings, and epoch times. Source: developer guide "Configuration item", and captured items of both shapes.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::clock::{Epoch, iso};
use super::error::EngineError;

/// A resource's identity in AWS Config: its type and Config's resource id, which is often not its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// For example `AWS::EC2::SecurityGroup`.
    pub resource_type: String,
    /// For example `sg-0123`, or `AIDA…` for an IAM user.
    pub resource_id: String,
}

impl ResourceKey {
    /// The key of a resource.
    pub fn new(resource_type: impl Into<String>, resource_id: impl Into<String>) -> Self {
        Self { resource_type: resource_type.into(), resource_id: resource_id.into() }
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} `{}`", self.resource_type, self.resource_id)
    }
}

/// String fields that are the same in both shapes.
const PLAIN: [&str; 6] =
    ["configurationItemStatus", "resourceType", "resourceId", "resourceName", "awsRegion", "availabilityZone"];

/// A configuration item with validated identity, time and status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) key: ResourceKey,
    pub(super) captured: Timestamp,
    pub(super) deleted: bool,
    body: Value,
}

impl Item {
    /// Validates an item in the notification shape.
    pub(super) fn parse(body: Value) -> Result<Self, EngineError> {
        let key = ResourceKey::new(text(&body, "resourceType")?, text(&body, "resourceId")?);
        text(&body, "ARN")?;
        text(&body, "awsRegion")?;
        text(&body, "awsAccountId")?;
        let captured = text(&body, "configurationItemCaptureTime")?.parse().map_err(|error: jiff::Error| {
            EngineError::Item { field: "configurationItemCaptureTime", why: error.to_string() }
        })?;
        let deleted = match text(&body, "configurationItemStatus")? {
            "OK" | "ResourceDiscovered" | "ResourceNotRecorded" => false,
            "ResourceDeleted" | "ResourceDeletedNotRecorded" => true,
            other => {
                return Err(EngineError::Item {
                    field: "configurationItemStatus",
                    why: format!("`{other}` is not a status"),
                });
            }
        };
        for field in ["tags", "supplementaryConfiguration"] {
            if !body.get(field).is_some_and(Value::is_object) {
                return Err(EngineError::Item { field, why: "not an object".to_owned() });
            }
        }
        if !body.get("relationships").is_some_and(Value::is_array) {
            return Err(EngineError::Item { field: "relationships", why: "not a list".to_owned() });
        }
        Ok(Self { key, captured, deleted, body })
    }

    /// The item that records the deletion of this resource, as AWS sends it.
    pub(super) fn deletion(&self, captured: Timestamp) -> Self {
        let mut body = self.body.clone();
        if let Some(fields) = body.as_object_mut() {
            for (name, value) in [
                ("relationships", json!([])),
                ("configuration", Value::Null),
                ("supplementaryConfiguration", json!({})),
                ("tags", json!({})),
                ("configurationItemCaptureTime", iso(captured).into()),
                ("configurationStateId", captured.as_millisecond().into()),
                ("configurationItemStatus", "ResourceDeleted".into()),
                ("availabilityZone", Value::Null),
                ("resourceCreationTime", Value::Null),
            ] {
                fields.insert(name.to_owned(), value);
            }
        }
        Self { key: self.key.clone(), captured, deleted: true, body }
    }

    /// The item in the notification shape.
    pub(super) fn notification(&self) -> &Value {
        &self.body
    }

    /// A field of the notification shape; null if it is missing.
    pub(super) fn field(&self, name: &str) -> &Value {
        self.body.get(name).unwrap_or(&Value::Null)
    }

    /// The value of a tag, from the item's `tags`.
    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        self.field("tags").get(name).and_then(Value::as_str)
    }

    /// The resource name that AWS Config shows beside the id, if any.
    pub(super) fn name(&self) -> Option<&str> {
        self.field("resourceName").as_str()
    }

    /// The summary in an oversized notification.
    pub(super) fn summary(&self, change: &str) -> Value {
        let mut summary = Map::new();
        summary.insert("changeType".to_owned(), change.into());
        for name in ["configurationItemVersion", "configurationItemCaptureTime", "configurationStateId", "awsAccountId"]
            .iter()
            .chain(&PLAIN)
            .chain(&["ARN", "configurationStateMd5Hash", "resourceCreationTime"])
        {
            summary.insert((*name).to_owned(), self.field(name).clone());
        }
        Value::Object(summary)
    }

    /// The item as `BatchGetResourceConfig` returns it: without tags, relationships and hash.
    pub(super) fn base(&self) -> Value {
        let mut answer = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                answer.insert(name.to_owned(), value);
            }
        };
        put("version", self.field("configurationItemVersion").clone());
        put("accountId", self.field("awsAccountId").clone());
        put("configurationItemCaptureTime", Epoch(self.captured).value());
        put("configurationStateId", state_id(self.field("configurationStateId")));
        put("arn", self.field("ARN").clone());
        for name in PLAIN {
            put(name, self.field(name).clone());
        }
        let created = self.field("resourceCreationTime").as_str().and_then(|time| time.parse().ok());
        put("resourceCreationTime", created.map_or(Value::Null, |time| Epoch(time).value()));
        if !self.field("configuration").is_null() {
            put("configuration", self.field("configuration").to_string().into());
        }
        put("supplementaryConfiguration", encoded(self.field("supplementaryConfiguration")));
        put("recordingFrequency", "CONTINUOUS".into());
        Value::Object(answer)
    }

    /// The item as `GetResourceConfigHistory` returns it.
    pub(super) fn api(&self) -> Value {
        let mut answer = self.base();
        if let Some(fields) = answer.as_object_mut() {
            let hash = self.field("configurationStateMd5Hash").as_str().unwrap_or_default();
            fields.insert("configurationItemMD5Hash".to_owned(), hash.into());
            fields.insert("tags".to_owned(), self.field("tags").clone());
            fields.insert("relatedEvents".to_owned(), json!([]));
            let relationships =
                self.field("relationships").as_array().into_iter().flatten().map(relationship).collect();
            fields.insert("relationships".to_owned(), Value::Array(relationships));
        }
        answer
    }
}

fn text<'a>(body: &'a Value, field: &'static str) -> Result<&'a str, EngineError> {
    match body.get(field) {
        Some(Value::String(value)) if !value.is_empty() => Ok(value),
        Some(other) => Err(EngineError::Item { field, why: format!("`{other}` is not a string") }),
        None => Err(EngineError::Item { field, why: "missing".to_owned() }),
    }
}

/// A number in a notification, a string in the API.
fn state_id(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

/// Each value as JSON text; a value that is JSON text already is encoded twice, as in AWS.
fn encoded(supplementary: &Value) -> Value {
    let values = supplementary.as_object().into_iter().flatten();
    Value::Object(values.map(|(name, value)| (name.clone(), value.to_string().into())).collect())
}

fn relationship(value: &Value) -> Value {
    let renamed = [
        ("resourceType", "resourceType"),
        ("resourceId", "resourceId"),
        ("resourceName", "resourceName"),
        ("name", "relationshipName"),
    ];
    let fields = renamed.into_iter().filter_map(|(from, to)| {
        value.get(from).filter(|field| !field.is_null()).map(|field| (to.to_owned(), field.clone()))
    });
    Value::Object(fields.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
pub(super) mod tests {
    use super::*;

    /// A bucket's item in the notification shape, captured at `captured` and tagged with `tags`.
    pub(in crate::engine) fn bucket(name: &str, captured: &str, tags: Value) -> Value {
        let time: Timestamp = captured.parse().unwrap();
        let mut item = json!({
            "relatedEvents": [],
            "relationships": [{
                "resourceId": "vpc-1", "resourceName": null, "resourceType": "AWS::EC2::VPC", "name": "Is near Vpc"
            }],
            "configuration": {
                "name": name, "owner": {"displayName": null, "id": "0a"}, "creationDate": "2026-01-02T03:04:05.000Z"
            },
            "supplementaryConfiguration": {
                "AccessControlList": "{\"grantSet\":null,\"grantList\":[]}",
                "BucketPolicy": {"policyText": null},
                "IsRequesterPaysEnabled": false
            },
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": captured,
            "configurationStateId": time.as_millisecond(),
            "awsAccountId": "111122223333",
            "configurationItemStatus": "OK",
            "resourceType": "AWS::S3::Bucket",
            "resourceId": name,
            "resourceName": name,
            "ARN": format!("arn:aws:s3:::{name}"),
            "awsRegion": "us-east-1",
            "availabilityZone": "Regional",
            "configurationStateMd5Hash": "",
            "resourceCreationTime": "2026-01-02T03:04:05.000Z"
        });
        item["tags"] = tags;
        item
    }

    #[test]
    fn api_shape_has_other_names_and_json_inside_strings() {
        let item = Item::parse(bucket("logs", "2026-03-04T05:06:07.512Z", json!({"team": "blue"}))).unwrap();
        assert_eq!(
            item.api(),
            json!({
                "version": "1.3",
                "accountId": "111122223333",
                "configurationItemCaptureTime": 1_772_600_767.512,
                "configurationItemStatus": "OK",
                "configurationStateId": "1772600767512",
                "configurationItemMD5Hash": "",
                "arn": "arn:aws:s3:::logs",
                "resourceType": "AWS::S3::Bucket",
                "resourceId": "logs",
                "resourceName": "logs",
                "awsRegion": "us-east-1",
                "availabilityZone": "Regional",
                "resourceCreationTime": 1_767_323_045.0,
                "tags": {"team": "blue"},
                "relatedEvents": [],
                "relationships": [{"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1", "relationshipName": "Is near Vpc"}],
                "configuration": item.field("configuration").to_string(),
                "supplementaryConfiguration": {
                    "AccessControlList": r#""{\"grantSet\":null,\"grantList\":[]}""#,
                    "BucketPolicy": r#"{"policyText":null}"#,
                    "IsRequesterPaysEnabled": "false"
                },
                "recordingFrequency": "CONTINUOUS"
            })
        );
    }

    #[test]
    fn deleted_resource_has_no_configuration_tags_or_zone() {
        let item = Item::parse(bucket("logs", "2026-03-04T05:06:07.512Z", json!({"team": "blue"}))).unwrap();
        let deletion = item.deletion("2026-03-04T06:00:00Z".parse().unwrap());
        assert!(deletion.deleted);
        assert_eq!(
            *deletion.notification(),
            json!({
                "relatedEvents": [], "relationships": [], "configuration": null, "supplementaryConfiguration": {}, "tags": {},
                "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-03-04T06:00:00.000Z",
                "configurationStateId": 1_772_604_000_000_i64, "awsAccountId": "111122223333",
                "configurationItemStatus": "ResourceDeleted", "resourceType": "AWS::S3::Bucket", "resourceId": "logs",
                "resourceName": "logs", "ARN": "arn:aws:s3:::logs", "awsRegion": "us-east-1", "availabilityZone": null,
                "configurationStateMd5Hash": "", "resourceCreationTime": null
            })
        );
        assert_eq!(Item::parse(deletion.notification().clone()).unwrap(), deletion);
        assert!(deletion.api().get("configuration").is_none());
    }

    #[test]
    fn item_without_identity_or_valid_fields_is_refused() {
        let rows = [
            ("resourceType", Value::Null, "configuration item: `resourceType`: `null` is not a string"),
            ("resourceId", json!(""), "configuration item: `resourceId`: `\"\"` is not a string"),
            (
                "configurationItemStatus",
                json!("Ok"),
                "configuration item: `configurationItemStatus`: `Ok` is not a status",
            ),
            ("tags", json!([]), "configuration item: `tags`: not an object"),
            ("relationships", Value::Null, "configuration item: `relationships`: not a list"),
        ];
        for (field, value, expected) in rows {
            let mut body = bucket("logs", "2026-03-04T05:06:07.512Z", json!({}));
            body[field] = value;
            assert_eq!(Item::parse(body).unwrap_err().to_string(), expected);
        }
    }
}

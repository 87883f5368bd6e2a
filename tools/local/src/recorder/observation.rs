//! A resource as read from the backend, and its configuration item.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_s3::primitives::DateTime;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::ChangeKind;
use crate::engine::{Engine, ResourceKey};

/// The `availabilityZone` of regional resources.
pub(super) const REGIONAL: Cow<'static, str> = Cow::Borrowed("Regional");
/// The `availabilityZone` of resources that have none.
pub(super) const NOT_APPLICABLE: Cow<'static, str> = Cow::Borrowed("Not Applicable");

/// A resource as just read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observation {
    pub(super) resource_id: String,
    pub(super) resource_name: Option<String>,
    pub(super) arn: String,
    /// `global` for IAM.
    pub(super) region: String,
    pub(super) availability_zone: Cow<'static, str>,
    pub(super) created: Option<Timestamp>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) relationships: Vec<Value>,
    pub(super) configuration: Value,
    pub(super) supplementary: Map<String, Value>,
}

/// The item fields that are compared with the last item.
const COMPARED: [&str; 8] = [
    "configuration",
    "supplementaryConfiguration",
    "tags",
    "relationships",
    "resourceName",
    "ARN",
    "awsRegion",
    "resourceCreationTime",
];

impl Observation {
    /// The item to record, if the resource is new or differs from its last item.
    pub(super) fn against(&self, engine: &Engine, key: &ResourceKey) -> Option<(ChangeKind, Value)> {
        let last = engine
            .latest(key)
            .filter(|item| item.get("configurationItemStatus").is_none_or(|status| status != "ResourceDeleted"));
        let (kind, status) = match last {
            Some(_) => (ChangeKind::Updated, "OK"),
            None => (ChangeKind::Created, "ResourceDiscovered"),
        };
        let account = &engine.settings().account;
        let item = self.item(account, key, status, engine.now());
        let unchanged = last.is_some_and(|last| COMPARED.iter().all(|field| last.get(field) == item.get(field)));
        (!unchanged).then_some((kind, item))
    }

    fn item(&self, account: &str, key: &ResourceKey, status: &str, captured: Timestamp) -> Value {
        json!({
            "relatedEvents": [],
            "relationships": self.relationships,
            "configuration": self.configuration,
            "supplementaryConfiguration": self.supplementary,
            "tags": self.tags,
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": iso(captured),
            "configurationStateId": captured.as_millisecond(),
            "awsAccountId": account,
            "configurationItemStatus": status,
            "resourceType": key.resource_type,
            "resourceId": self.resource_id,
            "resourceName": self.resource_name,
            "ARN": self.arn,
            "awsRegion": self.region,
            "availabilityZone": self.availability_zone,
            "configurationStateMd5Hash": "",
            "resourceCreationTime": self.created.map(iso)
        })
    }
}

/// RFC 3339 with milliseconds and `Z`, as in items.
pub(super) fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// The timestamp of an SDK's time; none if it is out of range.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    time.to_millis().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
}

/// A relationship in the notification shape.
pub(super) fn relationship(resource_type: &str, id: &str, name: Option<&str>, kind: &str) -> Value {
    json!({ "resourceId": id, "resourceName": name, "resourceType": resource_type, "name": kind })
}

/// An object with these fields, without those that have no value.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)));
    Value::Object(given.collect())
}

/// A sorted list: the service returns members in any order, which must not look like a change.
pub(super) fn sorted(members: impl IntoIterator<Item = Value>) -> Value {
    let mut members: Vec<Value> = members.into_iter().collect();
    members.sort_by_cached_key(Value::to_string);
    Value::Array(members)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::engine::{EngineOutputs, EngineSettings};

    fn engine() -> (Engine, EngineOutputs) {
        let text = str::to_owned;
        Engine::new(EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") })
    }

    fn observation() -> Observation {
        Observation {
            resource_id: "logs".to_owned(),
            resource_name: Some("logs".to_owned()),
            arn: "arn:aws:s3:::logs".to_owned(),
            region: "us-east-1".to_owned(),
            availability_zone: REGIONAL,
            created: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            tags: BTreeMap::new(),
            relationships: vec![],
            configuration: json!({"name": "logs"}),
            supplementary: Map::new(),
        }
    }

    #[test]
    fn only_a_new_changed_or_recreated_resource_has_an_item_to_record() {
        let (engine, _outputs) = engine();
        let key = ResourceKey::new("AWS::S3::Bucket", "logs");
        let record = |observation: &Observation| {
            let found = observation.against(&engine, &key);
            found.map(|(kind, item)| {
                engine.record(item.clone()).unwrap();
                (kind, item["configurationItemStatus"].as_str().unwrap().to_owned())
            })
        };
        let first = observation();
        assert_eq!(record(&first), Some((ChangeKind::Created, "ResourceDiscovered".to_owned())));
        assert_eq!(record(&first), None);
        let tagged = Observation { tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]), ..observation() };
        assert_eq!(record(&tagged), Some((ChangeKind::Updated, "OK".to_owned())));
        engine.record_deleted(&key).unwrap();
        assert_eq!(record(&tagged), Some((ChangeKind::Created, "ResourceDiscovered".to_owned())));
    }

    #[test]
    fn item_has_the_notification_shape() {
        let key = ResourceKey::new("AWS::S3::Bucket", "logs");
        let item = observation().item("111122223333", &key, "OK", "2026-03-04T05:06:07.5Z".parse().unwrap());
        assert_eq!(
            item,
            json!({
                "relatedEvents": [], "relationships": [], "configuration": {"name": "logs"},
                "supplementaryConfiguration": {}, "tags": {}, "configurationItemVersion": "1.3",
                "configurationItemCaptureTime": "2026-03-04T05:06:07.500Z", "configurationStateId": 1_772_600_767_500_i64,
                "awsAccountId": "111122223333", "configurationItemStatus": "OK", "resourceType": "AWS::S3::Bucket",
                "resourceId": "logs", "resourceName": "logs", "ARN": "arn:aws:s3:::logs", "awsRegion": "us-east-1",
                "availabilityZone": "Regional", "configurationStateMd5Hash": "",
                "resourceCreationTime": "2026-01-02T03:04:05.000Z"
            })
        );
    }

    #[test]
    fn sorted_lists_are_equal_in_any_input_order() {
        assert_eq!(sorted([json!({"b": 1}), json!({"a": 2})]), sorted([json!({"a": 2}), json!({"b": 1})]));
    }
}

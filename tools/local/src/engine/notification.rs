//! The documents that AWS Config sends: rule events and compliance changes.
//!
//! Sources: "Example Events for AWS Config Rules" in the developer guide, and captured events; record version 1.3.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::EngineSettings;
use super::clock::iso;
use super::diff;
use super::item::{Item, ResourceKey};
use super::results::Evaluated;
use super::rule::{Message, Rule};

/// The maximum size of a configuration item in a notification, in bytes: the limit of SNS, 256 KB.
pub(super) const MAX_ITEM_SIZE: usize = 256 * 1024;

/// The change notification of an item; `diff` is null for a re-evaluation.
pub(super) fn change(item: &Item, diff: &Value, created: Timestamp) -> Value {
    json!({
        "configurationItemDiff": diff,
        "configurationItem": item.notification(),
        "notificationCreationTime": iso(created),
        "messageType": Message::Change.name(),
        "recordVersion": "1.3"
    })
}

/// The oversized notification, for an item that is too big to send.
pub(super) fn oversized(previous: Option<&Item>, item: &Item, created: Timestamp) -> Value {
    json!({
        "configurationItemSummary": item.summary(diff::change_type(previous, item)),
        "s3DeliverySummary": { "s3BucketLocation": null, "errorCode": null, "errorMessage": null },
        "notificationCreationTime": iso(created),
        "messageType": Message::Oversized.name(),
        "recordVersion": "1.0"
    })
}

/// The scheduled notification of a periodic rule.
pub(super) fn scheduled(account: &str, created: Timestamp) -> Value {
    json!({
        "awsAccountId": account,
        "notificationCreationTime": iso(created),
        "messageType": Message::Scheduled.name(),
        "recordVersion": "1.0"
    })
}

/// The notification of a snapshot delivered to a bucket.
pub(super) fn snapshot(bucket: &str, key: &str, id: &str, created: Timestamp) -> Value {
    json!({
        "configSnapshotId": id,
        "s3ObjectKey": key,
        "s3Bucket": bucket,
        "notificationCreationTime": iso(created),
        "messageType": Message::Snapshot.name(),
        "recordVersion": "1.1"
    })
}

/// The event for a rule's function.
pub(super) fn rule_event(
    settings: &EngineSettings,
    rule: &Rule,
    invoking: &Value,
    token: &str,
    left_scope: bool,
) -> Value {
    let EngineSettings { account, partition, .. } = settings;
    json!({
        "version": "1.0",
        "invokingEvent": invoking.to_string(),
        "ruleParameters": rule.parameters(),
        "resultToken": token,
        "eventLeftScope": left_scope,
        "executionRoleArn":
            format!("arn:{partition}:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
        "configRuleArn": rule.arn,
        "configRuleName": rule.name,
        "configRuleId": rule.id,
        "accountId": account,
        "evaluationMode": "DETECTIVE"
    })
}

/// The `detail` of a "Config Rules Compliance Change" event; without an old result for a resource's first one.
pub(super) fn compliance_change(
    settings: &EngineSettings,
    rule: &Rule,
    key: &ResourceKey,
    new: &Evaluated,
    old: Option<&Evaluated>,
    created: Timestamp,
) -> Value {
    let mut detail = Map::new();
    let mut put = |name: &str, value: Value| detail.insert(name.to_owned(), value);
    put("resourceId", key.resource_id.as_str().into());
    put("resourceType", key.resource_type.as_str().into());
    put("awsRegion", settings.region.as_str().into());
    put("awsAccountId", settings.account.as_str().into());
    put("configRuleName", rule.name.as_str().into());
    put("configRuleARN", rule.arn.as_str().into());
    put("recordVersion", "1.0".into());
    put("messageType", "ComplianceChangeNotification".into());
    put("notificationCreationTime", iso(created).into());
    put("newEvaluationResult", new.event(&rule.name, key));
    if let Some(old) = old {
        put("oldEvaluationResult", old.event(&rule.name, key));
    }
    Value::Object(detail)
}

//! Sample events of a new control, as AWS Config sends them; the file name gives the outcome.

use std::path::{Path, PathBuf};

use rectify_compliance::Region;
use serde_json::{Value, json};

use super::word::ControlNames;
use super::{ScaffoldError, refuse};

/// An item with nothing but the value of the control.
pub(super) fn example(names: &ControlNames) -> Value {
    json!({
        "configurationItemVersion": "1.3", "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configurationStateId": 1_772_600_767_890_u64,
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": names.resource_type,
        "resourceId": "example", "resourceName": null, "tags": {}, "relationships": [],
        "configuration": names.configuration(Value::Null), "supplementaryConfiguration": {}
    })
}

/// The item of the first stored event for a resource of the type that a control evaluates by the item alone and that
/// has the control's boolean: the view needs more than the value.
pub(super) fn sample(root: &Path, names: &ControlNames) -> Result<Value, ScaffoldError> {
    let events = PathBuf::from("events");
    for folder in sorted(root, &events)? {
        if !root.join(&folder).is_dir() {
            continue;
        }
        for file in sorted(root, &folder)? {
            let name = file.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
            let is_evaluated = name.starts_with("compliant") || name.starts_with("non-compliant");
            if !is_evaluated || root.join(&folder).join("facts").join(&name).exists() {
                continue;
            }
            let text = std::fs::read_to_string(root.join(&file))
                .map_err(|error| ScaffoldError::File { file: file.clone(), error })?;
            if let Some(item) = item_of(&text, names) {
                return Ok(item);
            }
        }
    }
    let expected = format!("a boolean in `configuration` of an event for {} in events/", names.resource_type);
    Err(refuse("--field", &expected, &names.path.join(".")))
}

/// The item of an event, if it has the type and the boolean of the control.
fn item_of(event: &str, names: &ControlNames) -> Option<Value> {
    let event: Value = serde_json::from_str(event).ok()?;
    let mut message: Value = serde_json::from_str(event.get("invokingEvent")?.as_str()?).ok()?;
    let item = message.get_mut("configurationItem")?.take();
    let is_type = item.get("resourceType")?.as_str()? == names.resource_type;
    let has_value = item.get("configuration")?.pointer(&names.pointer())?.is_boolean();
    (is_type && has_value).then_some(item)
}

fn sorted(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, ScaffoldError> {
    let file_error = |error| ScaffoldError::File { file: folder.to_owned(), error };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).map_err(file_error)? {
        names.push(folder.join(entry.map_err(file_error)?.file_name()));
    }
    names.sort();
    Ok(names)
}

/// The events of a control: this item with the value, without it and with another; and for a remediation, the finding.
pub(super) fn of(names: &ControlNames, item: &Value, is_remediated: bool) -> Vec<(&'static str, Value)> {
    let event = |value: Value| change(names, &with(item, names, value));
    let mut events = vec![
        ("compliant-as-required.json", event(json!(names.wanted))),
        ("non-compliant-otherwise.json", event(json!(!names.wanted))),
        ("error-value-is-not-a-boolean.json", event(json!("yes"))),
    ];
    if is_remediated {
        events.push(("remediation-first-result.json", finding(names, item)));
    } else {
        // What a missing value means is up to the view of a setting.
        events.push(("error-value-missing.json", event(Value::Null)));
    }
    events
}

/// The item with this value at the control's path.
fn with(item: &Value, names: &ControlNames, value: Value) -> Value {
    let mut item = item.clone();
    if let Some(place) = item.get_mut("configuration").and_then(|it| it.pointer_mut(&names.pointer())) {
        *place = value;
    }
    item
}

fn rule(names: &ControlNames) -> (String, String) {
    let arn = Region::new("eu-west-1").partition().arn(
        "config",
        "eu-west-1",
        "111122223333",
        "config-rule/config-rule-a1b2c3",
    );
    (format!("rectify-{}", names.id), arn)
}

fn change(names: &ControlNames, item: &Value) -> Value {
    let invoking = json!({
        "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
        "notificationCreationTime": "2026-03-04T05:06:09.000Z", "configurationItemDiff": null,
        "configurationItem": item
    });
    let (name, arn) = rule(names);
    json!({
        "version": "1.0", "invokingEvent": invoking.to_string(), "ruleParameters": "{}", "resultToken": "TESTMODE",
        "eventLeftScope": false, "evaluationMode": "DETECTIVE", "accountId": "111122223333",
        "configRuleName": name, "configRuleId": "config-rule-a1b2c3", "configRuleArn": arn,
        "executionRoleArn": Region::new("eu-west-1").partition().arn("iam", "", "111122223333", "role/config")
    })
}

/// The event that starts the remediation: the first result of the rule for the resource.
fn finding(names: &ControlNames, item: &Value) -> Value {
    let (name, arn) = rule(names);
    let id = item.get("resourceId");
    json!({
        "version": "0", "id": "b557c35f-1dea-7746-8081-32a5a9af8e2c", "source": "aws.config",
        "detail-type": "Config Rules Compliance Change", "account": "111122223333", "region": "eu-west-1",
        "time": "2026-03-04T05:06:12Z", "resources": [],
        "detail": {
            "messageType": "ComplianceChangeNotification", "recordVersion": "1.0",
            "notificationCreationTime": "2026-03-04T05:06:12.204Z", "awsAccountId": "111122223333",
            "awsRegion": "eu-west-1", "resourceType": names.resource_type, "resourceId": id,
            "configRuleName": name, "configRuleARN": arn, "oldEvaluationResult": null,
            "newEvaluationResult": {
                "evaluationResultIdentifier": {
                    "evaluationResultQualifier": {
                        "configRuleName": name, "resourceType": names.resource_type, "resourceId": id
                    },
                    "orderingTimestamp": "2026-03-04T05:06:01.000Z"
                },
                "complianceType": "NON_COMPLIANT", "annotation": names.title,
                "configRuleInvokedTime": "2026-03-04T05:06:05.118Z", "resultRecordedTime": "2026-03-04T05:06:07.512Z"
            }
        }
    })
}

//! Event shapes that are the same for every control, derived from each control's first events.

use std::collections::BTreeMap;

use rectify_catalogue::controls;
use rectify_compliance::{ControlMeta, Entry, Scope};
use serde_json::{Value, json};

use super::{Input, json as read_json, names, outcome, root};

const CHANGE: &str = "ConfigurationItemChangeNotification";
const OVERSIZED: &str = "OversizedConfigurationItemChangeNotification";
const SCHEDULED: &str = "ScheduledNotification";

/// An event with its message parsed: AWS Config sends the message as JSON in a string.
struct Parts {
    input: Input,
    message: Value,
}

/// A shape: its name, the expected outcome (`None`: that of the original event), and the change to the event.
type Shape = (&'static str, Option<&'static str>, fn(&mut Parts));

/// Shapes of every event.
const ANY: [Shape; 5] = [
    ("an unknown parameter", Some("error"), |it| {
        it.input.event["ruleParameters"] = json!("{\"noSuchParameter\":\"1\"}");
    }),
    ("parameters that are not JSON", Some("error"), |it| it.input.event["ruleParameters"] = json!("{")),
    ("no result token", Some("error"), |it| remove(&mut it.input.event, "resultToken")),
    ("a message that is not JSON", Some("error"), |it| it.message = json!("not JSON")),
    ("a message of an unknown type", Some("error"), |it| it.message["messageType"] = json!("Unknown")),
];

/// Shapes of a change event.
const CHANGED: [Shape; 18] = [
    ("unchanged", None, |_| ()),
    // Verdicts on changes are ordered by the capture time of the item.
    ("no creation time", None, |it| remove(&mut it.message, "notificationCreationTime")),
    ("discovered", None, |it| item(it)["configurationItemStatus"] = json!("ResourceDiscovered")),
    ("deleted", Some("not-applicable"), |it| {
        item(it)["configurationItemStatus"] = json!("ResourceDeleted");
        item(it)["configuration"] = Value::Null;
        item(it)["relationships"] = json!([]);
        item(it)["tags"] = json!({});
    }),
    ("deleted and not recorded", Some("not-applicable"), |it| {
        item(it)["configurationItemStatus"] = json!("ResourceDeletedNotRecorded");
        item(it)["configuration"] = Value::Null;
    }),
    ("not recorded", Some("not-applicable"), |it| item(it)["configurationItemStatus"] = json!("ResourceNotRecorded")),
    ("of an unknown status", Some("error"), |it| item(it)["configurationItemStatus"] = json!("Unknown")),
    ("left the scope", Some("not-applicable"), |it| it.input.event["eventLeftScope"] = json!(true)),
    ("of another type", Some("not-applicable"), |it| item(it)["resourceType"] = json!("AWS::Test::Other")),
    ("proactive", Some("not-applicable"), |it| it.input.event["evaluationMode"] = json!("PROACTIVE")),
    ("excluded by id", Some("not-applicable"), |it| {
        let excluded = json!({ "excludeResources": format!("other, {}", item(it)["resourceId"].as_str().unwrap()) });
        it.input.event["ruleParameters"] = json!(excluded.to_string());
    }),
    ("without a configuration", Some("error"), |it| item(it)["configuration"] = Value::Null),
    ("without an item", Some("error"), |it| remove(&mut it.message, "configurationItem")),
    ("without a resource id", Some("error"), |it| remove(item(it), "resourceId")),
    ("without a capture time", Some("error"), |it| remove(item(it), "configurationItemCaptureTime")),
    ("too large to send", None, oversize),
    ("too large, deleted", Some("not-applicable"), |it| {
        oversize(it);
        it.message["configurationItemSummary"]["configurationItemStatus"] = json!("ResourceDeleted");
        it.message["configurationItemSummary"]["changeType"] = json!("DELETE");
        it.input.history = None;
    }),
    ("too large, and not yet in the history", Some("error"), |it| {
        oversize(it);
        it.input.history = None;
    }),
];

/// Shapes of a scheduled event, whose verdicts are ordered by the time of the message.
const SCHEDULE: [Shape; 2] = [
    ("unchanged", None, |_| ()),
    ("no creation time", Some("error"), |it| remove(&mut it.message, "notificationCreationTime")),
];

/// Replaces the item by a summary, as for a change that is too large for an event; the history has the item.
fn oversize(it: &mut Parts) {
    let full_item = it.message["configurationItem"].take();
    let copied = [
        "awsAccountId",
        "awsRegion",
        "resourceType",
        "resourceId",
        "resourceName",
        "ARN",
        "configurationItemStatus",
        "configurationItemCaptureTime",
        "configurationStateId",
        "configurationItemVersion",
        "configurationStateMd5Hash",
        "availabilityZone",
        "resourceCreationTime",
    ];
    let mut summary: Value = copied.iter().map(|key| ((*key).to_owned(), full_item[*key].clone())).collect();
    summary["changeType"] = json!("UPDATE");
    it.message = json!({
        "messageType": OVERSIZED,
        "notificationCreationTime": it.message["notificationCreationTime"],
        "recordVersion": "1.0",
        "configurationItemSummary": summary,
        "s3DeliverySummary": { "s3BucketLocation": null, "errorCode": null, "errorMessage": null },
    });
    it.input.history = Some(full_item);
}

fn item(it: &mut Parts) -> &mut Value {
    &mut it.message["configurationItem"]
}

fn remove(value: &mut Value, key: &str) {
    assert!(value.as_object_mut().unwrap().remove(key).is_some(), "{key} is missing");
}

#[test]
fn every_control_handles_every_event_shape() {
    let mut wrong = Vec::new();
    let mut evaluated: BTreeMap<&str, u32> = BTreeMap::new();
    for control in controls() {
        for (name, input) in first_events(control) {
            let message: Value = serde_json::from_str(input.event["invokingEvent"].as_str().unwrap()).unwrap();
            let base = outcome(control, &input).0;
            for (shape, expected, change) in shapes(control.meta, &message) {
                let mut parts = Parts { input: input.clone(), message: message.clone() };
                change(&mut parts);
                let Parts { mut input, message } = parts;
                input.event["invokingEvent"] = match message {
                    Value::String(text) => text.into(),
                    message => message.to_string().into(),
                };
                let (outcome, reason) = outcome(control, &input);
                *evaluated.entry(shape).or_default() += 1;
                if outcome != expected.unwrap_or(base) {
                    wrong.push(format!("{}/{name}, {shape}: {outcome}: {reason}", control.meta.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} unexpected outcomes:\n{}", wrong.len(), wrong.join("\n"));
    let changed = u32::try_from(controls().filter(|it| it.change.is_some()).count()).unwrap();
    for (shape, _, _) in CHANGED {
        assert!(evaluated[shape] >= 2 * changed, "{shape}: {} of {changed} controls", evaluated[shape]);
    }
}

fn shapes(meta: &ControlMeta, message: &Value) -> Vec<Shape> {
    let mut shapes = ANY.to_vec();
    match message["messageType"].as_str() {
        Some(CHANGE) => shapes.extend(CHANGED),
        _ => shapes.extend(SCHEDULE),
    }
    if meta.scope == Scope::Global {
        shapes.push(("outside of the home region", Some("not-applicable"), |it| {
            it.input.event["ruleParameters"] = json!("{\"homeRegion\":\"ap-southeast-2\"}");
        }));
    }
    if !meta.on_change() || meta.frequency().is_none() {
        shapes.push(("of an unsupported trigger", Some("error"), |it| {
            let is_change = it.message["messageType"] == CHANGE;
            it.message["messageType"] = json!(if is_change { SCHEDULED } else { CHANGE });
        }));
    }
    shapes
}

/// The first compliant and the first non-compliant event of each message type that the control receives, by name.
fn first_events(control: &Entry) -> Vec<(String, Input)> {
    let folder = root().join("events").join(control.meta.id);
    let mut first: BTreeMap<(String, &str), String> = BTreeMap::new();
    for name in names(&folder) {
        let Some(verdict) = ["compliant-", "non-compliant-"].into_iter().find(|it| name.starts_with(it)) else {
            continue;
        };
        let event = read_json(&folder.join(&name));
        let Some(text) = event["invokingEvent"].as_str() else { continue };
        let kind = serde_json::from_str::<Value>(text).unwrap()["messageType"].as_str().unwrap().to_owned();
        if [CHANGE, SCHEDULED].contains(&kind.as_str()) {
            first.entry((kind, verdict)).or_insert(name);
        }
    }
    first.into_values().map(|name| (name.clone(), Input::read(&folder, &name))).collect()
}

//! The shapes of an event that are the same for every control, made of each control's own first events.

use std::collections::BTreeMap;

use rectify_catalogue::controls;
use rectify_compliance::{ControlMeta, Entry, Scope};
use serde_json::{Value, json};

use super::{Given, json as read_json, names, outcome, root};

const CHANGE: &str = "ConfigurationItemChangeNotification";
const OVERSIZED: &str = "OversizedConfigurationItemChangeNotification";
const SCHEDULED: &str = "ScheduledNotification";

/// An event in parts: AWS Config sends the message as JSON in a string.
struct Parts {
    given: Given,
    message: Value,
}

/// One shape: its name, what comes out of it (`None`: the same as of the event it was made of), and what it changes.
type Shape = (&'static str, Option<&'static str>, fn(&mut Parts));

/// Every event, of either kind.
const ANY: [Shape; 5] = [
    ("a parameter that no control has", Some("error"), |it| {
        it.given.event["ruleParameters"] = json!("{\"noSuchParameter\":\"1\"}");
    }),
    ("parameters that are no JSON", Some("error"), |it| it.given.event["ruleParameters"] = json!("{")),
    ("no result token", Some("error"), |it| remove(&mut it.given.event, "resultToken")),
    ("a message that is no JSON", Some("error"), |it| it.message = json!("no JSON")),
    ("a message of an unknown type", Some("error"), |it| it.message["messageType"] = json!("Unknown")),
];

/// A change of a resource.
const CHANGED: [Shape; 18] = [
    ("as it is", None, |_| ()),
    // What orders a verdict about a change is the item's capture time.
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
    ("left the scope", Some("not-applicable"), |it| it.given.event["eventLeftScope"] = json!(true)),
    ("of another type", Some("not-applicable"), |it| item(it)["resourceType"] = json!("AWS::Test::Other")),
    ("proactive", Some("not-applicable"), |it| it.given.event["evaluationMode"] = json!("PROACTIVE")),
    ("excluded by id", Some("not-applicable"), |it| {
        let excluded = json!({ "excludeResources": format!("other, {}", item(it)["resourceId"].as_str().unwrap()) });
        it.given.event["ruleParameters"] = json!(excluded.to_string());
    }),
    ("without a configuration", Some("error"), |it| item(it)["configuration"] = Value::Null),
    ("without an item", Some("error"), |it| remove(&mut it.message, "configurationItem")),
    ("without a resource id", Some("error"), |it| remove(item(it), "resourceId")),
    ("without a capture time", Some("error"), |it| remove(item(it), "configurationItemCaptureTime")),
    ("too large to be sent", None, oversize),
    ("too large, deleted", Some("not-applicable"), |it| {
        oversize(it);
        it.message["configurationItemSummary"]["configurationItemStatus"] = json!("ResourceDeleted");
        it.message["configurationItemSummary"]["changeType"] = json!("DELETE");
        it.given.history = None;
    }),
    ("too large, and not yet in the history", Some("error"), |it| {
        oversize(it);
        it.given.history = None;
    }),
];

/// A schedule. It is the message's time that its verdicts are ordered by.
const SCHEDULE: [Shape; 2] = [
    ("as it is", None, |_| ()),
    ("no creation time", Some("error"), |it| remove(&mut it.message, "notificationCreationTime")),
];

/// The message of a change that is too large for an event: a summary, and the item is in AWS Config's history.
fn oversize(it: &mut Parts) {
    let whole = it.message["configurationItem"].take();
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
    let mut summary: Value = copied.iter().map(|key| ((*key).to_owned(), whole[*key].clone())).collect();
    summary["changeType"] = json!("UPDATE");
    it.message = json!({
        "messageType": OVERSIZED,
        "notificationCreationTime": it.message["notificationCreationTime"],
        "recordVersion": "1.0",
        "configurationItemSummary": summary,
        "s3DeliverySummary": { "s3BucketLocation": null, "errorCode": null, "errorMessage": null },
    });
    it.given.history = Some(whole);
}

fn item(it: &mut Parts) -> &mut Value {
    &mut it.message["configurationItem"]
}

fn remove(value: &mut Value, key: &str) {
    assert!(value.as_object_mut().unwrap().remove(key).is_some(), "{key} was there");
}

#[test]
fn every_control_answers_every_shape_of_its_own_events() {
    let mut wrong = Vec::new();
    let mut judged: BTreeMap<&str, u32> = BTreeMap::new();
    for control in controls() {
        for (name, given) in first_events(control) {
            let message: Value = serde_json::from_str(given.event["invokingEvent"].as_str().unwrap()).unwrap();
            let base = outcome(control, &given).0;
            for (shape, expected, change) in shapes(control.meta, &message) {
                let mut parts = Parts { given: given.clone(), message: message.clone() };
                change(&mut parts);
                let Parts { mut given, message } = parts;
                given.event["invokingEvent"] = match message {
                    Value::String(text) => text.into(),
                    message => message.to_string().into(),
                };
                let (outcome, why) = outcome(control, &given);
                *judged.entry(shape).or_default() += 1;
                if outcome != expected.unwrap_or(base) {
                    wrong.push(format!("{}/{name}, {shape}: {outcome}: {why}", control.meta.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} come out otherwise:\n{}", wrong.len(), wrong.join("\n"));
    let changed = u32::try_from(controls().filter(|it| it.change.is_some()).count()).unwrap();
    for (shape, _, _) in CHANGED {
        assert!(judged[shape] >= 2 * changed, "{shape}: {} of {changed} controls", judged[shape]);
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
            it.given.event["ruleParameters"] = json!("{\"homeRegion\":\"ap-southeast-2\"}");
        }));
    }
    if !meta.on_change() || meta.frequency().is_none() {
        shapes.push(("of the half that the control lacks", Some("error"), |it| {
            let is_change = it.message["messageType"] == CHANGE;
            it.message["messageType"] = json!(if is_change { SCHEDULED } else { CHANGE });
        }));
    }
    shapes
}

/// The first compliant and the first violating event of each kind of message that the control is sent, by name.
fn first_events(control: &Entry) -> Vec<(String, Given)> {
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
    first.into_values().map(|name| (name.clone(), Given::read(&folder, &name))).collect()
}

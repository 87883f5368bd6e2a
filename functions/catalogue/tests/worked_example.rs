//! The example event in ARCHITECTURE.md, from AWS Config to undo: every block shows what the code produces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_catalogue::find;
use rectify_compliance::{ConfigurationItem, StoredState, Timestamp};
use serde_json::{Value, json};

const ID: &str = "rds-instance-deletion-protection-enabled";

fn read(path: &str) -> String {
    let file = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The block with this name in ARCHITECTURE.md.
fn block(name: &str) -> Value {
    let text = read("ARCHITECTURE.md");
    let fence = format!("```json {name}\n");
    let block = text.split_once(&fence).unwrap_or_else(|| panic!("no block {name}")).1.split_once("```").unwrap().0;
    serde_json::from_str(block).unwrap_or_else(|error| panic!("block {name}: {error}"))
}

/// The stored attempt of the control, with its undo calls.
fn stored() -> Value {
    serde_json::from_str(&read("functions/rds/src/controls/rds_instance_deletion_protection_enabled/attempt.v1.json"))
        .unwrap()
}

/// Whether `whole` contains everything in `part`.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

fn subject() -> StoredState {
    let mut event: Value = serde_json::from_str(&read(&format!("events/{ID}/non-compliant-turned-off.json"))).unwrap();
    let mut message: Value = serde_json::from_str(event["invokingEvent"].take().as_str().unwrap()).unwrap();
    let shown = block("event");
    message["configurationItem"]["configuration"] = shown.clone();
    message["configurationItem"]["resourceId"] = shown["dbiResourceId"].clone();
    message["configurationItem"]["tags"] = json!({});
    let item = ConfigurationItem::from_notification(&message["configurationItem"]).unwrap();
    find(ID).unwrap().change.unwrap().subject(&item, Value::Null).unwrap()
}

#[test]
fn verdict_and_plan_are_as_documented() {
    let control = find(ID).unwrap();
    let subject = subject();
    assert_eq!(subject.subject, stored()["attempt"]["before"]["subject"], "the event belongs to the stored attempt");
    let verdict = control.evaluate(&subject, "{}", Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(json!(verdict), block("verdict"));
    let plan = control.remediation.unwrap().plan(&subject, "{}", Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(json!(plan), block("plan"));
}

#[test]
fn stored_attempt_and_undo_are_as_documented() {
    let stored = stored();
    assert!(contains(&stored["attempt"], &block("attempt")), "{:#}", stored["attempt"]);
    assert_eq!(stored["undo"], block("undo"));
}

#[test]
fn value_contains_its_parts_and_nothing_else() {
    let whole = json!({ "a": { "b": 1, "c": 2 } });
    assert!(contains(&whole, &json!({ "a": { "b": 1 } })));
    assert!(!contains(&whole, &json!({ "a": { "b": 2 } })) && !contains(&whole, &json!({ "d": null })));
}

//! The announcements against the schema that is published for their consumers.

use std::collections::BTreeSet;

use rectify_compliance::RemediationRequest;
use rectify_runtime::bus::{Announcement, detail};
use rectify_runtime::ledger::{Attempt, Outcome};
use rectify_tests::binaries::root;
use serde_json::{Value, json};

const OUTCOMES: [Outcome; 11] = [
    Outcome::Stopped,
    Outcome::Gone,
    Outcome::AlreadyCompliant,
    Outcome::NotApplicable,
    Outcome::Exempt,
    Outcome::Planned,
    Outcome::BreakerOpen,
    Outcome::OverBudget,
    Outcome::Verified,
    Outcome::Pending,
    Outcome::Failed,
];

fn schema() -> Value {
    schema_of("docs/events.schema.json")
}

fn schema_of(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn strings(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

fn attempt() -> Attempt {
    serde_json::from_value(json!({
        "id": "01JZ0000000000000000000000", "control": "widget-disabled", "rule": "rectify-widget-disabled",
        "target": {"account": "111122223333", "region": "eu-west-1",
                   "resource": {"type": "House::Widget", "id": "d-1"}, "name": null, "arn": null},
        "recorded_at": "2026-03-04T05:06:07Z", "started_at": "2026-03-04T05:06:08Z", "finished_at": null,
        "state": "open", "mode": "enforce", "parameters": "{}", "finding": "disabled",
        "plan": {"kind": "do", "steps": [{"level": "L1", "call": {"EnableFlag": {}}}, {"level": "L0", "person": "knock"}]},
        "before": null, "actions": [], "after": null, "outcome": "verified", "reason": "as planned",
        "announced": false, "undo": null
    }))
    .unwrap()
}

#[test]
fn schema_matches_the_keys_of_an_announcement() {
    let (schema, detail) = (schema(), detail(&attempt()));
    let of_attribution = ["actor", "changes"].map(str::to_owned);
    let mut all = keys(&detail);
    all.extend(of_attribution);
    assert_eq!(all, keys(&schema["properties"]));
    assert_eq!(keys(&detail), strings(&schema["required"]));
    let step = &schema["properties"]["plan"]["properties"]["steps"]["items"];
    let in_steps: BTreeSet<String> = detail["plan"]["steps"].as_array().unwrap().iter().flat_map(keys).collect();
    assert_eq!(in_steps, keys(&step["properties"]));
}

#[test]
fn schema_lists_the_outcomes_that_are_announced() {
    // An attempt that made a change is announced whatever its outcome.
    let after_acting = [Outcome::Gone, Outcome::NotApplicable];
    let is_announced = |it: &Outcome| Announcement::of(*it).is_some() || after_acting.contains(it);
    let names: BTreeSet<String> = OUTCOMES.into_iter().filter(is_announced).map(|it| it.name().to_owned()).collect();
    assert_eq!(names, strings(&schema()["properties"]["outcome"]["enum"]));
}

#[test]
fn schema_of_a_request_names_every_key_and_only_the_count_may_be_absent() {
    let schema = schema_of("docs/remediation-requested.schema.json");
    let request = |redrives| {
        let time = "2026-03-04T05:06:07Z".to_owned();
        let [rule, account, region, kind, id] = ["rectify-a", "111122223333", "eu-west-1", "House::Widget", "d-1"];
        json!(RemediationRequest {
            config_rule_name: rule.to_owned(),
            aws_account_id: account.to_owned(),
            aws_region: region.to_owned(),
            resource_type: kind.to_owned(),
            resource_id: id.to_owned(),
            result_recorded_time: time,
            request_id: Some("01JZ0000000000000000000000".to_owned()),
            redrives,
        })
    };
    assert_eq!(keys(&request(1)), keys(&schema["properties"]));
    assert_eq!(keys(&request(0)), strings(&schema["required"]));
}

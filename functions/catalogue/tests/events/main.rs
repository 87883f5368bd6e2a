//! Every file in `events/<control>/` is evaluated, and its name must state the outcome.
//!
//! | file | content |
//! |---|---|
//! | `compliant-…`, `non-compliant-…`, `not-applicable-…` | an event as AWS Config sends it, with this verdict |
//! | `error-…` | an event that must fail the invocation |
//! | `remediation-…` | an EventBridge event that starts the control's remediation |
//! | `facts/<name>` | the facts that the APIs would return for the item of the event with this name |
//! | `subjects/<name>` | the subjects that would be listed for the scheduled event with this name |
//! | `items/<name>` | the item in the history for the oversized event with this name; other fields come from the event |
//!
//! Shapes that are the same for every control (deleted, oversized, proactive, …) are not stored in files: [`derived`]
//! derives them from each control's first compliant and first non-compliant event.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod derived;

use std::path::Path;

use rectify_catalogue::{controls, find};
use rectify_compliance::gate::{self, Route, RuleScope};
use rectify_compliance::item::ApiItem;
use rectify_compliance::parameters::CommonParameters;
use rectify_compliance::{
    Arn, ComplianceChange, ConfigurationItem, Entry, Message, Region, RuleEvent, StoredState, Verdict,
};
use serde_json::Value;

/// The outcomes that a file name can begin with.
const OUTCOMES: [&str; 5] = ["non-compliant", "compliant", "not-applicable", "error", "remediation"];

#[test]
fn every_event_has_the_outcome_in_its_name() {
    let mut wrong = Vec::new();
    let mut evaluated = 0;
    for control in controls() {
        let folder = root().join("events").join(control.meta.id);
        for name in names(&folder) {
            let Some(expected) = OUTCOMES
                .iter()
                .find(|outcome| name.starts_with(&format!("{outcome}-")) || name == format!("{outcome}.json"))
            else {
                wrong.push(format!("{}/{name}: expected a name that begins with one of {OUTCOMES:?}", control.meta.id));
                continue;
            };
            evaluated += 1;
            let (outcome, reason) = match *expected {
                "remediation" => remediation(control, &json(&folder.join(&name))),
                _ => outcome(control, &Input::read(&folder, &name)),
            };
            if outcome != *expected {
                wrong.push(format!("{}/{name}: {outcome}: {reason}", control.meta.id));
            }
        }
    }
    assert!(evaluated > 0, "no event was evaluated");
    assert!(
        wrong.is_empty(),
        "{} of {evaluated} events have an unexpected outcome:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_response_file_has_its_event() {
    for control in controls() {
        let folder = root().join("events").join(control.meta.id);
        for kind in ["facts", "subjects", "items"] {
            for name in names(&folder.join(kind)) {
                assert!(folder.join(&name).exists(), "events/{}/{kind}/{name}: no such event", control.meta.id);
            }
        }
    }
}

/// An event with the API responses that belong to it.
#[derive(Clone)]
struct Input {
    event: Value,
    /// The facts that the APIs return for the item; null if the item is enough.
    facts: Value,
    /// The listed subjects.
    subjects: Option<Vec<Value>>,
    /// The item in the history of AWS Config.
    history: Option<Value>,
}

impl Input {
    fn read(folder: &Path, name: &str) -> Self {
        let response = |kind: &str| {
            let file = folder.join(kind).join(name);
            file.exists().then(|| json(&file))
        };
        let subjects = response("subjects").map(|list| match list {
            Value::Array(subjects) => subjects,
            other => panic!("{}/subjects/{name}: expected a list: {other}", folder.display()),
        });
        let facts = response("facts").unwrap_or_default();
        Self { event: json(&folder.join(name)), facts, subjects, history: response("items") }
    }
}

/// The outcome of an event, spelled as in file names, and the reason.
fn outcome(control: &Entry, input: &Input) -> (&'static str, String) {
    match evaluate(control, input) {
        Err(error) => ("error", error),
        Ok(verdicts) => {
            let reason = verdicts.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join("; ");
            if verdicts.iter().any(Verdict::is_non_compliant) {
                ("non-compliant", reason)
            } else if verdicts.iter().any(Verdict::is_compliant) {
                ("compliant", reason)
            } else {
                ("not-applicable", reason)
            }
        }
    }
}

/// Handles an event like the runtime, with files in place of API responses.
fn evaluate(control: &Entry, input: &Input) -> Result<Vec<Verdict>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let event = RuleEvent::parse(&input.event).map_err(|error| text(&error))?;
    let parameters = event.parameters.clone().unwrap_or_default();
    control.check_parameters(&parameters).map_err(|error| text(&error))?;
    let common = CommonParameters::parse(&parameters).map_err(|error| text(&error))?;
    let here = region(&event);
    let home = common.home_region.clone().unwrap_or_else(|| here.default_home_region());
    let now = event.message.time();
    let scope = RuleScope { meta: control.meta, parameters: &common, here: &here, home: &home };
    match gate::route(&event, &scope).map_err(|error| text(&error))? {
        Route::Answer(_, verdict) | Route::AnswerAccount(verdict) => Ok(vec![verdict]),
        Route::Periodic => {
            if control.list_permissions().is_none() {
                return Err("the control has no periodic trigger".to_owned());
            }
            let subjects = input.subjects.as_ref().unwrap_or_else(|| panic!("{}: no list", control.meta.id));
            let verdicts = subjects.iter().map(|subject| {
                let state = control.image(subject.clone());
                if let Some(verdict) = state.ok().and_then(|it| scope.out_of_scope(&it.resource, it.name.as_deref())) {
                    return Ok(verdict);
                }
                // These files all have version 1, so they also test the upgrade of a changed subject.
                let state = StoredState { version: 1, subject: subject.clone() };
                control.evaluate(&state, &parameters, now).map_err(|error| text(&error))
            });
            verdicts.collect()
        }
        Route::Judge(item) => evaluate_item(control, input, item, &parameters, now),
        Route::Fetch => {
            let Some(item) = &input.history else { return Err("the history has no item".to_owned()) };
            let Message::Oversized { summary, .. } = &event.message else { panic!("only oversized items are fetched") };
            let item = history(item).or_summary(summary);
            let item = ConfigurationItem::from_api(item).map_err(|error| text(&error))?;
            match gate::route_fetched(&event, &scope, &item).map_err(|error| text(&error))? {
                Route::Judge(item) => evaluate_item(control, input, item, &parameters, now),
                Route::Answer(_, verdict) => Ok(vec![verdict]),
                other => panic!("a fetched item goes to {other:?}"),
            }
        }
    }
}

/// An item as the history returns it: JSON as text, every field optional. The file has the keys of a notification.
fn history(item: &Value) -> ApiItem {
    let text = |key: &str| item[key].as_str().map(str::to_owned);
    let entries = |key: &str| item[key].as_object().into_iter().flatten();
    ApiItem {
        account: text("awsAccountId"),
        region: text("awsRegion"),
        resource_type: text("resourceType"),
        resource_id: text("resourceId"),
        resource_name: text("resourceName"),
        arn: text("ARN"),
        status: text("configurationItemStatus"),
        captured_at: text("configurationItemCaptureTime").map(|at| at.parse().unwrap()),
        configuration: Some(item["configuration"].to_string()),
        supplementary: entries("supplementaryConfiguration").map(|(key, it)| (key.clone(), it.to_string())).collect(),
        tags: entries("tags").filter_map(|(key, it)| Some((key.clone(), it.as_str()?.to_owned()))).collect(),
        relationships: serde_json::from_value(item["relationships"].clone()).unwrap_or_default(),
    }
}

fn evaluate_item(
    control: &Entry,
    input: &Input,
    item: &ConfigurationItem,
    parameters: &str,
    now: rectify_compliance::Timestamp,
) -> Result<Vec<Verdict>, String> {
    let Some(trigger) = control.change else {
        return Err("the control has no change trigger".to_owned());
    };
    let state = trigger.subject(item, input.facts.clone()).map_err(|error| error.to_string())?;
    control.evaluate(&state, parameters, now).map(|verdict| vec![verdict]).map_err(|error| error.to_string())
}

/// `remediation` when the event is a finding of this control.
fn remediation(control: &Entry, event: &Value) -> (&'static str, String) {
    let detail_type = event["detail-type"].as_str().unwrap_or_default();
    let source = event["source"].as_str().unwrap_or_default();
    let is_of_this_control = |change: &ComplianceChange| {
        change.is_finding()
            && control.meta.resource_types.contains(&change.resource.kind.as_str())
            && change.rule_name.strip_prefix("rectify-").and_then(find).is_some_and(|it| it.meta.id == control.meta.id)
    };
    match ComplianceChange::parse(source, detail_type, &event["detail"]) {
        Ok(Some(change)) if is_of_this_control(&change) => ("remediation", String::new()),
        Ok(other) => ("not a finding of this control", format!("{other:?}")),
        Err(error) => ("error", error.to_string()),
    }
}

/// The region that the function runs in: that of the rule.
fn region(event: &RuleEvent) -> Region {
    let of_rule = event.rule_arn.as_deref().and_then(|arn| arn.parse::<Arn>().ok()?.region());
    match (of_rule, &event.message) {
        (Some(region), _) => region,
        (None, Message::Change { item, .. }) => item.region.clone(),
        (None, Message::Oversized { summary, .. }) => summary.target.region.clone(),
        (None, Message::Periodic { .. }) => Region::new("us-east-1"),
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn json(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

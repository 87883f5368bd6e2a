//! Every file in `events/<control>/` is judged, and its name must say what comes out.
//!
//! | file | what it is |
//! |---|---|
//! | `compliant-…`, `non-compliant-…`, `not-applicable-…` | an event as AWS Config sends it, with this verdict |
//! | `error-…` | an event that must fail the invocation |
//! | `remediation-…` | an event of EventBridge that starts the control's remediation |
//! | `facts/<name>` | what the APIs would answer about the item of the event of this name |
//! | `subjects/<name>` | what the inventory would list for the scheduled event of this name |
//! | `items/<name>` | what AWS Config's history would answer for the oversized event of this name; what it leaves out is the event's |
//!
//! The shapes that are the same for every control (deleted, oversized, proactive, …) are not in files: [`derived`] makes them
//! of each control's first compliant and first violating event.

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

/// The outcomes a file name can begin with, longest first where one begins another.
const OUTCOMES: [&str; 5] = ["non-compliant", "compliant", "not-applicable", "error", "remediation"];

#[test]
fn every_event_comes_out_as_its_name_says() {
    let mut wrong = Vec::new();
    let mut judged = 0;
    for control in controls() {
        let folder = root().join("events").join(control.meta.id);
        for name in names(&folder) {
            let Some(said) = OUTCOMES
                .iter()
                .find(|outcome| name.starts_with(&format!("{outcome}-")) || name == format!("{outcome}.json"))
            else {
                wrong.push(format!("{}/{name}: expected one of {OUTCOMES:?} in front", control.meta.id));
                continue;
            };
            judged += 1;
            let (outcome, why) = match *said {
                "remediation" => remediation(control, &json(&folder.join(&name))),
                _ => outcome(control, &Given::read(&folder, &name)),
            };
            if outcome != *said {
                wrong.push(format!("{}/{name}: {outcome}: {why}", control.meta.id));
            }
        }
    }
    assert!(judged > 0, "no event was judged");
    assert!(wrong.is_empty(), "{} of {judged} events come out otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_answer_stands_without_its_event() {
    for control in controls() {
        let folder = root().join("events").join(control.meta.id);
        for answers in ["facts", "subjects", "items"] {
            for name in names(&folder.join(answers)) {
                assert!(folder.join(&name).exists(), "events/{}/{answers}/{name}: no such event", control.meta.id);
            }
        }
    }
}

/// An event, and what stands in the place of APIs.
#[derive(Clone)]
struct Given {
    event: Value,
    /// What the APIs answer about the item; null where the item is enough.
    facts: Value,
    /// What the inventory lists.
    subjects: Option<Vec<Value>>,
    /// What AWS Config's history answers.
    history: Option<Value>,
}

impl Given {
    fn read(folder: &Path, name: &str) -> Self {
        let beside = |answers: &str| {
            let file = folder.join(answers).join(name);
            file.exists().then(|| json(&file))
        };
        let subjects = beside("subjects").map(|list| match list {
            Value::Array(subjects) => subjects,
            other => panic!("{}/subjects/{name}: expected a list: {other}", folder.display()),
        });
        let facts = beside("facts").unwrap_or_default();
        Self { event: json(&folder.join(name)), facts, subjects, history: beside("items") }
    }
}

/// What comes out of the event, as a file name says it, and why.
fn outcome(control: &Entry, given: &Given) -> (&'static str, String) {
    match judge(control, given) {
        Err(error) => ("error", error),
        Ok(verdicts) => {
            let why = verdicts.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join("; ");
            if verdicts.iter().any(Verdict::is_non_compliant) {
                ("non-compliant", why)
            } else if verdicts.iter().any(Verdict::is_compliant) {
                ("compliant", why)
            } else {
                ("not-applicable", why)
            }
        }
    }
}

/// The way of an event through the shell, with files in place of APIs.
fn judge(control: &Entry, given: &Given) -> Result<Vec<Verdict>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let event = RuleEvent::parse(&given.event).map_err(|error| text(&error))?;
    let parameters = event.parameters.clone().unwrap_or_default();
    control.check_parameters(&parameters).map_err(|error| text(&error))?;
    let shell = CommonParameters::parse(&parameters).map_err(|error| text(&error))?;
    let here = region(&event);
    let home = shell.home_region.clone().unwrap_or_else(|| here.default_home());
    let now = event.message.time();
    let scope = RuleScope { meta: control.meta, parameters: &shell, here: &here, home: &home };
    match gate::route(&event, &scope).map_err(|error| text(&error))? {
        Route::Answer(_, verdict) | Route::AnswerAccount(verdict) => Ok(vec![verdict]),
        Route::Periodic => {
            if control.list_permissions().is_none() {
                return Err("the control has no periodic half".to_owned());
            }
            let subjects = given.subjects.as_ref().unwrap_or_else(|| panic!("{}: no list", control.meta.id));
            let judged = subjects.iter().map(|subject| {
                let known = control.image(subject.clone());
                if let Some(verdict) = known.ok().and_then(|it| scope.out_of_scope(&it.resource, it.name.as_deref())) {
                    return Ok(verdict);
                }
                // When a subject's form changes, these files, all of version 1, try its upgrade.
                let image = StoredState { version: 1, subject: subject.clone() };
                control.evaluate(&image, &parameters, now).map_err(|error| text(&error))
            });
            judged.collect()
        }
        Route::Judge(item) => judge_item(control, given, item, &parameters, now),
        Route::Fetch => {
            let Some(answer) = &given.history else { return Err("the history has no item".to_owned()) };
            let Message::Oversized { summary, .. } = &event.message else { panic!("nothing else is fetched") };
            let item = history(answer).announced_by(summary);
            let item = ConfigurationItem::from_api(item).map_err(|error| text(&error))?;
            match gate::route_fetched(&event, &scope, &item).map_err(|error| text(&error))? {
                Route::Judge(item) => judge_item(control, given, item, &parameters, now),
                Route::Answer(_, verdict) => Ok(vec![verdict]),
                other => panic!("a fetched item goes to {other:?}"),
            }
        }
    }
}

/// An item as the history answers it: JSON as text, all of it optional. The file has the keys of a notification.
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

fn judge_item(
    control: &Entry,
    given: &Given,
    item: &ConfigurationItem,
    parameters: &str,
    now: rectify_compliance::Timestamp,
) -> Result<Vec<Verdict>, String> {
    let Some(half) = control.change else {
        return Err("the control judges no changes".to_owned());
    };
    let image = half.subject(item, given.facts.clone()).map_err(|error| error.to_string())?;
    control.evaluate(&image, parameters, now).map(|verdict| vec![verdict]).map_err(|error| error.to_string())
}

/// `remediation` when the event is a finding of this control.
fn remediation(control: &Entry, event: &Value) -> (&'static str, String) {
    let detail_type = event["detail-type"].as_str().unwrap_or_default();
    let source = event["source"].as_str().unwrap_or_default();
    let ours = |change: &ComplianceChange| {
        change.is_finding()
            && control.meta.resource_types.contains(&change.resource.kind.as_str())
            && change.rule_name.strip_prefix("rectify-").and_then(find).is_some_and(|it| it.meta.id == control.meta.id)
    };
    match ComplianceChange::parse(source, detail_type, &event["detail"]) {
        Ok(Some(change)) if ours(&change) => ("remediation", String::new()),
        Ok(other) => ("no finding of this control", format!("{other:?}")),
        Err(error) => ("error", error.to_string()),
    }
}

/// The region the function would run in: the rule's own.
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

//! A rule's function against replayed AWS Config: what it sends, when it asks again, and when it must fail instead.
//!
//! Labels such as `runtime/4` name the case a test is for.

mod change;
mod oversized;
mod periodic;
mod refusals;
mod rounds;

use rectify_compliance::Region;
use rectify_runtime::Fault;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::rule::{Rule, RuleShell, handle, on_change, on_change_and_schedule, on_schedule};
use rectify_runtime::serve::Own;
use rectify_runtime::settings::FunctionSettings;
use rectify_tests::controls::{DOOR, DOOR_AJAR, Door};
use rectify_tests::doors::{Call, Doors, On, Trouble};
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::{
    CAPTURED_ON_WIRE, SCHEDULED_ON_WIRE, change, invocation, item, oversized, rule_event, scheduled,
};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

/// The token of an invocation; opaque.
const TOKEN: &str = "eyJlbmNyeXB0ZWREYXRhIjpb";

/// Hands an event to a rule's function in `region`.
async fn handled_in(rule: &Rule, region: &str, event: &Value, replay: &Replay, doors: &Doors) -> Result<(), Fault> {
    handled_by(rule, &invocation(), region, event, replay, doors).await
}

/// The same in an invocation that knows this of itself.
async fn handled_by(
    rule: &Rule,
    own: &Own,
    region: &str,
    event: &Value,
    replay: &Replay,
    doors: &Doors,
) -> Result<(), Fault> {
    let settings = FunctionSettings { region: Region::new(region), home_region: None };
    let shell = RuleShell::over(rule.clone(), &doors.reached_through(&replay.sdk(region)), settings);
    handle(&shell, event, own, &mut Invocation::start("door-ajar", "request")).await
}

/// The same for the control with both halves, at home.
async fn handled(event: &Value, replay: &Replay, doors: &Doors) -> Result<(), Fault> {
    handled_in(&on_change_and_schedule::<_, Doors>(&DOOR_AJAR), REGION, event, replay, doors).await
}

/// An event with no parameters and a real token.
fn plain(invoking: &Value) -> Value {
    rule_event(invoking, &json!({}), TOKEN)
}

/// One element of `Evaluations`.
fn evaluation(kind: &str, id: &str, verdict: &str, annotation: Option<&str>, ordering: f64) -> Value {
    let mut evaluation = json!({
        "ComplianceResourceType": kind, "ComplianceResourceId": id, "ComplianceType": verdict,
        "OrderingTimestamp": ordering
    });
    if let Some(annotation) = annotation {
        evaluation["Annotation"] = json!(annotation);
    }
    evaluation
}

/// The whole request that stores these evaluations.
fn put(evaluations: &[Value]) -> (String, Value) {
    let body = json!({"Evaluations": evaluations, "ResultToken": TOKEN, "TestMode": false});
    ("PutEvaluations".to_owned(), body)
}

/// The finding about a door with its only bolt drawn.
fn ajar(id: &str, ordering: f64) -> Value {
    let text = format!("{id}: bolts top are drawn; expected none");
    evaluation(DOOR, id, "NON_COMPLIANT", Some(&text), ordering)
}

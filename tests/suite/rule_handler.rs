//! A rule's function against replayed AWS Config: what it sends, when it retries, and when it fails.
//!
//! Labels such as `runtime/4` name the case a test is for.

mod change;
mod oversized;
mod periodic;
mod refusals;
mod results;
mod rounds;

use rectify_compliance::Region;
use rectify_runtime::Error;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::rule::{Rule, RuleContext, handle, on_change, on_change_and_schedule, on_schedule};
use rectify_runtime::serve::InvocationInfo;
use rectify_runtime::settings::FunctionSettings;
use rectify_tests::controls::{WIDGET, WIDGET_DISABLED, Widget};
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::{
    CAPTURED_ON_WIRE, SCHEDULED_ON_WIRE, change, invocation, item, oversized, rule_event, scheduled,
};
use rectify_tests::fake_service::{Call, FakeService, InjectedFault, On};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

/// The token of an invocation; opaque.
const TOKEN: &str = "eyJlbmNyeXB0ZWREYXRhIjpb";

/// Runs a rule's function on an event in `region`.
async fn run_in(rule: &Rule, region: &str, event: &Value, replay: &Replay, widgets: &FakeService) -> Result<(), Error> {
    run_as(rule, &invocation(), region, event, replay, widgets).await
}

/// The same with the function's own ARN and deadline.
async fn run_as(
    rule: &Rule,
    own: &InvocationInfo,
    region: &str,
    event: &Value,
    replay: &Replay,
    widgets: &FakeService,
) -> Result<(), Error> {
    let settings = FunctionSettings { region: Region::new(region), home_region: None };
    let context = RuleContext::over(rule.clone(), &widgets.reached_through(&replay.sdk(region)), settings);
    handle(&context, event, own, &mut Invocation::start("widget-disabled", "request")).await
}

/// The same for a rule with both triggers in its home region.
async fn run(event: &Value, replay: &Replay, widgets: &FakeService) -> Result<(), Error> {
    run_in(&on_change_and_schedule::<_, FakeService>(&WIDGET_DISABLED), REGION, event, replay, widgets).await
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

/// The finding about a widget with its only flag disabled.
fn disabled(id: &str, ordering: f64) -> Value {
    let text = format!("{id}: flags top are disabled; expected none");
    evaluation(WIDGET, id, "NON_COMPLIANT", Some(&text), ordering)
}

//! Every gate of a remediation, against a ledger and a bus in moto and a scripted fake service.
//!
//! Labels such as `runtime/17` name the case a test is for.

mod acting;
mod before_acting;
mod breakers;
mod crash_recovery;
mod decisions;
mod fence;
mod leases;
mod limits;
mod once;
mod origin;
mod out_of_time;
mod outages;
mod reads;
mod repeating;
mod resuming;
mod scope;
mod unannounced;

use rectify_compliance::Timestamp;
use rectify_runtime::ledger::{Attempt, Hold, Outcome, State, StopSwitch};
use rectify_runtime::remediation::Disposition;
use rectify_runtime::{CallErrorKind, Error};
use rectify_tests::controls::{Action, Widget};
use rectify_tests::crash_point::CrashPoint;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::finding;
use rectify_tests::fake_service::{Call, InjectedFault, On};
use rectify_tests::remediation::{World, deliver_through, delivery, doomed_delivery, early_in_the_hour, path, target};
use serde_json::{Value, json};

/// When the finding of most tests was recorded.
const RECORDED: &str = "2026-03-04T05:06:08.900Z";

fn enable(flag: &str) -> Action {
    Action::EnableFlag { flag: flag.to_owned() }
}

fn call(flag: &str) -> Value {
    json!({"EnableFlag": {"Flag": flag}})
}

/// A plan that enables these flags, as stored and announced.
fn plan(flags: &[&str], level: &str) -> Value {
    let step = |flag: &&str| json!({"level": level, "call": call(flag)});
    json!({"kind": "do", "steps": flags.iter().map(step).collect::<Vec<_>>()})
}

/// Attempt id and outcome of a delivery that ended its attempt.
fn ended(disposition: &Disposition) -> (&str, Outcome) {
    match disposition {
        Disposition::Ended { attempt, outcome } => (attempt, *outcome),
        other => panic!("{other:?}"),
    }
}

/// The announcement of an attempt.
fn announcement(attempt: &Attempt, kind: &str, outcome: &str, actions: &[Value]) -> (String, Value) {
    let detail = json!({
        "attempt": attempt.id, "control": "widget-disabled", "rule": "rectify-widget-disabled", "account": ACCOUNT,
        "region": REGION, "resourceType": "Rectify::Test::Widget", "resourceId": attempt.target.resource.id,
        "mode": attempt.mode, "outcome": outcome, "finding": attempt.finding,
        "reason": attempt.reason, "plan": attempt.plan, "actions": actions
    });
    (kind.to_owned(), detail)
}

/// The one attempt on `d-1`.
async fn only(world: &World) -> Attempt {
    let mut attempts = world.attempts("d-1").await;
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    attempts.remove(0)
}

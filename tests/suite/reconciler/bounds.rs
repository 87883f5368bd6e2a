//! A failing finding is requested with growing intervals, and escalated to operators once.

use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_runtime::CallErrorKind;
use rectify_tests::controls::Widget;
use rectify_tests::events::{change, finding, item, rule_event, scheduled};
use rectify_tests::fake_service::{InjectedFault, On};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

use super::dead_letters::record;
use super::env::{Env, RECORDED, delivered, of_dead_letters, page, reports};

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// An environment with a widget whose reads are denied.
async fn unreadable() -> Env {
    let env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    for number in 1..=200 {
        env.world.widgets.inject_fault(
            On::Read,
            number,
            InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        );
    }
    env
}

/// Delivers the requests, which fail, puts them into the dead-letter queue as Lambda does, and returns their number.
async fn fail(env: &Env) -> usize {
    let requests = env.requests().await;
    for request in &requests {
        let event = delivered(request);
        assert_eq!(env.world.deliver(&event).await.unwrap_err().kind(), "AccessDenied");
        env.send_to_dlq(&record(&event), &[]).await;
    }
    requests.len()
}

/// A run every hour over one finding: the hours in which it is requested, and the escalations.
#[tokio::test]
async fn failing_finding_is_requested_with_backoff_and_escalated_once() {
    let env = unreadable().await;
    let start = Timestamp::now();
    let mut requested = Vec::new();
    for hour in (0..=16).chain([31, 32, 54, 55, 56, 79]) {
        let count = env.dead_letters_left().await;
        let replay = of_dead_letters(&["d-1"; 9][..count], &["d-1"]);
        env.run_at(&replay, start + hours(hour)).await.unwrap();
        let failed = fail(&env).await;
        requested.extend(std::iter::repeat_n(hour, failed));
    }
    assert_eq!(requested, [0, 1, 3, 7, 15, 31, 55, 79]);
    let escalated = env.escalated().await;
    assert_eq!(escalated.len(), 1, "{escalated:?}");
    let at = start + hours(15);
    let reason = format!(
        "5 consecutive requests had no answer, the last one at {}; from now on it is requested once a day",
        millis(at)
    );
    assert_eq!(escalated[0].1, reason);
    let message: Value = serde_json::from_str(&escalated[0].0).unwrap();
    assert_eq!(message["requestContext"]["condition"], json!("RetriesExhausted"), "the dead letter itself: {message}");
}

/// A time in milliseconds, as the ledger stores it.
fn millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

/// Without a dead letter from Lambda, the request itself is escalated.
#[tokio::test]
async fn failing_finding_is_escalated_without_a_dead_letter() {
    let env = unreadable().await;
    let start = Timestamp::now();
    for hour in [0, 1, 3, 7, 15, 31, 55] {
        env.run_at(&reports(&["d-1"]), start + hours(hour)).await.unwrap();
        assert_eq!(env.requests().await.len(), 1, "{hour}");
    }
    let escalated = env.escalated().await;
    assert_eq!(escalated.len(), 1, "{escalated:?}");
    let body: Value = serde_json::from_str(&escalated[0].0).unwrap();
    assert_eq!(
        (&body["detail-type"], &body["detail"]["resourceId"]),
        (&json!("Rectify Remediation Requested"), &json!("d-1"))
    );
}

#[tokio::test]
async fn an_answer_resets_the_backoff() {
    let env = unreadable().await;
    let start = Timestamp::now();
    for hour in [0, 1, 3] {
        let count = env.dead_letters_left().await;
        env.run_at(&of_dead_letters(&["d-1"; 9][..count], &["d-1"]), start + hours(hour)).await.unwrap();
        assert_eq!(fail(&env).await, 1);
    }
    // The fourth is answered: in mode `plan` the finding remains, and is requested once a day without an escalation.
    let mut env = env;
    env.world.widgets.clear_faults();
    env.world.set("MODE", "plan");
    env.settings.controls[0].mode = rectify_runtime::settings::Mode::Plan;
    for (number, hour) in [7, 31, 55, 79, 103, 127, 151].into_iter().enumerate() {
        let count = env.dead_letters_left().await;
        env.run_at(&of_dead_letters(&["d-1"; 9][..count], &["d-1"]), start + hours(hour)).await.unwrap();
        let requests = env.requests().await;
        assert_eq!(requests.len(), 1, "{hour}");
        assert_eq!(requests[0]["redrives"], if number == 0 { json!(3) } else { Value::Null }, "{hour}");
        env.world.deliver(&delivered(&requests[0])).await.unwrap();
    }
    assert_eq!(env.escalated().await, []);
}

/// AWS Config sends an event when a resource turns NON_COMPLIANT again: that is a new finding.
#[tokio::test]
async fn new_finding_does_not_inherit_the_backoff() {
    let env = unreadable().await;
    let start = Timestamp::now();
    for hour in [0, 1, 3, 7] {
        env.run_at(&reports(&["d-1"]), start + hours(hour)).await.unwrap();
        assert_eq!(env.requests().await.len(), 1);
    }
    let soon = start + hours(8);
    env.send_to_dlq(&record(&finding("d-1", RECORDED)), &[]).await;
    env.run_at(&of_dead_letters(&["d-1"], &["d-1"]), soon).await.unwrap();
    assert_eq!(env.requests().await, [json!(null); 0], "the old finding waits");
    env.send_to_dlq(&record(&finding("d-1", &(soon - SignedDuration::from_mins(5)).to_string())), &[]).await;
    env.run_at(&of_dead_letters(&["d-1"], &["d-1"]), soon).await.unwrap();
    let requests = env.requests().await;
    assert_eq!((requests.len(), &requests[0]["redrives"]), (1, &Value::Null));
}

fn dead_letter(invoking: &Value, at: Timestamp) -> String {
    let mut invoking = invoking.clone();
    invoking["notificationCreationTime"] = json!(at.to_string());
    rule_event(&invoking, &json!({}), "t").to_string()
}

/// The number of evaluations started.
fn evaluations(replay: &Replay) -> usize {
    replay.requests().iter().filter(|(operation, _)| operation == "StartConfigRulesEvaluation").count()
}

/// Answers for a run that may start an evaluation: either call accepts either answer.
fn any() -> Replay {
    Replay::of([page(&[], None), page(&[], None)])
}

/// An item that always fails leads to one evaluation of all resources and one escalation.
#[tokio::test]
async fn failing_item_is_reevaluated_once_and_escalated_once() {
    let mut env = Env::with([]).await;
    env.settings.controls[0].scheduled = false;
    let start = Timestamp::now();
    let changed = |id: &str, at| dead_letter(&change(&item(id, &["top"])), at);
    let mut started = 0;
    for hour in [0, 1, 2, 3, 26, 30, 50, 80] {
        let now = start + hours(hour);
        // The evaluation invokes the function again, and so does each change.
        env.send_to_dlq(&changed("d-1", now - SignedDuration::from_mins(1)), &[]).await;
        let replay = any();
        env.run_at(&replay, now).await.unwrap();
        started += evaluations(&replay);
        assert_eq!(env.dead_letters_left().await, 0, "{hour}");
    }
    assert_eq!(started, 1);
    let escalated = env.escalated().await;
    let reason = format!(
        "`rectify-widget-disabled` failed again on Rectify::Test::Widget d-1 after its reevaluation at {}",
        millis(start)
    );
    assert_eq!(escalated.iter().map(|(_, reason)| reason).collect::<Vec<_>>(), [&reason]);
}

#[tokio::test]
async fn rule_is_reevaluated_once_a_day_for_all_its_dead_letters() {
    let mut env = Env::with([]).await;
    env.settings.controls[0].scheduled = false;
    let start = Timestamp::now();
    let mut started = Vec::new();
    for hour in [0, 1, 2, 3, 4, 22, 23, 24, 25, 48, 49] {
        let now = start + hours(hour);
        if [0, 3].contains(&hour) {
            for number in 0..3 {
                let id = format!("d-{hour}-{number}");
                env.send_to_dlq(&dead_letter(&change(&item(&id, &[])), now - SignedDuration::from_mins(1)), &[]).await;
            }
        }
        let replay = any();
        let summary = env.run_at(&replay, now).await.unwrap();
        if evaluations(&replay) > 0 {
            assert_eq!(summary["evaluations"], json!(1));
            assert_eq!(replay.requests()[0].1, json!({"ConfigRuleNames": ["rectify-widget-disabled"]}));
            started.push(hour);
        }
    }
    assert_eq!((started, env.dead_letters_left().await, env.escalated().await), (vec![0, 24], 0, vec![]));
}

/// The rule's own schedule evaluates every resource within a day.
#[tokio::test]
async fn failed_change_is_left_to_the_rules_schedule() {
    let env = Env::with([]).await;
    env.send_to_dlq(&dead_letter(&change(&item("d-1", &["top"])), Timestamp::now()), &[]).await;
    let replay = any();
    let summary = env.run(&replay).await.unwrap();
    assert_eq!((evaluations(&replay), &summary["deadLetters"]), (0, &json!({"left-to-schedule": 1})));
    assert_eq!(env.dead_letters_left().await, 0);
}

#[tokio::test]
async fn failing_scheduled_run_is_repeated_once_and_escalated_once() {
    let env = Env::with([]).await;
    let start = Timestamp::now();
    let mut started = 0;
    for day in 0..4 {
        for hour in [0, 1] {
            let now = start + hours(24 * day + hour);
            env.send_to_dlq(&dead_letter(&scheduled(), now - SignedDuration::from_mins(1)), &[]).await;
            let replay = any();
            env.run_at(&replay, now).await.unwrap();
            started += evaluations(&replay);
        }
    }
    assert_eq!((started, env.escalated().await.len(), env.dead_letters_left().await), (1, 1, 0));
}

#[tokio::test]
async fn rejected_evaluation_is_started_by_a_later_run() {
    // The SDK sends the first one four times: it treats the code as throttling.
    for (code, times) in [("LimitExceededException", 4), ("ResourceInUseException", 1)] {
        let env = Env::with([]).await;
        env.send_to_dlq(&dead_letter(&scheduled(), Timestamp::now()), &[]).await;
        let refused = std::iter::repeat_n(Answer::refused(code), times);
        let summary = env.run(&Replay::of(refused.chain([page(&[], None)]))).await.unwrap();
        assert_eq!((&summary["deadLetters"], &summary["evaluations"]), (&json!({"reevaluation-due": 1}), &json!(0)));
        assert_eq!(env.dead_letters_left().await, 0, "{code}: the ledger keeps it");
        let replay = any();
        env.run(&replay).await.unwrap();
        assert_eq!(evaluations(&replay), 1, "{code}");
    }
}

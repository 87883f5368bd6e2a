//! What keeps failing costs less and less, and one message to a person.

use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_runtime::CallErrorKind;
use rectify_tests::controls::Widget;
use rectify_tests::events::{change, finding, item, rule_event, scheduled};
use rectify_tests::fake_service::{InjectedFault, On};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

use super::letters::record;
use super::stage::{Env, RECORDED, delivered, of_letters, page, reports};

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A widget nobody may read.
async fn unreadable() -> Env {
    let stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    for number in 1..=200 {
        stage.world.widgets.disturb(
            On::Read,
            number,
            InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        );
    }
    stage
}

/// Delivers what was asked, which fails, and has Lambda put it into the dead-letter queue; how much that was.
async fn fail(stage: &Env) -> usize {
    let requests = stage.requests().await;
    for request in &requests {
        let event = delivered(request);
        assert_eq!(stage.world.deliver(&event).await.unwrap_err().kind(), "AccessDenied");
        stage.bury(&record(&event), &[]).await;
    }
    requests.len()
}

/// A run every hour over one finding: the hours in which it is asked about, and the messages to people.
#[tokio::test]
async fn finding_nobody_answers_is_asked_about_less_and_less_and_handed_over_once() {
    let stage = unreadable().await;
    let start = Timestamp::now();
    let mut asked = Vec::new();
    for hour in (0..=16).chain([31, 32, 54, 55, 56, 79]) {
        let letters = stage.letters_left().await;
        let replay = of_letters(&["d-1"; 9][..letters], &["d-1"]);
        stage.run_at(&replay, start + hours(hour)).await.unwrap();
        let many = fail(&stage).await;
        asked.extend(std::iter::repeat_n(hour, many));
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 55, 79]);
    let handed_over = stage.handed_over().await;
    assert_eq!(handed_over.len(), 1, "{handed_over:?}");
    let at = start + hours(15);
    let reason =
        format!("5 requests in a row had no answer, the last one at {}; asked once a day from now on", millis(at));
    assert_eq!(handed_over[0].1, reason);
    let letter: Value = serde_json::from_str(&handed_over[0].0).unwrap();
    assert_eq!(letter["requestContext"]["condition"], json!("RetriesExhausted"), "the letter itself: {letter}");
}

/// A time as the ledger has it.
fn millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

/// Where Lambda puts no letter, the request itself is what a person gets.
#[tokio::test]
async fn finding_nobody_answers_is_handed_over_without_a_letter_too() {
    let stage = unreadable().await;
    let start = Timestamp::now();
    for hour in [0, 1, 3, 7, 15, 31, 55] {
        stage.run_at(&reports(&["d-1"]), start + hours(hour)).await.unwrap();
        assert_eq!(stage.requests().await.len(), 1, "{hour}");
    }
    let handed_over = stage.handed_over().await;
    assert_eq!(handed_over.len(), 1, "{handed_over:?}");
    let body: Value = serde_json::from_str(&handed_over[0].0).unwrap();
    assert_eq!(
        (&body["detail-type"], &body["detail"]["resourceId"]),
        (&json!("Rectify Remediation Requested"), &json!("d-1"))
    );
}

#[tokio::test]
async fn an_answer_begins_the_count_anew() {
    let stage = unreadable().await;
    let start = Timestamp::now();
    for hour in [0, 1, 3] {
        let letters = stage.letters_left().await;
        stage.run_at(&of_letters(&["d-1"; 9][..letters], &["d-1"]), start + hours(hour)).await.unwrap();
        assert_eq!(fail(&stage).await, 1);
    }
    // The fourth is answered: in plan mode the finding stands, and is asked about once a day without any message.
    let mut stage = stage;
    stage.world.widgets.calm();
    stage.world.set("MODE", "plan");
    stage.settings.controls[0].mode = rectify_runtime::settings::Mode::Plan;
    for (number, hour) in [7, 31, 55, 79, 103, 127, 151].into_iter().enumerate() {
        let letters = stage.letters_left().await;
        stage.run_at(&of_letters(&["d-1"; 9][..letters], &["d-1"]), start + hours(hour)).await.unwrap();
        let requests = stage.requests().await;
        assert_eq!(requests.len(), 1, "{hour}");
        assert_eq!(requests[0]["redrives"], if number == 0 { json!(3) } else { Value::Null }, "{hour}");
        stage.world.deliver(&delivered(&requests[0])).await.unwrap();
    }
    assert_eq!(stage.handed_over().await, []);
}

/// AWS Config writes an event when a resource turns NON_COMPLIANT: it is another finding than the one asked about before.
#[tokio::test]
async fn finding_that_is_new_to_aws_config_is_not_kept_waiting_by_the_last_one() {
    let stage = unreadable().await;
    let start = Timestamp::now();
    for hour in [0, 1, 3, 7] {
        stage.run_at(&reports(&["d-1"]), start + hours(hour)).await.unwrap();
        assert_eq!(stage.requests().await.len(), 1);
    }
    let soon = start + hours(8);
    stage.bury(&record(&finding("d-1", RECORDED)), &[]).await;
    stage.run_at(&of_letters(&["d-1"], &["d-1"]), soon).await.unwrap();
    assert_eq!(stage.requests().await, [json!(null); 0], "an old finding waits");
    stage.bury(&record(&finding("d-1", &(soon - SignedDuration::from_mins(5)).to_string())), &[]).await;
    stage.run_at(&of_letters(&["d-1"], &["d-1"]), soon).await.unwrap();
    let requests = stage.requests().await;
    assert_eq!((requests.len(), &requests[0]["redrives"]), (1, &Value::Null));
}

fn letter(invoking: &Value, at: Timestamp) -> String {
    let mut invoking = invoking.clone();
    invoking["notificationCreationTime"] = json!(at.to_string());
    rule_event(&invoking, &json!({}), "t").to_string()
}

/// How many evaluations AWS Config was asked for.
fn evaluations(replay: &Replay) -> usize {
    replay.requests().iter().filter(|(operation, _)| operation == "StartConfigRulesEvaluation").count()
}

/// Answers for a run that may start an evaluation or not: both calls take both.
fn any() -> Replay {
    Replay::of([page(&[], None), page(&[], None)])
}

/// One item that always fails: one evaluation of all resources, one message, nothing more.
#[tokio::test]
async fn item_that_a_rule_cannot_judge_has_the_rule_evaluated_once_and_is_handed_over_once() {
    let mut stage = Env::with([]).await;
    stage.settings.controls[0].scheduled = false;
    let start = Timestamp::now();
    let changed = |id: &str, at| letter(&change(&item(id, &["top"])), at);
    let mut started = 0;
    for hour in [0, 1, 2, 3, 26, 30, 50, 80] {
        let now = start + hours(hour);
        // The evaluation invokes the function again, and so does each change.
        stage.bury(&changed("d-1", now - SignedDuration::from_mins(1)), &[]).await;
        let replay = any();
        stage.run_at(&replay, now).await.unwrap();
        started += evaluations(&replay);
        assert_eq!(stage.letters_left().await, 0, "{hour}");
    }
    assert_eq!(started, 1);
    let handed_over = stage.handed_over().await;
    let reason = format!(
        "`rectify-widget-disabled` failed again at Rectify::Test::Widget d-1 after it was evaluated anew at {}",
        millis(start)
    );
    assert_eq!(handed_over.iter().map(|(_, reason)| reason).collect::<Vec<_>>(), [&reason]);
}

#[tokio::test]
async fn rule_is_evaluated_anew_for_all_its_letters_and_once_a_day() {
    let mut stage = Env::with([]).await;
    stage.settings.controls[0].scheduled = false;
    let start = Timestamp::now();
    let mut started = Vec::new();
    for hour in [0, 1, 2, 3, 4, 22, 23, 24, 25, 48, 49] {
        let now = start + hours(hour);
        if [0, 3].contains(&hour) {
            for number in 0..3 {
                let id = format!("d-{hour}-{number}");
                stage.bury(&letter(&change(&item(&id, &[])), now - SignedDuration::from_mins(1)), &[]).await;
            }
        }
        let replay = any();
        let summary = stage.run_at(&replay, now).await.unwrap();
        if evaluations(&replay) > 0 {
            assert_eq!(summary["evaluations"], json!(1));
            assert_eq!(replay.requests()[0].1, json!({"ConfigRuleNames": ["rectify-widget-disabled"]}));
            started.push(hour);
        }
    }
    assert_eq!((started, stage.letters_left().await, stage.handed_over().await), (vec![0, 24], 0, vec![]));
}

/// The rule's own schedule judges every resource within a day.
#[tokio::test]
async fn change_of_a_rule_that_also_runs_on_a_schedule_is_left_to_the_schedule() {
    let stage = Env::with([]).await;
    stage.bury(&letter(&change(&item("d-1", &["top"])), Timestamp::now()), &[]).await;
    let replay = any();
    let summary = stage.run(&replay).await.unwrap();
    assert_eq!((evaluations(&replay), &summary["deadLetters"]), (0, &json!({"left-to-the-schedule": 1})));
    assert_eq!(stage.letters_left().await, 0);
}

#[tokio::test]
async fn scheduled_run_that_keeps_failing_is_repeated_once_and_handed_over_once() {
    let stage = Env::with([]).await;
    let start = Timestamp::now();
    let mut started = 0;
    for day in 0..4 {
        for hour in [0, 1] {
            let now = start + hours(24 * day + hour);
            stage.bury(&letter(&scheduled(), now - SignedDuration::from_mins(1)), &[]).await;
            let replay = any();
            stage.run_at(&replay, now).await.unwrap();
            started += evaluations(&replay);
        }
    }
    assert_eq!((started, stage.handed_over().await.len(), stage.letters_left().await), (1, 1, 0));
}

#[tokio::test]
async fn evaluation_that_aws_config_does_not_take_now_is_started_by_a_later_run() {
    // The SDK itself tries the first four times: it takes it for throttling.
    for (code, times) in [("LimitExceededException", 4), ("ResourceInUseException", 1)] {
        let stage = Env::with([]).await;
        stage.bury(&letter(&scheduled(), Timestamp::now()), &[]).await;
        let refused = std::iter::repeat_n(Answer::refused(code), times);
        let summary = stage.run(&Replay::of(refused.chain([page(&[], None)]))).await.unwrap();
        assert_eq!((&summary["deadLetters"], &summary["evaluations"]), (&json!({"to-be-evaluated": 1}), &json!(0)));
        assert_eq!(stage.letters_left().await, 0, "{code}: the ledger stands for it");
        let replay = any();
        stage.run(&replay).await.unwrap();
        assert_eq!(evaluations(&replay), 1, "{code}");
    }
}

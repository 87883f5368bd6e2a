//! Dead letters of both hops: answered by something that stands for them, or handed to a person, and never lost.

use rectify_compliance::Timestamp;
use rectify_tests::controls::Door;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::{finding, rule_event, scheduled};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

use super::stage::{RECORDED, Stage, delivered, page, reports_nothing};

/// Lambda's record of an event that failed in every attempt.
fn record(event: &Value) -> String {
    json!({
        "version": "1.0", "timestamp": "2026-03-04T05:10:00.000Z",
        "requestContext": {
            "requestId": "00000000-0000-4000-8000-000000000000",
            "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:rectify-door-ajar-fix:$LATEST"),
            "condition": "RetriesExhausted", "approximateInvokeCount": 3
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Throttled", "errorMessage": "slow down"}
    })
    .to_string()
}

fn started() -> Answer {
    Answer::ok(&json!({}))
}

#[tokio::test]
async fn event_that_failed_to_the_end_is_asked_for_three_times_and_then_a_person_is() {
    let stage = Stage::with([Door::drawn("d-1", &["top"])]).await;
    let mut event = finding("d-1", RECORDED);
    for redrives in 1..=3 {
        stage.bury(&record(&event), &[]).await;
        let summary = stage.run(&reports_nothing()).await.unwrap();
        assert_eq!(summary["deadLetters"], json!({"asked-again": 1}));
        let requests = stage.requests().await;
        assert_eq!((requests.len(), &requests[0]["redrives"]), (1, &json!(redrives)));
        assert_eq!(stage.letters_left().await, 0);
        event = delivered(&requests[0]);
    }
    let letter = record(&event);
    stage.bury(&letter, &[("ERROR_CODE", "NO_RESOURCE")]).await;
    let summary = stage.run(&reports_nothing()).await.unwrap();
    assert_eq!(summary["deadLetters"], json!({"handed-over": 1}));
    assert_eq!((stage.requests().await.len(), stage.letters_left().await), (0, 0));
    let reason = "failed again after it was asked for 3 times".to_owned();
    assert_eq!(stage.handed_over().await, [(letter, reason)]);
    // The last one that was asked for is still dealt with when the reason is gone.
    assert_eq!(stage.world.deliver(&event).await.unwrap().name(), "verified");
}

/// EventBridge reached no function: the event itself, with why in attributes.
#[tokio::test]
async fn event_that_reached_no_function_is_asked_for_again() {
    let stage = Stage::with([Door::drawn("d-1", &["top"])]).await;
    let rule = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/rectify-DoorAjarFixEvents");
    let attributes = [("RULE_ARN", rule.as_str()), ("ERROR_CODE", "NO_PERMISSIONS"), ("RETRY_ATTEMPTS", "8")];
    stage.bury(&finding("d-1", RECORDED).to_string(), &attributes).await;
    stage.run(&reports_nothing()).await.unwrap();
    let requests = stage.requests().await;
    assert_eq!(stage.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
    assert_eq!((stage.letters_left().await, stage.handed_over().await.len()), (0, 0));
}

#[tokio::test]
async fn what_nobody_answers_for_goes_to_a_person_as_it_was() {
    let stage = Stage::with([]).await;
    let mut foreign = finding("d-1", RECORDED);
    foreign["detail"]["awsAccountId"] = json!("444455556666");
    let mut other = finding("d-1", RECORDED);
    other["detail"]["configRuleName"] = json!("acme-windows");
    let strange = rule_event(&scheduled(), &json!({}), "t");
    let mut stranger = strange.clone();
    stranger["configRuleName"] = json!("acme-windows");
    let letters = [
        ("<html>".to_owned(), "not JSON"),
        (foreign.to_string(), "a finding of account 444455556666"),
        (other.to_string(), "no control has the rule `acme-windows`"),
        (stranger.to_string(), "no control has the rule `acme-windows`"),
        (json!({"hello": 1}).to_string(), "neither an event of EventBridge nor one of AWS Config"),
    ];
    for (letter, _) in &letters {
        stage.bury(letter, &[]).await;
    }
    let summary = stage.run(&reports_nothing()).await.unwrap();
    assert_eq!(summary["deadLetters"], json!({"handed-over": 5}));
    let mut handed_over = stage.handed_over().await;
    handed_over.sort();
    let mut expected = letters.map(|(letter, reason)| (letter, reason.to_owned())).to_vec();
    expected.sort();
    assert_eq!((handed_over, stage.letters_left().await), (expected, 0));
}

#[tokio::test]
async fn letter_whose_answer_the_bus_does_not_take_stays() {
    let stage = Stage::with([]).await;
    stage.bury(&record(&finding("d-1", RECORDED)), &[]).await;
    let events = Replay::of([Answer::refused("InternalException")]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let fault = stage.run_through(&reports_nothing(), bus, Timestamp::now()).await.unwrap_err();
    assert_eq!((fault.kind(), stage.letters_left().await), ("RunIncomplete", 1));
}

#[tokio::test]
async fn rule_that_failed_is_evaluated_anew_once_a_run_and_three_times_a_day() {
    let stage = Stage::with([]).await;
    let event = rule_event(&scheduled(), &json!({}), "t").to_string();
    for _run in 0..3 {
        stage.bury(&event, &[("RequestID", "r-1"), ("ErrorCode", "200")]).await;
        stage.bury(&event, &[]).await;
        let replay = Replay::of([started(), page(&[], None)]);
        let summary = stage.run(&replay).await.unwrap();
        assert_eq!(summary["deadLetters"], json!({"evaluated-anew": 2}));
        let started = ("StartConfigRulesEvaluation".to_owned(), json!({"ConfigRuleNames": ["rectify-door-ajar"]}));
        assert_eq!(replay.requests()[0], started);
        assert_eq!(stage.letters_left().await, 0);
    }
    stage.bury(&event, &[]).await;
    stage.run(&reports_nothing()).await.unwrap();
    let reason = "failed again after `rectify-door-ajar` was evaluated anew 3 times today".to_owned();
    assert_eq!(stage.handed_over().await, [(event, reason)]);
}

#[tokio::test]
async fn rule_that_is_being_evaluated_waits_for_the_next_run() {
    // The SDK itself tries the first four times: it takes it for throttling.
    for (code, times) in [("LimitExceededException", 4), ("ResourceInUseException", 1)] {
        let stage = Stage::with([]).await;
        stage.bury(&rule_event(&scheduled(), &json!({}), "t").to_string(), &[]).await;
        let refused = std::iter::repeat_n(Answer::refused(code), times);
        let summary = stage.run(&Replay::of(refused.chain([page(&[], None)]))).await.unwrap();
        assert_eq!((&summary["deadLetters"], stage.letters_left().await), (&json!({"waiting": 1}), 1), "{code}");
    }
}

#[tokio::test]
async fn failed_run_is_replaced_by_one_that_ends_well_and_by_no_other() {
    let stage = Stage::with([]).await;
    let schedule = json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT, "detail": {}
    });
    stage.bury(&record(&schedule), &[]).await;
    stage.run(&Replay::of([Answer::refused("AccessDeniedException")])).await.unwrap_err();
    assert_eq!(stage.letters_left().await, 1);

    let stage = Stage::with([]).await;
    stage.bury(&record(&schedule), &[]).await;
    let summary = stage.run(&reports_nothing()).await.unwrap();
    assert_eq!((&summary["deadLetters"], stage.letters_left().await), (&json!({"superseded": 1}), 0));
}

#[tokio::test]
async fn no_more_letters_are_read_than_a_run_may() {
    let mut stage = Stage::with([]).await;
    stage.settings.letters_per_run = 12;
    for number in 0..15 {
        stage.bury(&record(&finding(&format!("d-{number}"), RECORDED)), &[]).await;
    }
    stage.run(&reports_nothing()).await.unwrap();
    assert_eq!((stage.requests().await.len(), stage.letters_left().await), (12, 3));
}

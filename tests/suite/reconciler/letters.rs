//! Dead letters of both hops: answered by something that stands for them, or handed to a person, and never lost.

use rectify_compliance::Timestamp;
use rectify_tests::controls::Widget;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::{finding, rule_event, scheduled};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

use super::stage::{Env, RECORDED, delivered, of_letters, page, reports_nothing};

/// Lambda's record of an event that failed in every attempt.
pub(super) fn record(event: &Value) -> String {
    json!({
        "version": "1.0", "timestamp": "2026-03-04T05:10:00.000Z",
        "requestContext": {
            "requestId": "00000000-0000-4000-8000-000000000000",
            "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:rectify-widget-disabled-fix:$LATEST"),
            "condition": "RetriesExhausted", "approximateInvokeCount": 3
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Throttled", "errorMessage": "slow down"}
    })
    .to_string()
}

/// The letter names rule and resource; AWS Config says since when it is so.
#[tokio::test]
async fn event_that_failed_to_the_end_is_asked_for_again_with_the_time_of_aws_config() {
    let stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    stage.bury(&record(&finding("d-1", "2000-01-01T00:00:00Z")), &[]).await;
    let replay = of_letters(&["d-1"], &["d-1"]);
    let summary = stage.run(&replay).await.unwrap();
    assert_eq!((&summary["deadLetters"], &summary["leftOut"]), (&json!({"asked-again": 1}), &json!({"asked": 1})));
    let (operation, asked) = &replay.requests()[0];
    assert_eq!(operation, "GetComplianceDetailsByResource");
    assert_eq!((&asked["ResourceId"], &asked["ComplianceTypes"]), (&json!("d-1"), &json!(["NON_COMPLIANT"])));
    let requests = stage.requests().await;
    assert_eq!((requests.len(), &requests[0]["resultRecordedTime"]), (1, &json!("2026-03-04T05:06:08.9Z")));
    assert_eq!((stage.letters_left().await, stage.handed_over().await.len()), (0, 0));
    assert_eq!(stage.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
}

/// The resource was excluded, left the scope, or was mended: AWS Config no longer reports it, whatever the letter says.
#[tokio::test]
async fn event_whose_finding_is_no_longer_reported_is_dropped_and_counted() {
    let stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    stage.bury(&record(&finding("d-1", RECORDED)), &[]).await;
    let others = page(&["d-1".to_owned()], None).replaced("rectify-widget-disabled", "rectify-widget-disabled-too");
    let summary = stage.run(&Replay::of([others, page(&[], None)])).await.unwrap();
    assert_eq!((&summary["deadLetters"], &summary["requested"]), (&json!({"no-longer-reported": 1}), &json!({})));
    assert_eq!((stage.requests().await.len(), stage.letters_left().await), (0, 0));
    assert_eq!(stage.handed_over().await, []);
}

/// EventBridge reached no function: the event itself, with why in attributes.
#[tokio::test]
async fn event_that_reached_no_function_is_asked_for_again() {
    let stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let rule = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/rectify-WidgetDisabledFixEvents");
    let attributes = [("RULE_ARN", rule.as_str()), ("ERROR_CODE", "NO_PERMISSIONS"), ("RETRY_ATTEMPTS", "8")];
    stage.bury(&finding("d-1", RECORDED).to_string(), &attributes).await;
    stage.run(&of_letters(&["d-1"], &[])).await.unwrap();
    let requests = stage.requests().await;
    assert_eq!(stage.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
    assert_eq!((stage.letters_left().await, stage.handed_over().await.len()), (0, 0));
}

#[tokio::test]
async fn what_nobody_answers_for_goes_to_a_person_as_it_was() {
    let stage = Env::with([]).await;
    let mut foreign = finding("d-1", RECORDED);
    foreign["detail"]["awsAccountId"] = json!("444455556666");
    let mut far = finding("d-1", RECORDED);
    far["detail"]["awsRegion"] = json!("ap-south-1");
    let mut other = finding("d-1", RECORDED);
    other["detail"]["configRuleName"] = json!("acme-windows");
    let strange = rule_event(&scheduled(), &json!({}), "t");
    let mut stranger = strange.clone();
    stranger["configRuleName"] = json!("acme-windows");
    let letters = [
        ("<html>".to_owned(), "not JSON"),
        (foreign.to_string(), "a finding of account 444455556666"),
        (far.to_string(), "a finding of region ap-south-1"),
        (other.to_string(), "no control has the rule `acme-windows`"),
        (stranger.to_string(), "no control has the rule `acme-windows`"),
        (json!({"hello": 1}).to_string(), "neither an event of EventBridge nor one of AWS Config"),
    ];
    for (letter, _) in &letters {
        stage.bury(letter, &[]).await;
    }
    let summary = stage.run(&reports_nothing()).await.unwrap();
    assert_eq!(summary["deadLetters"], json!({"handed-over": 6}));
    let mut handed_over = stage.handed_over().await;
    handed_over.sort();
    let mut expected = letters.map(|(letter, reason)| (letter, reason.to_owned())).to_vec();
    expected.sort();
    assert_eq!((handed_over, stage.letters_left().await), (expected, 0));
}

#[tokio::test]
async fn letter_whose_answer_the_bus_does_not_take_stays() {
    let stage = Env::with([]).await;
    stage.bury(&record(&finding("d-1", RECORDED)), &[]).await;
    let events = Replay::of([Answer::refused("InternalException")]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let fault = stage.run_through(&of_letters(&["d-1"], &[]), bus, Timestamp::now()).await.unwrap_err();
    assert_eq!((fault.kind(), stage.letters_left().await), ("RunIncomplete", 1));
}

#[tokio::test]
async fn failed_run_is_replaced_by_one_that_ends_well_and_by_no_other() {
    let stage = Env::with([]).await;
    let schedule = json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT, "detail": {}
    });
    stage.bury(&record(&schedule), &[]).await;
    stage.run(&Replay::of([Answer::refused("AccessDeniedException")])).await.unwrap_err();
    assert_eq!(stage.letters_left().await, 1);

    let stage = Env::with([]).await;
    stage.bury(&record(&schedule), &[]).await;
    let summary = stage.run(&reports_nothing()).await.unwrap();
    assert_eq!((&summary["deadLetters"], stage.letters_left().await), (&json!({"superseded": 1}), 0));
}

#[tokio::test]
async fn no_more_letters_are_read_than_a_run_may() {
    let mut stage = Env::with([]).await;
    stage.settings.letters_per_run = 12;
    for number in 0..15 {
        stage.bury(&record(&finding(&format!("d-{number}"), RECORDED)), &[]).await;
    }
    let answers = (0..12).map(|_| page(&[], None)).chain([page(&[], None)]);
    let summary = stage.run(&Replay::of(answers)).await.unwrap();
    assert_eq!((&summary["deadLetters"], stage.letters_left().await), (&json!({"no-longer-reported": 12}), 3));
}

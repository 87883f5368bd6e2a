//! Dead letters of EventBridge and of Lambda: each is requested again or escalated, and none is lost.

use rectify_compliance::Timestamp;
use rectify_tests::controls::Widget;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::{finding, rule_event, scheduled};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

use super::env::{Env, RECORDED, delivered, of_dead_letters, page, reports_nothing};

/// Lambda's record of an event whose retries are exhausted.
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

/// The dead letter names rule and resource; the time of the finding is read from AWS Config.
#[tokio::test]
async fn failed_event_is_requested_again_with_the_time_of_aws_config() {
    let env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    env.send_to_dlq(&record(&finding("d-1", "2000-01-01T00:00:00Z")), &[]).await;
    let replay = of_dead_letters(&["d-1"], &["d-1"]);
    let summary = env.run(&replay).await.unwrap();
    assert_eq!(
        (&summary["deadLetters"], &summary["skipped"]),
        (&json!({"requested-again": 1}), &json!({"already-requested": 1}))
    );
    let (operation, request) = &replay.requests()[0];
    assert_eq!(operation, "GetComplianceDetailsByResource");
    assert_eq!((&request["ResourceId"], &request["ComplianceTypes"]), (&json!("d-1"), &json!(["NON_COMPLIANT"])));
    let requests = env.requests().await;
    assert_eq!((requests.len(), &requests[0]["resultRecordedTime"]), (1, &json!("2026-03-04T05:06:08.9Z")));
    assert_eq!((env.dead_letters_left().await, env.escalated().await.len()), (0, 0));
    assert_eq!(env.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
}

/// The resource is excluded, out of scope or fixed: AWS Config no longer reports it, whatever the dead letter says.
#[tokio::test]
async fn event_of_a_finding_no_longer_reported_is_dropped_and_counted() {
    let env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    env.send_to_dlq(&record(&finding("d-1", RECORDED)), &[]).await;
    let others = page(&["d-1".to_owned()], None).replaced("rectify-widget-disabled", "rectify-widget-disabled-too");
    let summary = env.run(&Replay::of([others, page(&[], None)])).await.unwrap();
    assert_eq!((&summary["deadLetters"], &summary["requested"]), (&json!({"no-longer-reported": 1}), &json!({})));
    assert_eq!((env.requests().await.len(), env.dead_letters_left().await), (0, 0));
    assert_eq!(env.escalated().await, []);
}

/// EventBridge could not invoke the function: the message is the event, with the reason in its attributes.
#[tokio::test]
async fn undelivered_event_is_requested_again() {
    let env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let rule = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/rectify-WidgetDisabledFixEvents");
    let attributes = [("RULE_ARN", rule.as_str()), ("ERROR_CODE", "NO_PERMISSIONS"), ("RETRY_ATTEMPTS", "8")];
    env.send_to_dlq(&finding("d-1", RECORDED).to_string(), &attributes).await;
    env.run(&of_dead_letters(&["d-1"], &[])).await.unwrap();
    let requests = env.requests().await;
    assert_eq!(env.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
    assert_eq!((env.dead_letters_left().await, env.escalated().await.len()), (0, 0));
}

#[tokio::test]
async fn unknown_dead_letters_are_escalated_unchanged() {
    let env = Env::with([]).await;
    let mut foreign = finding("d-1", RECORDED);
    foreign["detail"]["awsAccountId"] = json!("444455556666");
    let mut far = finding("d-1", RECORDED);
    far["detail"]["awsRegion"] = json!("ap-south-1");
    let mut other = finding("d-1", RECORDED);
    other["detail"]["configRuleName"] = json!("acme-windows");
    let known = rule_event(&scheduled(), &json!({}), "t");
    let mut unknown = known.clone();
    unknown["configRuleName"] = json!("acme-windows");
    let dead_letters = [
        ("<html>".to_owned(), "not JSON"),
        (foreign.to_string(), "a finding of account 444455556666"),
        (far.to_string(), "a finding of region ap-south-1"),
        (other.to_string(), "no control has the rule `acme-windows`"),
        (unknown.to_string(), "no control has the rule `acme-windows`"),
        (json!({"hello": 1}).to_string(), "neither an event of EventBridge nor one of AWS Config"),
    ];
    for (dead_letter, _) in &dead_letters {
        env.send_to_dlq(dead_letter, &[]).await;
    }
    let summary = env.run(&reports_nothing()).await.unwrap();
    assert_eq!(summary["deadLetters"], json!({"escalated": 6}));
    let mut escalated = env.escalated().await;
    escalated.sort();
    let mut expected = dead_letters.map(|(dead_letter, reason)| (dead_letter, reason.to_owned())).to_vec();
    expected.sort();
    assert_eq!((escalated, env.dead_letters_left().await), (expected, 0));
}

#[tokio::test]
async fn dead_letter_stays_if_the_bus_refuses_its_request() {
    let env = Env::with([]).await;
    env.send_to_dlq(&record(&finding("d-1", RECORDED)), &[]).await;
    let events = Replay::of([Answer::refused("InternalException")]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let error = env.run_through(&of_dead_letters(&["d-1"], &[]), bus, Timestamp::now()).await.unwrap_err();
    assert_eq!((error.kind(), env.dead_letters_left().await), ("RunIncomplete", 1));
}

#[tokio::test]
async fn failed_run_is_superseded_by_a_successful_one_only() {
    let env = Env::with([]).await;
    let schedule = json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT, "detail": {}
    });
    env.send_to_dlq(&record(&schedule), &[]).await;
    env.run(&Replay::of([Answer::refused("AccessDeniedException")])).await.unwrap_err();
    assert_eq!(env.dead_letters_left().await, 1);

    let env = Env::with([]).await;
    env.send_to_dlq(&record(&schedule), &[]).await;
    let summary = env.run(&reports_nothing()).await.unwrap();
    assert_eq!((&summary["deadLetters"], env.dead_letters_left().await), (&json!({"superseded": 1}), 0));
}

#[tokio::test]
async fn dead_letters_per_run_are_limited() {
    let mut env = Env::with([]).await;
    env.settings.dead_letters_per_run = 12;
    for number in 0..15 {
        env.send_to_dlq(&record(&finding(&format!("d-{number}"), RECORDED)), &[]).await;
    }
    let answers = (0..12).map(|_| page(&[], None)).chain([page(&[], None)]);
    let summary = env.run(&Replay::of(answers)).await.unwrap();
    assert_eq!((&summary["deadLetters"], env.dead_letters_left().await), (&json!({"no-longer-reported": 12}), 3));
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use rectify_compliance::{AccountId, Origin, Region};
use serde_json::json;

use super::*;

fn parsed(body: &Value) -> DeadLetter {
    DeadLetter::read(&Message { body: body.to_string(), ..Message::default() })
}

fn finding() -> Value {
    json!({
        "version": "0", "id": "0a1b2c3d-0000-4000-8000-000000000000", "detail-type": "Config Rules Compliance Change",
        "source": "aws.config", "account": "111122223333", "time": "2026-03-04T05:06:10Z", "region": "eu-west-1",
        "resources": [],
        "detail": {
            "resourceId": "sg-0a", "resourceType": "AWS::EC2::SecurityGroup", "awsRegion": "eu-west-1",
            "awsAccountId": "111122223333", "configRuleName": "rectify-restricted-ssh",
            "messageType": "ComplianceChangeNotification",
            "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": "2026-03-04T05:06:09.500Z"}
        }
    })
}

fn requested() -> Value {
    let mut event = finding();
    (event["source"], event["detail-type"]) = (json!("rectify"), json!("Rectify Remediation Requested"));
    event["detail"] = json!({
        "configRuleName": "rectify-restricted-ssh", "awsAccountId": "111122223333", "awsRegion": "eu-west-1",
        "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-0a", "resultRecordedTime": "2026-03-04T05:06:09.5Z",
        "requestId": "01J", "redrives": 2
    });
    event
}

fn about(origin: Origin) -> DeadLetter {
    DeadLetter::Remediation(Box::new(ComplianceChange {
        rule_name: "rectify-restricted-ssh".to_owned(),
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
        resource: ResourceKey::new("AWS::EC2::SecurityGroup", "sg-0a"),
        message_type: "ComplianceChangeNotification".to_owned(),
        compliance_type: "NON_COMPLIANT".to_owned(),
        recorded_at: "2026-03-04T05:06:09.5Z".parse().unwrap(),
        origin,
    }))
}

/// Lambda's record of an event that failed in every attempt.
fn record(event: &Value) -> Value {
    json!({
        "version": "1.0", "timestamp": "2026-03-04T05:10:00.000Z",
        "requestContext": {
            "requestId": "00000000-0000-4000-8000-000000000000",
            "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:rectify-restricted-ssh-fix:$LATEST",
            "condition": "RetriesExhausted", "approximateInvokeCount": 3
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "LeaseHeld", "errorMessage": "lease: …"}
    })
}

#[test]
fn finding_or_request_is_parsed_from_eventbridge_and_from_lambda() {
    for (event, origin) in [(finding(), Origin::Config), (requested(), Origin::Request(Some("01J".to_owned())))] {
        assert_eq!(parsed(&event), about(origin.clone()));
        assert_eq!(parsed(&record(&event)), about(origin));
    }
}

#[test]
fn unjudged_event_is_about_a_resource_or_a_scheduled_run() {
    let at: Timestamp = "2026-03-04T05:06:10.001Z".parse().unwrap();
    let item = json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-0a", "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": {}
    });
    let group = ResourceKey::new("AWS::EC2::SecurityGroup", "sg-0a");
    let time = at.to_string();
    for (invoking, resource, at, subject) in [
        (
            json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": item,
                "notificationCreationTime": time}),
            Some(group.clone()),
            Some(at),
            "AWS::EC2::SecurityGroup sg-0a",
        ),
        (
            json!({"messageType": "OversizedConfigurationItemChangeNotification", "configurationItemSummary": item}),
            Some(group.clone()),
            None,
            "AWS::EC2::SecurityGroup sg-0a",
        ),
        (
            json!({"messageType": "ScheduledNotification", "notificationCreationTime": time}),
            None,
            Some(at),
            "a scheduled run",
        ),
        (json!({"messageType": "SomethingNew"}), None, None, "a scheduled run"),
    ] {
        let event = json!({
            "version": "1.0", "invokingEvent": invoking.to_string(), "ruleParameters": "{}",
            "resultToken": "secret", "configRuleName": "rectify-restricted-ssh", "accountId": "111122223333"
        });
        let unjudged = Unjudged { rule: "rectify-restricted-ssh".to_owned(), resource, at };
        assert_eq!(unjudged.subject(), subject);
        assert_eq!(parsed(&event), DeadLetter::Rule(unjudged.clone()));
        assert_eq!(parsed(&record(&event)), DeadLetter::Rule(unjudged));
    }
}

#[test]
fn failed_run_of_the_reconciler_is_recognized() {
    let event = json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": "111122223333",
        "resources": ["arn:aws:events:eu-west-1:111122223333:rule/Reconcile"], "detail": {}
    });
    assert_eq!(parsed(&event), DeadLetter::OwnRun);
    assert_eq!(parsed(&record(&event)), DeadLetter::OwnRun);
}

#[test]
fn unknown_message_is_unclear_with_the_reason() {
    let unclear = |reason: &str| DeadLetter::Unclear(reason.to_owned());
    let unknown = "neither an event of EventBridge nor one of AWS Config";
    assert_eq!(DeadLetter::read(&Message { body: "<html>".to_owned(), ..Message::default() }), unclear("not JSON"));
    for body in [json!(null), json!([1]), json!({}), json!({"configRuleName": "r"}), json!({"source": "rectify"})] {
        assert_eq!(parsed(&body), unclear(unknown), "{body}");
    }
    let mut plan = finding();
    (plan["source"], plan["detail-type"]) = (json!("rectify"), json!("Rectify Plan"));
    assert_eq!(parsed(&plan), unclear("`Rectify Plan` of `rectify`"));
    let mut compliant = finding();
    compliant["detail"]["newEvaluationResult"]["complianceType"] = json!("COMPLIANT");
    assert_eq!(parsed(&compliant), unclear("`Config Rules Compliance Change` that is not a finding"));
    let mut broken = finding();
    broken["detail"]["resourceId"] = json!(7);
    assert!(matches!(parsed(&broken), DeadLetter::Unclear(_)));
    let mut negative = requested();
    negative["detail"]["redrives"] = json!(-1);
    assert!(matches!(parsed(&negative), DeadLetter::Unclear(_)), "negative count");
}

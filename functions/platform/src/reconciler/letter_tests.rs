#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;

fn letter(body: &Value) -> Letter {
    Letter::read(&Message { body: body.to_string(), ..Message::default() })
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

fn request(redrives: u32) -> RemediationRequest {
    RemediationRequest {
        config_rule_name: "rectify-restricted-ssh".to_owned(),
        aws_account_id: "111122223333".to_owned(),
        aws_region: "eu-west-1".to_owned(),
        resource_type: "AWS::EC2::SecurityGroup".to_owned(),
        resource_id: "sg-0a".to_owned(),
        result_recorded_time: "2026-03-04T05:06:09.5Z".to_owned(),
        redrives,
    }
}

fn requested(redrives: u32) -> Value {
    let mut event = finding();
    event["source"] = json!("rectify");
    event["detail-type"] = json!("Rectify Remediation Requested");
    event["detail"] = json!(request(redrives));
    event
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
fn a_finding_is_the_same_from_either_hop() {
    assert_eq!(letter(&finding()), Letter::Remediation(request(0)));
    assert_eq!(letter(&record(&finding())), Letter::Remediation(request(0)));
}

#[test]
fn a_request_of_ours_says_how_often_it_was_asked_again() {
    for redrives in [0, 1, 3] {
        assert_eq!(letter(&requested(redrives)), Letter::Remediation(request(redrives)));
        assert_eq!(letter(&record(&requested(redrives))), Letter::Remediation(request(redrives)));
    }
}

#[test]
fn what_a_rule_did_not_judge_is_about_the_rule() {
    let event = json!({
        "version": "1.0", "invokingEvent": "{\"messageType\":\"ScheduledNotification\"}", "ruleParameters": "{}",
        "resultToken": "secret", "configRuleName": "rectify-restricted-ssh", "accountId": "111122223333"
    });
    assert_eq!(letter(&event), Letter::Rule("rectify-restricted-ssh".to_owned()));
    assert_eq!(letter(&record(&event)), Letter::Rule("rectify-restricted-ssh".to_owned()));
}

#[test]
fn a_failed_run_of_our_own_is_told() {
    let event = json!({
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": "111122223333",
        "resources": ["arn:aws:events:eu-west-1:111122223333:rule/Reconcile"], "detail": {}
    });
    assert_eq!(letter(&event), Letter::OwnRun);
    assert_eq!(letter(&record(&event)), Letter::OwnRun);
}

#[test]
fn what_is_not_understood_is_left_to_a_person_with_the_reason() {
    let unclear = |reason: &str| Letter::Unclear(reason.to_owned());
    let stranger = "neither an event of EventBridge nor one of AWS Config";
    assert_eq!(Letter::read(&Message { body: "<html>".to_owned(), ..Message::default() }), unclear("not JSON"));
    for body in [json!(null), json!([1]), json!({}), json!({"configRuleName": "r"}), json!({"source": "rectify"})] {
        assert_eq!(letter(&body), unclear(stranger), "{body}");
    }
    let mut plan = finding();
    (plan["source"], plan["detail-type"]) = (json!("rectify"), json!("Rectify Plan"));
    assert_eq!(letter(&plan), unclear("`Rectify Plan` of `rectify`"));
    let mut compliant = finding();
    compliant["detail"]["newEvaluationResult"]["complianceType"] = json!("COMPLIANT");
    assert_eq!(letter(&compliant), unclear("`Config Rules Compliance Change` that is no finding"));
    let mut broken = finding();
    broken["detail"]["resourceId"] = json!(7);
    assert!(matches!(letter(&broken), Letter::Unclear(_)));
    let mut negative = requested(0);
    negative["detail"]["redrives"] = json!(-1);
    assert!(matches!(letter(&negative), Letter::Unclear(_)), "a count that is no count");
}

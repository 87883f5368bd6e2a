#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::ResourceKey;
use serde_json::json;

fn item() -> Value {
    json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-0a", "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": {"groupId": "sg-0a"}
    })
}

fn change(item: &Value) -> Value {
    json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": item, "configurationItemDiff": null,
           "notificationCreationTime": "2026-03-04T05:06:08.000Z", "recordVersion": "1.3"})
}

fn event(invoking: &Value) -> Value {
    json!({"version": "1.0", "invokingEvent": invoking.to_string(), "resultToken": "token", "accountId": "111122223333",
           "configRuleName": "rectify-restricted-ssh"})
}

fn parsed(invoking: &Value) -> RuleEvent {
    RuleEvent::parse(&event(invoking)).unwrap()
}

fn refused(event: &Value) -> String {
    RuleEvent::parse(event).unwrap_err().to_string()
}

#[test]
fn an_event_without_optional_parts_has_their_defaults() {
    let event = parsed(&change(&item()));
    assert_eq!(event.parameters, None);
    assert!(!event.left_scope);
    assert_eq!(event.mode, EvaluationMode::Detective);
}

#[test]
fn unknown_keys_are_ignored_and_the_same_event_reads_the_same_twice() {
    let mut raw = event(&change(&item()));
    raw["debug"] = json!({"x": 1});
    assert_eq!(RuleEvent::parse(&raw), RuleEvent::parse(&event(&change(&item()))));
}

#[test]
fn the_diff_never_matters() {
    let plain = parsed(&change(&item()));
    for diff in [json!(null), json!({"changedProperties": {}, "changeType": "CREATE"})] {
        let mut invoking = change(&item());
        invoking["configurationItemDiff"] = diff;
        assert_eq!(parsed(&invoking), plain);
    }
}

#[test]
fn the_mode_is_kept_and_an_unknown_one_refused() {
    let mut raw = event(&change(&item()));
    raw["evaluationMode"] = json!("PROACTIVE");
    assert_eq!(RuleEvent::parse(&raw).unwrap().mode, EvaluationMode::Proactive);
    raw["evaluationMode"] = json!("PSYCHIC");
    assert_eq!(refused(&raw), "evaluationMode: expected DETECTIVE or PROACTIVE: received `PSYCHIC`");
}

#[test]
fn a_result_token_must_be_there_and_test_tokens_are_told_apart() {
    for token in [json!(null), json!("")] {
        let mut raw = event(&change(&item()));
        raw["resultToken"] = token;
        assert!(refused(&raw).starts_with("resultToken: expected a non-empty string"));
    }
    for (token, test) in [("TESTMODE", true), ("No token found", true), ("eyJlbmNy", false)] {
        let mut raw = event(&change(&item()));
        raw["resultToken"] = json!(token);
        assert_eq!(RuleEvent::parse(&raw).unwrap().token.is_test(), test, "{token}");
    }
}

#[test]
fn a_token_never_shows_in_debug_output() {
    let mut raw = event(&change(&item()));
    raw["resultToken"] = json!("hush");
    assert!(!format!("{:?}", RuleEvent::parse(&raw).unwrap()).contains("hush"));
}

#[test]
fn an_invoking_event_that_is_missing_empty_or_no_json_is_refused() {
    let mut raw = event(&json!({}));
    assert!(refused(&raw).starts_with("invokingEvent.messageType"));
    raw["invokingEvent"] = json!("");
    assert!(refused(&raw).starts_with("invokingEvent: expected a non-empty string"));
    raw["invokingEvent"] = json!("{nope");
    assert!(refused(&raw).starts_with("invokingEvent: not JSON"));
    raw.as_object_mut().unwrap().remove("invokingEvent");
    assert!(refused(&raw).starts_with("invokingEvent: expected"));
    assert!(refused(&json!([1])).starts_with("event: expected an AWS Config rule event"));
}

#[test]
fn a_message_type_that_reaches_no_rule_is_refused() {
    for kind in ["ComplianceChangeNotification", "ConfigurationSnapshotDeliveryStarted", "Nonsense"] {
        let text = refused(&event(&json!({"messageType": kind})));
        assert_eq!(text, format!("invokingEvent.messageType: unknown message type: received `{kind}`"));
    }
}

#[test]
fn scheduled_and_snapshot_delivered_both_start_a_periodic_run() {
    let at: Timestamp = "2026-03-04T00:00:00.123Z".parse().unwrap();
    let scheduled = json!({"messageType": "ScheduledNotification", "awsAccountId": "111122223333",
                           "notificationCreationTime": "2026-03-04T00:00:00.123Z", "recordVersion": "1.0"});
    let expected = Message::Periodic { account: Some(AccountId::new("111122223333")), created_at: at };
    assert_eq!(parsed(&scheduled).message, expected);
    let snapshot = json!({"messageType": "ConfigurationSnapshotDeliveryCompleted", "configSnapshotId": "1", "s3Bucket": "b",
                          "notificationCreationTime": "2026-03-04T00:00:00.123Z", "recordVersion": "1.1"});
    assert_eq!(parsed(&snapshot).message, Message::Periodic { account: None, created_at: at });
}

#[test]
fn an_oversized_summary_needs_only_what_identifies_the_item() {
    let invoking = json!({"messageType": "OversizedConfigurationItemChangeNotification", "configurationItemSummary": {
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-0a", "resourceName": null, "configurationItemStatus": "ResourceDeleted",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configurationStateId": 5
    }});
    let Message::Oversized { summary, .. } = parsed(&invoking).message else { unreachable!() };
    assert_eq!(summary.status, ItemStatus::Deleted);
    assert_eq!(summary.target.resource, ResourceKey::new("AWS::EC2::SecurityGroup", "sg-0a"));
    assert_eq!(summary.captured_at.to_string(), "2026-03-04T05:06:07.89Z");
    let none = json!({"messageType": "OversizedConfigurationItemChangeNotification"});
    assert!(refused(&event(&none)).starts_with("invokingEvent.configurationItemSummary: expected a summary"));
}

#[test]
fn the_state_id_may_be_a_number_or_a_string() {
    for id in [json!(1_700_000_000_123_u64), json!("1700000000123")] {
        let mut item = item();
        item["configurationStateId"] = id;
        assert!(matches!(parsed(&change(&item)).message, Message::Change { .. }));
    }
}

#[test]
fn a_rule_arn_with_a_service_segment_is_kept() {
    let arn = "arn:aws:config:eu-west-1:111122223333:config-rule/aws-service-rule/config-conforms.amazonaws.com/config-rule-a1";
    let mut raw = event(&change(&item()));
    raw["configRuleArn"] = json!(arn);
    assert_eq!(RuleEvent::parse(&raw).unwrap().rule_arn.as_deref(), Some(arn));
}

#[test]
fn an_item_that_does_not_state_its_account_or_region_is_of_the_rules() {
    let arn = "arn:aws:config:eu-west-1:111122223333:config-rule/aws-service-rule/config-conforms.amazonaws.com/config-rule-0a";
    let oversized = |summary: &Value| json!({"messageType": "OversizedConfigurationItemChangeNotification", "configurationItemSummary": summary});
    for key in ["awsAccountId", "awsRegion"] {
        for kind in [change as fn(&Value) -> Value, oversized] {
            let mut silent = item();
            silent.as_object_mut().unwrap().remove(key);
            let mut raw = event(&kind(&silent));
            raw["configRuleArn"] = json!(arn);
            let mut whole = event(&kind(&item()));
            whole["configRuleArn"] = json!(arn);
            assert_eq!(RuleEvent::parse(&raw), RuleEvent::parse(&whole), "{key}");
            raw["accountId"] = Value::Null;
            assert_eq!(RuleEvent::parse(&raw).unwrap().message, RuleEvent::parse(&whole).unwrap().message, "{key}");
            raw["configRuleArn"] = Value::Null;
            assert!(refused(&raw).contains(key), "{key}: {}", refused(&raw));
        }
    }
}

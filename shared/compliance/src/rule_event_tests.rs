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

fn error(event: &Value) -> String {
    RuleEvent::parse(event).unwrap_err().to_string()
}

#[test]
fn absent_optional_members_have_defaults() {
    let event = parsed(&change(&item()));
    assert_eq!(event.parameters, None);
    assert!(!event.left_scope);
    assert_eq!(event.mode, EvaluationMode::Detective);
}

#[test]
fn unknown_keys_are_ignored() {
    let mut raw = event(&change(&item()));
    raw["debug"] = json!({"x": 1});
    assert_eq!(RuleEvent::parse(&raw), RuleEvent::parse(&event(&change(&item()))));
}

#[test]
fn the_diff_is_ignored() {
    let plain = parsed(&change(&item()));
    for diff in [json!(null), json!({"changedProperties": {}, "changeType": "CREATE"})] {
        let mut invoking = change(&item());
        invoking["configurationItemDiff"] = diff;
        assert_eq!(parsed(&invoking), plain);
    }
}

#[test]
fn an_unknown_evaluation_mode_is_rejected() {
    let mut raw = event(&change(&item()));
    raw["evaluationMode"] = json!("PROACTIVE");
    assert_eq!(RuleEvent::parse(&raw).unwrap().mode, EvaluationMode::Proactive);
    raw["evaluationMode"] = json!("PSYCHIC");
    assert_eq!(error(&raw), "evaluationMode: expected DETECTIVE or PROACTIVE: received `PSYCHIC`");
}

#[test]
fn a_result_token_is_required_and_test_tokens_are_recognized() {
    for token in [json!(null), json!("")] {
        let mut raw = event(&change(&item()));
        raw["resultToken"] = token;
        assert!(error(&raw).starts_with("resultToken: expected a non-empty string"));
    }
    for (token, test) in [("TESTMODE", true), ("No token found", true), ("eyJlbmNy", false)] {
        let mut raw = event(&change(&item()));
        raw["resultToken"] = json!(token);
        assert_eq!(RuleEvent::parse(&raw).unwrap().token.is_test(), test, "{token}");
    }
}

#[test]
fn debug_output_never_contains_the_token() {
    let mut raw = event(&change(&item()));
    raw["resultToken"] = json!("hush");
    assert!(!format!("{:?}", RuleEvent::parse(&raw).unwrap()).contains("hush"));
}

#[test]
fn a_missing_empty_or_malformed_invoking_event_is_rejected() {
    let mut raw = event(&json!({}));
    assert!(error(&raw).starts_with("invokingEvent.messageType"));
    raw["invokingEvent"] = json!("");
    assert!(error(&raw).starts_with("invokingEvent: expected a non-empty string"));
    raw["invokingEvent"] = json!("{nope");
    assert!(error(&raw).starts_with("invokingEvent: not JSON"));
    raw.as_object_mut().unwrap().remove("invokingEvent");
    assert!(error(&raw).starts_with("invokingEvent: expected"));
    assert!(error(&json!([1])).starts_with("event: expected an AWS Config rule event"));
}

#[test]
fn an_unknown_message_type_is_rejected() {
    for kind in ["ComplianceChangeNotification", "ConfigurationSnapshotDeliveryStarted", "Nonsense"] {
        let text = error(&event(&json!({"messageType": kind})));
        assert_eq!(text, format!("invokingEvent.messageType: unknown message type: received `{kind}`"));
    }
}

#[test]
fn a_schedule_and_a_snapshot_delivery_both_start_a_periodic_run() {
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
fn an_oversized_summary_needs_only_the_members_that_identify_the_item() {
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
    assert!(error(&event(&none)).starts_with("invokingEvent.configurationItemSummary: expected a summary"));
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
fn an_item_without_account_or_region_has_those_of_the_rule() {
    let arn = "arn:aws:config:eu-west-1:111122223333:config-rule/aws-service-rule/config-conforms.amazonaws.com/config-rule-0a";
    let oversized = |summary: &Value| json!({"messageType": "OversizedConfigurationItemChangeNotification", "configurationItemSummary": summary});
    for key in ["awsAccountId", "awsRegion"] {
        for kind in [change as fn(&Value) -> Value, oversized] {
            let mut partial = item();
            partial.as_object_mut().unwrap().remove(key);
            let mut raw = event(&kind(&partial));
            raw["configRuleArn"] = json!(arn);
            let mut whole = event(&kind(&item()));
            whole["configRuleArn"] = json!(arn);
            assert_eq!(RuleEvent::parse(&raw), RuleEvent::parse(&whole), "{key}");
            raw["accountId"] = Value::Null;
            assert_eq!(RuleEvent::parse(&raw).unwrap().message, RuleEvent::parse(&whole).unwrap().message, "{key}");
            raw["configRuleArn"] = Value::Null;
            assert!(error(&raw).contains(key), "{key}: {}", error(&raw));
        }
    }
}

//! Events with and without the data they need.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;

const ROOT: &str = "iam-root-access-key-check";
const SSH: &str = "restricted-ssh";

fn scheduled(region: &str, parameters: &Value) -> RuleEvent {
    let invoking = json!({ "messageType": "ScheduledNotification", "awsAccountId": "111122223333",
        "notificationCreationTime": "2026-03-04T06:00:00.412Z" });
    RuleEvent::parse(&json!({
        "invokingEvent": invoking.to_string(), "ruleParameters": parameters.to_string(), "resultToken": "TESTMODE",
        "configRuleArn": format!("arn:aws:config:{region}:111122223333:config-rule/config-rule-604498"),
    }))
    .unwrap()
}

fn changed() -> RuleEvent {
    let invoking = json!({ "messageType": "ConfigurationItemChangeNotification", "configurationItem": {
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-1", "resourceName": "bastion", "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": { "groupId": "sg-1", "groupName": "bastion", "ownerId": "111122223333", "vpcId": "vpc-1",
            "description": "d", "ipPermissions": [], "ipPermissionsEgress": [], "tags": [] } } });
    RuleEvent::parse(&json!({ "invokingEvent": invoking.to_string(), "resultToken": "TESTMODE" })).unwrap()
}

fn outcome(control: &str, event: &RuleEvent, subjects: Option<&Value>) -> Result<Vec<String>, String> {
    let given = Given {
        path: Path::new("events/x/e.json"),
        facts: None,
        subjects: subjects.map(|it| it.as_array().unwrap().clone()),
        region: region_of(event).unwrap(),
    };
    let findings = evaluate(rectify_catalogue::find(control).unwrap(), event, &given).map_err(|it| it.to_string())?;
    let line = |it: &Finding| {
        let plan = it.plan.as_ref().map_or("no plan", |_| "a plan");
        format!("{} {} {plan}", it.resource, it.verdict.compliance_type())
    };
    Ok(findings.iter().map(line).collect())
}

#[test]
fn scheduled_event_is_evaluated_on_the_given_subjects() {
    let keys = |n: u32| json!([{ "account": "111122223333", "partition": "aws", "accessKeys": n }]);
    let event = scheduled("us-east-1", &json!({}));
    let line = |verdict: &str| Ok(vec![format!("AWS::::Account 111122223333 {verdict}")]);
    assert_eq!(outcome(ROOT, &event, Some(&keys(1))), line("NON_COMPLIANT a plan"));
    assert_eq!(outcome(ROOT, &event, Some(&keys(0))), line("COMPLIANT no plan"));
    assert_eq!(outcome(ROOT, &event, Some(&json!([]))), line("NOT_APPLICABLE no plan"));
}

#[test]
fn repeated_subject_is_evaluated_once() {
    let key = json!({ "account": "111122223333", "partition": "aws", "accessKeys": 1 });
    let found = outcome(ROOT, &scheduled("us-east-1", &json!({})), Some(&json!([key, key]))).unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn global_control_is_evaluated_only_in_its_home_region() {
    let one = json!([{ "account": "111122223333", "partition": "aws", "accessKeys": 1 }]);
    let away = vec!["AWS::::Account 111122223333 NOT_APPLICABLE no plan".to_owned()];
    assert_eq!(outcome(ROOT, &scheduled("eu-west-1", &json!({})), Some(&one)), Ok(away));
    let moved = scheduled("eu-west-1", &json!({ "homeRegion": "eu-west-1" }));
    let here = vec!["AWS::::Account 111122223333 NON_COMPLIANT a plan".to_owned()];
    assert_eq!(outcome(ROOT, &moved, Some(&one)), Ok(here));
}

#[test]
fn excluded_resource_is_not_evaluated() {
    let one = json!([{ "account": "111122223333", "partition": "aws", "accessKeys": 1 }]);
    let event = scheduled("us-east-1", &json!({ "excludeResources": "1111*" }));
    let expected = vec!["AWS::::Account 111122223333 NOT_APPLICABLE no plan".to_owned()];
    assert_eq!(outcome(ROOT, &event, Some(&one)), Ok(expected));
}

#[test]
fn missing_facts_and_subjects_are_requested_by_name() {
    assert_eq!(
        outcome(ROOT, &scheduled("us-east-1", &json!({})), None).unwrap_err(),
        "subjects: `iam-root-access-key-check` lists the account's resources on a schedule: expected --subjects FILE, or events/x/subjects/e.json: received nothing"
    );
    let text = outcome(SSH, &changed(), None).unwrap_err();
    assert!(
        text.starts_with("facts: `restricted-ssh` evaluates a configuration item together with the results of ec2:"),
        "{text}"
    );
    assert!(text.ends_with("expected --facts FILE, or events/x/facts/e.json: received nothing"), "{text}");
}

#[test]
fn unknown_parameter_is_refused_before_evaluation() {
    let text = outcome(ROOT, &scheduled("us-east-1", &json!({ "maxAge": "1" })), None).unwrap_err();
    assert!(text.starts_with("ruleParameters.maxAge: unknown parameter"), "{text}");
}

#[test]
fn region_comes_from_the_rule_then_from_the_item() {
    assert_eq!(region_of(&scheduled("sa-east-1", &json!({}))), Some(Region::new("sa-east-1")));
    let mut event = changed();
    assert_eq!(region_of(&event), Some(Region::new("eu-west-1")));
    event.rule_arn = Some("arn:aws:config:us-east-1:111122223333:config-rule/config-rule-604498".to_owned());
    assert_eq!(region_of(&event), Some(Region::new("us-east-1")));
}

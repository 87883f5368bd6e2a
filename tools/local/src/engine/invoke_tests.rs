//! The invocations and compliance changes that the engine sends.

use serde_json::json;

use super::*;
use crate::engine::item::tests::bucket;
use crate::engine::rule::tests::{definition, settings};
use crate::engine::{EngineOutputs, Fault, Operation};

const BUCKETS: &str = r#"{"ComplianceResourceTypes":["AWS::S3::Bucket"]}"#;

struct Bench {
    engine: Engine,
    outputs: EngineOutputs,
}

impl Bench {
    fn new() -> Self {
        let (engine, outputs) = Engine::new(settings());
        Self { engine, outputs }
    }

    fn with(rule: &str, messages: &[Message], scope: &str) -> Self {
        let bench = Self::new();
        bench.put(rule, messages, scope);
        bench
    }

    fn put(&self, rule: &str, messages: &[Message], scope: &str) {
        let scope = serde_json::from_str(scope).unwrap();
        self.engine.put_rule(definition(rule, messages, scope)).unwrap();
    }

    /// The next invocation and its parsed `invokingEvent`; null when there is none.
    fn next(&mut self) -> (Option<Invocation>, Value) {
        let invocation = self.outputs.invocations.try_recv().ok();
        let invoking = invocation.as_ref().map_or(Value::Null, |invocation| {
            serde_json::from_str(invocation.event["invokingEvent"].as_str().unwrap()).unwrap()
        });
        (invocation, invoking)
    }

    fn report(&self, token: &str, compliance: &str, time: &str) -> Result<Value, ApiError> {
        let time: jiff::Timestamp = time.parse().unwrap();
        let body = json!({"ResultToken": token, "Evaluations": [{
            "ComplianceResourceType": "AWS::S3::Bucket", "ComplianceResourceId": "logs", "ComplianceType": compliance,
            "OrderingTimestamp": super::super::clock::Epoch(time), "Annotation": format!("logs is {compliance}")
        }]});
        super::super::api::put_evaluations(&self.engine, body, &[])
    }
}

fn token(invocation: Option<Invocation>) -> String {
    invocation.unwrap().event["resultToken"].as_str().unwrap().to_owned()
}

#[test]
fn change_invokes_the_rule_with_the_aws_event() {
    let mut bench = Bench::with("no-public-read", &[Message::Change], BUCKETS);
    let item = bucket("logs", "2026-03-04T05:06:07.512Z", json!({}));
    let recorded = bench.engine.record(item.clone()).unwrap();
    assert_eq!(recorded, Recorded { invoked: vec!["no-public-read".to_owned()], unsubscribed: vec![] });

    let (invocation, invoking) = bench.next();
    let Invocation { function_arn, rule, message, resource, event } = invocation.unwrap();
    assert_eq!(function_arn, "arn:aws:lambda:us-east-1:111122223333:function:no-public-read");
    assert_eq!((rule.as_str(), message), ("no-public-read", Message::Change));
    assert_eq!(resource, Some(ResourceKey::new("AWS::S3::Bucket", "logs")));
    assert_eq!(
        invoking,
        json!({
            "configurationItemDiff": {"changedProperties": {}, "changeType": "CREATE"},
            "configurationItem": item,
            "notificationCreationTime": invoking["notificationCreationTime"],
            "messageType": "ConfigurationItemChangeNotification",
            "recordVersion": "1.3"
        })
    );
    let id = event["configRuleId"].as_str().unwrap();
    assert_eq!(
        event,
        json!({
            "version": "1.0",
            "invokingEvent": event["invokingEvent"],
            "ruleParameters": "{}",
            "resultToken": event["resultToken"],
            "eventLeftScope": false,
            "executionRoleArn": "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
            "configRuleArn": format!("arn:aws:config:us-east-1:111122223333:config-rule/{id}"),
            "configRuleName": "no-public-read",
            "configRuleId": id,
            "accountId": "111122223333",
            "evaluationMode": "DETECTIVE"
        })
    );
    assert_eq!(bench.next().0, None);
}

#[test]
fn rule_is_invoked_only_for_the_message_types_in_its_source() {
    let mut bench = Bench::with("change-only", &[Message::Change], BUCKETS);
    bench.put(
        "other-type",
        &[Message::Change, Message::Oversized],
        r#"{"ComplianceResourceTypes":["AWS::IAM::User"]}"#,
    );
    bench.engine.force_oversized(ResourceKey::new("AWS::S3::Bucket", "logs"));
    let recorded = bench.engine.record(bucket("logs", "2026-03-04T05:06:07.512Z", json!({}))).unwrap();
    assert_eq!(recorded, Recorded { invoked: vec![], unsubscribed: vec!["change-only".to_owned()] });
    assert_eq!(bench.next().0, None);
}

#[test]
fn item_over_256_kilobytes_is_sent_as_a_summary() {
    let mut bench = Bench::with("both", &[Message::Change, Message::Oversized], BUCKETS);
    let mut item = bucket("logs", "2026-03-04T05:06:07.512Z", json!({}));
    item["configuration"]["note"] = "x".repeat(notification::MAX_ITEM_SIZE).into();
    bench.engine.record(item).unwrap();
    let (invocation, invoking) = bench.next();
    assert_eq!(invocation.unwrap().message, Message::Oversized);
    assert_eq!(invoking["messageType"], "OversizedConfigurationItemChangeNotification");
    assert_eq!(invoking.get("configurationItem"), None);
    assert_eq!(
        invoking["configurationItemSummary"],
        json!({
            "changeType": "CREATE", "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": "2026-03-04T05:06:07.512Z", "configurationStateId": 1_772_600_767_512_i64,
            "awsAccountId": "111122223333", "configurationItemStatus": "OK", "resourceType": "AWS::S3::Bucket",
            "resourceId": "logs", "resourceName": "logs", "ARN": "arn:aws:s3:::logs", "awsRegion": "us-east-1",
            "availabilityZone": "Regional", "configurationStateMd5Hash": "", "resourceCreationTime": "2026-01-02T03:04:05.000Z"
        })
    );
}

#[test]
fn deletion_leaves_the_scope_once() {
    let mut bench = Bench::with("both", &[Message::Change, Message::Oversized], BUCKETS);
    let key = ResourceKey::new("AWS::S3::Bucket", "logs");
    assert_eq!(
        bench.engine.record_deleted(&key).unwrap_err().to_string(),
        "configuration item: AWS::S3::Bucket `logs`: not recorded, so it cannot be deleted"
    );
    bench.engine.record(bucket("logs", "2026-03-04T05:06:07.512Z", json!({}))).unwrap();
    bench.next();
    bench.engine.record_deleted(&key).unwrap();
    let (invocation, invoking) = bench.next();
    assert_eq!(invocation.unwrap().event["eventLeftScope"], true);
    let item = &invoking["configurationItem"];
    assert_eq!(item["configurationItemStatus"], "ResourceDeleted");
    assert_eq!((&item["configuration"], &item["supplementaryConfiguration"]), (&Value::Null, &json!({})));
    assert_eq!(invoking["configurationItemDiff"]["changeType"], "DELETE");
    assert!(bench.engine.record_deleted(&key).is_err());
    assert!(bench.engine.recorded("AWS::S3::Bucket").is_empty());

    bench.engine.force_oversized(key.clone());
    let mut again = bucket("logs", &super::super::clock::iso(bench.engine.now()), json!({}));
    again["configurationItemStatus"] = "ResourceDiscovered".into();
    bench.engine.record(again).unwrap();
    assert_eq!(bench.next().1["configurationItemSummary"]["changeType"], "CREATE");
    bench.engine.record_deleted(&key).unwrap();
    assert_eq!(bench.next().1["configurationItemSummary"]["configurationItemStatus"], "ResourceDeleted");
}

#[test]
fn resource_that_loses_the_tag_leaves_the_scope_with_its_configuration() {
    let mut bench = Bench::with("tagged", &[Message::Change], r#"{"TagKey":"team"}"#);
    let mut record = |time: &str, tags| {
        bench.engine.record(bucket("logs", time, tags)).unwrap();
        bench.next()
    };
    assert_eq!(record("2026-03-04T05:00:00Z", json!({})).0, None, "never in scope");
    assert_eq!(record("2026-03-04T05:00:01Z", json!({"team": "blue"})).0.unwrap().event["eventLeftScope"], false);
    let (left, invoking) = record("2026-03-04T05:00:02Z", json!({}));
    assert_eq!(left.unwrap().event["eventLeftScope"], true);
    assert_eq!(invoking["configurationItem"]["configuration"]["name"], "logs");
    assert_eq!(record("2026-03-04T05:00:03Z", json!({})).0, None, "left already");
}

#[test]
fn new_rule_and_requested_evaluation_cover_every_live_resource() {
    let mut bench = Bench::new();
    for name in ["a", "b", "gone"] {
        bench.engine.record(bucket(name, "2026-03-04T05:00:00Z", json!({}))).unwrap();
    }
    bench.engine.record_deleted(&ResourceKey::new("AWS::S3::Bucket", "gone")).unwrap();
    bench.put("hybrid", &[Message::Change, Message::Scheduled], BUCKETS);
    for again in [false, true] {
        if again {
            bench.engine.evaluate("hybrid").unwrap();
        }
        let (scheduled, invoking) = bench.next();
        assert_eq!(scheduled.unwrap().resource, None);
        assert_eq!(
            invoking,
            json!({
                "awsAccountId": "111122223333", "notificationCreationTime": invoking["notificationCreationTime"],
                "messageType": "ScheduledNotification", "recordVersion": "1.0"
            })
        );
        for name in ["a", "b"] {
            let (_, invoking) = bench.next();
            assert_eq!(invoking["configurationItem"]["resourceId"], name);
            assert_eq!(invoking["configurationItemDiff"], Value::Null);
        }
        assert_eq!(bench.next().0, None);
    }
}

#[test]
fn schedules_and_snapshots_invoke_subscribed_rules() {
    let mut bench = Bench::with("hourly", &[Message::Scheduled], "null");
    bench.put("snapshot", &[Message::Snapshot], "null");
    bench.next();
    bench.engine.start_schedule("hourly").unwrap();
    assert_eq!(bench.next().0.unwrap().message, Message::Scheduled);
    assert_eq!(
        bench.engine.start_schedule("snapshot").unwrap_err().to_string(),
        "InvalidParameterValueException: local engine: rule snapshot has no message type ScheduledNotification"
    );
    bench.engine.deliver_snapshot("deliveries", "AWSLogs/snapshot.json.gz").unwrap();
    let (invocation, invoking) = bench.next();
    assert_eq!(invocation.unwrap().rule, "snapshot");
    assert_eq!((&invoking["s3Bucket"], &invoking["awsAccountId"]), (&json!("deliveries"), &Value::Null));
    assert_eq!(bench.next().0, None);
}

#[test]
fn compliance_change_is_sent_on_a_transition_only() {
    let mut bench = Bench::with("no-public-read", &[Message::Change], BUCKETS);
    bench.engine.record(bucket("logs", "2026-03-04T05:06:07.512Z", json!({}))).unwrap();
    let (invocation, _) = bench.next();
    let arn = invocation.clone().unwrap().event["configRuleArn"].clone();
    let token = token(invocation);
    bench.report(&token, "NON_COMPLIANT", "2026-03-04T05:06:07.512Z").unwrap();
    let first = bench.outputs.changes.try_recv().unwrap();
    assert_eq!(first.old, None);
    let result = |change: &Value| {
        json!({
            "evaluationResultIdentifier": {
                "evaluationResultQualifier": {
                    "configRuleName": "no-public-read", "resourceType": "AWS::S3::Bucket", "resourceId": "logs",
                    "evaluationMode": "DETECTIVE"
                },
                "orderingTimestamp": change["evaluationResultIdentifier"]["orderingTimestamp"]
            },
            "complianceType": change["complianceType"],
            "resultRecordedTime": change["resultRecordedTime"],
            "configRuleInvokedTime": change["configRuleInvokedTime"],
            "annotation": change["annotation"]
        })
    };
    let new = &first.detail["newEvaluationResult"];
    assert_eq!(new["complianceType"], "NON_COMPLIANT");
    assert_eq!(new["annotation"], "logs is NON_COMPLIANT");
    assert_eq!(new["evaluationResultIdentifier"]["orderingTimestamp"], "2026-03-04T05:06:07.512Z");
    assert_eq!(
        first.detail,
        json!({
            "resourceId": "logs", "resourceType": "AWS::S3::Bucket", "awsRegion": "us-east-1", "awsAccountId": "111122223333",
            "configRuleName": "no-public-read", "configRuleARN": arn, "recordVersion": "1.0",
            "messageType": "ComplianceChangeNotification",
            "notificationCreationTime": first.detail["notificationCreationTime"],
            "newEvaluationResult": result(new)
        })
    );

    bench.report(&token, "NON_COMPLIANT", "2026-03-04T05:06:08Z").unwrap();
    bench.report(&token, "COMPLIANT", "2026-03-04T05:06:07Z").unwrap();
    assert!(bench.outputs.changes.try_recv().is_err(), "neither the same verdict nor a stale one is a transition");

    bench.report(&token, "COMPLIANT", "2026-03-04T05:06:09Z").unwrap();
    let second = bench.outputs.changes.try_recv().unwrap();
    assert_eq!(second.detail["newEvaluationResult"]["complianceType"], "COMPLIANT");
    assert_eq!(second.detail["oldEvaluationResult"], result(&second.detail["oldEvaluationResult"]));
    assert_eq!(second.detail["oldEvaluationResult"]["complianceType"], "NON_COMPLIANT");
}

#[test]
fn token_of_a_deleted_rule_is_no_such_rule() {
    let mut bench = Bench::with("hourly", &[Message::Scheduled], "null");
    let token = token(bench.next().0);
    bench.engine.delete_rule("hourly").unwrap();
    bench.put("hourly", &[Message::Scheduled], "null");
    let error = bench.report(&token, "COMPLIANT", "2026-03-04T05:06:07Z").unwrap_err();
    assert_eq!(error.code, "NoSuchConfigRuleException");
    assert_eq!(bench.report("TESTMODE", "COMPLIANT", "2026-03-04T05:06:07Z").unwrap_err(), ApiError::invalid_token());
    assert!(bench.engine.results("hourly").is_empty());
}

#[test]
fn item_that_is_not_newer_is_refused() {
    let bench = Bench::new();
    bench.engine.record(bucket("logs", "2026-03-04T05:06:07.512Z", json!({}))).unwrap();
    let error = bench.engine.record(bucket("logs", "2026-03-04T05:06:07.512Z", json!({}))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "configuration item: AWS::S3::Bucket `logs`: captured at 2026-03-04T05:06:07.512Z, \
         not after the last one at 2026-03-04T05:06:07.512Z"
    );
}

#[test]
fn dropped_receiver_is_an_error() {
    let (engine, outputs) = Engine::new(settings());
    drop(outputs);
    let error = engine.put_rule(definition("hourly", &[Message::Scheduled], Value::Null)).unwrap_err();
    assert_eq!(error.to_string(), "InternalFailure: local engine: the receiver of its invocations is dropped");
}

#[test]
fn faults_apply_in_injection_order_and_are_used_up() {
    let bench = Bench::new();
    let operation = Operation::PutEvaluations;
    bench.engine.inject(operation, 1, &Fault::throttling());
    bench.engine.inject(operation, 1, &Fault::FailedEvaluations(vec!["logs".to_owned()]));
    let mut state = bench.engine.lock();
    assert_eq!(state.faults.take(operation), Some(Fault::throttling()));
    assert_eq!(state.faults.take(Operation::PutConfigRule), None);
    assert_eq!(state.faults.take(operation), Some(Fault::FailedEvaluations(vec!["logs".to_owned()])));
    assert_eq!(state.faults.take(operation), None);
}

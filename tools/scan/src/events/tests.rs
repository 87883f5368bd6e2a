#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, clippy::indexing_slicing)]

use super::*;
use crate::Outcome;
use crate::judges::ControlParameters;

const GROUP: &str = "AWS::EC2::SecurityGroup";

fn judges() -> Judges {
    let controls: Vec<_> = rectify_catalogue::controls().collect();
    Judges::new(&controls, &ControlParameters::new(), None).unwrap()
}

fn item(kind: &str, configuration: Value) -> Value {
    json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": kind, "resourceId": "r-1",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": configuration, "supplementaryConfiguration": {}, "tags": {},
    })
}

fn notification(item: Value) -> Value {
    json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": item})
}

fn oversized() -> Value {
    json!({"messageType": "OversizedConfigurationItemChangeNotification", "configurationItemSummary": {
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": GROUP, "resourceId": "sg-1",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z"}})
}

fn failed(judged: &Judged) -> Vec<&str> {
    let failed = judged.rows.iter().filter(|row| row.outcome.is_failed());
    failed.map(|row| row.control.as_str()).collect()
}

#[test]
fn an_item_is_found_in_every_envelope() {
    let item = item("AWS::EFS::FileSystem", json!({"FileSystemId": "r-1", "Encrypted": false}));
    let notification = notification(item.clone());
    let envelopes = [
        item,
        notification.clone(),
        json!({"invokingEvent": notification.to_string(), "ruleParameters": "{\"noSuch\":\"1\"}", "resultToken": "t"}),
        json!({"invokingEvent": notification.to_string()}),
        json!({"detail-type": "Config Configuration Item Change", "source": "aws.config", "detail": notification}),
    ];
    for envelope in envelopes {
        let judged = judge(envelope.clone(), &judges()).unwrap();
        assert_eq!(failed(&judged), ["efs-encrypted-check"], "{envelope}");
    }
}

#[test]
fn every_control_of_the_type_has_a_row_and_those_that_need_more_say_what() {
    let group = item(GROUP, json!({"groupId": "r-1"}));
    let judged = judge(group, &judges()).unwrap();
    let of_type = rectify_catalogue::controls().filter(|it| it.meta.resource_types.contains(&GROUP));
    assert_eq!(judged.rows.len(), of_type.count());
    let ssh = judged.rows.iter().find(|row| row.control == "restricted-ssh").unwrap();
    let Outcome::NotScanned { reason } = &ssh.outcome else { panic!("{ssh:?}") };
    assert!(reason.starts_with("evaluates recorded items together with live reads: ec2:"), "{reason}");
    assert_eq!(ssh.resource_id, "r-1");
}

#[test]
fn what_is_not_in_the_event_is_not_scanned_and_never_passed() {
    let proactive = notification(item(GROUP, json!({"GroupDescription": "d"}))).to_string();
    for (event, expected) in [
        (oversized(), OVERSIZED),
        (json!({"invokingEvent": oversized().to_string()}), OVERSIZED),
        (json!({"invokingEvent": proactive, "evaluationMode": "PROACTIVE"}), PROACTIVE),
    ] {
        let judged = judge(event, &judges()).unwrap();
        assert!(!judged.rows.is_empty());
        for row in &judged.rows {
            assert_eq!(row.outcome, Outcome::NotScanned { reason: expected.to_owned() });
        }
    }
}

#[test]
fn a_deleted_resource_has_no_row() {
    for key in ["configurationItem", "configurationItemSummary"] {
        let mut event = if key == "configurationItem" { notification(item(GROUP, json!({}))) } else { oversized() };
        event[key]["configurationItemStatus"] = json!("ResourceDeleted");
        assert_eq!(judge(event, &judges()).unwrap().rows, [], "{key}");
    }
}

#[test]
fn what_is_not_about_a_resource_is_refused() {
    let scheduled = json!({"messageType": "ScheduledNotification", "awsAccountId": "111122223333",
        "notificationCreationTime": "2026-03-04T06:00:00.412Z"});
    let rows = [
        (scheduled, "messageType: expected an event about a resource, since a scheduled one is about none"),
        (json!({"messageType": "Other"}), "Other"),
        (json!({}), "awsAccountId: expected a non-empty string"),
        (json!([1]), "configurationItem"),
        (json!({"invokingEvent": "{"}), "invokingEvent: not JSON"),
    ];
    for (event, expected) in rows {
        let error = judge(event, &judges()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

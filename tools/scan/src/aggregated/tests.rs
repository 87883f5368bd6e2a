#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, clippy::indexing_slicing)]

use std::path::Path;

use rectify_compliance::{Message, RuleEvent};
use serde_json::json;

use super::*;
use crate::judges::ControlParameters;

fn judges(ids: &[&str]) -> Judges {
    let controls: Vec<_> = ids.iter().map(|id| rectify_catalogue::find(id).unwrap()).collect();
    Judges::new(&controls, &ControlParameters::new(), None).unwrap()
}

fn result(status: Option<&str>) -> String {
    let mut result = json!({
        "accountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EFS::FileSystem",
        "resourceId": "fs-1", "arn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": {"Encrypted": false},
        "tags": [{"key": "team", "value": "storage", "tag": "team=storage"}, {"key": "empty"}], "relationships": [],
    });
    result["configurationItemStatus"] = json!(status);
    result.to_string()
}

#[test]
fn a_result_is_judged_like_a_recorded_item() {
    let Found::Judged(judged) =
        judge(&judges(&["efs-encrypted-check"]), "AWS::EFS::FileSystem", 1, &result(Some("OK")))
    else {
        panic!("an item");
    };
    assert!(judged.rows.len() == 1 && judged.rows[0].outcome.is_failed(), "{judged:?}");
    assert_eq!((judged.place.account.as_str(), judged.place.region.as_str()), ("111122223333", "eu-west-1"));
    let value = as_notification(serde_json::from_str(&result(Some("OK"))).unwrap());
    assert_eq!(value["tags"], json!({"team": "storage", "empty": ""}));
}

#[test]
fn a_result_without_a_member_has_no_verdict() {
    for (text, id) in [(result(None), Some("fs-1")), ("{}".to_owned(), None), ("[".to_owned(), None)] {
        let Found::Malformed(malformed) = judge(&judges(&["efs-encrypted-check"]), "AWS::EFS::FileSystem", 7, &text)
        else {
            panic!("{text}");
        };
        let kind = malformed.resource_type.as_deref();
        assert_eq!((malformed.position, kind, malformed.resource_id.as_deref()), (7, Some("AWS::EFS::FileSystem"), id));
    }
}

#[test]
fn controls_that_queries_cannot_answer_say_so() {
    let judges = judges(&["restricted-ssh", "s3-bucket-logging-enabled", "efs-encrypted-check"]);
    assert_eq!(types(&judges), ["AWS::EFS::FileSystem"]);
    let place = Place { account: "*".to_owned(), region: "*".to_owned() };
    let rows = unanswered(&judges, &place);
    let row = |control: &str| rows.iter().find(|row| row.control == control).map(|row| row.outcome.clone());
    assert_eq!((rows.len(), row("efs-encrypted-check")), (2, None));
    let Some(Outcome::NotScanned { reason }) = row("s3-bucket-logging-enabled") else { panic!("{rows:?}") };
    assert!(reason.contains("supplementary configuration of AWS::S3::Bucket"), "{reason}");
    assert!(matches!(row("restricted-ssh"), Some(Outcome::NotScanned { .. })));
}

#[test]
fn the_query_selects_by_type() {
    assert!(query("AWS::EFS::FileSystem").ends_with(", relationships WHERE resourceType = 'AWS::EFS::FileSystem'"));
    assert!(query("AWS::EFS::FileSystem").len() < 4096, "the limit of the API");
}

/// A query returns no complete supplementary configuration, so no verdict about a queried type depends on it.
#[test]
fn no_verdict_about_a_queried_type_depends_on_the_supplementary_configuration() {
    let item_only =
        |control: &&'static rectify_compliance::Entry| control.change.is_some_and(|it| it.needs_item_only());
    let mut compared = 0;
    for control in rectify_catalogue::controls().filter(item_only) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(control.meta.id);
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
        for path in files {
            let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let Ok(RuleEvent { message: Message::Change { mut item, .. }, parameters, .. }) = RuleEvent::parse(&event)
            else {
                continue;
            };
            if SUPPLEMENTED.contains(&item.resource.kind.as_str()) {
                continue;
            }
            let parameters = [(control.meta.id.to_owned(), parameters.unwrap_or_else(|| "{}".to_owned()))].into();
            let Ok(judges) = Judges::new(&[control], &parameters, None) else { continue };
            let whole = judges.rows(&item);
            item.supplementary.clear();
            assert_eq!(judges.rows(&item), whole, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared} items compared");
}

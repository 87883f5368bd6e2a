#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::collection::Collection;
use super::*;
use crate::Outcome;
use crate::judges::ControlParameters;

const CONTROL: &str = "efs-encrypted-check";

/// A file system, as AWS Config records it, at a minute of one hour.
pub(crate) fn item(id: &str, minute: u8, encrypted: bool) -> Value {
    json!({
        "relatedEvents": [], "relationships": [],
        "configuration": {"FileSystemId": id, "Encrypted": encrypted, "PerformanceMode": "generalPurpose"},
        "supplementaryConfiguration": {}, "tags": {"team": "shop"}, "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": format!("2026-03-04T05:{minute:02}:00.000Z"), "configurationStateId": 1,
        "awsAccountId": "111122223333", "configurationItemStatus": "OK", "resourceType": "AWS::EFS::FileSystem",
        "resourceId": id, "resourceName": id,
        "ARN": format!("arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/{id}"),
        "awsRegion": "eu-west-1", "availabilityZone": "Regional", "resourceCreationTime": "2026-02-03T04:05:06.000Z"
    })
}

/// The same item with other values for some keys; null removes a key.
pub(crate) fn with(mut item: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        item[key] = value.clone();
        if value.is_null() {
            item.as_object_mut().unwrap().remove(key);
        }
    }
    item
}

fn file(items: &[Value]) -> String {
    json!({"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": items}).to_string()
}

pub(crate) fn judges() -> Judges {
    Judges::new(&[rectify_catalogue::find(CONTROL).unwrap()], &ControlParameters::new(), None).unwrap()
}

pub(crate) fn found(file: &[u8], workers: usize) -> (Vec<Found>, Result<Summary, NotASnapshot>) {
    let mut all = Vec::new();
    let summary = judge("a.json", file, &judges(), NonZeroUsize::new(workers).unwrap(), |it| all.push(it));
    (all, summary)
}

/// Position, id and status of each item, or why it cannot be read.
fn brief(found: &[Found]) -> Vec<String> {
    let text = |it: &Found| match it {
        Found::Malformed(it) => it.to_string(),
        Found::Judged(it) => {
            let outcomes = it.rows.iter().map(|row| match &row.outcome {
                Outcome::Passed { .. } => "passed".to_owned(),
                Outcome::Failed { .. } => "failed".to_owned(),
                other => format!("{other:?}"),
            });
            format!("{} {} {}", it.position, it.resource.id, outcomes.collect::<String>())
        }
    };
    found.iter().map(text).collect()
}

#[test]
fn each_item_of_a_file_is_judged_in_its_order_whatever_the_workers() {
    let items: Vec<Value> = (0..1000).map(|n| item(&format!("fs-{n}"), 0, n % 2 == 0)).collect();
    let text = file(&items);
    let (one, summary) = found(text.as_bytes(), 1);
    let expected: Vec<String> =
        (0..1000).map(|n| format!("{} fs-{n} {}", n + 1, if n % 2 == 0 { "passed" } else { "failed" })).collect();
    assert_eq!(brief(&one), expected);
    let summary = summary.unwrap();
    assert_eq!((summary.items, summary.judged, summary.rows), (1000, 1000, 1000));
    assert_eq!(found(text.as_bytes(), 3).0, one);
}

#[test]
fn a_gzipped_file_is_recognized_by_its_first_bytes() {
    let text = file(&[item("fs-1", 0, true)]);
    // Members can be concatenated.
    let (one, other) = text.as_bytes().split_at(40);
    let mut packed = Vec::new();
    for part in [one, other] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(part).unwrap();
        packed.extend(encoder.finish().unwrap());
    }
    assert_eq!(found(&packed, 2), found(text.as_bytes(), 2));
    let (items, summary) = found(&packed[..packed.len() - 20], 2);
    assert_eq!(items.len(), 0);
    assert!(summary.unwrap().stopped.is_some());
}

#[test]
fn an_item_that_cannot_be_read_is_named_and_the_rest_goes_on() {
    let text = file(&[
        with(item("fs-1", 0, true), &json!({"configurationItemStatus": "Odd"})),
        json!("text"),
        with(item("fs-3", 0, true), &json!({"resourceType": null})),
        with(item("fs-4", 0, true), &json!({"configuration": {"Encrypted": "maybe"}})),
        with(item("fs-5", 0, true), &json!({"configuration": null})),
        with(item("fs-6", 0, true), &json!({"configurationItemCaptureTime": 1e300})),
        item("fs-7", 0, true),
        json!({"resourceType": "AWS::Mars::Rover"}),
        json!({"resourceType": "AWS::Mars::Rover", "resourceId": 7}),
        with(item("fs-10", 0, true), &json!({"configurationItemStatus": "ResourceDeleted", "configuration": null})),
    ]);
    let (items, summary) = found(text.as_bytes(), 2);
    let lines = brief(&items);
    let expected = [
        "item 1 AWS::EFS::FileSystem fs-1: configurationItemStatus: expected a known status: received `Odd`",
        "item 2: configurationItem: expected a configuration item: received `invalid type",
        "item 3 fs-3: resourceType: expected a non-empty string",
        "4 fs-4 Unreadable { reason: \"configuration.Encrypted",
        "5 fs-5 Unreadable { reason: \"configurationItem.configuration: expected an object: received `null`",
        "item 6 AWS::EFS::FileSystem fs-6: configurationItemCaptureTime: expected seconds since 1970",
        "7 fs-7 passed",
        "10 fs-10 ",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    let summary = summary.unwrap();
    // An item of another type is not read any further.
    assert_eq!(summary.other_types, [("AWS::Mars::Rover".to_owned(), 2)].into());
    assert_eq!((summary.items, summary.malformed, summary.judged, summary.gone), (10, 4, 4, 1));
}

#[test]
fn a_file_that_is_cut_off_is_judged_as_far_as_it_goes() {
    let whole = file(&[item("fs-1", 0, true), item("fs-2", 0, false)]);
    let cut = whole.rfind("fs-2").unwrap();
    let broken = whole.replacen("},{", "},,{", 1);
    for text in [&whole[..cut], &whole[..whole.len() - 1], &broken] {
        let (items, summary) = found(text.as_bytes(), 2);
        assert_eq!(brief(&items)[0], "1 fs-1 passed", "{text}");
        assert!(summary.unwrap().stopped.is_some(), "{text}");
    }
    for (text, reason) in [
        ("", "EOF"),
        ("[]", "expected an object with `configurationItems`"),
        ("{\"Records\": []}", "no member `configurationItems`"),
        ("not json", "expected"),
    ] {
        let error = found(text.as_bytes(), 2).1.unwrap_err().to_string();
        assert!(error.starts_with("a.json: expected a snapshot or history file") && error.contains(reason), "{error}");
    }
}

#[test]
fn the_shape_of_the_api_gives_the_same_rows() {
    let notification = item("fs-1", 0, false);
    let mut api = with(notification.clone(), &json!({"awsAccountId": null, "ARN": null, "accountId": "111122223333"}));
    api["arn"] = notification["ARN"].clone();
    api["configuration"] = json!(notification["configuration"].to_string());
    api["configurationItemCaptureTime"] = json!(1_772_600_400.0);
    assert_eq!(found(file(&[api.clone()]).as_bytes(), 1).0, found(file(&[notification]).as_bytes(), 1).0);
    api["configuration"] = json!("{");
    assert!(brief(&found(file(&[api]).as_bytes(), 1).0)[0].contains("configuration: expected JSON text"));
}

/// Control, resource and status of the rows of some files.
fn rows(files: &[&str]) -> Vec<String> {
    let judges = judges();
    let mut collection = Collection::default();
    for (number, text) in files.iter().enumerate() {
        let name = format!("{number}.json");
        let add = |it| collection.add(&name, it);
        let summary = judge(&name, text.as_bytes(), &judges, NonZeroUsize::new(2).unwrap(), add).unwrap();
        collection.end(&summary);
    }
    let rows = collection.finish(&judges).1;
    rows.iter()
        .map(|row| {
            let status = serde_json::to_value(row).unwrap();
            format!(
                "{} {} {} {}",
                row.place.account,
                row.place.region,
                row.resource_id,
                status["status"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn the_newest_item_of_a_resource_decides() {
    let deleted = json!({"configurationItemStatus": "ResourceDeleted", "configuration": null});
    let here = "111122223333 eu-west-1";
    let one = file(&[
        item("fs-1", 2, true),
        item("fs-1", 1, false),
        item("fs-2", 1, false),
        with(item("fs-2", 2, false), &deleted),
        with(item("fs-3", 1, false), &deleted),
        item("fs-3", 2, false),
    ]);
    assert_eq!(rows(&[&one]), [format!("{here} fs-1 passed"), format!("{here} fs-3 failed")]);
    let other = file(&[item("fs-1", 3, false), item("fs-3", 2, true)]);
    assert_eq!(rows(&[&one, &other]), [format!("{here} fs-1 failed"), format!("{here} fs-3 passed")]);
    let elsewhere = file(&[with(item("fs-1", 9, false), &json!({"awsAccountId": "444455556666"}))]);
    assert_eq!(
        rows(&[&one, &elsewhere]),
        [format!("{here} fs-1 passed"), format!("{here} fs-3 failed"), "444455556666 eu-west-1 fs-1 failed".to_owned()]
    );
}

#[test]
fn what_is_missing_is_a_row_of_its_own_and_never_a_pass() {
    let whole = file(&[item("fs-1", 0, true), item("fs-2", 0, false)]);
    let cut = &whole[..whole.rfind("fs-2").unwrap()];
    let here = "111122223333 eu-west-1";
    assert_eq!(rows(&[cut]), [format!("{here} * unreadable"), format!("{here} fs-1 passed")]);
    let odd = file(&[item("fs-1", 0, true), json!(7)]);
    assert_eq!(rows(&[&odd]), [format!("{here} * unreadable"), format!("{here} fs-1 passed")]);
}

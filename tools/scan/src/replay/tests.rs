#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{Value, json};

use super::*;
use crate::snapshot::Found;
use crate::snapshot::tests::{found, item, with};

fn timelines_of(items: &[Value]) -> Vec<Timeline> {
    timelines(judged(items))
}

fn judged(items: &[Value]) -> Vec<Judged> {
    let text = json!({"configurationItems": items}).to_string();
    let judged = found(text.as_bytes(), 2).0.into_iter().map(|it| match it {
        Found::Judged(judged) => judged,
        Found::Malformed(malformed) => panic!("{malformed}"),
    });
    judged.collect()
}

#[test]
fn a_finding_begins_and_ends_with_the_items_that_show_it() {
    let deleted = json!({"configurationItemStatus": "ResourceDeleted", "configuration": null});
    let items = [
        item("fs-1", 30, false),
        item("fs-1", 10, false),
        item("fs-1", 10, false),
        item("fs-1", 20, true),
        with(item("fs-1", 35, false), &json!({"configuration": {"FileSystemId": "fs-1", "Encrypted": "maybe"}})),
        with(item("fs-1", 40, false), &deleted),
        item("fs-2", 5, true),
        item("fs-2", 50, false),
    ];
    let timelines = timelines_of(&items);
    let expected = "\
efs-encrypted-check: AWS::EFS::FileSystem fs-1 in 111122223333 eu-west-1
  5 items from 2026-03-04 05:10:00Z to 2026-03-04 05:40:00Z
  1 of them could not be evaluated
  finding from 2026-03-04 05:10:00Z or earlier to 2026-03-04 05:20:00Z, at least 10 min 0 s: passed
    2026-03-04 05:10:00Z fs-1 is not encrypted
  finding from 2026-03-04 05:30:00Z to 2026-03-04 05:40:00Z, 10 min 0 s: the resource was deleted
    2026-03-04 05:30:00Z fs-1 is not encrypted

efs-encrypted-check: AWS::EFS::FileSystem fs-2 in 111122223333 eu-west-1
  2 items from 2026-03-04 05:05:00Z to 2026-03-04 05:50:00Z
  finding since 2026-03-04 05:50:00Z, still open
    2026-03-04 05:50:00Z fs-2 is not encrypted
";
    assert_eq!(text(&timelines), expected);
    assert_eq!(timelines.iter().map(Timeline::is_open).collect::<Vec<_>>(), [false, true]);
    let stored = serde_json::to_value(&timelines).unwrap();
    assert_eq!(serde_json::from_value::<Vec<Timeline>>(stored).unwrap(), timelines);
}

#[test]
fn a_resource_is_found_by_any_name_it_had_with_all_its_items() {
    let gone =
        json!({"configurationItemStatus": "ResourceDeleted", "configuration": null, "resourceName": null, "ARN": null});
    let items = [
        with(item("fs-1", 10, false), &json!({"resourceName": "old"})),
        with(item("fs-1", 20, false), &json!({"resourceName": "new"})),
        with(item("fs-1", 30, false), &gone),
        item("fs-2", 10, false),
    ];
    for wanted in ["fs-1", "old", "new", "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"] {
        let timelines = timelines(of_resource(judged(&items), wanted));
        let brief: Vec<_> = timelines.iter().map(|it| (it.resource_id.as_str(), it.items, it.is_open())).collect();
        assert_eq!(brief, [("fs-1", 3, false)], "{wanted}");
    }
}

#[test]
fn a_resource_that_passed_throughout_has_no_finding() {
    let timelines = timelines_of(&[item("fs-1", 10, true), item("fs-1", 20, true)]);
    assert_eq!((timelines[0].items, timelines[0].findings.len()), (2, 0));
    assert!(text(&timelines).ends_with("\n  no finding\n"));
}

#[test]
fn a_duration_has_its_two_largest_units() {
    for (seconds, expected) in [(59, "59 s"), (61, "1 min 1 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")] {
        assert_eq!(duration(seconds), expected);
    }
}

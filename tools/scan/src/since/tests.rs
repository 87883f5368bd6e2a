use super::*;
use crate::Source;
use crate::example::example;
use crate::report::{Format, Layout, json, render, text};

const LAYOUT: Layout = Layout { width: 120, color: false, verbose: false };

fn failed(reason: &str) -> Outcome {
    Outcome::Failed { reason: reason.to_owned(), plan: None }
}

fn unreadable() -> Outcome {
    Outcome::Unreadable { reason: "s3:GetBucketPolicy: AccessDenied".to_owned() }
}

fn passed() -> Outcome {
    Outcome::Passed { reason: None }
}

#[test]
fn resources_of_one_name_in_two_files_are_two() {
    let declared = |outcomes: [(&str, u64, Outcome); 2]| {
        let mut scan = scan(outcomes.clone().map(|(_, _, outcome)| ("Web", outcome)));
        for (row, (file, line, _)) in scan.rows.iter_mut().zip(outcomes) {
            row.source = Some(Source { file: file.to_owned(), line: Some(line) });
        }
        scan
    };
    let earlier = declared([("a.yaml", 1, failed("open")), ("b.yaml", 1, passed())]);
    // The line moved.
    let now = declared([("a.yaml", 9, failed("open")), ("b.yaml", 1, failed("open"))]);
    let found = since(&earlier, &now);
    assert_eq!((found.new, found.unchanged, found.resolved), (vec![1], 1, 0));
}

/// The example with one row of its first control for each of these ids.
fn scan<const N: usize>(rows: [(&str, Outcome); N]) -> Scan {
    let scan = example();
    let first = scan.rows[0].clone();
    let row = |(id, outcome): (&str, Outcome)| Row { resource_id: id.to_owned(), outcome, ..first.clone() };
    Scan { rows: rows.into_iter().map(row).collect(), ..scan }
}

fn since(earlier: &Scan, now: &Scan) -> Since {
    Since::between(earlier, now).unwrap()
}

#[test]
fn each_change_of_an_outcome_is_new_resolved_or_neither() {
    // The outcome then and now: new, unchanged, resolved.
    let rows = [
        (Some(failed("a")), Some(failed("a")), (0, 1, 0)),
        (Some(failed("a")), Some(failed("b")), (1, 0, 0)),
        (Some(failed("a")), Some(passed()), (0, 0, 1)),
        (Some(failed("a")), Some(Outcome::NotApplicable { reason: "gone".to_owned() }), (0, 0, 1)),
        (Some(failed("a")), Some(unreadable()), (1, 0, 0)),
        (Some(failed("a")), None, (0, 0, 1)),
        (Some(passed()), Some(failed("a")), (1, 0, 0)),
        (Some(passed()), Some(passed()), (0, 0, 0)),
        (Some(passed()), Some(unreadable()), (1, 0, 0)),
        (Some(passed()), None, (0, 0, 0)),
        (Some(unreadable()), Some(failed("a")), (1, 0, 0)),
        (Some(unreadable()), Some(unreadable()), (0, 0, 0)),
        (None, Some(failed("a")), (1, 0, 0)),
        (None, Some(unreadable()), (1, 0, 0)),
        (None, Some(passed()), (0, 0, 0)),
    ];
    for (then, now, expected) in rows {
        let of = |outcome: &Option<Outcome>| match outcome {
            Some(outcome) => scan([("sg-1", outcome.clone())]),
            None => scan([]),
        };
        let found = since(&of(&then), &of(&now));
        assert_eq!((found.new.len(), found.unchanged, found.resolved), expected, "{then:?} {now:?}");
    }
}

#[test]
fn a_reason_with_a_greater_age_is_the_same() {
    let rows = [
        ("Key AKIA1 of a is 412 d old (max 90)", "Key AKIA1 of a is 413 d old (max 90)", true),
        ("a: never used (created 99 d ago); max 45", "a: never used (created 100 d ago); max 45", true),
        ("too old: AKIA1 (99 d), AKIA2 (300 d)", "too old: AKIA1 (100 d), AKIA2 (301 d)", true),
        ("last delivery 30 h ago (max 24)", "last delivery 31 h ago (max 24)", true),
        ("Key AKIA1 is 412 d old", "Key AKIA2 is 412 d old", false),
        ("0.0.0.0/0 reaches tcp 22", "0.0.0.0/0 reaches tcp 23", false),
        ("Root user has 1 access key", "Root user has 2 access keys", false),
    ];
    for (then, now, is_same) in rows {
        let found = since(&scan([("sg-1", failed(then))]), &scan([("sg-1", failed(now))]));
        assert_eq!(found.unchanged == 1, is_same, "{then} / {now}");
    }
}

#[test]
fn a_finding_that_was_not_scanned_now_is_not_resolved() {
    let earlier = scan([("sg-1", failed("a"))]);
    let mut others = scan([]);
    others.controls.retain(|it| *it != earlier.rows[0].control);
    assert_eq!(since(&earlier, &others).resolved, 0, "another control");
    let mut elsewhere = scan([]);
    elsewhere.places.retain(|it| *it != earlier.rows[0].place);
    assert_eq!(since(&earlier, &elsewhere).resolved, 0, "another region");
    for (account, region) in [("*", "*"), ("111122223333", "*"), ("111122223333", "eu-west-1")] {
        let mut unlisted = scan([(ALL, unreadable())]);
        unlisted.rows[0].place = Place { account: account.to_owned(), region: region.to_owned() };
        assert_eq!(since(&earlier, &unlisted).resolved, 0, "no list of {account} {region}");
    }
    let mut other = scan([(ALL, unreadable())]);
    other.rows[0].place.region = "us-east-1".to_owned();
    assert_eq!(since(&earlier, &other).resolved, 1, "no list of another region");
}

#[test]
fn what_only_one_scan_has_is_named_or_refused() {
    let now = example();
    let mut earlier = example();
    let control = earlier.controls.remove(0);
    earlier.places.remove(0);
    assert_eq!(since(&earlier, &now).added, [control.as_str(), "111122223333/eu-west-1"]);
    let text = since(&earlier, &now).text(&now);
    assert!(text.ends_with("; all is new of restricted-ssh, 111122223333/eu-west-1"), "{text}");
    let refused = |change: fn(&mut Scan)| {
        let mut earlier = example();
        change(&mut earlier);
        Since::between(&earlier, &now).unwrap_err().to_string()
    };
    let places = refused(|scan| scan.places.iter_mut().for_each(|it| it.account = "777788889999".to_owned()));
    assert_eq!(
        places,
        "expected a report of an account and region of this scan: received one of 777788889999/eu-west-1, \
         777788889999/us-east-1, 777788889999/eu-west-1"
    );
    let controls = refused(|scan| scan.controls = (0..7).map(|it| format!("c{it}")).collect());
    assert_eq!(controls, "expected a report of a control of this scan: received one of c0, c1, c2, c3, c4 +2 more");
    let source = refused(|scan| scan.source = "snapshot.json.gz".to_owned());
    assert!(source.ends_with("received one of `snapshot.json.gz`, and this scan is of `live`"), "{source}");
}

#[test]
fn only_a_report_of_this_version_is_read() {
    let written = json(&example()).unwrap();
    assert_eq!(read(&written), Ok(example()));
    let rows = [
        (written.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2"), "received schemaVersion 2"),
        ("{}".to_owned(), "received a document without schemaVersion"),
        (String::new(), "EOF while parsing a value at line 1 column 0"),
        ("{\"schemaVersion\": 1}".to_owned(), "missing field `toolVersion`"),
    ];
    for (text, expected) in rows {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.starts_with("expected a report of `rectify scan --output json`, schemaVersion 1: "), "{error}");
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn reports_show_what_is_new_and_json_can_be_the_next_earlier_report() {
    let earlier = scan([("sg-1", failed("a")), ("sg-2", failed("a")), ("sg-3", passed())]);
    let mut now = scan([("sg-1", failed("a")), ("sg-3", unreadable()), ("sg-4", failed("b"))]);
    now.since = Some(since(&earlier, &now));
    let new = now.only_new();
    let ids: Vec<&str> = new.rows.iter().map(|row| row.resource_id.as_str()).collect();
    assert_eq!(ids, ["sg-3", "sg-4"]);
    let shown = text(&new, LAYOUT);
    let expected = "Since 2026-11-30 09:14:03Z: 1 new, 1 resolved, 1 unchanged, 1 without a verdict now\n";
    assert!(shown.contains(expected) && shown.contains("sg-4") && !shown.contains("sg-1"), "{shown}");
    assert!(shown.ends_with("\n1 finding: 1 high\n1 result without a verdict\n"), "{shown}");
    let next = read(&json(&now).unwrap()).unwrap();
    assert_eq!(next.rows, now.rows);
    assert_eq!(since(&next, &now).unchanged, 2);
    now.since = Some(since(&next, &now));
    assert!(text(&now.only_new(), LAYOUT).ends_with("\nNo new findings\n"));
    let html = render(Format::Html, &now, LAYOUT).unwrap();
    assert!(html.contains("0 new, 0 resolved, 2 unchanged"), "the changes");
}

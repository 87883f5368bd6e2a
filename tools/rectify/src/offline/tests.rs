use clap::Parser;
use rectify_scan::Outcome;
use serde_json::Value;

use super::*;
use crate::arguments::{Arguments, Command};

fn item(id: &str, minute: u8, encrypted: bool) -> Value {
    json!({
        "configuration": {"FileSystemId": id, "Encrypted": encrypted}, "supplementaryConfiguration": {}, "tags": {},
        "configurationItemCaptureTime": format!("2026-03-04T05:{minute:02}:00.000Z"), "awsAccountId": "111122223333",
        "configurationItemStatus": "OK", "resourceType": "AWS::EFS::FileSystem", "resourceId": id,
        "ARN": format!("arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/{id}"), "awsRegion": "eu-west-1"
    })
}

/// A folder with one file per list of items.
fn files(contents: &[Value]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let paths = (0..contents.len()).map(|number| folder.path().join(format!("{number}.json"))).collect::<Vec<_>>();
    for (path, items) in paths.iter().zip(contents) {
        std::fs::write(path, json!({"fileVersion": "1.0", "configurationItems": items}).to_string()).unwrap();
    }
    (folder, paths)
}

fn replayed_with(paths: &[PathBuf], rest: &str) -> Result<Report, CliError> {
    let paths = paths.iter().map(|path| path.to_str().unwrap());
    let line = ["rectify", "replay"].into_iter().chain(paths).chain(rest.split_whitespace());
    match Arguments::try_parse_from(line).unwrap().command {
        Command::Replay(arguments) => replay(&arguments),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_scan_of_files_has_the_newest_verdicts_and_what_was_not_scanned() {
    let (_folder, paths) = files(&[
        json!([item("fs-1", 1, false), item("fs-2", 1, true)]),
        json!([item("fs-1", 2, true), {"resourceType": "AWS::Mars::Rover"}]),
    ]);
    let controls = ["restricted-ssh", "efs-encrypted-check"].map(|id| known(id).unwrap());
    let scan = scan_snapshot(&paths, &ControlParameters::new(), &controls).unwrap();
    let rows: Vec<(&str, bool)> =
        scan.rows.iter().map(|row| (row.resource_id.as_str(), matches!(row.outcome, Outcome::Passed { .. }))).collect();
    assert_eq!(rows, [("*", false), ("fs-1", true), ("fs-2", true)]);
    assert_eq!(
        (scan.controls, scan.places.len()),
        (vec!["restricted-ssh".to_owned(), "efs-encrypted-check".to_owned()], 1)
    );
}

#[test]
fn a_replay_shows_findings_and_its_exit_code_whether_one_is_open() {
    let (_folder, paths) =
        files(&[json!([item("fs-1", 2, true), item("fs-2", 2, true)]), json!([item("fs-1", 1, false)])]);
    let closed = replayed_with(&paths, "").unwrap();
    assert!(closed.text.contains("to 2026-03-04 05:02:00Z, at least 1 min 0 s: passed"), "{}", closed.text);
    assert!(closed.text.ends_with("\n1 findings, 0 still open\n1 without a finding, not shown\n"), "{}", closed.text);
    assert_eq!(closed.ending, Ending::Fine);
    assert_eq!(closed.json["timelines"].as_array().unwrap().len(), 2);
    let open = replayed_with(&paths[1..], "--control efs-encrypted-check").unwrap();
    assert_eq!(open.ending, Ending::Finding);
    let arn = "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-2";
    for resource in ["fs-2", arn] {
        let one = replayed_with(&paths, &format!("--resource {resource}")).unwrap();
        assert!(one.text.contains("fs-2") && !one.text.contains("fs-1"), "{}", one.text);
    }
    assert_eq!(replayed_with(&paths, "--resource fs-9").unwrap().text, "no item of a replayed control\n");
}

#[test]
fn what_cannot_be_read_is_shown_and_is_not_a_success() {
    let (_folder, paths) = files(&[json!([item("fs-1", 1, true), 7])]);
    let report = replayed_with(&paths, "").unwrap();
    assert!(
        report.text.contains("0.json: item 2: configurationItem: expected a configuration item"),
        "{}",
        report.text
    );
    assert_eq!(report.ending, Ending::Finding);
    let whole = std::fs::read_to_string(&paths[0]).unwrap();
    std::fs::write(&paths[0], whole.split(",7").next().unwrap()).unwrap();
    let report = replayed_with(&paths, "").unwrap();
    assert!(report.text.contains("0.json: stopped after item 1, and what follows is unknown: EOF"), "{}", report.text);
    assert_eq!(report.ending, Ending::Finding);
}

#[test]
fn an_unusable_control_or_file_is_a_usage_error() {
    let (_folder, paths) = files(&[json!([])]);
    let error = replayed_with(&paths, "--control restricted-ssh").unwrap_err();
    assert!(error.to_string().starts_with("control: expected one that evaluates the recorded item alone"), "{error}");
    std::fs::write(&paths[0], "{}").unwrap();
    let error = replayed_with(&paths, "").unwrap_err();
    assert!(error.to_string().contains("no member `configurationItems`"), "{error}");
    assert_eq!(error.code(), 2);
    std::fs::remove_file(&paths[0]).unwrap();
    assert_eq!(replayed_with(&paths, "").unwrap_err().code(), 2);
}

#[test]
fn notes_name_the_most_frequent_types_first() {
    let other_types = (0..12).map(|n| (format!("AWS::Mars::T{n:02}"), n + 1)).collect();
    let summary = Summary { items: 100, malformed: 2, other_types, ..Summary::default() };
    let notes = notes(&summary);
    assert!(
        notes[0]
            .starts_with("78 of 100 items are of types that no selected control evaluates here: AWS::Mars::T11 12, ")
    );
    assert!(notes[0].ends_with(", 2 more types"), "{}", notes[0]);
    assert_eq!(notes[1..], ["2 of 100 items cannot be read"]);
}

#[test]
fn events_are_scanned_by_the_controls_of_their_types() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, content.to_string()).unwrap();
        path
    };
    let change = |item: Value| {
        json!({"invokingEvent": json!({
            "messageType": "ConfigurationItemChangeNotification", "configurationItem": item,
        }).to_string(), "resultToken": "TESTMODE"})
    };
    let paths = [write("old.json", &change(item("fs-1", 1, true))), write("new.json", &item("fs-1", 2, false))];
    let controls: Vec<_> = rectify_catalogue::controls().collect();
    let scan = scan_events(&paths, &ControlParameters::new(), &controls).unwrap();
    assert!(scan.controls.contains(&"efs-encrypted-check".to_owned()), "{:?}", scan.controls);
    assert!(!scan.controls.contains(&"restricted-ssh".to_owned()), "{:?}", scan.controls);
    let of_check: Vec<_> = scan.rows.iter().filter(|row| row.control == "efs-encrypted-check").collect();
    let [row] = of_check[..] else { panic!("{of_check:?}") };
    assert!(row.outcome.is_failed() && row.resource_id == "fs-1", "the newer item decides: {row:?}");
    let other = write("other.json", &json!({"resourceType": "AWS::EFS::FileSystem"}));
    let error = scan_events(&[other], &ControlParameters::new(), &controls).unwrap_err().to_string();
    assert!(error.contains("other.json: "), "{error}");
}

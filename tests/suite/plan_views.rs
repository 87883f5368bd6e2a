//! Plans as people read them: the changes and commands of every stored attempt.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rectify_compliance::Entry;
use rectify_runtime::ledger::Attempt;
use rectify_scan::{PlanView, command, plan};
use rectify_tests::binaries::root;
use serde_json::{Value, json};

/// Permissions that a service needs for a call of a remediation, and that are not operations.
const NOT_OPERATIONS: [&str; 3] = ["iam:PassRole", "logs:CreateLogDelivery", "logs:DeleteLogDelivery"];

/// An attempt of each control with calls, and the calls that undid it.
fn stored() -> Vec<(&'static Entry, Attempt, Vec<Value>)> {
    let mut stored = Vec::new();
    for control in rectify_catalogue::controls().filter(|control| control.has_calls()) {
        let file = format!("{}/attempt.v{}.json", rectify_catalogue::folder(control), control.state_version());
        let text = std::fs::read_to_string(root().join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        let attempt = serde_json::from_value(kept["attempt"].take()).unwrap();
        stored.push((control, attempt, serde_json::from_value(kept["undo"].take()).unwrap()));
    }
    stored
}

#[test]
fn every_stored_plan_shows_its_changes_and_the_undo_reverses_them() {
    for (control, attempt, _) in stored() {
        let id = control.meta.id;
        let before = attempt.before.as_ref().unwrap();
        let view = PlanView::of_finding(control, before, &attempt.plan);
        assert!(!view.changes.is_empty(), "{id}: no change");
        for line in &view.changes {
            assert!(line.starts_with("- ") || line.starts_with("+ "), "{id}: {line}");
            assert!(!line.contains("null") && !line.contains('\n'), "{id}: {line}");
        }
        let actions: Vec<Value> = attempt.plan.calls().into_iter().cloned().collect();
        let mut back: Vec<String> = plan::changes_of_undo(control, before, &actions)
            .iter()
            .map(|line| if line.starts_with('-') { line.replacen('-', "+", 1) } else { line.replacen('+', "-", 1) })
            .collect();
        let mut changes = view.changes.clone();
        changes.sort();
        back.sort();
        assert_eq!(back, changes, "{id}");
    }
}

/// botocore, the client library under the AWS CLI, knows every command, and would accept its input.
#[test]
fn every_command_makes_the_stored_call() {
    let mut rows = Vec::new();
    for (control, attempt, undo) in stored() {
        let region = attempt.target.region.as_str();
        let view = PlanView::of_finding(control, attempt.before.as_ref().unwrap(), &attempt.plan).in_region(region);
        for step in view.steps {
            let Some(call) = step.call else { continue };
            rows.push(json!({ "call": call, "command": step.command }));
        }
        for call in undo {
            let text = command::of(control, &call).map(|command| command::in_region(&command, &call, region));
            rows.push(json!({ "call": call, "command": text }));
        }
    }
    let stored = rows.len();
    for control in rectify_catalogue::controls() {
        let Some(remediation) = control.remediation else { continue };
        for permission in remediation.fix_permissions().iter().chain(remediation.undo_permissions()) {
            let (service, operation) = permission.action.split_once(':').unwrap();
            // The operations of S3 have other names than its permissions.
            if service == "s3" || NOT_OPERATIONS.contains(&permission.action) {
                continue;
            }
            let call = json!({ operation: {} });
            // An operation that needs a member to be written in another form has none without it.
            if let Some(command) = command::of(control, &call) {
                rows.push(json!({ "call": call, "command": command, "isComplete": false }));
            }
        }
    }
    let mut python = Command::new(crate::config_engine::python())
        .arg(root().join("tests/python/cli_commands.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(json!(rows).to_string().as_bytes()).unwrap();
    let run = python.wait_with_output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(String::from_utf8_lossy(&run.stdout).trim(), rows.len().to_string());
    assert!(stored > 100 && rows.len() > stored, "{stored} of stored calls, {} in all", rows.len());
}

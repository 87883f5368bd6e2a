//! The demo as an operator starts it: it passes with the right binaries, and detects each mutant by its effect.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use rectify_local::demo::{ExpectedEnd, SCENARIOS};
use rectify_tests::binaries;
use serde_json::Value;

/// The rows that `restricted-ssh` fixes by a call.
const CLOSED: [&str; 2] = ["SSH open over IPv6 only", "one permission, public and private ranges"];

/// The row that `restricted-ssh` leaves to an operator.
const PLANNED: &str = "all TCP ports open";

/// One run of the demo.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    report: Value,
}

impl Run {
    /// The problems of each row that has some, by the row's name.
    fn wrong_rows(&self) -> BTreeMap<String, Vec<String>> {
        let rows = self.report["rows"].as_array().unwrap().iter();
        let wrong = rows.map(|row| (text(&row["name"]), texts(&row["problems"])));
        wrong.filter(|(_, problems)| !problems.is_empty()).collect()
    }

    /// The problems of the run as a whole.
    fn problems(&self) -> Vec<String> {
        texts(&self.report["problems"])
    }

    /// The mutant was detected in these rows and in no other.
    fn assert_only_these_rows_are_wrong(&self, names: &[&str]) -> BTreeMap<String, Vec<String>> {
        let wrong = self.wrong_rows();
        assert_eq!(self.code, Some(1), "{wrong:#?}");
        assert_eq!(wrong.keys().map(String::as_str).collect::<Vec<_>>(), names, "{wrong:#?}");
        wrong
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}

/// Runs the demo, with `mutant` in place of `restricted-ssh-remediation` if there is one.
fn run_demo(mutant: Option<&str>) -> Run {
    let (binaries, logs) = (binaries::folder(), tempfile::tempdir().unwrap());
    let program = binaries.join("rectify-local");
    let mut command = Command::new(program);
    command.args(["demo", "--json", "--binaries"]).arg(binaries);
    command.arg("--logs").arg(logs.path());
    if let Some(mutant) = mutant {
        command.arg("--replace").arg(format!("restricted-ssh-remediation={mutant}"));
    }
    let output = command.current_dir(binaries::root()).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}: {stderr}", output.status));
    Run { code: output.status.code(), report }
}

#[test]
fn every_resource_ends_as_expected() {
    let run = run_demo(None);
    assert_eq!((run.wrong_rows(), run.problems()), (BTreeMap::new(), vec![]));
    assert_eq!(run.code, Some(0));
    let limits = run.report["limits"].as_array().unwrap();
    let outcomes: Vec<&str> = limits.iter().map(|limit| limit["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["planned", "exempt", "breaker-open", "over-budget"]);
    assert!(limits.iter().all(|limit| texts(&limit["problems"]).is_empty()), "{limits:#?}");
    let rows = run.report["rows"].as_array().unwrap();
    let controls: BTreeSet<&str> = rows.iter().map(|row| row["control"].as_str().unwrap()).collect();
    let (violating, compliant): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["finding"].is_string());
    assert!(violating.len() >= 8 && !compliant.is_empty() && controls.len() == 6, "{rows:#?}");
    for row in compliant {
        assert_eq!((row["after"].as_str(), texts(&row["calls"])), (Some("COMPLIANT"), vec![]), "{row:#?}");
    }
    for row in violating {
        // Either the remediation fixed it and undo restored it, or it is left to an operator and nothing was called.
        let is_fixed = row["after"] == "COMPLIANT" && !texts(&row["calls"]).is_empty();
        let is_left = row["after"] == "NON_COMPLIANT" && texts(&row["calls"]).is_empty();
        assert!(is_fixed || is_left, "{row:#?}");
        let undone = if is_fixed { "restored, NON_COMPLIANT again, held" } else { "nothing to undo" };
        assert_eq!(row["undone"], undone, "{row:#?}");
    }
}

/// Runs the scan of the demo's resources without any program of a function; returns its exit code and output.
fn run_scan(arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(binaries::folder().join("rectify"), folder.path().join("rectify")).unwrap();
    let mut command = Command::new(binaries::folder().join("rectify-local"));
    command.arg("scan").arg("--binaries").arg(folder.path()).arg("--logs").arg(folder.path().join("logs"));
    command.args(arguments).env("NO_COLOR", "1");
    let output = command.current_dir(binaries::root()).stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn scan_finds_every_violation_of_the_demo_with_its_fix() {
    let (code, out) = run_scan(&["--", "--output", "json"]);
    assert_eq!(code, Some(0), "{out}");
    let scan: Value = serde_json::from_str(&out).unwrap();
    let rows = scan["rows"].as_array().unwrap();
    let found = |control: &str| {
        let of_control = rows.iter().filter(|row| row["control"] == control && row["status"] == "failed");
        of_control.map(|row| row["plan"]["steps"].as_array().map_or(0, Vec::len)).collect::<Vec<_>>()
    };
    let violations = SCENARIOS.iter().filter(|it| it.expected != ExpectedEnd::Untouched);
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in violations {
        *expected.entry(scenario.control).or_default() += 1;
    }
    for (control, count) in expected {
        let steps = found(control);
        assert!(steps.len() >= count && !steps.contains(&0), "{control}: {steps:?}");
    }
}

#[test]
fn scan_prints_findings_changes_and_commands_and_fails_for_a_wrong_argument() {
    let (code, out) = run_scan(&[]);
    assert_eq!(code, Some(0), "{out}");
    for text in ["SSH open to the internet: tcp 22 from ::/0", "aws ec2 revoke-security-group-ingress"] {
        assert!(out.contains(text), "{out}");
    }
    assert_eq!(run_scan(&["--", "--control", "none"]), (Some(1), String::new()));
}

#[test]
fn pictures_show_what_the_programs_print() {
    for (file, texts) in [
        ("scan", ["$ make scan", "SSH open to the internet: tcp 22 from ::/0"]),
        ("demo", ["$ make demo", "SSH open over IPv6 only"]),
    ] {
        let path = format!("docs/images/{file}.svg");
        let picture = std::fs::read_to_string(binaries::root().join(&path)).unwrap();
        for text in texts {
            assert!(picture.contains(text), "{path}: no `{text}`: run `make pictures`");
        }
    }
}

#[test]
fn remediation_without_plans_is_detected() {
    let program = env!("CARGO_BIN_EXE_broken-idle-plan");
    let mut wrong = run_demo(Some(program)).assert_only_these_rows_are_wrong(&[CLOSED[0], PLANNED, CLOSED[1]]);
    assert_eq!(wrong.remove(PLANNED).unwrap(), ["outcome: expected planned: received `failed`"]);
    for problems in wrong.values() {
        assert!(problems.contains(&"outcome: expected verified: received `failed`".to_owned()), "{problems:#?}");
        assert!(
            problems.contains(&"verdict: expected COMPLIANT: received `NON_COMPLIANT`".to_owned()),
            "{problems:#?}"
        );
    }
}

#[test]
fn remediation_that_revokes_too_much_is_detected() {
    let run = run_demo(Some(env!("CARGO_BIN_EXE_broken-greedy-plan")));
    let wrong = run.assert_only_these_rows_are_wrong(&CLOSED);
    // The remediation's own outcome, reason and verdict are right: only the missing ingress rules show the mutant.
    assert_eq!(wrong[CLOSED[0]], ["after the fix: missing `ingress tcp 443-443 0.0.0.0/0 web`"]);
    let missing = ["after the fix: missing `ingress tcp 22-22 10.1.23.2/32 bastion`", wrong[CLOSED[0]][0].as_str()];
    assert_eq!(wrong[CLOSED[1]], missing);
    assert_eq!(run.problems(), Vec::<String>::new());
}

#[test]
fn remediation_that_ignores_a_refusal_is_detected() {
    let run = run_demo(Some(env!("CARGO_BIN_EXE_broken-swallowed-error")));
    let wrong = run.assert_only_these_rows_are_wrong(&CLOSED);
    for problems in wrong.values() {
        assert!(problems.contains(&"outcome: expected verified: received `failed`".to_owned()), "{problems:#?}");
        assert!(
            problems.iter().any(|it| it.starts_with("after the fix: unexpected `ingress tcp 22-22 ")),
            "{problems:#?}"
        );
    }
    // It was tried three times, and never counted as verified.
    let gave_up =
        |problem: &&String| problem.starts_with("rectify-restricted-ssh-fix failed on every attempt: NotVerified");
    assert_eq!(run.problems().iter().filter(gave_up).count(), CLOSED.len(), "{:#?}", run.problems());
}

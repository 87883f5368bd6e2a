//! The demo as a person starts it: all as it should be with the right binaries, and each breakage noticed by its effect.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use rectify_tests::binaries;
use serde_json::Value;

/// The rows whose fix is a call of `restricted-ssh`.
const CLOSED: [&str; 2] = ["SSH open over IPv6 only", "one permission, the world and a private range"];

/// The row whose plan of `restricted-ssh` is for a person.
const PLANNED: &str = "all TCP ports open";

/// One run of the demo.
#[derive(Debug)]
struct Played {
    code: Option<i32>,
    report: Value,
}

impl Played {
    /// Problems of each row that has some, by its name.
    fn wrong_rows(&self) -> BTreeMap<String, Vec<String>> {
        let rows = self.report["rows"].as_array().unwrap().iter();
        let wrong = rows.map(|row| (text(&row["name"]), texts(&row["problems"])));
        wrong.filter(|(_, problems)| !problems.is_empty()).collect()
    }

    /// Problems of the whole.
    fn problems(&self) -> Vec<String> {
        texts(&self.report["problems"])
    }

    /// The breakage was noticed in these rows and in no other.
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

/// Plays the demo, with this program in the place of `restricted-ssh-remediation` if there is one.
fn play(breakage: Option<&str>) -> Played {
    let (binaries, logs) = (binaries::folder(), tempfile::tempdir().unwrap());
    let program = binaries.join("rectify-local");
    let mut command = Command::new(program);
    command.args(["demo", "--json", "--template", "template.yaml", "--binaries"]).arg(binaries);
    command.arg("--logs").arg(logs.path());
    if let Some(breakage) = breakage {
        command.arg("--replace").arg(format!("restricted-ssh-remediation={breakage}"));
    }
    let run = command.current_dir(binaries::root()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    let report =
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {:?}: {said}", run.status));
    Played { code: run.status.code(), report }
}

#[test]
fn every_resource_ends_as_it_should() {
    let played = play(None);
    assert_eq!((played.wrong_rows(), played.problems()), (BTreeMap::new(), vec![]));
    assert_eq!(played.code, Some(0));
    let limits = played.report["limits"].as_array().unwrap();
    let outcomes: Vec<&str> = limits.iter().map(|limit| limit["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["planned", "exempt", "breaker-open", "over-budget"]);
    assert!(limits.iter().all(|limit| texts(&limit["problems"]).is_empty()), "{limits:#?}");
    let rows = played.report["rows"].as_array().unwrap();
    let controls: BTreeSet<&str> = rows.iter().map(|row| row["control"].as_str().unwrap()).collect();
    let (faulty, right): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["finding"].is_string());
    assert!(faulty.len() >= 8 && !right.is_empty() && controls.len() == 6, "{rows:#?}");
    for row in right {
        assert_eq!((row["after"].as_str(), texts(&row["calls"])), (Some("COMPLIANT"), vec![]), "{row:#?}");
    }
    for row in faulty {
        // Either the machine fixed it and could take that back, or a person must act and nothing was called.
        let is_fixed = row["after"] == "COMPLIANT" && !texts(&row["calls"]).is_empty();
        let is_left = row["after"] == "NON_COMPLIANT" && texts(&row["calls"]).is_empty();
        assert!(is_fixed || is_left, "{row:#?}");
        let undone = if is_fixed { "restored, NON_COMPLIANT again, held" } else { "nothing to undo" };
        assert_eq!(row["undone"], undone, "{row:#?}");
    }
}

#[test]
fn remediation_that_plans_nothing_is_noticed() {
    let program = env!("CARGO_BIN_EXE_broken-idle-plan");
    let mut wrong = play(Some(program)).assert_only_these_rows_are_wrong(&[CLOSED[0], PLANNED, CLOSED[1]]);
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
fn remediation_that_takes_more_than_what_is_wrong_is_noticed() {
    let played = play(Some(env!("CARGO_BIN_EXE_broken-greedy-plan")));
    let wrong = played.assert_only_these_rows_are_wrong(&CLOSED);
    // The remediation believes itself: outcome, reason and verdict are right. Only the other rules tell.
    assert_eq!(wrong[CLOSED[0]], ["after the fix: missing `ingress tcp 443-443 0.0.0.0/0 web`"]);
    let missing = ["after the fix: missing `ingress tcp 22-22 10.1.23.2/32 bastion`", wrong[CLOSED[0]][0].as_str()];
    assert_eq!(wrong[CLOSED[1]], missing);
    assert_eq!(played.problems(), Vec::<String>::new());
}

#[test]
fn remediation_that_takes_a_refusal_for_a_success_is_noticed() {
    let played = play(Some(env!("CARGO_BIN_EXE_broken-swallowed-error")));
    let wrong = played.assert_only_these_rows_are_wrong(&CLOSED);
    for problems in wrong.values() {
        assert!(problems.contains(&"outcome: expected verified: received `failed`".to_owned()), "{problems:#?}");
        assert!(
            problems.iter().any(|it| it.starts_with("after the fix: not expected `ingress tcp 22-22 ")),
            "{problems:#?}"
        );
    }
    // It was tried three times, and nobody took that for done.
    let gave_up = |problem: &&String| problem.starts_with("rectify-restricted-ssh-fix gave up: NotVerified");
    assert_eq!(played.problems().iter().filter(gave_up).count(), CLOSED.len(), "{:#?}", played.problems());
}

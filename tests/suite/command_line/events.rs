//! The command `check` on the sample events.

use super::*;

/// The arguments that check an event, with its files of facts or subjects.
fn check_arguments(control: &str, name: &str) -> Vec<String> {
    let file = |folder: &str| format!("events/{control}/{folder}{name}");
    let mut arguments = ["check", "--json", control, "--event"].map(str::to_owned).to_vec();
    arguments.push(file(""));
    for folder in ["facts", "subjects"] {
        let path = file(&format!("{folder}/"));
        if root().join(&path).is_file() {
            arguments.extend([format!("--{folder}"), path]);
        }
    }
    arguments
}

#[test]
fn exit_code_of_every_event_matches_its_file_name() {
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for control in rectify_catalogue::controls() {
        let id = control.meta.id;
        let folder = root().join("events").join(id);
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // A finding is not a rule event, and an item that AWS Config stores cannot be evaluated from a file.
            let elsewhere = name.starts_with("remediation") || folder.join("items").join(&name).exists();
            if !name.ends_with(".json") || elsewhere {
                continue;
            }
            let arguments = check_arguments(id, &name);
            let ran = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
            let answer = ran.json();
            let (verdict, code) = outcome(&answer);
            let is_right = name.starts_with(verdict) && ran.code == code;
            if !is_right {
                wrong.push(format!("{id}/{name}: {verdict}, exit code {}: {answer}", ran.code));
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} events checked");
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The verdict of an answer as file names spell it, and its exit code.
fn outcome(answer: &Value) -> (&'static str, i32) {
    let Some(findings) = answer["findings"].as_array() else { return ("error", 2) };
    let any = |verdict: &str| findings.iter().any(|it| it["verdict"] == verdict);
    match (any("NON_COMPLIANT"), any("COMPLIANT")) {
        (true, _) => ("non-compliant", 1),
        (false, true) => ("compliant", 0),
        (false, false) => ("not-applicable", 0),
    }
}

#[test]
fn json_output_has_verdict_annotation_and_plan() {
    let arguments = check_arguments(ROOT_KEYS, "non-compliant-one-root-access-key.json");
    let ran = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let mut answer = ran.json();
    let steps = answer["findings"][0]["plan"]["steps"].take();
    assert!(
        steps.as_array().unwrap().iter().all(|step| step["level"] == "L0" && step["person"].is_string()),
        "{steps}"
    );
    let expected = json!({ "control": ROOT_KEYS, "findings": [{
        "resource": { "type": "AWS::::Account", "id": ACCOUNT },
        "verdict": "NON_COMPLIANT",
        "annotation": "Root user has 1 access key",
        "stack": null,
        "stack_not_known": null,
        "blockers": null,
        "live": false,
        "subject": { "account": ACCOUNT, "partition": "aws", "accessKeys": 1 },
        "plan": { "kind": "do", "level": "L0", "changes": [], "steps": null, "needs_opt_in": false,
            "blocker": "a step requires an operator" },
    }] });
    assert_eq!((answer, ran.code, ran.err.as_str()), (expected, 1, ""));
}

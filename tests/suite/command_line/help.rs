//! Help and lists at the widths of terminals, and the errors of arguments.

use super::*;

#[test]
fn usage_errors_are_json_with_json() {
    for (arguments, code, expected) in [
        (["plan", "restricted-shh", "x", "--json"], 2, "did you mean `restricted-ssh`?"),
        (["scan", "--json", "--severity", "grave"], 1, "received `grave`"),
    ] {
        let ran = run(&arguments, &[]);
        let error = &ran.json()["error"];
        assert_eq!((ran.code, ran.err.as_str(), &error["kind"]), (code, "", &json!("Usage")), "{ran:?}");
        assert!(error["message"].as_str().unwrap().contains(expected), "{ran:?}");
    }
    let help = run(&["plan", "--help", "--json"], &[]);
    assert!(help.code == 0 && help.out.contains("Usage: rectify plan"), "{help:?}");
}

/// Every help at the widths of common terminals.
#[test]
fn help_fits_the_terminal() {
    for columns in [60_usize, 80, 120] {
        let width = columns.to_string();
        for (name, help) in examples::helps(&[], &width) {
            // A usage is one line whatever the width.
            let is_usage = |line: &&str| line.starts_with("Usage: ") || line.starts_with("       rectify ");
            for line in help.lines().filter(|line| !is_usage(line)) {
                let length = line.chars().count();
                assert!(length <= columns, "{name} at {columns}: {length}: {line}");
            }
            assert!(!help.contains("restricted-common-ports"), "{name} lists all controls");
        }
    }
}

/// The first screen, and the list of the controls, whose ids and titles stay whole.
#[test]
fn controls_fit_the_terminal() {
    for columns in ["80", "120"] {
        let ran = run(&["controls"], &[("COLUMNS", columns)]);
        let longest = ran.out.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(ran.code == 0 && longest <= columns.parse().unwrap(), "{longest}: {}", ran.out);
    }
}

#[test]
fn completions_and_help_need_no_settings() {
    let completions = run(&["completions", "bash"], &[]);
    assert!(completions.code == 0 && completions.out.contains("complete -F _rectify"), "{completions:?}");
    let help = run(&["--help"], &[]);
    assert!(help.code == 0 && help.out.contains("Exit codes:"), "{help:?}");
}

#[test]
fn local_aws_outside_of_the_repository_says_what_to_do() {
    let elsewhere = tempfile::tempdir().unwrap();
    let program = folder().join("rectify-local");
    let ran = Command::new(program).arg("up").env_clear().current_dir(elsewhere.path()).output().unwrap();
    let error = String::from_utf8(ran.stderr).unwrap();
    assert!(error.starts_with("rectify-local: `rectify.yaml`: No such file"), "{error}");
    assert!(
        error.ends_with("\n  run it at the root of the repository, or name the files with --settings and --binaries\n")
    );
    assert_eq!(ran.status.code(), Some(2));
}

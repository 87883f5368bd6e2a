//! `xtask new-control` writes a control that compiles, passes its tests and is accepted by the generators.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtask::scaffold::{self, NewControl, ScaffoldError, Severity};

/// Folders that a copy of the repository leaves out.
const LEFT_OUT: [&str; 4] = ["target", "target-free", ".local", ".git"];

fn new_control() -> NewControl {
    NewControl {
        service: "cloudtrail".to_owned(),
        id: "single-region-trail".to_owned(),
        title: "Trail records one region only".to_owned(),
        why: "What happens in the other regions leaves no trace.".to_owned(),
        resource_type: "AWS::CloudTrail::Trail".to_owned(),
        field: "isMultiRegionTrail".to_owned(),
        wanted: true,
        severity: Severity::High,
    }
}

#[test]
fn new_control_compiles_passes_its_tests_and_is_generated() {
    let copy = copy_of_the_repository();
    let next_steps = scaffold::write(copy.path(), &new_control()).unwrap();
    assert!(next_steps.contains("functions/cloudtrail/src/controls/single_region_trail.rs"), "{next_steps}");

    let tested = cargo(copy.path(), &["test", "-p", "rectify-cloudtrail", "--lib", "single_region_trail"]);
    let printed = text(&tested);
    assert!(tested.status.success(), "{printed}");
    for name in ["the_value_decides", "an_item_without_the_value_is_refused", "an_image_reads_back_as_it_was_stored"] {
        assert!(
            printed.contains(&format!("controls::single_region_trail::tests::{name} ... ok")),
            "{name}:\n{printed}"
        );
    }

    let generated = cargo(copy.path(), &["run", "-p", "xtask", "--", "generate"]);
    assert!(generated.status.success(), "{}", text(&generated));
    let template = std::fs::read_to_string(copy.path().join("template.yaml")).unwrap();
    assert!(template.contains("  SingleRegionTrailRuleFunction:\n"), "the template has no function for it");
    assert!(template.contains("Role: !GetAtt RuleRole.Arn"), "rules without calls share a role");
    assert!(!template.contains("SingleRegionTrailFix"), "a rule without remediation has no second function");
    let page = std::fs::read_to_string(copy.path().join("docs/controls/single-region-trail.md")).unwrap();
    assert!(page.contains("What happens in the other regions leaves no trace."), "{page}");
    let checked = cargo(copy.path(), &["run", "-p", "xtask", "--", "generate", "--check"]);
    assert!(checked.status.success(), "{}", text(&checked));

    let edited = template.replace("Default: rectify-\n", "Default: edited-\n");
    std::fs::write(copy.path().join("template.yaml"), edited).unwrap();
    let checked = cargo(copy.path(), &["run", "-p", "xtask", "--", "generate", "--check"]);
    assert_eq!(checked.status.code(), Some(1));
    let output = text(&checked);
    assert!(output.contains("template.yaml: stale: line") && output.contains("-     Default: edited-"), "{output}");
}

#[test]
fn existing_files_are_never_overwritten() {
    let copy = copy_of_the_repository();
    scaffold::write(copy.path(), &new_control()).unwrap();
    let before = std::fs::read_to_string(copy.path().join("functions/cloudtrail/src/controls.rs")).unwrap();
    let again = scaffold::write(copy.path(), &new_control()).unwrap_err();
    assert!(matches!(&again, ScaffoldError::Exists(file) if file.ends_with("single_region_trail.rs")), "{again}");
    let after = std::fs::read_to_string(copy.path().join("functions/cloudtrail/src/controls.rs")).unwrap();
    assert_eq!(before, after);
    let nowhere = NewControl { service: "no-such-service".to_owned(), id: "other".to_owned(), ..new_control() };
    let refused = scaffold::write(copy.path(), &nowhere).unwrap_err().to_string();
    assert!(refused.starts_with("functions/no-such-service/src/controls.rs: "), "{refused}");
    assert!(!copy.path().join("functions/no-such-service").exists());
}

/// A copy of the sources in a temporary folder.
fn copy_of_the_repository() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if LEFT_OUT.iter().any(|it| path == Path::new(it)) {
                continue;
            }
            if entry.path().is_dir() {
                std::fs::create_dir_all(copy.path().join(&path)).unwrap();
                open.push(path);
            } else {
                std::fs::copy(entry.path(), copy.path().join(&path)).unwrap();
            }
        }
    }
    copy
}

/// Runs cargo in the copy, offline and with a separate target folder.
fn cargo(copy: &Path, arguments: &[&str]) -> Output {
    let (first, rest) = arguments.split_first().unwrap();
    Command::new(env!("CARGO"))
        .arg(first)
        .arg("--offline")
        .args(rest)
        .current_dir(copy)
        // Only one test uses it: copies of the workspace would overwrite each other's binaries.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("scaffold"))
        .env("CARGO_TERM_COLOR", "never")
        .env("RUST_TEST_NOCAPTURE", "0")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

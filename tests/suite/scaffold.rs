//! `xtask new-control` writes a control that compiles, passes its tests and is accepted by the generators.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtask::scaffold::{self, FixLevel, NewControl, NewSetting, ScaffoldError, Severity};

/// Folders that a copy of the repository leaves out.
const LEFT_OUT: [&str; 4] = ["target", "target-free", ".local", ".git"];

/// A rule over one boolean of the configuration item.
fn rule() -> NewControl {
    NewControl {
        service: "cloudtrail".to_owned(),
        id: "single-region-trail".to_owned(),
        title: "Trail records one region only".to_owned(),
        why: "What happens in the other regions leaves no trace.".to_owned(),
        resource_type: "AWS::CloudTrail::Trail".to_owned(),
        field: "isMultiRegionTrail".to_owned(),
        wanted: true,
        severity: Severity::High,
        setting: None,
    }
}

/// A setting with its remediation.
fn setting() -> NewControl {
    NewControl {
        service: "rds".to_owned(),
        id: "rds-instance-multi-az".to_owned(),
        title: "Database has no standby".to_owned(),
        why: "The database is down while its Availability Zone is.".to_owned(),
        resource_type: "AWS::RDS::DBInstance".to_owned(),
        field: "multiAZ".to_owned(),
        wanted: true,
        severity: Severity::Medium,
        setting: Some(NewSetting {
            view: "Instance".to_owned(),
            breaks: "Nothing; the standby costs as much as the instance.".to_owned(),
            level: FixLevel::L2,
            member: None,
            call: None,
            argument: None,
        }),
    }
}

#[test]
fn new_controls_compile_pass_their_tests_and_are_generated() {
    let copy = copy_of_the_repository();
    let read = |file: &str| std::fs::read_to_string(copy.path().join(file)).unwrap();
    let next_steps = scaffold::write(copy.path(), &rule()).unwrap();
    assert!(next_steps.contains("functions/cloudtrail/src/controls/single_region_trail.rs"), "{next_steps}");
    let next_steps = scaffold::write(copy.path(), &setting()).unwrap();
    assert!(next_steps.contains("functions/rds/lambda/src/instances.rs sets `MultiAZ`"), "{next_steps}");
    let client = read("functions/rds/lambda/src/instances.rs");
    assert!(client.contains("\"MultiAZ\" => call.multi_az(value_of(member, value)?),\n"), "{client}");

    // With xtask the libraries have the features that `generate` needs below: it compiles none of them again.
    let packages = ["-p", "rectify-cloudtrail", "-p", "rectify-rds", "-p", "rectify-catalogue", "-p", "xtask"];
    let targets = ["--lib", "--test", "events", "--"];
    let names = ["single_region_trail", "rds_instance_multi_az", "every_event_has_the_outcome", "every_event_shape"];
    let tested = cargo(copy.path(), &[&["test"], &packages[..], &targets, &names].concat());
    let printed = text(&tested);
    assert!(tested.status.success(), "{printed}");
    for name in [
        "controls::single_region_trail::tests::cases",
        "controls::rds_instance_multi_az::tests::cases",
        "controls::rds_instance_multi_az::tests::laws",
        "every_event_has_the_outcome_in_its_name",
        "derived::every_control_handles_every_event_shape",
    ] {
        assert!(printed.contains(&format!("test {name} ... ok")), "{name}:\n{printed}");
    }

    let generated = cargo(copy.path(), &["run", "-p", "xtask", "--", "generate"]);
    assert!(generated.status.success(), "{}", text(&generated));
    let template = read("deploy/controls/cloudtrail.yaml");
    assert!(template.contains("  SingleRegionTrailRuleFunction:\n"), "the template has no function for it");
    assert!(template.contains("Role: !Ref RuleRoleArn"), "rules without calls share a role");
    assert!(!template.contains("SingleRegionTrailFix"), "a rule without remediation has no second function");
    assert!(
        read("deploy/controls/rds.yaml").contains("  RdsInstanceMultiAzFix:\n"),
        "the template has no remediation of the setting"
    );
    let page = read("docs/controls/single-region-trail.md");
    assert!(page.contains("What happens in the other regions leaves no trace."), "{page}");
    let page = read("docs/controls/rds-instance-multi-az.md");
    assert!(page.contains("| remediation | `rds:ModifyDBInstance` |"), "{page}");
    let program = read("functions/rds/lambda/src/bin/rds-instance-multi-az-remediation.rs");
    assert!(program.contains("RDS_INSTANCE_MULTI_AZ as CONTROL"), "{program}");
    let checked = cargo(copy.path(), &["run", "-p", "xtask", "--", "generate", "--check"]);
    assert!(checked.status.success(), "{}", text(&checked));

    let edited = read("template.yaml").replace("Default: 'rectify-'\n", "Default: 'edited-'\n");
    std::fs::write(copy.path().join("template.yaml"), edited).unwrap();
    let checked = cargo(copy.path(), &["run", "-p", "xtask", "--", "generate", "--check"]);
    assert_eq!(checked.status.code(), Some(1));
    let output = text(&checked);
    assert!(output.contains("template.yaml: stale: line") && output.contains("-     Default: 'edited-'"), "{output}");
}

#[test]
fn existing_files_are_never_overwritten() {
    let copy = copy_of_the_repository();
    scaffold::write(copy.path(), &rule()).unwrap();
    let before = std::fs::read_to_string(copy.path().join("functions/cloudtrail/src/controls.rs")).unwrap();
    let again = scaffold::write(copy.path(), &rule()).unwrap_err();
    assert!(matches!(&again, ScaffoldError::Exists(file) if file.ends_with("single_region_trail.rs")), "{again}");
    let after = std::fs::read_to_string(copy.path().join("functions/cloudtrail/src/controls.rs")).unwrap();
    assert_eq!(before, after);
    let unknown = NewSetting { view: "Proxy".to_owned(), ..setting().setting.unwrap() };
    let refused = scaffold::write(copy.path(), &NewControl { setting: Some(unknown), ..setting() }).unwrap_err();
    assert_eq!(refused.to_string(), "--view: expected a view in functions/rds (Cluster, Instance): received `Proxy`");
    let misspelled = NewControl { field: "multiAz".to_owned(), ..setting() };
    let refused = scaffold::write(copy.path(), &misspelled).unwrap_err().to_string();
    assert!(refused.starts_with("--field: expected a boolean in `configuration` of an event for"), "{refused}");
    assert!(!copy.path().join("events/rds-instance-multi-az").exists());
    let nowhere = NewControl { service: "no-such-service".to_owned(), id: "other".to_owned(), ..rule() };
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

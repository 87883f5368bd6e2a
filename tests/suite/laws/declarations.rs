//! Declarations: one id everywhere, readable titles, every heading in the docs, described parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use rectify_catalogue::{controls, service, source};
use rectify_compliance::{Framework, Level, Trigger};
use serde_json::Value;

use super::tree;

#[test]
fn no_two_controls_share_an_id_or_a_pascal_name() {
    let mut ids = BTreeSet::new();
    for control in controls() {
        assert!(ids.insert(control.meta.id.to_owned()), "{}: declared twice", control.meta.id);
        assert!(ids.insert(control.meta.pascal_id()), "{}: its Pascal name is taken", control.meta.id);
    }
    assert!(!ids.is_empty(), "the catalogue is empty");
}

#[test]
fn ids_are_kebab_case_and_fit_function_names() {
    // A function name has at most 64 characters, including a prefix of up to 14 and "-fix".
    for control in controls() {
        let id = control.meta.id;
        let kebab = id
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit()));
        assert!(kebab && id.len() <= 46, "{id}: expected lowercase words joined by hyphens, at most 46 characters");
    }
}

#[test]
fn each_control_is_in_the_file_of_its_name() {
    for control in controls() {
        let expected = format!("functions/{}/src/controls/{}.rs", service(control), control.meta.snake_id());
        assert_eq!(source(control).replace('\\', "/"), expected, "{}", control.meta.id);
    }
}

#[test]
fn titles_read_well_after_found() {
    for control in controls() {
        let (id, title) = (control.meta.id, control.meta.title);
        assert!(title.starts_with(char::is_uppercase), "{id}: `{title}` starts in lower case");
        assert!(
            !title.ends_with(['.', ' ']) && !title.contains('"'),
            "{id}: `{title}` ends with a period or space, or has quotes"
        );
        assert!((10..=80).contains(&title.chars().count()), "{id}: `{title}` is too short or too long");
        let remedy = ["Ensure", "Enable", "Disable", "Check", "Should", "Must", "Verify"];
        assert!(
            !remedy.iter().any(|word| title.split(' ').next() == Some(*word)),
            "{id}: `{title}` names a remedy, not the violation"
        );
    }
}

#[test]
fn docs_have_every_heading_in_order_and_text_below_each() {
    for control in controls() {
        let docs = xtask::page::own_words(control.meta.docs);
        let headings: Vec<&str> = docs.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, xtask::page::HEADINGS, "{}", control.meta.id);
        for section in docs.split("## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap();
            assert!(!text.trim().is_empty(), "{}: nothing below `{heading}`", control.meta.id);
        }
    }
}

#[test]
fn every_parameter_is_described() {
    for control in controls() {
        for parameter in xtask::parameter::of(control) {
            let (id, name, description) = (control.meta.id, &parameter.name, &parameter.description);
            assert!(
                description.ends_with('.') && description.len() > 20,
                "{id}: `{name}`: `{description}` is too short"
            );
            assert!(!parameter.kind.is_empty(), "{id}: `{name}` has no kind");
        }
        assert_eq!(control.check_parameters("{}"), Ok(()), "{}: defaults are refused", control.meta.id);
    }
}

#[test]
fn triggers_are_implemented_and_calls_have_a_level() {
    for control in controls() {
        let (id, meta) = (control.meta.id, &control.meta);
        let change = meta.triggers.contains(&Trigger::Change);
        assert_eq!(control.change.is_some(), change, "{id}: change");
        assert_eq!(control.list_permissions().is_some(), meta.frequency().is_some(), "{id}: schedule");
        assert!(!meta.resource_types.is_empty(), "{id}: no resource type");
        assert!(!control.has_calls() || meta.level > Level::L0, "{id}: calls of level L0");
    }
}

#[test]
fn every_mapping_lists_requirements_once() {
    for control in controls() {
        let mut seen = BTreeMap::<Framework, usize>::new();
        for mapping in control.meta.frameworks {
            *seen.entry(mapping.framework).or_default() += 1;
            assert!(
                !mapping.ids.is_empty(),
                "{}: {} without a requirement",
                control.meta.id,
                mapping.framework.title()
            );
            let once: BTreeSet<&&str> = mapping.ids.iter().collect();
            assert_eq!(once.len(), mapping.ids.len(), "{}: {}", control.meta.id, mapping.framework.title());
        }
        assert!(seen.values().all(|times| *times == 1), "{}: a framework twice", control.meta.id);
    }
}

#[test]
fn programs_match_the_controls() {
    let mut expected: Vec<(String, String)> = controls()
        .flat_map(|control| {
            let package = format!("rectify-{}-lambda", service(control));
            let fix = control.remediation.map(|_| (package.clone(), format!("{}-remediation", control.meta.id)));
            std::iter::once((package, control.meta.id.to_owned())).chain(fix)
        })
        .collect();
    expected.extend(["attribution", "reconciler", "router", "undo"].map(|name| (PLATFORM.to_owned(), name.to_owned())));
    expected.sort();
    assert_eq!(binaries_of_functions(), expected);
    let listed = rectify_catalogue_lambda::functions().chain(rectify_platform::FUNCTIONS).map(|function| function.name);
    let names: BTreeSet<&str> = expected.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(listed.collect::<BTreeSet<_>>(), names, "the catalogue lists the same functions");
}

/// The package of the platform functions; it has no pure crate.
const PLATFORM: &str = "rectify-platform";

/// Package and name of every program under functions/ that is deployed.
fn binaries_of_functions() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut binaries = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = package["manifest_path"].as_str().unwrap();
        if !manifest.replace('\\', "/").contains("/functions/") {
            continue;
        }
        for target in package["targets"].as_array().unwrap().iter().filter(|it| it["kind"][0] == "bin") {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            if !text(&target["name"]).ends_with("-functions") {
                binaries.push((text(&package["name"]), text(&target["name"])));
            }
        }
    }
    binaries.sort();
    binaries
}

#[test]
fn every_control_has_events_of_both_verdicts_and_no_folder_is_unused() {
    let events = tree::root().join("events");
    let mut ids = BTreeSet::new();
    for control in controls() {
        ids.insert(control.meta.id.to_owned());
        let names: Vec<String> = std::fs::read_dir(events.join(control.meta.id))
            .unwrap_or_else(|error| panic!("events/{}: {error}", control.meta.id))
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let mut prefixes = vec!["compliant", "non-compliant"];
        prefixes.extend(control.remediation.map(|_| "remediation"));
        for prefix in prefixes {
            assert!(names.iter().any(|name| name.starts_with(prefix)), "events/{}: no {prefix}…", control.meta.id);
        }
    }
    let folders: BTreeSet<String> = std::fs::read_dir(events)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, ids);
}

#[test]
fn generated_files_are_up_to_date() {
    let artifacts = xtask::artifact::all(&tree::root(), &controls().collect::<Vec<_>>()).unwrap();
    let stale = xtask::artifact::stale(&tree::root(), &artifacts).unwrap();
    let lines: Vec<String> = stale.iter().map(|it| format!("{}: {}", it.path, it.difference)).collect();
    assert!(lines.is_empty(), "run `cargo run -p xtask -- generate`\n{}", lines.join("\n"));
}

#[test]
fn every_control_is_in_the_generated_files() {
    let frameworks = tree::read("docs/frameworks.md");
    let template: String = tree::files(&["deploy/controls"], "yaml").into_iter().map(|file| file.text).collect();
    for control in controls() {
        let id = control.meta.id;
        assert!(template.contains(&format!("ConfigRuleName: !Sub \"${{Prefix}}{id}\"")), "deploy/controls: {id}");
        assert!(frameworks.contains(&format!("controls/{id}.md")), "docs/frameworks.md: {id}");
        assert!(tree::read(&format!("docs/controls/{id}.md")).contains(control.meta.title), "docs/controls/{id}.md");
    }
}

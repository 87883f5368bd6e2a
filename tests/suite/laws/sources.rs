//! What sources must not contain: literal partitions, controls in the runtime, SDKs in the core, files over 400 lines.

use rectify_catalogue::controls;

use super::tree::{self, SourceFile, files, shipped};

/// The maximum length of a source file, in lines.
const MAX_LINES: usize = 400;

/// The offending lines, as a list to print.
fn offenses(sources: &[SourceFile], offends: impl Fn(&SourceFile, &str) -> bool) -> Vec<String> {
    sources
        .iter()
        .flat_map(|file| {
            let lines = file.text.lines().enumerate();
            lines
                .filter(|(_, line)| offends(file, line))
                .map(move |(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim()))
        })
        .collect()
}

fn assert_none(offenses: &[String], law: &str) {
    assert!(offenses.is_empty(), "{law}:\n{}", offenses.join("\n"));
}

#[test]
fn no_partition_is_written_out() {
    let mut sources = shipped(&["functions", "shared", "tools"]);
    sources.extend(files(&["tools/xtask"], "yaml"));
    sources.push(SourceFile { path: "template.yaml".to_owned(), text: tree::read("template.yaml") });
    let literal = |_: &SourceFile, line: &str| line.contains("arn:aws:") || line.contains("arn:aws-");
    assert_none(&offenses(&sources, literal), "a literal partition in an ARN");
}

/// Data about controls, by their names.
const NAMING: [&str; 2] = ["functions/catalogue/src/frameworks/cis.rs", "functions/catalogue/src/profiles/choices.rs"];

#[test]
fn runtime_and_core_name_no_control() {
    let names: Vec<String> = controls()
        .flat_map(|control| [control.meta.id.to_owned(), control.meta.snake_id(), control.meta.pascal_id()])
        .collect();
    let sources = shipped(&[
        "shared/runtime/src",
        "shared/compliance/src",
        "shared/policy/src",
        "functions/catalogue/src",
        "tools/xtask/src",
    ]);
    // Examples in documentation may name a control: an id is clearer than a placeholder.
    let named = |file: &SourceFile, line: &str| {
        !NAMING.contains(&file.path.as_str())
            && !line.trim_start().starts_with("//")
            && names.iter().any(|name| line.contains(name.as_str()))
    };
    assert_none(&offenses(&sources, named), "code for all controls names a control");
}

#[test]
fn core_uses_no_sdk() {
    let sources = files(&["shared/compliance", "shared/policy"], "rs");
    let sdk = |_: &SourceFile, line: &str| {
        !line.trim_start().starts_with("//")
            && ["aws_sdk", "aws_smithy", "aws_types", "lambda_runtime", "tokio"].iter().any(|it| line.contains(it))
    };
    assert_none(&offenses(&sources, sdk), "the core names an SDK");
    let manifest = tree::read("shared/compliance/Cargo.toml");
    for dependency in ["aws-", "lambda", "tokio", "rectify-"] {
        let declared = manifest.lines().any(|line| line.starts_with(dependency));
        assert!(!declared, "shared/compliance/Cargo.toml depends on {dependency}…");
    }
}

#[test]
fn sdk_types_stay_in_the_lambda_crates() {
    let calls = ["/lambda/src/", "functions/platform/src/client.rs", "functions/platform/src/client/"];
    let outside = files(&["functions"], "rs").into_iter();
    let outside: Vec<SourceFile> = outside.filter(|file| !calls.iter().any(|it| file.path.contains(it))).collect();
    let sdk = |_: &SourceFile, line: &str| {
        let code = line.trim_start();
        !code.starts_with("//") && ["aws_sdk_", "aws_smithy", "aws_types"].iter().any(|it| code.contains(it))
    };
    assert_none(&offenses(&outside, sdk), "an SDK is named outside of functions/<service>/lambda");
}

#[test]
fn files_have_at_most_400_lines() {
    let mut sources = files(&["functions", "shared", "tools", "tests"], "rs");
    sources.extend(files(&["tools/xtask"], "yaml"));
    let long: Vec<String> = sources
        .iter()
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert_none(&long, "over 400 lines: split the file by noun");
}

#[test]
fn slow_or_outdated_libraries_are_not_linked() {
    let lock = tree::read("Cargo.lock");
    let packages = lock.split("[[package]]").skip(1).map(|package| {
        let field = |name: &str| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name} = \"")).and_then(|it| it.strip_suffix('"')))
        };
        (field("name").unwrap_or_default(), field("version").unwrap_or_default())
    });
    // (name, start of the version, why)
    let banned = [
        ("aws-lc-sys", "", "22.8 ms of CPU in the first TLS call, where ring takes 1.5 ms"),
        ("aws-lc-rs", "", "the same"),
        ("openssl-sys", "", "a system library, which provided.al2023 does not have"),
        ("native-tls", "", "the same"),
        ("hyper", "0.", "the SDK's old HTTP stack beside the new one"),
        ("rustls", "0.21", "the TLS of that old stack"),
        ("h2", "0.3", "the same"),
    ];
    for (name, version) in packages {
        let reason = banned.iter().find(|(it, start, _)| *it == name && version.starts_with(start));
        assert!(reason.is_none(), "Cargo.lock: {name} {version}: {}", reason.map_or("", |it| it.2));
    }
}

#[test]
fn sources_have_no_unfinished_marks() {
    let marks =
        ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "XX".to_owned() + "X", "unimplemented".to_owned() + "!"];
    let sources = files(&["functions", "shared", "tools", "tests"], "rs");
    let unfinished = |_: &SourceFile, line: &str| marks.iter().any(|mark| line.contains(mark.as_str()));
    assert_none(&offenses(&sources, unfinished), "unfinished code");
}

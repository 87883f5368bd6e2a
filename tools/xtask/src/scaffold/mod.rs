//! A new control: complete, registered, with tests that run.
//!
//! It is a rule only. A remediation reads the resource live through its service's API, which cannot be guessed, and a
//! guess that compiles would be worse than nothing.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rectify_compliance::Region;
use serde_json::{Value, json};

use crate::fragment::{Unfilled, fill};

mod register;
mod word;

/// What a new control is made of.
#[derive(Debug, Clone, Args)]
pub struct NewControl {
    /// Folder under functions/ that it belongs to, e.g. `ec2`.
    pub service: String,
    /// Its one id: the AWS managed rule's name where both check the same, e.g. `encrypted-volumes`.
    pub id: String,
    /// The fault in a few words, to be read after "found:", without a final period.
    #[arg(long)]
    pub title: String,
    /// What may happen because of the fault: one sentence.
    #[arg(long)]
    pub why: String,
    /// The resource type it judges, as AWS Config names it.
    #[arg(long = "type", value_name = "AWS::SERVICE::TYPE")]
    pub resource_type: String,
    /// The boolean in `configuration` that decides; dots lead into objects, e.g. `encrypted` or `options.locked`.
    #[arg(long, value_name = "PATH")]
    pub field: String,
    /// The value it must have.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    pub wanted: bool,
    /// How bad a finding is.
    #[arg(long, value_enum, default_value_t = Severity::Medium)]
    pub severity: Severity,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth planning.
    Medium,
    /// Worth doing this week.
    High,
    /// Worth getting up for.
    Critical,
}

/// Why no control was made. Nothing has been written then, unless it is [`ScaffoldError::File`].
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// An argument that cannot become code.
    #[error("{argument}: expected {expected}: received `{received}`")]
    Argument {
        /// Which.
        argument: &'static str,
        /// What it must be.
        expected: String,
        /// What it was.
        received: String,
    },
    /// There is such a control already.
    #[error("{}: exists", .0.display())]
    Exists(PathBuf),
    /// A file in which the place to insert at cannot be found.
    #[error("{}: no `{sought}` to insert at", .file.display())]
    NoPlace {
        /// The file.
        file: PathBuf,
        /// The text looked for.
        sought: &'static str,
    },
    /// A fragment of this tool.
    #[error(transparent)]
    Fragment(#[from] Unfilled),
    /// A file that cannot be read or written.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Makes the control under `root` and returns what a person should read next.
///
/// # Errors
/// [`ScaffoldError`]. Every file is made in memory first: what cannot be made leaves nothing behind.
pub fn write(root: &Path, new: &NewControl) -> Result<String, ScaffoldError> {
    let words = word::ControlNames::of(new)?;
    let values = words.values();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let service = PathBuf::from("functions").join(&new.service);
    let control = service.join("src/controls").join(format!("{}.rs", words.module));

    let mut files = vec![(control.clone(), fill(include_str!("control.rs.in"), &values)?)];
    files.extend(
        events(&words)
            .into_iter()
            .map(|(name, event)| (PathBuf::from("events").join(&new.id).join(name), format!("{event:#}\n"))),
    );
    for (file, _) in &files {
        if root.join(file).exists() {
            return Err(ScaffoldError::Exists(file.clone()));
        }
    }
    files.push(register::edit(root, &service, &words)?);

    for (file, content) in &files {
        save(&root.join(file), content)?;
    }
    format_code(root, &files);
    let made: Vec<String> = files.iter().map(|(file, _)| format!("  {}", file.display())).collect();
    let file = control.display().to_string();
    let mut values = values;
    let made = made.join("\n");
    values.extend([("made", made.as_str()), ("file", file.as_str())]);
    Ok(fill(include_str!("next.txt.in"), &values)?)
}

fn save(file: &Path, content: &str) -> Result<(), ScaffoldError> {
    let fault = |error| ScaffoldError::File { file: file.to_owned(), error };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(fault)?;
    }
    std::fs::write(file, content).map_err(fault)
}

/// Leaves the code as `cargo fmt` would; without rustfmt it stays as it is, which compiles as well.
fn format_code(root: &Path, files: &[(PathBuf, String)]) {
    let code =
        files.iter().map(|(file, _)| root.join(file)).filter(|file| file.extension().is_some_and(|it| it == "rs"));
    let _ = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .args(code)
        .status();
}

/// Sample events in the shapes AWS Config sends, the file name saying the verdict.
fn events(words: &word::ControlNames) -> [(&'static str, Value); 4] {
    let partition = Region::new("eu-west-1").partition();
    let event = |status: &str, left_scope: bool, configuration: Value| {
        let invoking = json!({
            "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
            "notificationCreationTime": "2026-03-04T05:06:09.000Z", "configurationItemDiff": null,
            "configurationItem": {
                "configurationItemVersion": "1.3", "configurationItemStatus": status,
                "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configurationStateId": 1_772_600_767_890_u64,
                "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": words.resource_type,
                "resourceId": "example", "resourceName": null, "tags": {}, "relationships": [],
                "configuration": configuration, "supplementaryConfiguration": {}
            }
        });
        json!({
            "version": "1.0", "invokingEvent": invoking.to_string(), "ruleParameters": "{}", "resultToken": "TESTMODE",
            "eventLeftScope": left_scope, "evaluationMode": "DETECTIVE", "accountId": "111122223333",
            "configRuleName": format!("rectify-{}", words.id), "configRuleId": "config-rule-a1b2c3",
            "executionRoleArn": partition.arn("iam", "", "111122223333", "role/config"),
            "configRuleArn": partition.arn("config", "eu-west-1", "111122223333", "config-rule/config-rule-a1b2c3")
        })
    };
    [
        ("compliant.json", event("OK", false, words.configuration(json!(words.wanted)))),
        ("non-compliant.json", event("OK", false, words.configuration(json!(!words.wanted)))),
        ("not-applicable-deleted.json", event("ResourceDeleted", true, Value::Null)),
        ("error-value-missing.json", event("OK", false, json!({}))),
    ]
}

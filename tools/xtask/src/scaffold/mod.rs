//! A new control: complete, registered, with passing tests.
//!
//! It is a rule only. A remediation reads the resource live through its service's API. That cannot be scaffolded, and a
//! guess that compiles would be worse than nothing.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rectify_compliance::Region;
use serde_json::{Value, json};

use crate::fragment::{Unfilled, fill};

mod register;
mod word;

/// The properties of a new control.
#[derive(Debug, Clone, Args)]
pub struct NewControl {
    /// The service, a folder under functions/, e.g. `ec2`.
    pub service: String,
    /// The control id: the name of the AWS managed rule if that checks the same, e.g. `encrypted-volumes`.
    pub id: String,
    /// The violation in a few words, readable after "found:", without a final period.
    #[arg(long)]
    pub title: String,
    /// What the violation may lead to, one sentence.
    #[arg(long)]
    pub why: String,
    /// The AWS Config resource type that it evaluates.
    #[arg(long = "type", value_name = "AWS::SERVICE::TYPE")]
    pub resource_type: String,
    /// The boolean in `configuration` that decides, with dots into nested objects, e.g. `encrypted` or
    /// `options.locked`.
    #[arg(long, value_name = "PATH")]
    pub field: String,
    /// The value that is compliant.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    pub wanted: bool,
    /// The severity of a finding.
    #[arg(long, value_enum, default_value_t = Severity::Medium)]
    pub severity: Severity,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    /// For information.
    Low,
    /// Plan a fix.
    Medium,
    /// Fix this week.
    High,
    /// Page someone.
    Critical,
}

/// Why no control was created. Nothing has been written, except possibly after [`ScaffoldError::File`].
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// An argument that cannot become code.
    #[error("{argument}: expected {expected}: received `{received}`")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// The expected value.
        expected: String,
        /// The received value.
        received: String,
    },
    /// A control with this file already exists.
    #[error("{}: already exists", .0.display())]
    Exists(PathBuf),
    /// A file without the text at which to insert.
    #[error("{}: expected `{sought}` to insert after", .file.display())]
    NoPlace {
        /// The file.
        file: PathBuf,
        /// The text looked for.
        sought: &'static str,
    },
    /// A placeholder without a value in a fragment of this tool.
    #[error(transparent)]
    Fragment(#[from] Unfilled),
    /// A file that cannot be read or written.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system error.
        error: std::io::Error,
    },
}

/// Creates the control under `root` and returns the next steps as text.
///
/// # Errors
/// [`ScaffoldError`]. Every file is rendered in memory before the first one is written.
pub fn write(root: &Path, new: &NewControl) -> Result<String, ScaffoldError> {
    let names = word::ControlNames::of(new)?;
    let values = names.values();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let service = PathBuf::from("functions").join(&new.service);
    let control = service.join("src/controls").join(format!("{}.rs", names.module));

    let mut files = vec![(control.clone(), fill(include_str!("control.rs.in"), &values)?)];
    files.extend(
        events(&names)
            .into_iter()
            .map(|(name, event)| (PathBuf::from("events").join(&new.id).join(name), format!("{event:#}\n"))),
    );
    for (file, _) in &files {
        if root.join(file).exists() {
            return Err(ScaffoldError::Exists(file.clone()));
        }
    }
    files.push(register::edit(root, &service, &names)?);

    for (file, content) in &files {
        save(&root.join(file), content)?;
    }
    format_code(root, &files);
    let created: Vec<String> = files.iter().map(|(file, _)| format!("  {}", file.display())).collect();
    let file = control.display().to_string();
    let mut values = values;
    let created = created.join("\n");
    values.extend([("created", created.as_str()), ("file", file.as_str())]);
    Ok(fill(include_str!("next.txt.in"), &values)?)
}

fn save(file: &Path, content: &str) -> Result<(), ScaffoldError> {
    let file_error = |error| ScaffoldError::File { file: file.to_owned(), error };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(file_error)?;
    }
    std::fs::write(file, content).map_err(file_error)
}

/// Formats the code; without rustfmt it stays unformatted, but still compiles.
fn format_code(root: &Path, files: &[(PathBuf, String)]) {
    let code =
        files.iter().map(|(file, _)| root.join(file)).filter(|file| file.extension().is_some_and(|it| it == "rs"));
    let _ = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .args(code)
        .status();
}

/// Sample events as AWS Config sends them; the file name gives the verdict.
fn events(names: &word::ControlNames) -> [(&'static str, Value); 4] {
    let partition = Region::new("eu-west-1").partition();
    let event = |status: &str, left_scope: bool, configuration: Value| {
        let invoking = json!({
            "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
            "notificationCreationTime": "2026-03-04T05:06:09.000Z", "configurationItemDiff": null,
            "configurationItem": {
                "configurationItemVersion": "1.3", "configurationItemStatus": status,
                "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configurationStateId": 1_772_600_767_890_u64,
                "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": names.resource_type,
                "resourceId": "example", "resourceName": null, "tags": {}, "relationships": [],
                "configuration": configuration, "supplementaryConfiguration": {}
            }
        });
        json!({
            "version": "1.0", "invokingEvent": invoking.to_string(), "ruleParameters": "{}", "resultToken": "TESTMODE",
            "eventLeftScope": left_scope, "evaluationMode": "DETECTIVE", "accountId": "111122223333",
            "configRuleName": format!("rectify-{}", names.id), "configRuleId": "config-rule-a1b2c3",
            "executionRoleArn": partition.arn("iam", "", "111122223333", "role/config"),
            "configRuleArn": partition.arn("config", "eu-west-1", "111122223333", "config-rule/config-rule-a1b2c3")
        })
    };
    [
        ("compliant.json", event("OK", false, names.configuration(json!(names.wanted)))),
        ("non-compliant.json", event("OK", false, names.configuration(json!(!names.wanted)))),
        ("not-applicable-deleted.json", event("ResourceDeleted", true, Value::Null)),
        ("error-value-missing.json", event("OK", false, json!({}))),
    ]
}

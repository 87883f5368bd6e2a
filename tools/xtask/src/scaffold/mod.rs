//! A new control: complete, registered, with passing tests.
//!
//! With a view of the resource it is a [`Setting`](rectify_compliance::Setting) with its remediation; otherwise a rule
//! only. Other remediations read the resource live through its service's API. That cannot be scaffolded, and a guess
//! that compiles would be worse than nothing.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rectify_synth::fragment::{Unfilled, fill};

mod events;
mod register;
mod service;
mod word;

/// The properties of a new control.
#[derive(Debug, Clone, Args)]
pub struct NewControl {
    /// The service, a folder under functions/, e.g. `ec2`.
    pub service: String,
    /// The control id: the name of the AWS managed rule if that checks the same, e.g. `restricted-ssh`.
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
    /// The remediation: one call that sets a member of a view.
    #[command(flatten)]
    pub setting: Option<NewSetting>,
}

/// The properties of a setting, beyond those of every control.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With a remediation")]
pub struct NewSetting {
    /// The view of the resource, a type in functions/<SERVICE>/src/resources that implements `View`, e.g. `Instance`:
    /// adds a remediation, one call that sets one member.
    #[arg(long, required = false, value_name = "TYPE")]
    pub view: String,
    /// What the call may break, one sentence.
    #[arg(long, required = false, value_name = "SENTENCE")]
    pub breaks: String,
    /// The level of the call: L1 is additive and has no effect on availability, L2 is applied only with an opt-in.
    #[arg(long, required = false, value_enum, value_name = "LEVEL", ignore_case = true)]
    pub level: FixLevel,
    /// The boolean of the view; by default the last part of `--field` in snake case.
    #[arg(long, requires = "view", value_name = "NAME")]
    pub member: Option<String>,
    /// The operation that sets it, e.g. `ModifyDBInstance`; by default the only one beside the view.
    #[arg(long, requires = "view", value_name = "OPERATION")]
    pub call: Option<String>,
    /// The member of its input; by default the last part of `--field`, capitalized.
    #[arg(long, requires = "view", value_name = "NAME")]
    pub argument: Option<String>,
}

/// The level of a call that may be applied automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FixLevel {
    /// Additive, reversible, no effect on availability.
    #[value(name = "L1")]
    L1,
    /// Reversible, but may break access or cost money.
    #[value(name = "L2")]
    L2,
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
        sought: String,
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

/// The error for an argument that cannot become code.
fn refuse(argument: &'static str, expected: &str, received: &str) -> ScaffoldError {
    ScaffoldError::Argument { argument, expected: expected.to_owned(), received: received.to_owned() }
}

/// Creates the control under `root` and returns the next steps as text.
///
/// # Errors
/// [`ScaffoldError`]. Every file is rendered in memory before the first one is written.
pub fn write(root: &Path, new: &NewControl) -> Result<String, ScaffoldError> {
    let names = word::ControlNames::of(new)?;
    let service = PathBuf::from("functions").join(&new.service);
    let control = service.join("src/controls").join(format!("{}.rs", names.module));
    let setting = new.setting.as_ref().map(|it| service::SettingNames::of(root, new, it)).transpose()?;
    let mut values = names.values();
    values.push(("file", control.display().to_string()));
    let (code, later, row, item) = match &setting {
        None => {
            let row = register::Row { constructor: "on_item", end: "reported" };
            (include_str!("rule.rs.in"), include_str!("next_rule.txt.in"), row, events::example(&names))
        }
        Some(setting) => {
            values.extend(setting.values(names.wanted, names.key()));
            let constructor = if setting.is_item { "on_item" } else { "on_change" };
            let row = register::Row { constructor, end: "remediated" };
            (include_str!("setting.rs.in"), include_str!("next_setting.txt.in"), row, events::sample(root, &names)?)
        }
    };

    let mut files = vec![(control.clone(), filled(code, &values)?)];
    let folder = PathBuf::from("events").join(&new.id);
    let events = events::of(&names, &item, setting.is_some());
    files.extend(events.into_iter().map(|(name, event)| (folder.join(name), format!("{event:#}\n"))));
    if let Some((file, _)) = files.iter().find(|(file, _)| root.join(file).exists()) {
        return Err(ScaffoldError::Exists(file.clone()));
    }
    files.push(register::edit(root, &service, &names.module, row)?);
    files.extend(setting.and_then(|it| Some((it.client, it.client_text?))));

    for (file, content) in &files {
        save(&root.join(file), content)?;
    }
    format_code(root, &files);
    let created: Vec<String> = files.iter().map(|(file, _)| format!("  {}", file.display())).collect();
    values.extend([("created", created.join("\n")), ("later", filled(later, &values)?)]);
    Ok(filled(include_str!("next.txt.in"), &values)?)
}

fn filled(fragment: &str, values: &[(&str, String)]) -> Result<String, Unfilled> {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fill(fragment, &values)
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

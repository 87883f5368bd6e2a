//! Evaluates a rule event like the deployed rule, with the facts or subjects it would read given as files.

use std::io::Read;
use std::path::{Path, PathBuf};

use rectify_compliance::gate::{self, Route, RuleScope};
use rectify_compliance::parameters::CommonParameters;
use rectify_compliance::{
    AccountId, ConfigurationItem, Entry, IdentifiedState, Message, Region, ResourceKey, RuleEvent, StoredState, Verdict,
};
use rectify_runtime::Error;
use rectify_runtime::settings::Environment;
use serde_json::Value;

use super::finding::{Finding, Seen};
use crate::arguments::CheckArguments;
use crate::cli_error::CliError;
use crate::place;

/// The folders of the sample events with what a rule reads in addition to the event.
const FACTS: &str = "facts";
const SUBJECTS: &str = "subjects";

/// Reads the files and evaluates the event.
pub(super) fn check(
    control: &Entry,
    path: &Path,
    arguments: &CheckArguments,
    environment: &Environment,
) -> Result<Vec<Finding>, CliError> {
    let event = RuleEvent::parse(&read(path)?).map_err(|error| CliError::from(error).of_file())?;
    let facts = arguments.facts.clone().or_else(|| beside(path, FACTS)).as_deref().map(read).transpose()?;
    let subjects = match arguments.subjects.clone().or_else(|| beside(path, SUBJECTS)) {
        None => None,
        Some(path) => match read(&path)? {
            Value::Array(subjects) => Some(subjects),
            other => return Err(not_a_list(&path, &other)),
        },
    };
    let region = match arguments.region.as_deref() {
        None => region_of(&event),
        Some(given) => Some(Region::new(given)),
    };
    let region = region.map_or_else(|| place::region(None, environment), Ok)?;
    evaluate(control, &event, &Given { path, facts, subjects, region }).map_err(CliError::of_file)
}

/// What the rule's function would have or read in addition to the event.
struct Given<'a> {
    path: &'a Path,
    facts: Option<Value>,
    subjects: Option<Vec<Value>>,
    region: Region,
}

fn evaluate(control: &Entry, event: &RuleEvent, given: &Given<'_>) -> Result<Vec<Finding>, CliError> {
    let text = event.parameters.as_deref().unwrap_or("{}");
    control.check_parameters(text)?;
    let common = CommonParameters::parse(text)?;
    let home = common.home_region.clone().unwrap_or_else(|| given.region.default_home_region());
    let scope = RuleScope { meta: control.meta, parameters: &common, here: &given.region, home: &home };
    match gate::route(event, &scope)? {
        Route::Answer(resource, verdict) => Ok(vec![Finding::answer(resource, verdict)]),
        Route::AnswerAccount(verdict) => Ok(vec![Finding::answer(ResourceKey::account(&account(event)?), verdict)]),
        Route::Judge(item) => evaluate_item(control, event, item, given).map(|it| vec![it]),
        Route::Fetch => Err(CliError::usage(format!(
            "{}: the configuration item is too large for the event and is not in it: `rectify check {} RESOURCE` reads the resource",
            given.path.display(),
            control.meta.id
        ))),
        Route::Periodic => evaluate_subjects(control, event, &scope, given),
    }
}

fn evaluate_item(
    control: &Entry,
    event: &RuleEvent,
    item: &ConfigurationItem,
    given: &Given<'_>,
) -> Result<Finding, CliError> {
    let change = control.change.ok_or(Error::UnsupportedTrigger { half: "change" })?;
    let state = change.subject(item, given.facts.clone().unwrap_or(Value::Null)).map_err(|error| {
        let error = CliError::from(error);
        match &given.facts {
            None if error.to_string().starts_with("facts:") => facts_missing(control, given.path),
            None | Some(_) => error,
        }
    })?;
    finding(control, event, item.resource.clone(), state, &given.region)
}

fn evaluate_subjects(
    control: &Entry,
    event: &RuleEvent,
    scope: &RuleScope<'_>,
    given: &Given<'_>,
) -> Result<Vec<Finding>, CliError> {
    if control.list_permissions().is_none() {
        return Err(Error::UnsupportedTrigger { half: "periodic" }.into());
    }
    let subjects = given.subjects.as_ref().ok_or_else(|| subjects_missing(control, given.path))?;
    if subjects.is_empty() {
        let account = ResourceKey::account(&account(event)?);
        return Ok(vec![Finding::answer(account, Verdict::not_applicable("no resource in scope"))]);
    }
    let mut findings: Vec<Finding> = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let IdentifiedState { resource, name, image: state, .. } = control.image(subject.clone())?;
        if findings.iter().any(|it| it.resource == resource) {
            continue;
        }
        findings.push(match scope.out_of_scope(&resource, name.as_deref()) {
            Some(verdict) => Finding::answer(resource, verdict),
            None => finding(control, event, resource, state, &given.region)?,
        });
    }
    Ok(findings)
}

fn finding(
    control: &Entry,
    event: &RuleEvent,
    resource: ResourceKey,
    state: StoredState,
    region: &Region,
) -> Result<Finding, CliError> {
    let text = event.parameters.as_deref().unwrap_or("{}");
    let now = event.message.time();
    let verdict = control.evaluate(&state, text, now)?;
    let plan = match control.remediation {
        Some(remediation) if verdict.is_non_compliant() => Some((remediation.plan(&state, text, now)?, region.clone())),
        Some(_) | None => None,
    };
    Ok(Finding { resource, verdict, plan, subject: Some(state), stack: Ok(None), seen: Seen::Recorded, outlook: None })
}

/// The account of the rule: that of a scheduled event, else the owner of the rule.
fn account(event: &RuleEvent) -> Result<AccountId, CliError> {
    let scheduled = match &event.message {
        Message::Periodic { account, .. } => account.clone(),
        Message::Change { .. } | Message::Oversized { .. } => None,
    };
    scheduled
        .or_else(|| event.account.clone())
        .ok_or_else(|| rectify_compliance::ShapeError::missing("accountId", "the account of the rule").into())
}

/// The region of the rule: from its ARN, else from the item, whose region may be `global`.
fn region_of(event: &RuleEvent) -> Option<Region> {
    let of_rule = event.rule_arn.as_deref().and_then(|arn| arn.split(':').nth(3)).map(Region::new);
    let of_item = match &event.message {
        Message::Change { item, .. } => Some(item.region.clone()),
        Message::Oversized { summary, .. } => Some(summary.target.region.clone()),
        Message::Periodic { .. } => None,
    };
    of_rule.or(of_item).filter(|region| !["", "global"].contains(&region.as_str()))
}

fn read(path: &Path) -> Result<Value, CliError> {
    let unreadable = |why: &dyn std::fmt::Display| CliError::usage(format!("{}: {why}", path.display()));
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| unreadable(&error))?;
    serde_json::from_str(&text).map_err(|error| unreadable(&format_args!("not JSON: {error}")))
}

fn not_a_list(path: &Path, received: &Value) -> CliError {
    let received: String = received.to_string().chars().take(60).collect();
    CliError::usage(format!("{}: expected a list of subjects: received `{received}`", path.display()))
}

fn facts_missing(control: &Entry, event: &Path) -> CliError {
    let calls = control.change.map_or(&[][..], |change| change.fact_permissions());
    let calls = calls.iter().map(|it| it.action).collect::<Vec<_>>().join(", ");
    let id = control.meta.id;
    let why = format!("facts: `{id}` evaluates a configuration item together with the results of {calls}");
    CliError::usage(format!("{why}: {}: received nothing", expected("--facts", FACTS, event)))
}

fn subjects_missing(control: &Entry, event: &Path) -> CliError {
    let id = control.meta.id;
    let why = format!("subjects: `{id}` lists the account's resources on a schedule");
    CliError::usage(format!("{why}: {}: received nothing", expected("--subjects", SUBJECTS, event)))
}

/// What to give: the option, or a file next to that of the event.
fn expected(option: &str, folder: &str, event: &Path) -> String {
    match neighbor(event, folder) {
        Some(file) => format!("expected {option} FILE, or {}", file.display()),
        None => format!("expected {option} FILE"),
    }
}

/// The file with the data of an event, if it exists.
fn beside(event: &Path, folder: &str) -> Option<PathBuf> {
    neighbor(event, folder).filter(|file| file.is_file())
}

/// The path that the sample events use for the data of an event: a folder next to it, the same file name. An event from
/// standard input has none.
fn neighbor(event: &Path, folder: &str) -> Option<PathBuf> {
    (event != Path::new("-")).then(|| Some(event.parent()?.join(folder).join(event.file_name()?)))?
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;

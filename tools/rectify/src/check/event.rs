//! A rule event judged as the deployed rule would judge it, with what it would have read given as files.

use std::io::Read;
use std::path::Path;

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

/// Reads the files, then judges.
pub(super) fn check(
    control: &Entry,
    path: &Path,
    arguments: &CheckArguments,
    environment: &Environment,
) -> Result<Vec<Finding>, CliError> {
    let event = RuleEvent::parse(&read(path)?)?;
    let facts = arguments.facts.as_deref().map(read).transpose()?;
    let subjects = match arguments.subjects.as_deref() {
        None => None,
        Some(path) => match read(path)? {
            Value::Array(subjects) => Some(subjects),
            other => return Err(not_a_list(path, &other)),
        },
    };
    let region = match arguments.region.as_deref() {
        None => region_of(&event),
        Some(given) => Some(Region::new(given)),
    };
    let region = region.map_or_else(|| place::region(None, environment), Ok)?;
    judge(control, &event, &Given { path, facts, subjects, region })
}

/// What a rule's function would have had or read besides the event.
struct Given<'a> {
    path: &'a Path,
    facts: Option<Value>,
    subjects: Option<Vec<Value>>,
    region: Region,
}

fn judge(control: &Entry, event: &RuleEvent, given: &Given<'_>) -> Result<Vec<Finding>, CliError> {
    let text = event.parameters.as_deref().unwrap_or("{}");
    control.check_parameters(text)?;
    let shell = CommonParameters::parse(text)?;
    let home = shell.home_region.clone().unwrap_or_else(|| given.region.default_home());
    let scope = RuleScope { meta: control.meta, parameters: &shell, here: &given.region, home: &home };
    match gate::route(event, &scope)? {
        Route::Answer(resource, verdict) => Ok(vec![Finding::answer(resource, verdict)]),
        Route::AnswerAccount(verdict) => Ok(vec![Finding::answer(ResourceKey::account(&account(event)?), verdict)]),
        Route::Judge(item) => judge_item(control, event, item, given).map(|it| vec![it]),
        Route::Fetch => Err(CliError::usage(format!(
            "{}: the item is too large for the event and lies with AWS Config: judge the resource itself with --live",
            given.path.display()
        ))),
        Route::Periodic => judge_subjects(control, event, &scope, given),
    }
}

fn judge_item(
    control: &Entry,
    event: &RuleEvent,
    item: &ConfigurationItem,
    given: &Given<'_>,
) -> Result<Finding, CliError> {
    let half = control.change.ok_or(Error::UnsupportedTrigger { half: "change" })?;
    let image = half.subject(item, given.facts.clone().unwrap_or(Value::Null)).map_err(|error| {
        let error = CliError::from(error);
        match &given.facts {
            None if error.to_string().starts_with("facts:") => wants_facts(control, given.path),
            None | Some(_) => error,
        }
    })?;
    finding(control, event, item.resource.clone(), image)
}

fn judge_subjects(
    control: &Entry,
    event: &RuleEvent,
    scope: &RuleScope<'_>,
    given: &Given<'_>,
) -> Result<Vec<Finding>, CliError> {
    if control.list_permissions().is_none() {
        return Err(Error::UnsupportedTrigger { half: "periodic" }.into());
    }
    let subjects = given.subjects.as_ref().ok_or_else(|| wants_subjects(control, given.path))?;
    if subjects.is_empty() {
        let account = ResourceKey::account(&account(event)?);
        return Ok(vec![Finding::answer(account, Verdict::not_applicable("no resource in scope"))]);
    }
    let mut findings: Vec<Finding> = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let IdentifiedState { resource, name, image, .. } = control.image(subject.clone())?;
        if findings.iter().any(|it| it.resource == resource) {
            continue;
        }
        findings.push(match scope.out_of_scope(&resource, name.as_deref()) {
            Some(verdict) => Finding::answer(resource, verdict),
            None => finding(control, event, resource, image)?,
        });
    }
    Ok(findings)
}

fn finding(control: &Entry, event: &RuleEvent, resource: ResourceKey, image: StoredState) -> Result<Finding, CliError> {
    let text = event.parameters.as_deref().unwrap_or("{}");
    let now = event.message.time();
    let verdict = control.evaluate(&image, text, now)?;
    let plan = match control.remediation {
        Some(half) if verdict.is_non_compliant() => Some(half.plan(&image, text, now)?),
        Some(_) | None => None,
    };
    Ok(Finding { resource, verdict, plan, subject: Some(image), stack: Ok(None), seen: Seen::Recorded })
}

/// The account of the rule: a scheduled event's own, else the rule's owner.
fn account(event: &RuleEvent) -> Result<AccountId, CliError> {
    let scheduled = match &event.message {
        Message::Periodic { account, .. } => account.clone(),
        Message::Change { .. } | Message::Oversized { .. } => None,
    };
    scheduled
        .or_else(|| event.account.clone())
        .ok_or_else(|| rectify_compliance::ShapeError::missing("accountId", "the account of the rule").into())
}

/// Where the rule runs: told by its ARN, else by the item, which AWS Config may have from `global`.
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

fn wants_facts(control: &Entry, event: &Path) -> CliError {
    let calls = control.change.map_or(&[][..], |half| half.fact_permissions());
    let calls = calls.iter().map(|it| it.action).collect::<Vec<_>>().join(", ");
    CliError::usage(format!(
        "facts: `{}` judges an item together with what {calls} say: expected --facts {}: received nothing",
        control.meta.id,
        beside(event, "facts")
    ))
}

fn wants_subjects(control: &Entry, event: &Path) -> CliError {
    CliError::usage(format!(
        "subjects: `{}` lists the account on a schedule: expected --subjects {}: received nothing",
        control.meta.id,
        beside(event, "subjects")
    ))
}

/// Where the sample events keep what belongs to an event: a folder beside it, the same file name.
fn beside(event: &Path, folder: &str) -> String {
    match (event.parent(), event.file_name()) {
        (Some(parent), Some(name)) if event != Path::new("-") => parent.join(folder).join(name).display().to_string(),
        _ => "<FILE>".to_owned(),
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;

//! `rectify undo`: shows the calls, prompts for confirmation, and makes them.

use std::io::{BufRead, IsTerminal, Write};

use rectify_compliance::plan::call_text;
use rectify_runtime::ledger::Attempt;
use rectify_runtime::remediation::undo::{UndoRequest, Undone};
use rectify_runtime::settings::Environment;
use rectify_scan::{command, plan};
use serde_json::{Value, json};

use crate::arguments::UndoArguments;
use crate::caller::{self, Caller};
use crate::check::known;
use crate::cli_error::CliError;
use crate::place::{self, OpenLedger};
use crate::plan_text;
use crate::report::{Report, moment};
use crate::style::Style;

/// Undoes an attempt.
pub(crate) async fn run(arguments: &UndoArguments, environment: &Environment, quiet: bool) -> Result<Report, CliError> {
    let open = OpenLedger::open_to_decide(&arguments.ledger, environment).await?;
    let by = place::operator(arguments.operator.by.as_deref(), environment)?;
    let id = &arguments.attempt;
    let attempt = open.attempt(id).await?;
    if let Some(report) = nothing_to_do(&attempt) {
        return Ok(report);
    }
    let other = match &arguments.resource_profile {
        None => None,
        Some(profile) => {
            Some(Caller::new(Some(open.caller.region().as_str()), &caller::environment(Some(profile))).await?)
        }
    };
    let caller = other.as_ref().unwrap_or(&open.caller);
    expect_account(caller, &attempt).await?;
    let preview = preview(&attempt)?;
    let style = Style::of(environment, std::io::stderr().is_terminal());
    confirm(arguments, &attempt, &preview, quiet, style)?;
    let operations = rectify_catalogue_lambda::operations()
        .find(|it| it.id() == attempt.control)
        .ok_or_else(|| CliError::usage(format!("undo {id}: control `{}` has no undo", attempt.control)))?;
    let request =
        UndoRequest { attempt: id.clone(), by, hold_days: arguments.hold_days, overwrite: arguments.overwrite_changes };
    let undone = operations.undo(caller.config(), &open.ledger, &attempt.target, &request).await?;
    Ok(ended(&attempt, &undone))
}

/// Refuses credentials of another account than the resource's, before the preview and the prompt.
async fn expect_account(caller: &Caller, attempt: &Attempt) -> Result<(), CliError> {
    let (own, account) = (&caller.identity().await?.account, &attempt.target.account);
    if own == account {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "undo {}: expected credentials of {account}, the account of the resource: received those of {own}: name a \
         profile of {account} with --resource-profile",
        attempt.id
    )))
}

/// The report for an attempt with nothing to undo, which needs no confirmation.
fn nothing_to_do(attempt: &Attempt) -> Option<Report> {
    if attempt.undo.as_ref().is_some_and(|undo| undo.finished_at.is_some()) {
        return Some(ended(attempt, &Undone::AlreadyUndone));
    }
    (attempt.before.is_none() || !attempt.has_acted()).then(|| ended(attempt, &Undone::NothingToUndo))
}

/// What an undo will do.
#[derive(Debug, Default)]
struct Preview {
    /// The calls, in order.
    calls: Vec<Value>,
    /// The command of each call; none if the AWS CLI has none.
    commands: Vec<Option<String>>,
    /// What they change in the resource, if it is as the attempt left it.
    changes: Vec<String>,
}

fn preview(attempt: &Attempt) -> Result<Preview, CliError> {
    let control = known(&attempt.control)?;
    let (Some(remediation), Some(before)) = (control.remediation, &attempt.before) else {
        return Ok(Preview::default());
    };
    let (actions, responses): (Vec<Value>, Vec<Value>) =
        attempt.done().map(|(action, response)| (action.clone(), response.clone())).unzip();
    let calls = remediation.undo(before, &actions, &responses)?.map_err(|irreversible| CliError::Refused {
        reason: format!("undo {}: {irreversible}", attempt.id),
        details: json!({ "attempt": attempt.id }),
    })?;
    let region = attempt.target.region.as_str();
    let command = |call| Some(command::in_region(&command::of(control, call)?, call, region));
    let commands = calls.iter().map(command).collect();
    Ok(Preview { commands, changes: plan::changes_of_undo(control, before, &actions), calls })
}

/// Shows what will be reverted, and continues only if the operator confirms.
fn confirm(
    arguments: &UndoArguments,
    attempt: &Attempt,
    preview: &Preview,
    quiet: bool,
    style: Style,
) -> Result<(), CliError> {
    let mut errors = std::io::stderr();
    let stderr_error = |error: std::io::Error| CliError::Machine(format!("stderr: {error}"));
    if !quiet {
        errors.write_all(warning(arguments, attempt, preview, style).as_bytes()).map_err(stderr_error)?;
    }
    if arguments.confirm_exposure {
        return Ok(());
    }
    let refused = |reason: &str| CliError::Refused {
        reason: format!("undo {}: not confirmed: {reason}", attempt.id),
        details: json!({ "attempt": attempt.id, "resource": attempt.target.resource, "changes": preview.changes,
            "calls": preview.calls, "commands": preview.commands }),
    };
    if quiet || !std::io::stdin().is_terminal() {
        return Err(refused("it restores the exposure that the fix removed: expected --confirm-exposure"));
    }
    errors.write_all(b"Revert the fix? Type yes: ").map_err(stderr_error)?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| CliError::Machine(format!("stdin: {error}")))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(refused("no call was made")) }
}

fn warning(arguments: &UndoArguments, attempt: &Attempt, preview: &Preview, style: Style) -> String {
    let (target, hold_days) = (&attempt.target, arguments.hold_days);
    let condition = match (arguments.overwrite_changes, &attempt.undo) {
        (true, _) => "calls to make, overwriting any change since",
        (false, None) => "calls to make, if the resource is as the attempt left it",
        (false, Some(_)) => {
            "calls to make, except those that an earlier undo made, if the resource is as the attempt or that undo left it"
        }
    };
    let mut lines = vec![format!(
        "{} undo of {} reverts the fix of {} on {} in account {}, region {}, and so restores the exposure",
        style.error("warning:"),
        attempt.id,
        attempt.control,
        target.resource,
        target.account,
        target.region
    )];
    lines.extend(plan_text::change_lines(&preview.changes, style));
    lines.push(format!("{condition}:"));
    lines.extend((1..).zip(&preview.calls).map(|(number, call): (u32, _)| format!("  {number}. {}", call_text(call))));
    for unknown in attempt.actions.iter().filter(|record| record.receipt.is_none()) {
        lines.push(format!(
            "  and the call that reverts {}, if it turns out to have succeeded",
            call_text(&unknown.action)
        ));
    }
    let control = &attempt.control;
    let days = if hold_days == 1 { "1 day".to_owned() } else { format!("{hold_days} days") };
    lines.push(format!("hold: {control} changes nothing on it for {days}; it stays NON_COMPLIANT"));
    lines.join("\n") + "\n"
}

fn ended(attempt: &Attempt, undone: &Undone) -> Report {
    let id = &attempt.id;
    let (outcome, text) = match undone {
        Undone::Restored { calls, held_until } => {
            let mut text = format!("undone {id}: {} has its previous state again\n", attempt.target.resource);
            for (number, call) in (1..).zip(calls) {
                let number: u32 = number;
                text += &format!("  {number}. {call}\n");
            }
            text += &format!("held for {} until {}: ", attempt.control, moment(*held_until));
            text += &format!("`rectify hold end {} ", attempt.control);
            text += &format!("{} --account {}` ends it\n", attempt.target.resource.id, attempt.target.account);
            (json!({ "outcome": "restored", "calls": calls, "held_until": held_until }), text)
        }
        Undone::AlreadyUndone => {
            let when = attempt.undo.as_ref().and_then(|it| it.finished_at.map(|at| (at, it.by.as_str())));
            let when = when.map_or_else(String::new, |(at, by)| format!(" on {} by {by}", moment(at)));
            (json!({ "outcome": "already-undone" }), format!("already undone{when}: no call was made\n"))
        }
        Undone::NothingToUndo => {
            (json!({ "outcome": "nothing-to-undo" }), format!("nothing to undo: {id} changed nothing\n"))
        }
    };
    Report::fine(text, json!({ "attempt": id, "resource": attempt.target.resource, "undo": outcome }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use clap::Parser;
    use rectify_compliance::StoredState;
    use rectify_runtime::ledger::ActionRecord;

    use super::*;
    use crate::arguments::{Arguments, Command};
    use crate::history::tests::attempt;
    use crate::style::PLAIN;

    #[test]
    fn nothing_to_undo_succeeds_without_confirmation() {
        let done = attempt();
        let report = nothing_to_do(&done).unwrap();
        assert_eq!(report.text, "already undone on 2026-03-05 00:00:01Z by ada: no call was made\n");
        assert_eq!(report.ending.code(), 0);
        let idle = Attempt { undo: None, actions: Vec::new(), ..attempt() };
        assert_eq!(nothing_to_do(&idle).unwrap().text, "nothing to undo: 01JZ changed nothing\n");
    }

    #[test]
    fn the_warning_shows_resource_calls_and_hold() {
        let text = warning(&arguments(), &attempt(), &authorization(), PLAIN);
        assert!(text.contains("reverts the fix of restricted-ssh on AWS::EC2::SecurityGroup sg-1"), "{text}");
        let expected = "  + rules[]: port=22\ncalls to make, except those that an earlier undo made, \
                        if the resource is as the attempt or that undo left it:\n  1. Authorize {\"Id\":\"sg-1\"}\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("for 7 days; it stays NON_COMPLIANT"), "{text}");
    }

    #[test]
    fn the_warning_shows_what_the_resource_is_compared_with() {
        let fresh = Attempt { undo: None, ..attempt() };
        let overwriting = UndoArguments { overwrite_changes: true, ..arguments() };
        for (arguments, attempt, expected) in [
            (&arguments(), &fresh, "if the resource is as the attempt left it:"),
            (&arguments(), &attempt(), "if the resource is as the attempt or that undo left it:"),
            (&overwriting, &fresh, "overwriting any change since:"),
        ] {
            let text = warning(arguments, attempt, &Preview::default(), PLAIN);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn an_action_without_a_response_is_included_in_the_warning() {
        let action = json!({ "Revoke": { "Id": "sg-1" } });
        let before = Some(StoredState { version: 1, subject: json!({}) });
        let actions = vec![ActionRecord { action, receipt: None }];
        let unknown = Attempt { undo: None, before, actions, ..attempt() };
        assert_eq!(nothing_to_do(&unknown).map(|report| report.text), None);
        let text = warning(&arguments(), &unknown, &Preview::default(), PLAIN);
        assert!(
            text.contains("  and the call that reverts Revoke {\"Id\":\"sg-1\"}, if it turns out to have succeeded\n"),
            "{text}"
        );
    }

    fn authorization() -> Preview {
        Preview {
            calls: vec![json!({ "Authorize": { "Id": "sg-1" } })],
            commands: vec![Some("aws".to_owned())],
            changes: vec!["+ rules[]: port=22".to_owned()],
        }
    }

    fn arguments() -> UndoArguments {
        match Arguments::try_parse_from(["rectify", "undo", "01JZ"]).unwrap().command {
            Command::Undo(arguments) => arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_confirmation_no_call_is_made_and_the_calls_are_shown() {
        let arguments = arguments();
        let preview = authorization();
        let error = confirm(&arguments, &attempt(), &preview, true, PLAIN).unwrap_err();
        assert_eq!(error.code(), 1);
        let expected =
            "undo 01JZ: not confirmed: it restores the exposure that the fix removed: expected --confirm-exposure";
        assert_eq!(error.to_string(), expected);
        let json = error.as_json();
        let details = json.pointer("/error/details").unwrap();
        let shown = [&details["calls"], &details["commands"], &details["changes"]];
        assert_eq!(shown, [&json!(preview.calls), &json!(["aws"]), &json!(preview.changes)]);
        let confirmed = UndoArguments { confirm_exposure: true, ..arguments };
        assert!(confirm(&confirmed, &attempt(), &preview, true, PLAIN).is_ok());
    }

    #[test]
    fn a_completed_undo_shows_its_calls_and_the_end_of_the_hold() {
        let undone = Undone::Restored {
            calls: vec!["Authorize {}".to_owned()],
            held_until: "2026-03-12T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(
            ended(&attempt(), &undone).text,
            "undone 01JZ: AWS::EC2::SecurityGroup sg-1 has its previous state again\n  1. Authorize {}\n\
             held for restricted-ssh until 2026-03-12 00:00:00Z: `rectify hold end restricted-ssh \
             sg-1 --account 111122223333` ends it\n"
        );
    }
}

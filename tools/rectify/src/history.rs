//! `rectify history`: what was found, planned, changed and undone, and why.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use rectify_compliance::Target;
use rectify_compliance::plan::call_text;
use rectify_runtime::ledger::{Attempt, AttemptByTime, Hold, Outcome, ResourcePath, State};
use rectify_runtime::settings::Environment;
use rectify_scan::PlanView;
use serde_json::{Value, json};

use crate::arguments::HistoryArguments;
use crate::cli_error::CliError;
use crate::place::{OpenLedger, Typed};
use crate::report::{self, Ending, Report, columns, moment};
use crate::style::Style;
use crate::{hold, plan_text};

/// How far back a list goes if the operator does not say.
const DEFAULT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many controls are read side by side.
const CONCURRENT: usize = 8;
/// The outcome shown of an attempt that cannot be read.
const UNREADABLE: &str = "unreadable";
/// The columns of the text.
const TEXT_HEADER: [&str; 7] = ["STARTED", "ATTEMPT", "CONTROL", "RESOURCE", "ACCOUNT", "OUTCOME", "REASON"];
/// The columns as CSV.
const HEADER: [&str; 12] = [
    "startedAt",
    "attempt",
    "control",
    "account",
    "region",
    "resourceType",
    "resourceId",
    "outcome",
    "mode",
    "finding",
    "reason",
    "undoneBy",
];

/// Lists attempts by time, or shows one attempt, or all attempts on a resource.
pub(crate) async fn run(
    arguments: &HistoryArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    let open = OpenLedger::open(&arguments.ledger, environment).await?;
    let control = match arguments.what.as_deref() {
        None => return list(arguments, &open, None).await,
        Some(what) => match rectify_catalogue::find(what) {
            Some(control) => control,
            None => {
                let attempt = open.attempt(what).await?;
                let json = json!({ "attempts": [as_json(&attempt)?] });
                return Ok(Report::fine(attempt_text(&attempt, style), json));
            }
        },
    };
    let Some(id) = arguments.resource.as_deref() else { return list(arguments, &open, Some(control.meta.id)).await };
    let typed = Typed { id, kind: arguments.kind.as_deref(), account: arguments.account.as_deref() };
    let target = typed.target(Some(control), &open.caller).await?;
    let path = ResourcePath::of(&target);
    let attempts = open.ledger.attempts(&path, control.meta.id).await?;
    let holds = open.ledger.hold_on(&path, control.meta.id, Timestamp::now()).await?;
    let holds: Vec<Hold> = holds.into_iter().collect();
    let empty = format!("no attempt on {} in account {}, region {}\n", target.resource, target.account, target.region);
    let json = json!({
        "resource": target.resource,
        "attempts": attempts.iter().map(as_json).collect::<Result<Vec<_>, _>>()?,
        "holds": holds.iter().map(hold::as_json).collect::<Vec<_>>(),
    });
    Ok(Report::fine(history_text(&attempts, &holds, &empty, style), json))
}

/// Lists the attempts of a period by time.
async fn list(arguments: &HistoryArguments, open: &OpenLedger, control: Option<&str>) -> Result<Report, CliError> {
    let default = || Timestamp::now().saturating_sub(DEFAULT).unwrap_or(Timestamp::MIN);
    let since = arguments.since.unwrap_or_else(default);
    let account = arguments.account.as_deref();
    let controls = rectify_catalogue::controls().map(|it| it.meta.id).filter(|id| control.is_none_or(|it| it == *id));
    let read = stream::iter(controls).map(|id| open.ledger.attempts_since(id, since, account));
    let mut attempts: Vec<AttemptByTime> =
        read.buffered(CONCURRENT).try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
    // An attempt that cannot be read may have any outcome.
    attempts.retain(|it| {
        arguments.outcome.is_empty()
            || it.attempt.as_ref().map_or(true, |it| arguments.outcome.iter().any(|name| name == outcome_name(it)))
    });
    attempts.sort_by(|left, right| left.id.cmp(&right.id));
    let rows: Vec<Vec<String>> = attempts.iter().map(row).collect();
    let counts = counts(&attempts);
    let mut text = match attempts.as_slice() {
        [] => format!("no attempt since {} in {}\n", moment(since), open.table),
        _ => columns(TEXT_HEADER.map(str::to_owned).to_vec(), attempts.iter().map(text_row).collect()) + "\n",
    };
    for (control, counts) in &counts {
        let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        text += &format!("{control}: {}\n", counts.join(", "));
    }
    let listed: Vec<Value> = attempts.iter().map(listed_json).collect();
    let json = json!({ "schema_version": 1, "since": since, "attempts": listed, "counts": counts });
    let mut report = report::list(arguments.output, &HEADER, rows, text, json)?;
    if attempts.iter().any(|it| it.attempt.is_err()) {
        report.ending = Ending::Unfinished;
    }
    Ok(report)
}

/// The number of attempts by control and outcome.
fn counts(attempts: &[AttemptByTime]) -> BTreeMap<&str, BTreeMap<&str, usize>> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for it in attempts {
        let outcome = it.attempt.as_ref().map_or(UNREADABLE, outcome_name);
        *counts.entry(&it.control).or_default().entry(outcome).or_default() += 1;
    }
    counts
}

/// The outcome as a filter names it.
fn outcome_name(attempt: &Attempt) -> &'static str {
    attempt.outcome.map_or("open", Outcome::name)
}

fn row(it: &AttemptByTime) -> Vec<String> {
    let attempt = match &it.attempt {
        Ok(attempt) => attempt,
        Err(error) => {
            let known = |name: &&str| match *name {
                "attempt" => it.id.clone(),
                "control" => it.control.clone(),
                "outcome" => UNREADABLE.to_owned(),
                "reason" => error.to_string(),
                _ => String::new(),
            };
            return HEADER.iter().map(known).collect();
        }
    };
    let Target { account, region, resource, .. } = &attempt.target;
    vec![
        attempt.started_at.to_string(),
        attempt.id.clone(),
        attempt.control.clone(),
        account.to_string(),
        region.to_string(),
        resource.kind.clone(),
        resource.id.clone(),
        outcome_name(attempt).to_owned(),
        attempt.mode.clone(),
        attempt.finding.clone().unwrap_or_default(),
        attempt.reason.clone(),
        undone_by(attempt).unwrap_or_default().to_owned(),
    ]
}

fn text_row(it: &AttemptByTime) -> Vec<String> {
    match &it.attempt {
        Ok(attempt) => vec![
            moment(attempt.started_at),
            attempt.id.clone(),
            attempt.control.clone(),
            attempt.target.resource.id.clone(),
            attempt.target.account.to_string(),
            outcome_name(attempt).to_owned() + if undone_by(attempt).is_some() { ", undone" } else { "" },
            attempt.reason.clone(),
        ],
        Err(error) => {
            let unknown = || "?".to_owned();
            vec![
                unknown(),
                it.id.clone(),
                it.control.clone(),
                unknown(),
                unknown(),
                UNREADABLE.to_owned(),
                error.to_string(),
            ]
        }
    }
}

/// Who undid it, if an undo ended.
fn undone_by(attempt: &Attempt) -> Option<&str> {
    attempt.undo.as_ref().filter(|it| it.finished_at.is_some()).map(|it| it.by.as_str())
}

fn listed_json(it: &AttemptByTime) -> Value {
    match &it.attempt {
        Ok(attempt) => json!({
            "attempt": attempt.id,
            "control": attempt.control,
            "account": attempt.target.account,
            "region": attempt.target.region,
            "resource": attempt.target.resource,
            "started_at": attempt.started_at,
            "finished_at": attempt.finished_at,
            "mode": attempt.mode,
            "outcome": outcome_name(attempt),
            "finding": attempt.finding,
            "reason": attempt.reason,
            "undone_by": undone_by(attempt),
        }),
        Err(error) => json!({ "attempt": it.id, "control": it.control, "unreadable": error.to_string() }),
    }
}

fn history_text(attempts: &[Attempt], holds: &[Hold], empty: &str, style: Style) -> String {
    let mut parts: Vec<String> = attempts.iter().map(|it| attempt_text(it, style)).collect();
    if parts.is_empty() {
        parts.push(empty.to_owned());
    }
    if !holds.is_empty() {
        let line =
            |it: &Hold| format!("held for {} until {} by {}: {}\n", it.control, moment(it.until), it.by, it.reason);
        parts.push(holds.iter().map(line).collect());
    }
    parts.join("\n")
}

/// One attempt, in chronological order.
pub(crate) fn attempt_text(attempt: &Attempt, style: Style) -> String {
    let Attempt { id, control, target, rule, .. } = attempt;
    let mut lines = vec![
        format!("{} {id}  {control}  {}", moment(attempt.started_at), outcome(attempt, style)),
        format!("  on {} in account {}, region {}", target.resource, target.account, target.region),
        format!("  found by {rule} at {}, mode {}", moment(attempt.recorded_at), attempt.mode),
    ];
    if !attempt.reason.is_empty() {
        lines.push(format!("  because {}", attempt.reason));
    }
    lines.extend(plan_text::lines(&view(attempt), style).into_iter().map(|line| format!("  {line}")));
    if attempt.has_acted() {
        lines.push("  called:".to_owned());
    }
    for (number, record) in (1..).zip(&attempt.actions) {
        let unknown =
            if record.receipt.is_none() { style.warning(" (unknown whether it succeeded)") } else { String::new() };
        lines.push(format!("    {number}. {}{unknown}", call_text(&record.action)));
    }
    if let Some(undo) = &attempt.undo {
        lines.push(match undo.finished_at {
            Some(at) => format!("  undone {} by {}:", moment(at), undo.by),
            None => style.error(&format!("  undo started {} by {}, not finished:", moment(undo.started_at), undo.by)),
        });
        lines.extend(
            (1..).zip(&undo.calls).map(|(number, call): (u32, _)| format!("    {number}. {}", call_text(call))),
        );
    }
    lines.join("\n") + "\n"
}

fn outcome(attempt: &Attempt, style: Style) -> String {
    match (attempt.outcome, attempt.state) {
        (Some(outcome), _) => match outcome {
            Outcome::Verified | Outcome::AlreadyCompliant => style.success(outcome.name()),
            Outcome::Failed => style.error(outcome.name()),
            Outcome::Stopped | Outcome::BreakerOpen | Outcome::OverBudget | Outcome::Pending => {
                style.warning(outcome.name())
            }
            Outcome::Gone | Outcome::NotApplicable | Outcome::Exempt | Outcome::Planned => outcome.name().to_owned(),
        },
        (None, State::Open) => style.warning("open"),
        (None, State::Finished) => style.error("finished without an outcome"),
    }
}

/// The plan of an attempt; without changes and commands if this version does not have its control.
fn view(attempt: &Attempt) -> PlanView {
    match rectify_catalogue::find(&attempt.control) {
        Some(control) => plan_text::view(control, attempt.before.as_ref(), &attempt.plan, &attempt.target.region),
        None => PlanView::of(&attempt.plan),
    }
}

/// The attempt as it is stored, with the changes of its plan and the command of each step.
fn as_json(attempt: &Attempt) -> Result<Value, CliError> {
    let mut json =
        serde_json::to_value(attempt).map_err(|error| CliError::Machine(format!("attempt {}: {error}", attempt.id)))?;
    let PlanView { changes, steps, .. } = view(attempt);
    if let Some(plan) = json.get_mut("plan").and_then(Value::as_object_mut) {
        plan.insert("changes".to_owned(), json!(changes));
        let stored = plan.get_mut("steps").and_then(Value::as_array_mut).into_iter().flatten();
        for (stored, step) in stored.filter_map(Value::as_object_mut).zip(steps) {
            if step.call.is_some() {
                stored.insert("command".to_owned(), json!(step.command));
            }
        }
    }
    Ok(json)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::style::PLAIN;

    /// An attempt that revoked one rule.
    pub(crate) fn attempt() -> Attempt {
        serde_json::from_value(json!({
            "id": "01JZ", "control": "restricted-ssh",
            "target": { "account": "111122223333", "region": "eu-west-1", "name": null, "arn": null,
                "resource": { "type": "AWS::EC2::SecurityGroup", "id": "sg-1" } },
            "rule": "rectify-restricted-ssh", "recorded_at": "2026-03-04T05:06:07Z",
            "started_at": "2026-03-04T05:06:09Z", "finished_at": "2026-03-04T05:06:10Z", "state": "finished",
            "mode": "enforce", "parameters": "{}",
            "plan": { "kind": "do", "steps": [{ "level": "L1", "call": { "Revoke": { "Id": "r-1" } } }] },
            "before": null, "after": null, "outcome": "verified", "reason": "the control holds", "announced": true,
            "actions": [{ "action": { "Revoke": { "Id": "r-1" } }, "receipt": null }, { "action": { "Revoke": { "Id": "r-2" } } }],
            "undo": { "by": "ada", "started_at": "2026-03-05T00:00:00Z", "finished_at": "2026-03-05T00:00:01Z",
                "calls": [{ "Authorize": { "Id": "sg-1" } }] },
        }))
        .unwrap()
    }

    #[test]
    fn an_attempt_is_shown_in_chronological_order() {
        let expected = "\
2026-03-04 05:06:09Z 01JZ  restricted-ssh  verified
  on AWS::EC2::SecurityGroup sg-1 in account 111122223333, region eu-west-1
  found by rectify-restricted-ssh at 2026-03-04 05:06:07Z, mode enforce
  because the control holds
  plan: L1
    1. L1 Revoke {\"Id\":\"r-1\"}
  called:
    1. Revoke {\"Id\":\"r-1\"}
    2. Revoke {\"Id\":\"r-2\"} (unknown whether it succeeded)
  undone 2026-03-05 00:00:01Z by ada:
    1. Authorize {\"Id\":\"sg-1\"}
";
        assert_eq!(attempt_text(&attempt(), PLAIN), expected);
    }

    #[test]
    fn an_attempt_that_cannot_be_read_is_a_row_of_its_own() {
        let readable = AttemptByTime { id: "01JZ".into(), control: "restricted-ssh".into(), attempt: Ok(attempt()) };
        let error = rectify_runtime::Error::Ledger("attempt: missing field `mode`".to_owned());
        let lost = AttemptByTime { id: "01K0".into(), control: "restricted-ssh".into(), attempt: Err(error) };
        let rows = [row(&readable), row(&lost)];
        assert_eq!(rows.each_ref().map(Vec::len), [HEADER.len(); 2]);
        assert_eq!(rows[0].last().map(String::as_str), Some("ada"));
        assert!(rows[1].contains(&"01K0".to_owned()) && rows[1].contains(&UNREADABLE.to_owned()), "{rows:?}");
        assert!(text_row(&readable).contains(&"verified, undone".to_owned()));
        assert!(text_row(&lost).last().unwrap().ends_with("missing field `mode`"));
        assert!(listed_json(&lost)["unreadable"].is_string());
        let both = [readable, lost];
        assert_eq!(json!(counts(&both)), json!({ "restricted-ssh": { "verified": 1, "unreadable": 1 } }));
    }

    #[test]
    fn unfinished_attempts_and_undos_are_shown_as_unfinished() {
        let mut attempt = attempt();
        attempt.outcome = None;
        attempt.state = State::Open;
        attempt.undo.as_mut().unwrap().finished_at = None;
        let text = attempt_text(&attempt, PLAIN);
        assert!(text.contains("restricted-ssh  open\n"), "{text}");
        assert!(text.contains("  undo started 2026-03-05 00:00:00Z by ada, not finished:\n"), "{text}");
    }

    #[test]
    fn a_resource_without_attempts_still_shows_its_holds() {
        let hold = Hold {
            control: "restricted-ssh".to_owned(),
            by: "ada".to_owned(),
            reason: "migration".to_owned(),
            until: "2026-03-09T00:00:00Z".parse().unwrap(),
        };
        let text = history_text(&[], &[hold], "no attempt on x\n", PLAIN);
        assert_eq!(text, "no attempt on x\n\nheld for restricted-ssh until 2026-03-09 00:00:00Z by ada: migration\n");
    }
}

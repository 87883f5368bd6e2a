//! `rectify stop`, `resume` and `status`: the kill switches of the remediations.

use jiff::Timestamp;
use rectify_runtime::ledger::StopSwitch;
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::{LedgerArguments, ResumeArguments, StopArguments};
use crate::cli_error::CliError;
use crate::place::{self, OpenLedger};
use crate::report::{Report, columns, moment};
use crate::style::Style;

/// The scope of the switch for all controls.
const ALL: &str = "*";

/// Stops remediations.
pub(crate) async fn stop(arguments: &StopArguments, environment: &Environment) -> Result<Report, CliError> {
    let open = OpenLedger::open_to_decide(&arguments.ledger, environment).await?;
    let stop = StopSwitch {
        scope: arguments.control.clone().unwrap_or_else(|| ALL.to_owned()),
        by: place::operator(arguments.decision.operator.by.as_deref(), environment)?,
        reason: arguments.decision.reason.clone(),
        since: Timestamp::now(),
    };
    open.ledger.stop(&stop).await?;
    let text = format!(
        "stopped {}: remediations still record findings but change nothing until `{}`\n",
        scope_text(&stop.scope),
        resume_command(&stop.scope)
    );
    Ok(Report::fine(text, json!({ "stopped": as_json(&stop) })))
}

/// Resumes remediations; without effect if they were not stopped.
pub(crate) async fn resume(arguments: &ResumeArguments, environment: &Environment) -> Result<Report, CliError> {
    let open = OpenLedger::open_to_decide(&arguments.ledger, environment).await?;
    let scope = arguments.control.as_deref().unwrap_or(ALL);
    let by = place::operator(arguments.operator.by.as_deref(), environment)?;
    let (released, remaining): (Vec<StopSwitch>, Vec<StopSwitch>) =
        open.ledger.stops().await?.into_iter().partition(|it| it.scope == scope);
    open.ledger.resume(scope, &by).await?;
    Ok(resumed(scope, !released.is_empty(), &remaining))
}

fn resumed(scope: &str, was_on: bool, remaining: &[StopSwitch]) -> Report {
    let done = if was_on { "resumed" } else { "was not stopped:" };
    let mut text = format!("{done} {}\n", scope_text(scope));
    for other in remaining.iter().filter(|other| scope == ALL || other.scope == ALL) {
        text += &format!(
            "still stopped: {} by {}: `{}` releases it\n",
            scope_text(&other.scope),
            other.by,
            resume_command(&other.scope)
        );
    }
    let still: Vec<Value> = remaining.iter().map(as_json).collect();
    Report::fine(text, json!({ "resumed": scope, "was_on": was_on, "still_stopped": still }))
}

/// Shows the switches that are on.
pub(crate) async fn status(
    arguments: &LedgerArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    let open = OpenLedger::open(arguments, environment).await?;
    let stops = open.ledger.stops().await?;
    Ok(shown(&stops, &open.table, open.caller.region().as_str(), style))
}

fn shown(stops: &[StopSwitch], table: &str, region: &str, style: Style) -> Report {
    let text = if stops.is_empty() {
        format!("{}: no stop switch is on in {table}, {region}\n", style.success("running"))
    } else {
        let rows =
            stops.iter().map(|it| vec![scope_text(&it.scope), since(it), it.by.clone(), it.reason.clone()]).collect();
        let header = ["STOPPED", "SINCE", "BY", "REASON"].map(str::to_owned).to_vec();
        format!("{} in {table}, {region}\n{}", style.error("stopped"), columns(header, rows))
    };
    let json = json!({ "table": table, "region": region, "stops": stops.iter().map(as_json).collect::<Vec<_>>() });
    Report::fine(text, json)
}

fn scope_text(scope: &str) -> String {
    if scope == ALL { "all controls".to_owned() } else { scope.to_owned() }
}

fn resume_command(scope: &str) -> String {
    if scope == ALL { "rectify resume".to_owned() } else { format!("rectify resume {scope}") }
}

/// A switch that was written by hand may lack its start time.
fn since(stop: &StopSwitch) -> String {
    if stop.since == Timestamp::UNIX_EPOCH { "unknown".to_owned() } else { moment(stop.since) }
}

fn as_json(stop: &StopSwitch) -> Value {
    json!({ "scope": stop.scope, "by": stop.by, "reason": stop.reason, "since": stop.since })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::style::PLAIN;

    fn stopped(scope: &str) -> StopSwitch {
        StopSwitch {
            scope: scope.to_owned(),
            by: "ada".to_owned(),
            reason: "incident 42".to_owned(),
            since: "2026-03-04T05:06:07Z".parse().unwrap(),
        }
    }

    #[test]
    fn status_shows_every_switch_with_operator_and_reason() {
        let text = shown(&[stopped("*"), stopped("restricted-ssh")], "ledger", "eu-west-1", PLAIN).text;
        let expected = "stopped in ledger, eu-west-1\n\
                        STOPPED         SINCE                 BY   REASON\n\
                        all controls    2026-03-04 05:06:07Z  ada  incident 42\n\
                        restricted-ssh  2026-03-04 05:06:07Z  ada  incident 42\n";
        assert_eq!(text, expected);
        assert_eq!(
            shown(&[], "ledger", "eu-west-1", PLAIN).text,
            "running: no stop switch is on in ledger, eu-west-1\n"
        );
    }

    #[test]
    fn a_resumed_control_that_is_still_stopped_shows_the_other_switch() {
        assert_eq!(resumed("restricted-ssh", true, &[]).text, "resumed restricted-ssh\n");
        assert_eq!(resumed("*", false, &[]).text, "was not stopped: all controls\n");
        assert_eq!(
            resumed("restricted-ssh", true, &[stopped("*")]).text,
            "resumed restricted-ssh\nstill stopped: all controls by ada: `rectify resume` releases it\n"
        );
        assert_eq!(
            resumed("*", true, &[stopped("restricted-ssh")]).text,
            "resumed all controls\nstill stopped: restricted-ssh by ada: `rectify resume restricted-ssh` releases it\n"
        );
    }
}

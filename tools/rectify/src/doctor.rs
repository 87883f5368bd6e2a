//! `rectify doctor`: whether a deployment works, is what `rectify.yaml` says, or can begin. Each check reports what it
//! checked and what it found.

mod before;
mod client;
mod selected;

use std::path::Path;

use rectify_runtime::ledger::StopSwitch;
use rectify_runtime::settings::Environment;
use rectify_synth::Settings;
use serde_json::{Value, json};

use crate::arguments::DoctorArguments;
use crate::cli_error::CliError;
use crate::place::OpenLedger;
use crate::report::{Ending, Report};
use crate::style::Style;
use client::{Aws, Recorder, Rule};

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: &'static str,
    result: Result<String, String>,
}

/// Checks recorder, rules, ledger and queues, and with settings what is deployed; or what a deployment needs.
pub(crate) async fn run(
    arguments: &DoctorArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    if arguments.before {
        let text = read(arguments.settings.as_deref().unwrap_or(Path::new("rectify.yaml")))?;
        return Ok(report(&before::checks(&text, &arguments.ledger, environment).await?, style));
    }
    let expected = arguments.settings.as_deref().map(|path| read(path).and_then(|text| settings(&text))).transpose()?;
    let open = OpenLedger::open(&arguments.ledger, environment).await?;
    let aws = Aws::new(open.caller.config());
    let prefix = &arguments.ledger.prefix;
    let mut checks = vec![
        Check { name: "recorder", result: aws.recorders().await.map_err(text).and_then(|it| recorders(&it)) },
        Check { name: "rules", result: aws.rules(prefix).await.map_err(text).and_then(|it| rules(&it, prefix)) },
        Check { name: "ledger", result: ledger(&open).await },
        Check { name: "stops", result: open.ledger.stops().await.map_err(text).and_then(|it| stops(&it)) },
    ];
    if let Some(settings) = expected {
        checks.extend(selected::checks(&settings, &aws, open.caller.region()).await);
    }
    for queue in &arguments.queues {
        let waiting = aws.waiting(queue).await.map_err(text);
        checks.push(Check { name: "queue", result: waiting.and_then(|count| emptiness(queue, count)) });
    }
    Ok(report(&checks, style))
}

pub(crate) fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
}

pub(crate) fn settings(text: &str) -> Result<Settings, CliError> {
    let controls: Vec<_> = rectify_catalogue::controls().collect();
    Settings::read(text, &controls).map_err(|error| CliError::Usage(error.to_string()))
}

/// The error as text: a check that cannot run fails.
fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn recorders(recorders: &[Recorder]) -> Result<String, String> {
    match recorders.iter().find(|it| it.is_recording) {
        Some(recorder) if recorder.has_failed => {
            Err(format!("`{}` is recording, but its last delivery failed", recorder.name))
        }
        Some(recorder) => Ok(format!("`{}` is recording", recorder.name)),
        None if recorders.is_empty() => Err("no configuration recorder: no change is reported".to_owned()),
        None => Err(format!("`{}` is stopped: no change is reported", recorders.first().map_or("", |it| &it.name))),
    }
}

/// A rule must invoke the function of its own name; AWS Config reports a wrong function only when it evaluates.
fn rules(rules: &[Rule], prefix: &str) -> Result<String, String> {
    if rules.is_empty() {
        return Err(format!("no rule is named `{prefix}…`: is the stack deployed in this account and region?"));
    }
    let wrong: Vec<&str> = rules
        .iter()
        .filter(|rule| !rule.is_active || rule.function.rsplit(':').next() != Some(rule.name.as_str()))
        .map(|rule| rule.name.as_str())
        .collect();
    if wrong.is_empty() {
        return Ok(format!("{} active, each invokes the function of its name", rules.len()));
    }
    Err(format!("not active, or invoking another function: {}", wrong.join(", ")))
}

async fn ledger(open: &OpenLedger) -> Result<String, String> {
    let mut attempts = 0;
    for control in rectify_catalogue::controls() {
        attempts += open.ledger.attempts_in_progress(control.meta.id).await.map_err(text)?.len();
    }
    Ok(format!("`{}` is readable; {}", open.table, counted(attempts, "open attempt")))
}

/// A monitor should know of a switch that was left on.
fn stops(stops: &[StopSwitch]) -> Result<String, String> {
    if stops.is_empty() {
        return Ok("no stop switch is on".to_owned());
    }
    let on: Vec<String> =
        stops.iter().map(|it| format!("{} {it}", if it.scope == "*" { "all controls" } else { &it.scope })).collect();
    Err(format!("{}: `rectify resume` releases it", on.join("; ")))
}

fn emptiness(queue: &str, count: u64) -> Result<String, String> {
    match usize::try_from(count) {
        Ok(0) => Ok(format!("`{queue}` is empty")),
        count => Err(format!("`{queue}` has {}", counted(count.unwrap_or(usize::MAX), "message"))),
    }
}

/// A number of things: `no message`, `1 message`, `2 messages`.
fn counted(count: usize, thing: &str) -> String {
    match count {
        0 => format!("no {thing}"),
        1 => format!("1 {thing}"),
        more => format!("{more} {thing}s"),
    }
}

fn report(checks: &[Check], style: Style) -> Report {
    let mark = |check: &Check| if check.result.is_ok() { style.success("ok ") } else { style.error("bad") };
    let finding = |check: &Check| check.result.clone().unwrap_or_else(|why| why);
    let text = checks.iter().map(|it| format!("{}  {:<10}{}\n", mark(it), it.name, finding(it))).collect();
    let json = |it: &Check| json!({ "check": it.name, "ok": it.result.is_ok(), "saw": finding(it) });
    let json = json!({ "checks": checks.iter().map(json).collect::<Vec<Value>>() });
    let ending = if checks.iter().all(|it| it.result.is_ok()) { Ending::Fine } else { Ending::Finding };
    Report { text, json, ending }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::PLAIN;

    fn recorder(is_recording: bool, has_failed: bool) -> Recorder {
        Recorder { name: "default".to_owned(), is_recording, has_failed }
    }

    fn rule(function: &str, is_active: bool) -> Rule {
        let function = format!("arn:aws:lambda:eu-west-1:111122223333:function:{function}");
        Rule { name: "rectify-restricted-ssh".to_owned(), function, is_active, ..Rule::default() }
    }

    #[test]
    fn a_recorder_must_exist_record_and_deliver() {
        for (given, expected) in [
            (vec![recorder(true, false)], Ok("`default` is recording")),
            (vec![recorder(true, true)], Err("`default` is recording, but its last delivery failed")),
            (vec![recorder(false, false)], Err("`default` is stopped: no change is reported")),
            (vec![], Err("no configuration recorder: no change is reported")),
        ] {
            assert_eq!(recorders(&given), expected.map(str::to_owned).map_err(str::to_owned), "{given:?}");
        }
    }

    #[test]
    fn a_rule_must_be_active_and_invoke_the_function_of_its_name() {
        let wrong = "not active, or invoking another function: rectify-restricted-ssh";
        for (given, expected) in [
            (vec![rule("rectify-restricted-ssh", true)], Ok("1 active, each invokes the function of its name")),
            (vec![rule("rectify-restricted-ssh", false)], Err(wrong)),
            (vec![rule("rectify-restricted-ssh-fix", true)], Err(wrong)),
            (vec![], Err("no rule is named `rectify-…`: is the stack deployed in this account and region?")),
        ] {
            assert_eq!(rules(&given, "rectify-"), expected.map(str::to_owned).map_err(str::to_owned), "{given:?}");
        }
    }

    #[test]
    fn a_stop_switch_that_is_on_is_a_finding_of_its_own() {
        let switch = |scope: &str| StopSwitch {
            scope: scope.to_owned(),
            by: "ann".to_owned(),
            reason: "drill".to_owned(),
            since: jiff::Timestamp::UNIX_EPOCH,
        };
        assert_eq!(stops(&[]), Ok("no stop switch is on".to_owned()));
        let by = "stopped by ann since 1970-01-01T00:00:00Z: drill";
        let expected = format!("all controls {by}; restricted-ssh {by}: `rectify resume` releases it");
        assert_eq!(stops(&[switch("*"), switch("restricted-ssh")]), Err(expected));
        assert_eq!([0, 1, 2].map(|count| counted(count, "message")), ["no message", "1 message", "2 messages"]);
    }

    #[test]
    fn one_failed_check_is_a_finding_and_every_check_is_shown() {
        let checks = [
            Check { name: "recorder", result: Ok("`default` is recording".to_owned()) },
            Check { name: "queue", result: emptiness("DeadLetters", 3) },
        ];
        let shown = report(&checks, PLAIN);
        assert_eq!(shown.ending, Ending::Finding);
        assert_eq!(shown.text, "ok   recorder  `default` is recording\nbad  queue     `DeadLetters` has 3 messages\n");
        assert_eq!(report(&checks[..1], PLAIN).ending, Ending::Fine);
    }
}

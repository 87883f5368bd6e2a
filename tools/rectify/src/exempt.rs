//! `rectify exempt`: exemptions from remediation, with approver and end date.

use jiff::Timestamp;
use rectify_compliance::exemption::{ANY, Ended, Exemption, Registered, Selector};
use rectify_runtime::ledger::{AuditEntry, new_id};
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::{ExemptArguments, ExemptCommand};
use crate::cli_error::CliError;
use crate::place::{self, OpenLedger};
use crate::report::{Report, columns, moment};

/// Adds, lists or ends exemptions.
pub(crate) async fn run(command: &ExemptCommand, environment: &Environment) -> Result<Report, CliError> {
    let now = Timestamp::now();
    match command {
        ExemptCommand::Add(arguments) => add(arguments, environment, now).await,
        ExemptCommand::List { control, all, ledger } => {
            let open = OpenLedger::open(ledger, environment).await?;
            let registered = registered(&open, control.as_deref()).await?;
            let shown: Vec<Registered> = registered.into_iter().filter(|it| *all || is_current(it, now)).collect();
            Ok(listed(&shown, now))
        }
        ExemptCommand::End { id, by, ledger } => {
            let open = OpenLedger::open(ledger, environment).await?;
            let by = place::operator(by.as_deref(), environment)?;
            let entry = AuditEntry { at: now, by: by.clone(), what: format!("exempt end {id}"), why: String::new() };
            let scopes: Vec<&str> = scopes().collect();
            if !open.ledger.end_exemption(id, &scopes, &Ended { by, at: now }, &entry).await? {
                let table = &open.table;
                return Err(CliError::usage(format!(
                    "exemption: expected one in table {table} that has not been ended: received `{id}`"
                )));
            }
            Ok(Report::fine(
                format!("ended {id}: remediation resumes with the next finding or reconciler run\n"),
                json!({ "ended": id, "at": now }),
            ))
        }
    }
}

async fn add(arguments: &ExemptArguments, environment: &Environment, now: Timestamp) -> Result<Report, CliError> {
    let open = OpenLedger::open(&arguments.ledger, environment).await?;
    let account = match &arguments.account {
        Some(account) => account.clone(),
        None => open.caller.account().await?.to_string(),
    };
    let exemption = exemption(arguments, account, now)?;
    let what = format!("exempt add {} {} {}", exemption.control, exemption.account, exemption.selector);
    let by = place::operator(arguments.by.as_deref(), environment)?;
    let why = format!("{} ({}, {})", exemption.reason, exemption.approver, exemption.ticket);
    open.ledger.exempt(&exemption, &AuditEntry { at: now, by, what, why }).await?;
    let Exemption { id, control, selector, until, .. } = &exemption;
    let text = format!(
        "exempted {selector} from {control} until {}: {id}\nAWS Config still reports it NON_COMPLIANT; nothing is changed\n",
        moment(*until)
    );
    Ok(Report::fine(text, json!({ "exemption": exemption })))
}

fn exemption(arguments: &ExemptArguments, account: String, now: Timestamp) -> Result<Exemption, CliError> {
    if arguments.until <= now {
        return Err(CliError::usage(format!("--until: expected a future date: received `{}`", arguments.until)));
    }
    let selector: Selector = match (&arguments.resource, &arguments.tag) {
        (Some(resource), _) => format!("resource:{resource}"),
        (None, tag) => format!("tag:{}", tag.as_deref().unwrap_or_default()),
    }
    .parse()
    .map_err(|why: String| CliError::usage(format!("selector: {why}")))?;
    Ok(Exemption {
        id: new_id(now),
        control: arguments.control.clone(),
        account,
        selector,
        reason: arguments.reason.clone(),
        approver: arguments.approver.clone(),
        ticket: arguments.ticket.clone(),
        created: now,
        until: arguments.until,
        ended: None,
    })
}

/// The registered exemptions for one control or for all, each once.
async fn registered(open: &OpenLedger, control: Option<&str>) -> Result<Vec<Registered>, CliError> {
    if let Some(control) = control {
        return Ok(open.ledger.exemptions_for(control).await?);
    }
    let mut all = Vec::new();
    for scope in scopes() {
        all.extend(open.ledger.exemptions_of(scope).await?);
    }
    Ok(all)
}

/// The possible scopes of an exemption: all controls, or one.
fn scopes() -> impl Iterator<Item = &'static str> {
    std::iter::once(ANY).chain(rectify_catalogue::controls().map(|control| control.meta.id))
}

/// A malformed exemption is always shown: it blocks remediation until an operator corrects or ends it.
fn is_current(it: &Registered, now: Timestamp) -> bool {
    match it {
        Registered::Valid(exemption) => exemption.is_in_force(now),
        Registered::Malformed { ended, .. } => ended.is_none(),
    }
}

fn listed(registered: &[Registered], now: Timestamp) -> Report {
    let json = json!({ "exemptions": registered.iter().map(as_json).collect::<Vec<_>>() });
    if registered.is_empty() {
        return Report::fine("no exemption\n", json);
    }
    let header = ["EXEMPTION", "CONTROL", "ACCOUNT", "WHICH", "UNTIL", "APPROVER", "TICKET", "REASON"];
    let rows = registered.iter().map(|it| row(it, now)).collect();
    Report::fine(columns(header.map(str::to_owned).to_vec(), rows), json)
}

fn row(it: &Registered, now: Timestamp) -> Vec<String> {
    match it {
        Registered::Valid(it) => {
            let until = match &it.ended {
                Some(ended) => end(ended),
                None if it.is_in_force(now) => moment(it.until),
                None => format!("expired {}", moment(it.until)),
            };
            let Exemption { id, control, account, selector, reason, approver, ticket, .. } = it;
            [id, control, account, &selector.to_string(), &until, approver, ticket, reason].map(String::clone).to_vec()
        }
        Registered::Malformed { id, control, account, selector, ended, why } => vec![
            id.clone(),
            control.clone(),
            account.clone().unwrap_or_else(|| "?".to_owned()),
            selector.as_ref().map_or_else(|| "?".to_owned(), Selector::to_string),
            ended.as_ref().map_or_else(|| "malformed: blocks remediation".to_owned(), end),
            String::new(),
            String::new(),
            why.clone(),
        ],
    }
}

fn as_json(it: &Registered) -> Value {
    match it {
        Registered::Valid(exemption) => json!(exemption),
        Registered::Malformed { id, control, account, selector, ended, why } => json!({
            "id": id,
            "control": control,
            "account": account,
            "selector": selector,
            "ended": ended,
            "malformed": why,
        }),
    }
}

fn end(it: &Ended) -> String {
    format!("ended {} by {}", moment(it.at), it.by)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_is_listed_with_its_end_and_a_malformed_one_with_its_error() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let valid = Exemption {
            id: "01A".to_owned(),
            control: "*".to_owned(),
            account: "111122223333".to_owned(),
            selector: "tag:rectify:exempt=web".parse().unwrap(),
            reason: "migration".to_owned(),
            approver: "jane".to_owned(),
            ticket: "SEC-1".to_owned(),
            created: at("2026-03-01T00:00:00Z"),
            until: at("2026-04-01T00:00:00Z"),
            ended: None,
        };
        let ended = Some(Ended { by: "joe".to_owned(), at: at("2026-03-02T00:00:00Z") });
        let malformed = Registered::Malformed {
            id: "01C".to_owned(),
            control: "*".to_owned(),
            account: None,
            selector: None,
            ended: None,
            why: "until: expected a number".to_owned(),
        };
        let all = [
            Registered::Valid(valid.clone()),
            Registered::Valid(Exemption { id: "01B".to_owned(), ended, ..valid }),
            malformed,
        ];
        let now = at("2026-03-15T00:00:00Z");
        assert_eq!(all.iter().map(|it| is_current(it, now)).collect::<Vec<_>>(), [true, false, true]);
        let text = listed(&all, now).text;
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].starts_with("01A") && lines[1].contains("tag:rectify:exempt=web  2026-04-01 00:00:00Z"),
            "{text}"
        );
        assert!(lines[2].contains("ended 2026-03-02 00:00:00Z by joe"), "{text}");
        assert!(
            lines[3].contains("malformed: blocks remediation") && lines[3].ends_with("expected a number"),
            "{text}"
        );
        assert!(row(&all[0], at("2026-05-01T00:00:00Z"))[4].starts_with("expired 2026-04-01"));
    }
}

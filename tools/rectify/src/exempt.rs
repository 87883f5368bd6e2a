//! `rectify exempt`: exemptions from remediation, with approver and end date.

use jiff::{SignedDuration, Timestamp};
use rectify_compliance::exemption::{ANY, Ended, Exemption, Registered, Selector};
use rectify_runtime::ledger::{AuditEntry, new_id};
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::{CommandOr, ExemptArguments, ExemptCommand};
use crate::cli_error::CliError;
use crate::findings::{self, Covered};
use crate::place::{self, OpenLedger};
use crate::report::{Report, columns, moment};

/// Adds, lists or ends exemptions, or limits their duration.
pub(crate) async fn run(
    arguments: &CommandOr<ExemptCommand, ExemptArguments>,
    environment: &Environment,
) -> Result<Report, CliError> {
    let now = Timestamp::now();
    match arguments {
        CommandOr::Arguments(arguments) => add(arguments, environment, now).await,
        CommandOr::Command(ExemptCommand::List { control, all, ledger }) => {
            let open = OpenLedger::open(ledger, environment).await?;
            let registered = registered(&open, control.as_deref()).await?;
            let shown: Vec<Registered> = registered.into_iter().filter(|it| *all || is_current(it, now)).collect();
            Ok(listed(&shown, now))
        }
        CommandOr::Command(ExemptCommand::End { id, operator, ledger }) => {
            let open = OpenLedger::open_to_decide(ledger, environment).await?;
            let by = place::operator(operator.by.as_deref(), environment)?;
            let entry = AuditEntry { at: now, ..AuditEntry::now(&by, format!("exempt end {id}"), "") };
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
        CommandOr::Command(ExemptCommand::Limit { days, decision, ledger }) => {
            let open = OpenLedger::open_to_decide(ledger, environment).await?;
            let by = place::operator(decision.operator.by.as_deref(), environment)?;
            let entry =
                AuditEntry { at: now, ..AuditEntry::now(by, format!("exempt limit {days}d"), &decision.reason) };
            open.ledger.limit_exemptions(*days, &entry).await?;
            let text = format!("new exemptions in {} last at most {days} days\n", open.table);
            Ok(Report::fine(text, json!({ "limit_days": days })))
        }
    }
}

async fn add(arguments: &ExemptArguments, environment: &Environment, now: Timestamp) -> Result<Report, CliError> {
    let open = OpenLedger::open_to_decide(&arguments.ledger, environment).await?;
    let by = place::operator(arguments.decision.operator.by.as_deref(), environment)?;
    let account = match &arguments.account {
        Some(account) => account.clone(),
        None => open.caller.account().await?.to_string(),
    };
    let exemption = exemption(arguments, account, now)?;
    within(exemption.until, open.ledger.exemption_limit().await?, now)?;
    let covered = match is_broad(&exemption) {
        false => None,
        true => Some(findings::covered(&exemption, &open, &arguments.ledger.prefix).await),
    };
    if let Some(covered) = covered.as_ref().filter(|_| !arguments.yes) {
        return Err(refused(&exemption, covered));
    }
    let what = format!("exempt add {} {} {}", exemption.control, exemption.account, exemption.selector);
    let why = format!("{} ({}, {})", exemption.reason, exemption.approver, exemption.ticket);
    open.ledger.exempt(&exemption, &AuditEntry { at: now, ..AuditEntry::now(by, what, why) }).await?;
    let Exemption { id, control, selector, until, .. } = &exemption;
    let mut text = format!(
        "exempted {selector} from {control} until {}: {id}\nAWS Config still reports it NON_COMPLIANT; nothing is changed\n",
        moment(*until)
    );
    if let Some(covered) = &covered {
        text += &format!("it covers {covered}\n");
    }
    let count = covered.and_then(|it| it.count());
    Ok(Report::fine(text, json!({ "exemption": exemption, "open_findings": count })))
}

/// The refusal of an exemption that needs a confirmation.
fn refused(exemption: &Exemption, covered: &Covered) -> CliError {
    let Exemption { control, account, selector, .. } = exemption;
    CliError::Refused {
        reason: format!(
            "exempt: {selector} in account {account} for control {control} covers {covered}, and all that come: expected --yes"
        ),
        details: json!({ "control": control, "account": account, "selector": selector, "open_findings": covered.count() }),
    }
}

/// Refuses an exemption that ends later than `limit` days from now.
fn within(until: Timestamp, limit: u16, now: Timestamp) -> Result<(), CliError> {
    let latest = now.saturating_add(SignedDuration::from_hours(24 * i64::from(limit))).unwrap_or(Timestamp::MAX);
    if until <= latest {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "until: expected {} or earlier: received {}: an exemption lasts at most {limit} days; `rectify exempt limit` sets \
         another limit",
        moment(latest),
        moment(until)
    )))
}

/// Whether it covers every resource, or every account.
fn is_broad(exemption: &Exemption) -> bool {
    let (Selector::Resource(pattern) | Selector::Tag { value: pattern, .. }) = &exemption.selector;
    let is_everything = pattern.contains('*') && pattern.chars().all(|it| it == '*' || it == '?');
    is_everything || exemption.account == ANY
}

fn exemption(arguments: &ExemptArguments, account: String, now: Timestamp) -> Result<Exemption, CliError> {
    let until = place::end(now, arguments.until, arguments.lasts.unwrap_or_default())?;
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
        reason: arguments.decision.reason.clone(),
        approver: arguments.approver.clone(),
        ticket: arguments.ticket.clone(),
        created: now,
        until,
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

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn valid() -> Exemption {
        Exemption {
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
        }
    }

    #[test]
    fn an_exemption_is_listed_with_its_end_and_a_malformed_one_with_its_error() {
        let valid = valid();
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

    #[test]
    fn an_exemption_ends_within_the_limit() {
        let now = at("2026-11-30T12:00:00Z");
        for until in ["2026-12-01T00:00:00Z", "2027-11-30T12:00:00Z", "2027-12-01T12:00:00Z"] {
            assert!(within(at(until), 366, now).is_ok(), "{until}");
        }
        let error = within(at("2027-12-01T12:00:01Z"), 366, now).unwrap_err().to_string();
        assert_eq!(
            error,
            "until: expected 2027-12-01 12:00:00Z or earlier: received 2027-12-01 12:00:01Z: an exemption lasts at most \
             366 days; `rectify exempt limit` sets another limit"
        );
        assert!(within(at("2028-11-01T00:00:00Z"), 730, now).is_ok());
    }

    #[test]
    fn an_exemption_of_everything_needs_a_confirmation() {
        let rows = [
            ("resource:*", "111122223333", true),
            ("resource:**?", "111122223333", true),
            ("tag:rectify:exempt=*", "111122223333", true),
            ("resource:sg-1", "*", true),
            ("resource:sg-*", "111122223333", false),
            ("resource:????????", "111122223333", false),
            ("tag:rectify:exempt=web", "111122223333", false),
        ];
        for (selector, account, expected) in rows {
            let exemption = Exemption { account: account.to_owned(), selector: selector.parse().unwrap(), ..valid() };
            assert_eq!(is_broad(&exemption), expected, "{selector} {account}");
        }
    }
}

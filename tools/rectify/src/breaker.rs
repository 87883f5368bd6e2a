//! `rectify breaker`: circuit breakers, which stop a control that fixes the same resource repeatedly or keeps failing.

use jiff::Timestamp;
use rectify_compliance::Target;
use rectify_runtime::ledger::{AuditEntry, BreakerBlocked, OpenBreaker, ResourcePath};
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::{BreakerCommand, ScopeArguments};
use crate::check::known;
use crate::cli_error::CliError;
use crate::place::{self, OpenLedger, Typed};
use crate::report::Report;

/// Lists or resets breakers.
pub(crate) async fn run(command: &BreakerCommand, environment: &Environment) -> Result<Report, CliError> {
    match command {
        BreakerCommand::List(arguments) => list(arguments, environment).await,
        BreakerCommand::Reset { breaker, decision } => {
            let by = place::operator(decision.operator.by.as_deref(), environment)?;
            reset(breaker, &decision.reason, by, environment).await
        }
    }
}

async fn list(arguments: &ScopeArguments, environment: &Environment) -> Result<Report, CliError> {
    let open = OpenLedger::open(&arguments.ledger, environment).await?;
    let now = Timestamp::now();
    let mut found: Vec<(String, OpenBreaker)> = Vec::new();
    let mut blocked = Vec::new();
    let controls = rectify_catalogue::controls().map(|control| control.meta.id);
    for control in controls.filter(|id| arguments.control.as_deref().is_none_or(|requested| requested == *id)) {
        found.extend(open.ledger.control_breaker(control, now).await?.map(|it| (control.to_owned(), it)));
        match addressed(arguments, &open).await? {
            Some(target) => blocked.push(BreakerBlocked { control: control.to_owned(), target }),
            None => blocked.extend(open.ledger.breaker_blocked(control).await?),
        }
    }
    for BreakerBlocked { control, target } in &blocked {
        let breaker = open.ledger.resource_breaker(&ResourcePath::of(target), control, None, now).await?;
        found.extend(breaker.map(|it| (on(control, target), it)));
    }
    let text = if found.is_empty() {
        "no breaker is open\n".to_owned()
    } else {
        found.iter().map(|(scope, breaker)| format!("{scope}: {breaker}\n")).collect()
    };
    let json = found.iter().map(|(scope, breaker)| as_json(scope, breaker)).collect::<Vec<_>>();
    Ok(Report::fine(text, json!({ "open": json })))
}

async fn reset(
    arguments: &ScopeArguments,
    reason: &str,
    by: String,
    environment: &Environment,
) -> Result<Report, CliError> {
    let open = OpenLedger::open_to_decide(&arguments.ledger, environment).await?;
    let control = arguments.control.as_deref();
    let control = control.ok_or_else(|| CliError::usage("reset: expected a control: received nothing"))?;
    let entry = |what: String| AuditEntry::now(&by, what, reason);
    let scope = match addressed(arguments, &open).await? {
        Some(target) => {
            let entry = entry(format!("breaker reset {control} {}", target.resource));
            open.ledger.reset_resource_breaker(&ResourcePath::of(&target), control, &entry).await?;
            on(control, &target)
        }
        None => {
            open.ledger.reset_control_breaker(control, &entry(format!("breaker reset {control}"))).await?;
            control.to_owned()
        }
    };
    Ok(Report::fine(
        format!("reset {scope}: earlier attempts and failures no longer count\n"),
        json!({ "reset": scope }),
    ))
}

/// The label of a control's breaker on one resource, with account and region.
fn on(control: &str, target: &Target) -> String {
    format!("{control} on {} in {} {}", target.resource.id, target.account, target.region)
}

async fn addressed(arguments: &ScopeArguments, open: &OpenLedger) -> Result<Option<Target>, CliError> {
    let Some(id) = arguments.resource.as_deref() else { return Ok(None) };
    let control = arguments.control.as_deref().map(known).transpose()?;
    let typed = Typed { id, kind: arguments.kind.as_deref(), account: arguments.account.as_deref() };
    typed.target(control, &open.caller).await.map(Some)
}

fn as_json(scope: &str, breaker: &OpenBreaker) -> Value {
    match breaker {
        OpenBreaker::Resource { attempts, until } => json!({ "of": scope, "attempts": attempts, "until": until }),
        OpenBreaker::Failing { failures, until } => json!({ "of": scope, "failures": failures, "until": until }),
        OpenBreaker::Control { resources, until } => json!({ "of": scope, "resources": resources, "until": until }),
    }
}

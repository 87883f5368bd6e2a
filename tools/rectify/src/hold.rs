//! `rectify hold`: keeps a control's remediation from changing one resource for some days.

use jiff::{SignedDuration, Timestamp};
use rectify_compliance::{Entry, Target};
use rectify_runtime::ledger::{Hold, ResourcePath};
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::{CommandOr, HeldArguments, HoldArguments, HoldCommand};
use crate::check::known;
use crate::cli_error::CliError;
use crate::place::{self, OpenLedger, Typed};
use crate::report::{Report, columns, moment};

/// How long a hold lasts if the operator does not say.
const DEFAULT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Sets, lists or ends holds.
pub(crate) async fn run(
    arguments: &CommandOr<HoldCommand, HoldArguments>,
    environment: &Environment,
) -> Result<Report, CliError> {
    match arguments {
        CommandOr::Command(HoldCommand::List(held)) => list(held, environment).await,
        CommandOr::Command(HoldCommand::End { held, operator }) => end(held, operator.by.as_deref(), environment).await,
        CommandOr::Arguments(HoldArguments { held, lasts, until, decision }) => {
            let now = Timestamp::now();
            let by = place::operator(decision.operator.by.as_deref(), environment)?;
            let until = place::end(now, *until, lasts.unwrap_or(DEFAULT))?;
            let hold = Hold { control: held.control.clone(), by, reason: decision.reason.clone(), until };
            add(held, &hold, environment).await
        }
    }
}

async fn add(held: &HeldArguments, hold: &Hold, environment: &Environment) -> Result<Report, CliError> {
    let (open, target) = addressed(held, environment).await?;
    open.ledger.set_hold(&ResourcePath::of(&target), hold).await?;
    let text = format!(
        "held {} for {} until {}: it is still evaluated and planned for, but not changed\n",
        target.resource,
        hold.control,
        moment(hold.until)
    );
    Ok(Report::fine(text, json!({ "resource": target.resource, "hold": as_json(hold) })))
}

async fn list(arguments: &HeldArguments, environment: &Environment) -> Result<Report, CliError> {
    let (open, target) = addressed(arguments, environment).await?;
    let holds = open.ledger.holds(&ResourcePath::of(&target), Timestamp::now()).await?;
    let holds: Vec<Hold> = holds.into_iter().filter(|it| it.control == arguments.control).collect();
    Ok(listed(&target, &holds))
}

fn listed(target: &Target, holds: &[Hold]) -> Report {
    let text = if holds.is_empty() {
        format!("no hold on {} in account {}, region {}\n", target.resource, target.account, target.region)
    } else {
        let row = |it: &Hold| vec![it.control.clone(), moment(it.until), it.by.clone(), it.reason.clone()];
        let header = ["CONTROL", "HELD UNTIL", "BY", "REASON"].map(str::to_owned).to_vec();
        columns(header, holds.iter().map(row).collect())
    };
    let json = json!({ "resource": target.resource, "holds": holds.iter().map(as_json).collect::<Vec<_>>() });
    Report::fine(text, json)
}

async fn end(held: &HeldArguments, by: Option<&str>, environment: &Environment) -> Result<Report, CliError> {
    let (open, target) = addressed(held, environment).await?;
    let path = ResourcePath::of(&target);
    let previous = open.ledger.hold_on(&path, &held.control, Timestamp::now()).await?;
    open.ledger.end_hold(&path, &held.control, &place::operator(by, environment)?).await?;
    let (control, resource) = (&held.control, &target.resource);
    let text = match &previous {
        Some(hold) => format!("ended the hold of {} on {resource} for {control}: {}\n", hold.by, hold.reason),
        None => format!("no hold on {resource} for {control}: nothing to end\n"),
    };
    Ok(Report::fine(text, json!({ "resource": resource, "control": control, "ended": previous.as_ref().map(as_json) })))
}

async fn addressed(held: &HeldArguments, environment: &Environment) -> Result<(OpenLedger, Target), CliError> {
    let control: &Entry = known(&held.control)?;
    let open = OpenLedger::open(&held.ledger, environment).await?;
    let typed = Typed { id: &held.resource, kind: held.kind.as_deref(), account: held.account.as_deref() };
    let target = typed.target(Some(control), &open.caller).await?;
    Ok((open, target))
}

/// A hold as JSON.
pub(crate) fn as_json(hold: &Hold) -> Value {
    json!({ "control": hold.control, "by": hold.by, "reason": hold.reason, "until": hold.until })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rectify_compliance::{AccountId, Region, ResourceKey};

    #[test]
    fn a_hold_is_listed_with_its_end_and_its_reason() {
        let target = Target {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            resource: ResourceKey::new("AWS::S3::Bucket", "assets"),
            name: None,
            arn: None,
        };
        let hold = Hold {
            control: "restricted-ssh".to_owned(),
            by: "ada".to_owned(),
            reason: "undo of 01A".to_owned(),
            until: "2026-03-04T05:06:07Z".parse().unwrap(),
        };
        assert_eq!(
            listed(&target, &[hold]).text,
            "CONTROL         HELD UNTIL            BY   REASON\nrestricted-ssh  2026-03-04 05:06:07Z  ada  undo of 01A\n"
        );
        assert_eq!(
            listed(&target, &[]).text,
            "no hold on AWS::S3::Bucket assets in account 111122223333, region eu-west-1\n"
        );
    }
}

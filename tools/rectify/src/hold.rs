//! `rectify hold`: keeps a control's remediation from changing one resource for some days.

use jiff::{SignedDuration, Timestamp};
use rectify_compliance::{Entry, Target};
use rectify_runtime::ledger::{Hold, ResourcePath};
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::{CommandOr, HeldArguments, HoldArguments, HoldCommand, ScopeArguments};
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
        CommandOr::Command(HoldCommand::List(scope)) => list(scope, environment).await,
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

async fn list(scope: &ScopeArguments, environment: &Environment) -> Result<Report, CliError> {
    let now = Timestamp::now();
    let open = OpenLedger::open(&scope.ledger, environment).await?;
    let (Some(control), Some(id)) = (scope.control.as_deref(), scope.resource.as_deref()) else {
        let mut holds = open.ledger.all_holds(scope.control.as_deref(), now).await?;
        holds.retain(|(target, _)| scope.account.as_deref().is_none_or(|account| account == target.account.as_str()));
        return Ok(all_listed(&holds));
    };
    let typed = Typed { id, kind: scope.kind.as_deref(), account: scope.account.as_deref() };
    let target = typed.target(Some(known(control)?), &open.caller).await?;
    let hold = open.ledger.hold_on(&ResourcePath::of(&target), control, now).await?;
    Ok(listed(&target, hold.as_slice()))
}

fn all_listed(holds: &[(Target, Hold)]) -> Report {
    let json = holds.iter().map(|(target, hold)| {
        let Target { account, region, resource, .. } = target;
        let Hold { control, by, reason, until } = hold;
        json!({ "control": control, "account": account, "region": region, "resource": resource, "by": by,
            "reason": reason, "until": until })
    });
    let json = json!({ "holds": json.collect::<Vec<_>>() });
    if holds.is_empty() {
        return Report::fine("no hold\n", json);
    }
    let header = ["CONTROL", "RESOURCE", "ACCOUNT", "REGION", "HELD UNTIL", "BY", "REASON"];
    let row = |(target, it): &(Target, Hold)| {
        let place = [target.resource.id.clone(), target.account.to_string(), target.region.to_string()];
        let hold = [moment(it.until), it.by.clone(), it.reason.clone()];
        [&[it.control.clone()][..], &place, &hold].concat()
    };
    Report::fine(columns(header.map(str::to_owned).to_vec(), holds.iter().map(row).collect()), json)
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
    let open = OpenLedger::open_to_decide(&held.ledger, environment).await?;
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

//! `rectify plan`: the plan for a live resource, and all that keeps a remediation from applying it. Writes nothing.

use rectify_compliance::{Entry, Region};
use rectify_runtime::ledger::{CLOCK_TOLERANCE, Ledger};
use rectify_runtime::remediation::Deployment;
use rectify_runtime::settings::{Environment, RemediationSettings};

use super::client;
use super::finding::Finding;
use super::live::Live;
use super::outlook::Outlook;
use crate::arguments::{LedgerArguments, PlanArguments};
use crate::cli_error::CliError;
use crate::place::{OpenLedger, Typed};

/// Reads the deployment and the resource, and plans.
pub(super) async fn plan(
    control: &'static Entry,
    arguments: &PlanArguments,
    environment: &Environment,
) -> Result<Finding, CliError> {
    let PlanArguments { resource, kind, account, .. } = arguments;
    let typed = Typed { id: resource, kind: kind.as_deref(), account: account.as_deref() };
    let given = Given::of(control, arguments)?;
    let live = Live::of(control, typed, arguments.ledger.region.as_deref(), environment).await?;
    let deployed = deployed(control, arguments, &live).await;
    let variables = match &given {
        Given::File(variables) => Ok(variables.clone()),
        Given::Nothing | Given::Parameters(_) => deployed.clone(),
    };
    let parameters = match (&given, &variables) {
        (Given::Parameters(json), _) => json.clone(),
        (_, Ok(variables)) => variables.get("PARAMETERS").unwrap_or("{}").to_owned(),
        (_, Err(_)) => "{}".to_owned(),
    };
    let inspection = live.inspect(&parameters).await?;
    let outlook = if inspection.verdict.is_non_compliant() {
        let table = arguments.ledger.table.as_deref().or_else(|| environment.get("LEDGER_TABLE"));
        let table = table.or_else(|| deployed.as_ref().ok()?.get("LEDGER_TABLE"));
        let ledger = ledger(table, &arguments.ledger, environment, &live).await;
        let deployment = deployment(variables, ledger, &live).await;
        let blockers = live.operations.blockers(live.caller.config(), &live.target, &inspection, &deployment).await?;
        Some(Outlook {
            blockers,
            meta: control.meta,
            target: live.target.clone(),
            is_opt_in: inspection.plan.blocker(true).is_none(),
        })
    } else {
        None
    };
    Ok(Finding { outlook, ..live.finding(inspection) })
}

/// What the arguments say of the deployment.
enum Given {
    /// Nothing: what is deployed counts.
    Nothing,
    /// The rule's parameters, in place of the deployed ones.
    Parameters(String),
    /// The variables that follow from a `rectify.yaml`.
    File(Environment),
}

impl Given {
    fn of(control: &Entry, arguments: &PlanArguments) -> Result<Self, CliError> {
        let Some(given) = arguments.parameters.as_deref() else { return Ok(Self::Nothing) };
        if given.trim_start().starts_with('{') {
            let checked = control.check_parameters(given);
            checked.map_err(|error| CliError::usage(format!("--parameters: {error}")))?;
            return Ok(Self::Parameters(given.to_owned()));
        }
        let refused = |why: &dyn std::fmt::Display| CliError::usage(format!("--parameters: {given}: {why}"));
        let text = std::fs::read_to_string(given).map_err(|error| refused(&error))?;
        let controls: Vec<_> = rectify_catalogue::controls().collect();
        let settings = rectify_synth::Settings::read(&text, &controls).map_err(|error| refused(&error))?;
        let variables = rectify_synth::remediation_variables(&settings, control.meta.id).unwrap_or_default();
        // The file does not name the ledger, and nothing reads the name from these settings.
        let ledger = ("LEDGER_TABLE", "unknown".to_owned());
        Ok(Self::File(Environment::of(variables.into_iter().chain([ledger]))))
    }
}

/// The variables of the deployed remediation, or why they are not known.
async fn deployed(control: &Entry, arguments: &PlanArguments, live: &Live) -> Result<Environment, String> {
    let function = format!("{}{}-fix", arguments.ledger.prefix, control.meta.id);
    match client::variables(live.caller.config(), &function).await {
        Ok(Some(variables)) => Ok(Environment::of(variables)),
        Ok(None) => Err(format!(
            "no function {function} in {}: not deployed, or in mode off or observe; --parameters FILE plans for a rectify.yaml",
            live.target.region
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// What is known of the deployment.
async fn deployment(variables: Result<Environment, String>, ledger: Result<Ledger, String>, live: &Live) -> Deployment {
    let settings = variables.as_ref().map_err(String::clone).and_then(|variables| {
        let settings = RemediationSettings::read(variables).map_err(|error| error.to_string())?;
        let home = variables.get("HOME_REGION").map(Region::new);
        Ok((settings, home))
    });
    let reported_at = match &settings {
        Ok((settings, _)) if settings.grace_minutes.of(live.operations.id()).is_some_and(|it| it.get() > 0) => {
            let rule = variables.as_ref().ok().and_then(|it| it.get("RULE_NAMES")).unwrap_or_default();
            let reported = client::reported_at(live.caller.config(), rule, &live.target.resource).await;
            reported.map_err(|error| error.to_string())
        }
        _ => Ok(None),
    };
    let (settings, home) = match settings {
        Ok((settings, home)) => (Ok(settings), home),
        Err(why) => (Err(why), None),
    };
    Deployment { settings, home, ledger, reported_at }
}

/// The ledger of this name, else that of the stack, if it can be read.
async fn ledger(
    table: Option<&str>,
    arguments: &LedgerArguments,
    environment: &Environment,
    live: &Live,
) -> Result<Ledger, String> {
    let (ledger, table) = match table {
        Some(table) => (Ledger::new(live.caller.config(), table).tolerating(CLOCK_TOLERANCE), table.to_owned()),
        None => {
            let open = OpenLedger::open_as(live.caller.clone(), arguments, environment).await;
            let OpenLedger { ledger, table, .. } = open.map_err(|error| error.to_string())?;
            (ledger, table)
        }
    };
    match ledger.stops().await {
        Ok(_) => Ok(ledger),
        Err(error) => Err(format!("{error}: table {table}, region {}", live.target.region)),
    }
}

//! `rectify check`: a verdict and a plan, from an event or from the live resource. Writes nothing.

mod event;
mod finding;
mod live;

use rectify_compliance::Entry;
use rectify_runtime::settings::Environment;

use crate::arguments::{CheckArguments, PlanArguments, PlanFormat};
use crate::cli_error::CliError;
use crate::report::Report;
use crate::style::Style;

/// Evaluates an event or a live resource.
pub(crate) async fn run(
    arguments: &CheckArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    let control = known(&arguments.control)?;
    let findings = match (&arguments.event, &arguments.resource) {
        (Some(path), _) => event::check(control, path, arguments, environment)?,
        (None, Some(id)) => vec![live::check(control, id, arguments, environment).await?],
        (None, None) => return Err(CliError::usage("check: expected a resource or --event: received neither")),
    };
    let report = finding::report(control, &findings, style);
    Ok(match arguments.output.format {
        Some(PlanFormat::Cli) => Report { text: finding::script(control, &findings), ..report },
        None => report,
    })
}

/// The plan of the remediation for a live resource: shorthand for `check` with the resource.
pub(crate) async fn plan(
    arguments: &PlanArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    let PlanArguments { control, resource, kind, parameters, account, region, output } = arguments;
    let check = CheckArguments {
        control: control.clone(),
        resource: Some(resource.clone()),
        event: None,
        facts: None,
        subjects: None,
        kind: kind.clone(),
        parameters: parameters.clone(),
        account: account.clone(),
        region: region.clone(),
        output: *output,
    };
    run(&check, environment, style).await
}

/// The control with this id.
pub(crate) fn known(id: &str) -> Result<&'static Entry, CliError> {
    rectify_catalogue::find(id)
        .ok_or_else(|| CliError::usage(format!("control: expected one of `rectify controls`: received `{id}`")))
}

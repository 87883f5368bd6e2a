//! `rectify check` and `rectify plan`: a verdict and a plan, from an event or from the live resource, and what keeps the plan
//! from being applied. Writes nothing.

mod client;
mod event;
mod finding;
mod live;
mod outlook;
mod plan;

use rectify_compliance::Entry;
use rectify_runtime::settings::Environment;

use self::finding::Finding;
use crate::arguments::{CheckArguments, PlanArguments, PlanFormat, PlanOutput};
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
    Ok(shown(control, &findings, arguments.output, style))
}

/// The plan of the remediation for a live resource, and what keeps it from being applied.
pub(crate) async fn plan(
    arguments: &PlanArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    let control = known(&arguments.control)?;
    let findings = [plan::plan(control, arguments, environment).await?];
    Ok(shown(control, &findings, arguments.output, style))
}

/// The findings in the form of the arguments.
fn shown(control: &Entry, findings: &[Finding], output: PlanOutput, style: Style) -> Report {
    let report = finding::report(control, findings, style);
    match output.format {
        Some(PlanFormat::Cli) => Report { text: finding::script(control, findings), ..report },
        None => report,
    }
}

/// The control with this id.
pub(crate) fn known(id: &str) -> Result<&'static Entry, CliError> {
    rectify_catalogue::find(id)
        .ok_or_else(|| CliError::usage(format!("control: expected one of `rectify controls`: received `{id}`")))
}

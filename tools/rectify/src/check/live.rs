//! Reads a live resource with the operator's credentials, evaluates it and plans.

use rectify_compliance::Entry;
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::settings::Environment;

use super::finding::{Finding, Seen};
use crate::arguments::CheckArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;
use crate::place::Typed;

/// Reads, evaluates and plans; makes no write call.
pub(super) async fn check(
    control: &Entry,
    id: &str,
    arguments: &CheckArguments,
    environment: &Environment,
) -> Result<Finding, CliError> {
    let name = control.meta.id;
    let operations = rectify_catalogue_lambda::operations().find(|it| it.id() == name).ok_or_else(|| {
        CliError::usage(format!(
            "resource: `{name}` has no remediation and so no live read: check an event with --event instead"
        ))
    })?;
    control
        .check_parameters(&arguments.parameters)
        .map_err(|error| CliError::usage(format!("--parameters: {error}")))?;
    let caller = Caller::new(arguments.region.as_deref(), environment).await?;
    let typed = Typed { id, kind: arguments.kind.as_deref(), account: arguments.account.as_deref() };
    let mut target = typed.target(Some(control), &caller).await?;
    caller.expect_account(&target.account).await?;
    let config = caller.config();
    if control.remediation.is_some_and(rectify_compliance::entry::ErasedRemediation::needs_name) {
        target.name = ConfigService::new(config).name_of(&target).await?;
    }
    let inspection = operations.inspect(config, &target, &arguments.parameters).await?.ok_or_else(|| {
        let (account, resource, region) = (&target.account, &target.resource, &target.region);
        CliError::usage(format!("resource: no {resource} in account {account}, region {region}"))
    })?;
    let is_found = inspection.verdict.is_non_compliant();
    Ok(Finding {
        resource: target.resource,
        verdict: inspection.verdict,
        plan: is_found.then_some((inspection.plan, target.region)),
        subject: Some(inspection.subject),
        stack: inspection.stack,
        seen: Seen::Live,
    })
}

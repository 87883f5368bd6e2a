//! Reads a live resource with the operator's credentials, evaluates it and plans.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{Entry, Target};
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::operations::{Inspection, Operations};
use rectify_runtime::settings::Environment;

use super::finding::{Finding, Seen};
use crate::arguments::CheckArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;
use crate::place::Typed;

/// A live resource of a control.
pub(super) struct Live {
    pub(super) operations: Operations,
    pub(super) caller: Caller,
    pub(super) target: Target,
}

impl Live {
    /// Resolves region, account, type and name; reads no resource.
    pub(super) async fn of(
        control: &Entry,
        typed: Typed<'_>,
        region: Option<&str>,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let name = control.meta.id;
        let operations = rectify_catalogue_lambda::operations().find(|it| it.id() == name).ok_or_else(|| {
            CliError::usage(format!(
                "control: `{name}` has no remediation, and so no plan and no live read: use `rectify scan --control {name}`, or `rectify check {name} --event FILE`"
            ))
        })?;
        let caller = Caller::new(region, environment).await?;
        let mut target = typed.target(Some(control), &caller).await?;
        caller.expect_account(&target.account).await?;
        if control.remediation.is_some_and(ErasedRemediation::needs_name) {
            target.name = ConfigService::new(caller.config()).name_of(&target).await?;
        }
        Ok(Self { operations, caller, target })
    }

    /// Reads, evaluates and plans; makes no write call.
    pub(super) async fn inspect(&self, parameters: &str) -> Result<Inspection, CliError> {
        let Target { account, region, resource, .. } = &self.target;
        self.operations
            .inspect(self.caller.config(), &self.target, parameters)
            .await?
            .ok_or_else(|| CliError::usage(format!("resource: no {resource} in account {account}, region {region}")))
    }

    /// The finding of an inspection.
    pub(super) fn finding(&self, inspection: Inspection) -> Finding {
        let Inspection { live, verdict, plan, stack } = inspection;
        Finding {
            resource: self.target.resource.clone(),
            plan: verdict.is_non_compliant().then_some((plan, self.target.region.clone())),
            verdict,
            subject: Some(live.image),
            stack,
            seen: Seen::Live,
            outlook: None,
        }
    }
}

/// Reads, evaluates and plans; makes no write call.
pub(super) async fn check(
    control: &Entry,
    id: &str,
    arguments: &CheckArguments,
    environment: &Environment,
) -> Result<Finding, CliError> {
    control
        .check_parameters(&arguments.parameters)
        .map_err(|error| CliError::usage(format!("--parameters: {error}")))?;
    let typed = Typed { id, kind: arguments.kind.as_deref(), account: arguments.account.as_deref() };
    let live = Live::of(control, typed, arguments.region.as_deref(), environment).await?;
    let inspection = live.inspect(&arguments.parameters).await?;
    Ok(live.finding(inspection))
}

//! Reads a live resource with the operator's credentials, evaluates it and plans.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{Entry, ResourceKey, Target};
use rectify_runtime::client::Found;
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::operations::{Inspection, Operations};
use rectify_runtime::settings::Environment;

use super::finding::{Finding, Seen};
use crate::arguments::CheckArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;
use crate::place::{Typed, is_named};

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
        let mut target = typed.named(control, caller.region())?.target(Some(control), &caller).await?;
        caller.expect_account(&target.account).await?;
        let needs_name = control.remediation.is_some_and(ErasedRemediation::needs_name);
        if needs_name {
            target.name = ConfigService::new(caller.config())
                .name_of(&target)
                .await
                .or_else(|error| if is_named(&target.resource.kind) { Ok(None) } else { Err(error) })?;
        }
        if target.name.is_none() && is_named(&target.resource.kind) {
            let found = named(operations.find(caller.config(), &target).await?, &target.resource)?;
            (target.resource, target.name) = (found.resource, found.name);
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

/// The one resource of those with the given id or name; as it was given if there is none, which its read will say.
fn named(mut found: Vec<Found>, given: &ResourceKey) -> Result<Found, CliError> {
    match (found.pop(), found.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Ok(Found { resource: given.clone(), name: None }),
        (Some(last), others) => {
            let ids: Vec<&str> = others.iter().chain([&last]).map(|it| it.resource.id.as_str()).collect();
            Err(CliError::usage(format!(
                "resource: expected the AWS Config id of one {}: received `{}`, which is the name of {}",
                given.kind,
                given.id,
                ids.join(", ")
            )))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_several_resources_is_refused_with_their_ids() {
        let given = ResourceKey::new("AWS::IAM::Policy", "audit");
        let found =
            |id: &str| Found { resource: ResourceKey::new("AWS::IAM::Policy", id), name: Some("audit".to_owned()) };
        assert_eq!(named(vec![found("ANPA1")], &given).unwrap().resource.id, "ANPA1");
        assert_eq!(named(Vec::new(), &given).unwrap().resource, given);
        let refused = named(vec![found("ANPA1"), found("ANPA2")], &given).unwrap_err().to_string();
        let expected = "resource: expected the AWS Config id of one AWS::IAM::Policy: received `audit`, which is the name of ANPA1, ANPA2";
        assert_eq!(refused, expected);
    }
}

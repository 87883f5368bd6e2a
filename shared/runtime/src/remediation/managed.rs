//! Whether a CloudFormation stack manages the resources of a plan: a fix would be drift, and reverted by the next
//! deployment.

use std::collections::BTreeSet;

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{IdentifiedState, ManagedBy, PhysicalId, Plan, StoredState, Tags};
use serde_json::Value;

use super::deployed::Calls;
use crate::Error;
use crate::stacks::Stacks;

/// The tag CloudFormation puts on what it creates.
const STACK_NAME: &str = "aws:cloudformation:stack-name";
/// The prefix of all its tags.
const PREFIX: &str = "aws:cloudformation:";

/// The stack that manages a resource with these tags, by name.
pub(super) fn stack(tags: &Tags) -> Option<&str> {
    tags.get(STACK_NAME)
        .map(String::as_str)
        .or_else(|| tags.keys().any(|key| key.starts_with(PREFIX)).then_some("unknown"))
}

/// The stack that CloudFormation returns for a resource of the plan, if the control's types carry no stack tag. The
/// first one is enough: the plan is applied completely or not at all.
///
/// # Errors
/// [`Error::Aws`] when CloudFormation does not answer.
pub(super) async fn lookup_stack(
    control: &dyn ErasedRemediation,
    clients: &dyn Calls,
    stacks: &Stacks,
    live: &StoredState,
    plan: &Plan<Value>,
) -> Result<Option<String>, Error> {
    let mut resources = BTreeSet::new();
    if matches!(control.managed_by(), ManagedBy::Lookup(_)) {
        for action in plan.calls() {
            resources.extend(control.stack_resources(live, action)?);
        }
    }
    clients.stack(stacks, resources).await
}

/// The first stack that manages one of these.
pub(super) async fn first(stacks: &Stacks, resources: BTreeSet<PhysicalId>) -> Result<Option<String>, Error> {
    for resource in &resources {
        if let Some(stack) = stacks.managing(resource).await? {
            return Ok(Some(stack));
        }
    }
    Ok(None)
}

/// The stack that manages the plan's resources: from the tags, else by lookup.
///
/// # Errors
/// As [`lookup_stack`].
pub(crate) async fn stack_of(
    control: &dyn ErasedRemediation,
    clients: &dyn Calls,
    stacks: &Stacks,
    live: &IdentifiedState,
    plan: &Plan<Value>,
) -> Result<Option<String>, Error> {
    match stack(&live.tags) {
        Some(stack) => Ok(Some(stack.to_owned())),
        None => lookup_stack(control, clients, stacks, &live.image, plan).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_is_read_from_the_tags_that_only_cloudformation_can_set() {
        let tags = |key: &str, value: &str| Tags::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(stack(&tags("aws:cloudformation:stack-name", "network")), Some("network"));
        assert_eq!(stack(&tags("aws:cloudformation:logical-id", "Group")), Some("unknown"));
        assert_eq!(stack(&tags("team", "aws:cloudformation:stack-name")), None);
    }
}

//! Whether a CloudFormation stack manages what a plan would change: a change by hand would be drift, and undone by the next
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
/// What all its tags begin with.
const PREFIX: &str = "aws:cloudformation:";

/// The stack that manages a resource with these tags, by name.
pub(super) fn stack(tags: &Tags) -> Option<&str> {
    tags.get(STACK_NAME)
        .map(String::as_str)
        .or_else(|| tags.keys().any(|key| key.starts_with(PREFIX)).then_some("unknown"))
}

/// The stack that CloudFormation names for one of the things the plan would change, where the control's types carry no tag
/// of it. The first is enough: the plan is applied whole or not at all.
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

/// The stack that manages one of these.
pub(super) async fn first(stacks: &Stacks, resources: BTreeSet<PhysicalId>) -> Result<Option<String>, Error> {
    for resource in &resources {
        if let Some(stack) = stacks.managing(resource).await? {
            return Ok(Some(stack));
        }
    }
    Ok(None)
}

/// The stack that manages what the plan would change: told by tags, else looked up.
///
/// # Errors
/// As [`looked_up`].
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
    fn a_stack_is_told_by_the_tags_only_cloudformation_can_set() {
        let tags = |key: &str, value: &str| Tags::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(stack(&tags("aws:cloudformation:stack-name", "network")), Some("network"));
        assert_eq!(stack(&tags("aws:cloudformation:logical-id", "Group")), Some("unknown"));
        assert_eq!(stack(&tags("team", "aws:cloudformation:stack-name")), None);
    }
}

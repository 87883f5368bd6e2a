//! Whether a CloudFormation stack manages what a plan would change: a change by hand would be drift, and undone by the next
//! deployment.

use std::collections::BTreeSet;

use rectify_compliance::{Declared, Image, ManagedBy, PhysicalId, Plan, Remediation, Tags};

use crate::Fault;
use crate::operations::Boxed;
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
/// [`Fault::Aws`] when CloudFormation does not answer.
pub(super) fn looked_up<'a, K: Remediation>(
    control: &'static Declared<K>,
    stacks: &'a Stacks,
    live: &K::Subject,
    plan: &Plan<K::Action>,
) -> Boxed<'a, Result<Option<String>, Fault>> {
    // A plain branch on a constant: a function that never looks anything up does not link CloudFormation.
    match control.logic.managed_by() {
        ManagedBy::Lookup(_) => {
            let calls = plan.calls().into_iter();
            let resources: BTreeSet<PhysicalId> =
                calls.flat_map(|action| control.logic.stack_resources(live, action)).collect();
            Box::pin(first(stacks, resources))
        }
        ManagedBy::Tags | ManagedBy::Nobody(_) => Box::pin(std::future::ready(Ok(None))),
    }
}

async fn first(stacks: &Stacks, resources: BTreeSet<PhysicalId>) -> Result<Option<String>, Fault> {
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
pub(crate) async fn stack_of<K: Remediation>(
    control: &'static Declared<K>,
    stacks: &Stacks,
    live: &K::Subject,
    plan: &Plan<K::Action>,
) -> Result<Option<String>, Fault> {
    match stack(live.tags()) {
        Some(stack) => Ok(Some(stack.to_owned())),
        None => looked_up(control, stacks, live, plan).await,
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

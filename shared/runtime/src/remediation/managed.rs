//! Whether somebody else owns the resource's definition.

use rectify_compliance::Tags;

/// The tag CloudFormation puts on what it creates.
const STACK_NAME: &str = "aws:cloudformation:stack-name";
/// What all its tags begin with.
const PREFIX: &str = "aws:cloudformation:";

/// The CloudFormation stack that manages a resource with these tags: a change by hand would be drift, and undone by the
/// next deployment.
pub(super) fn stack(tags: &Tags) -> Option<&str> {
    tags.get(STACK_NAME)
        .map(String::as_str)
        .or_else(|| tags.keys().any(|key| key.starts_with(PREFIX)).then_some("unknown"))
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

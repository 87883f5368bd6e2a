//! IAM permissions as data, each beside the code that needs it.

/// One IAM action with the resources it is allowed on.
///
/// The resource is an ARN pattern with CloudFormation pseudo parameters (`arn:${AWS::Partition}:…`), or `*` where the
/// action has no resource type in the Service Authorization Reference. Roles are generated from these only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    /// `service:Action` as IAM spells it, e.g. `s3:GetBucketPublicAccessBlock`.
    pub action: &'static str,
    /// The resources it is allowed on.
    pub resource: &'static str,
    /// The condition, if there is one.
    pub condition: Option<Condition>,
}

/// The condition of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// `StringEquals`: the key has this value.
    Equals(&'static str, &'static str),
    /// Items of a DynamoDB table whose partition key (`dynamodb:LeadingKeys`) matches one of these patterns; `*` is a
    /// wildcard. [`EACH_CONTROL`] in a pattern is replaced by the id of each control of the role.
    Partitions(&'static [&'static str]),
    /// Events of Rectify with one of these detail types.
    Events(&'static [&'static str]),
}

/// Placeholder in a pattern of [`Condition::Partitions`] for the id of each control of a role.
pub const EACH_CONTROL: &str = "<control>";

impl Permission {
    /// An action that IAM cannot scope to a resource.
    pub const fn unscoped(action: &'static str) -> Self {
        Self { action, resource: "*", condition: None }
    }

    /// An action on the resources that match `resource`.
    pub const fn on(action: &'static str, resource: &'static str) -> Self {
        Self { action, resource, condition: None }
    }

    /// The same, only where the condition key equals `value`.
    #[must_use]
    pub const fn when(self, key: &'static str, value: &'static str) -> Self {
        Self { condition: Some(Condition::Equals(key, value)), ..self }
    }

    /// The same, only for items whose partition key matches one of these patterns.
    #[must_use]
    pub const fn in_partitions(self, patterns: &'static [&'static str]) -> Self {
        Self { condition: Some(Condition::Partitions(patterns)), ..self }
    }

    /// The same, only for events of Rectify with one of these detail types.
    #[must_use]
    pub const fn of_events(self, detail_types: &'static [&'static str]) -> Self {
        Self { condition: Some(Condition::Events(detail_types)), ..self }
    }

    /// Whether the action is read-only, by its name.
    pub fn reads(&self) -> bool {
        let verb = self.action.split_once(':').map_or("", |(_, name)| name);
        ["Get", "List", "Describe", "Lookup", "BatchGet", "Simulate"].iter().any(|it| verb.starts_with(it))
    }

    /// The stack parameter, if the whole resource is one (`${MfaPolicyArn}`). Its value `none` grants nothing.
    pub fn parameter(&self) -> Option<&'static str> {
        let name = self.resource.strip_prefix("${")?.strip_suffix('}')?;
        (!name.contains([':', '.', '$'])).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_a_stack_parameter_only_if_it_is_the_whole_resource() {
        let of = |resource| Permission::on("iam:PassRole", resource).parameter();
        assert_eq!(of("${CloudTrailLogsRoleArn}"), Some("CloudTrailLogsRoleArn"));
        for other in ["*", "${Ledger.Arn}", "${AWS::Partition}", "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }
}

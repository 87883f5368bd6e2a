//! IAM actions as data, each beside the code that needs it.

/// One IAM action with the resources it is allowed on.
///
/// The resource is an ARN pattern with CloudFormation pseudo parameters (`arn:${AWS::Partition}:…`), or `*` where the
/// action has no resource type in the Service Authorization Reference. Roles are built from these and from nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    /// `service:Action` as IAM spells it, e.g. `s3:GetBucketPublicAccessBlock`.
    pub action: &'static str,
    /// What it is allowed on.
    pub resource: &'static str,
    /// A `StringEquals` condition that narrows it: key and value.
    pub condition: Option<(&'static str, &'static str)>,
}

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
        Self { condition: Some((key, value)), ..self }
    }
}

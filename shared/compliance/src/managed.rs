//! How it is known that a CloudFormation stack manages what a remediation would change.

use crate::{Arn, Permission, Region};

/// What asks CloudFormation for the stack of a resource. The call names no stack, so it is granted on none in particular.
const LOOKUP: &[Permission] = &[Permission::unscoped("cloudformation:DescribeStackResources")];

/// How a control's remediation knows whether a stack manages what it would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagedBy {
    /// By the tags that CloudFormation puts on resources of this type.
    Tags,
    /// By the tags, where there are any, and by the stack that CloudFormation names for these, in words: it puts no tag of
    /// its own on the type, or what is changed is a resource of its own in a template.
    Lookup(&'static str),
    /// No stack can: CloudFormation has no type for it, or no machine changes it. The reason, as a sentence.
    Nobody(&'static str),
}

impl ManagedBy {
    /// What the remediation's role must hold for it.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Lookup(_) => LOOKUP,
            Self::Tags | Self::Nobody(_) => &[],
        }
    }
}

/// A resource as CloudFormation identifies it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhysicalId {
    /// The physical id, e.g. the name of a user.
    pub id: String,
    /// The region of the stack; `None` where the function runs.
    pub region: Option<Region>,
}

impl PhysicalId {
    /// A resource whose stack is where the function runs.
    pub fn here(id: impl Into<String>) -> Self {
        Self { id: id.into(), region: None }
    }

    /// A resource whose stack is where its ARN says, identified by `id`.
    pub fn at_home(arn: &str, id: impl Into<String>) -> Self {
        let region = arn.parse().ok().and_then(|it: Arn| it.region());
        Self { id: id.into(), region }
    }
}

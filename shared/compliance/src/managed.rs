//! How to determine whether a CloudFormation stack manages what a remediation would change.

use crate::{Arn, Permission, Region};

/// The permission to look up the stack of a resource. The call names no stack, so the permission cannot be scoped to
/// one.
const LOOKUP: &[Permission] = &[Permission::unscoped("cloudformation:DescribeStackResources")];

/// How a control's remediation determines whether a stack manages what it would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagedBy {
    /// By the tags that CloudFormation sets on resources of this type.
    Tags,
    /// By the tags, if there are any, and by a lookup of the stack of the resources described here. For types that
    /// CloudFormation does not tag, and for changes to a sub-resource that a template declares as a separate resource.
    Lookup(&'static str),
    /// No stack can manage it: CloudFormation has no type for it, or Rectify never changes it. The reason, as a
    /// sentence.
    Unmanaged(&'static str),
}

impl ManagedBy {
    /// The permissions that the remediation's role needs for this.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Lookup(_) => LOOKUP,
            Self::Tags | Self::Unmanaged(_) => &[],
        }
    }
}

/// A resource as CloudFormation identifies it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhysicalId {
    /// The physical id, e.g. the name of a user.
    pub id: String,
    /// The region of the stack; `None` for the function's region.
    pub region: Option<Region>,
}

impl PhysicalId {
    /// A resource whose stack is in the function's region.
    pub fn here(id: impl Into<String>) -> Self {
        Self { id: id.into(), region: None }
    }

    /// A resource, identified by `id`, whose stack is in the region of its ARN.
    pub fn at_home(arn: &str, id: impl Into<String>) -> Self {
        let region = arn.parse().ok().and_then(|it: Arn| it.region());
        Self { id: id.into(), region }
    }
}

//! The result: the causes of public read and public write access to a bucket.

use std::collections::BTreeSet;

use rectify_compliance::ShapeError;
use rectify_policy::{Effect, Policy, Principal, Selection};
use serde::{Deserialize, Serialize};

use super::actions;
use super::kind::{ACCESS_POINT, BUCKET};
use super::{Acl, Flags, Grantee, Ownership, Permission};

/// A class of access to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Access levels Read and List.
    Read,
    /// Access levels Write, Tagging and Permissions management.
    Write,
}

/// A cause of public access.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A grant of the ACL.
    Acl(Grantee, Permission),
    /// The ACL is unknown; treated as public.
    AclUnread,
    /// A statement of the bucket policy, by label.
    Policy(String),
    /// S3 reports the bucket policy as public, and no public statement explains it.
    PolicyUnexplained,
    /// The bucket policy is unknown; treated as public.
    PolicyUnread,
    /// An access point, by name.
    AccessPoint(String),
}

/// An access point of the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessPoint {
    /// `Name`.
    pub name: String,
    /// `AccessPointArn`.
    pub arn: String,
    /// `NetworkOrigin`.
    pub network_origin: NetworkOrigin,
    /// Its block; it cannot be changed after creation.
    pub block: Flags,
    /// Its policy.
    pub policy: Policy,
    /// `GetAccessPointPolicyStatus`: whether S3 reports its policy as public.
    pub policy_is_public: bool,
}

/// `NetworkOrigin` of an access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkOrigin {
    /// Reachable from the internet.
    Internet,
    /// Reachable from one VPC, which is never public.
    #[serde(rename = "VPC")]
    Vpc,
}

impl NetworkOrigin {
    /// Parses the API's spelling.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown value.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        match text {
            "Internet" => Ok(Self::Internet),
            "VPC" => Ok(Self::Vpc),
            other => Err(ShapeError::new("NetworkOrigin", "Internet or VPC", other)),
        }
    }
}

/// The settings that decide about access to one bucket.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// ARN of the bucket.
    pub arn: &'a str,
    /// The flags of bucket and account combined.
    pub flags: Flags,
    /// Object ownership.
    pub ownership: Ownership,
    /// The ACL; `None` if unknown.
    pub acl: Option<&'a Acl>,
    /// The policy; `None` if unknown.
    pub policy: Option<&'a Policy>,
    /// `GetBucketPolicyStatus`, where it was read.
    pub policy_is_public: Option<bool>,
    /// The access points, where they were read.
    pub access_points: &'a [AccessPoint],
    /// Whether the group AuthenticatedUsers counts as public.
    pub authenticated_users: bool,
}

/// The causes of public access, by class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Causes of public read access.
    pub read: BTreeSet<Cause>,
    /// Causes of public write access.
    pub write: BTreeSet<Cause>,
}

impl Exposure {
    /// Evaluates all settings together.
    pub fn of(settings: &Settings<'_>) -> Self {
        let mut exposure = Self::default();
        if settings.ownership != Ownership::BucketOwnerEnforced && !settings.flags.ignore_public_acls {
            exposure.add_acl(settings);
        }
        if !settings.flags.restrict_public_buckets {
            exposure.add_policy(settings);
        }
        for access_point in settings.access_points {
            let flags = settings.flags.or(access_point.block);
            if access_point.network_origin == NetworkOrigin::Internet && !flags.restrict_public_buckets {
                exposure.add_access_point(access_point);
            }
        }
        exposure
    }

    /// Whether there is no public access.
    pub fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty()
    }

    /// The causes of one class.
    pub const fn causes(&self, access: Access) -> &BTreeSet<Cause> {
        match access {
            Access::Read => &self.read,
            Access::Write => &self.write,
        }
    }

    fn add(&mut self, cause: &Cause, reads: bool, writes: bool) {
        if reads {
            self.read.insert(cause.clone());
        }
        if writes {
            self.write.insert(cause.clone());
        }
    }

    fn add_acl(&mut self, settings: &Settings<'_>) {
        let Some(acl) = settings.acl else { return self.add(&Cause::AclUnread, true, true) };
        for grant in acl.iter().filter(|grant| grant.is_public(settings.authenticated_users)) {
            let cause = Cause::Acl(grant.grantee.clone(), grant.permission);
            self.add(&cause, grant.permission.reads(), grant.permission.writes());
        }
    }

    /// The policy status of S3 takes precedence: "not public" overrides public statements, "public" holds even without
    /// one. The status has no access class, so the class follows from the actions that the policy allows everyone.
    fn add_policy(&mut self, settings: &Settings<'_>) {
        if settings.policy_is_public == Some(false) {
            return;
        }
        let Some(policy) = settings.policy else { return self.add(&Cause::PolicyUnread, true, true) };
        let public_statements = policy.public_statements(settings.arn, &BUCKET);
        if public_statements.is_empty() && settings.policy_is_public == Some(true) {
            let permits = |access| permits(policy, settings.arn, access);
            self.add(&Cause::PolicyUnexplained, permits(Access::Read), permits(Access::Write));
        }
        for opening in public_statements {
            let allows = |access| actions::contain(&opening.actions, access);
            self.add(&Cause::Policy(opening.label.clone()), allows(Access::Read), allows(Access::Write));
        }
    }

    fn add_access_point(&mut self, access_point: &AccessPoint) {
        if !access_point.policy_is_public {
            return;
        }
        let cause = Cause::AccessPoint(access_point.name.clone());
        let public_statements = access_point.policy.public_statements(&access_point.arn, &ACCESS_POINT);
        let allows = |access| match public_statements.as_slice() {
            [] => permits(&access_point.policy, &access_point.arn, access),
            public_statements => public_statements.iter().any(|opening| actions::contain(&opening.actions, access)),
        };
        self.add(&cause, allows(Access::Read), allows(Access::Write));
    }
}

/// Whether the Allow statements for everyone permit an action of this class on the resource `arn` or under it,
/// regardless of conditions and Deny statements. This decides the class of a policy that S3 reports as public although
/// it has no public_statements. Where they permit no action of either class, the class is unclear, and both count.
fn permits(policy: &Policy, arn: &str, access: Access) -> bool {
    let is_public = |it: &Principal| it.is_public();
    let for_everyone = policy
        .0
        .iter()
        .filter(|it| it.effect == Effect::Allow && it.principal.as_ref().is_none_or(is_public) && it.concerns(arn));
    let allowed: Vec<&Selection> = for_everyone.map(|it| &it.actions).collect();
    let any = |access| allowed.iter().any(|it| actions::contain(it, access));
    any(access) || !(any(Access::Read) || any(Access::Write))
}

impl Cause {
    /// Whether the ACL is the cause.
    pub const fn is_acl(&self) -> bool {
        match self {
            Self::Acl(..) | Self::AclUnread => true,
            Self::Policy(_) | Self::PolicyUnexplained | Self::PolicyUnread | Self::AccessPoint(_) => false,
        }
    }
}

impl Access {
    /// `read` or `write`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Acl(grantee, permission) => write!(out, "acl {}:{}", grantee.name(), permission.name()),
            Self::AclUnread => out.write_str("acl not read"),
            Self::Policy(label) => write!(out, "policy:{label}"),
            Self::PolicyUnexplained => out.write_str("policy"),
            Self::PolicyUnread => out.write_str("policy not read"),
            Self::AccessPoint(name) => write!(out, "accesspoint:{name}"),
        }
    }
}

//! The result: through what the public reads a bucket, and through what it writes to it.

use std::collections::BTreeSet;

use rectify_compliance::ShapeError;
use rectify_policy::{Effect, Policy, Principal, Selection};
use serde::{Deserialize, Serialize};

use super::actions;
use super::kind::{ACCESS_POINT, BUCKET};
use super::{Acl, Flags, Grantee, Ownership, Permission};

/// What somebody does with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Access levels Read and List.
    Read,
    /// Access levels Write, Tagging and Permissions management.
    Write,
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A grant of the ACL.
    Acl(Grantee, Permission),
    /// The ACL could not be told; judged as open.
    AclUnread,
    /// A statement of the bucket policy, by label.
    Policy(String),
    /// S3 calls the bucket policy public, and no public statement is found that would explain it.
    PolicyUnexplained,
    /// The bucket policy could not be told; judged as open.
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
    /// Its own block; it cannot be changed after creation.
    pub block: Flags,
    /// Its policy.
    pub policy: Policy,
    /// `GetAccessPointPolicyStatus`: whether S3 calls its policy public.
    pub policy_is_public: bool,
}

/// `NetworkOrigin` of an access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkOrigin {
    /// Reached from anywhere.
    Internet,
    /// Reached from one VPC, which is never the public.
    #[serde(rename = "VPC")]
    Vpc,
}

impl NetworkOrigin {
    /// Reads the API's spelling.
    ///
    /// # Errors
    /// [`ShapeError`] for a spelling that is not known.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        match text {
            "Internet" => Ok(Self::Internet),
            "VPC" => Ok(Self::Vpc),
            other => Err(ShapeError::new("NetworkOrigin", "Internet or VPC", other)),
        }
    }
}

/// Everything that decides about access to one bucket.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// ARN of the bucket.
    pub arn: &'a str,
    /// The bucket's flags and the account's together.
    pub flags: Flags,
    /// Object ownership.
    pub ownership: Ownership,
    /// The ACL; `None` when it could not be told.
    pub acl: Option<&'a Acl>,
    /// The policy; `None` when it could not be told.
    pub policy: Option<&'a Policy>,
    /// `GetBucketPolicyStatus`, where it was asked.
    pub policy_is_public: Option<bool>,
    /// The access points, where they were looked at.
    pub access_points: &'a [AccessPoint],
    /// Whether the group AuthenticatedUsers is the public.
    pub authenticated_users: bool,
}

/// Through what the public comes in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// To read.
    pub read: BTreeSet<Cause>,
    /// To write.
    pub write: BTreeSet<Cause>,
}

impl Exposure {
    /// Weighs all settings against each other.
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

    /// Whether the public comes in nowhere.
    pub fn is_none(&self) -> bool {
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

    /// S3's own answer has the last word: "not public" clears what was found, "public" stands even where nothing was.
    /// It does not say for what, so that follows from what the policy lets everyone do.
    fn add_policy(&mut self, settings: &Settings<'_>) {
        if settings.policy_is_public == Some(false) {
            return;
        }
        let Some(policy) = settings.policy else { return self.add(&Cause::PolicyUnread, true, true) };
        let openings = policy.openings(settings.arn, &BUCKET);
        if openings.is_empty() && settings.policy_is_public == Some(true) {
            let offers = |access| offers(policy, settings.arn, access);
            self.add(&Cause::PolicyUnexplained, offers(Access::Read), offers(Access::Write));
        }
        for opening in openings {
            let allows = |access| actions::contain(&opening.actions, access);
            self.add(&Cause::Policy(opening.label.clone()), allows(Access::Read), allows(Access::Write));
        }
    }

    fn add_access_point(&mut self, access_point: &AccessPoint) {
        if !access_point.policy_is_public {
            return;
        }
        let cause = Cause::AccessPoint(access_point.name.clone());
        let openings = access_point.policy.openings(&access_point.arn, &ACCESS_POINT);
        let allows = |access| match openings.as_slice() {
            [] => offers(&access_point.policy, &access_point.arn, access),
            openings => openings.iter().any(|opening| actions::contain(&opening.actions, access)),
        };
        self.add(&cause, allows(Access::Read), allows(Access::Write));
    }
}

/// Whether the Allows for everyone permit something of this class at the resource `arn` or below it, whatever conditions and
/// Denies narrow them: what a policy can be public for that S3 calls public while it has no openings. Where they permit nothing
/// of either class, what a policy is public for is unclear, and that counts as both.
fn offers(policy: &Policy, arn: &str, access: Access) -> bool {
    let is_public = |it: &Principal| it.is_public();
    let for_everyone = policy
        .0
        .iter()
        .filter(|it| it.effect == Effect::Allow && it.principal.as_ref().is_none_or(is_public) && it.concerns(arn));
    let offered: Vec<&Selection> = for_everyone.map(|it| &it.actions).collect();
    let permit = |access| offered.iter().any(|it| actions::contain(it, access));
    permit(access) || !(permit(Access::Read) || permit(Access::Write))
}

impl Cause {
    /// Whether the ACL is the way in.
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

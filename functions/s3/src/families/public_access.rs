//! The controls that prohibit one class of public access. A control is a value of [`PublicAccess`].

pub mod block;
mod subject;

#[cfg(test)]
pub(crate) mod laws;

use rectify_compliance::values::{Flag, KeyValue};
use rectify_compliance::{
    Annotation, Control, FromItem, Irreversible, Periodic, Permission, Plan, Remediation, RemediationPermissions,
    Timestamp, Verdict, offenders, parameters,
};
use serde_json::Value;

use crate::families::access::{Access, Cause, Flags};
use crate::families::public_access_block;
use crate::resources::bucket::{BUCKETS, Bucket, OwnedBucket};

pub use subject::{Facts, Subject};

/// The access points of the function's own region and account.
const ACCESS_POINTS: &str = "arn:${AWS::Partition}:s3:${AWS::Region}:${AWS::AccountId}:accesspoint/*";

/// The permissions to read the facts of a change event: ACL and policy only where the item lacks them.
const FACT_PERMISSIONS: &[Permission] = &[
    Permission::unscoped("s3:GetAccountPublicAccessBlock"),
    Permission::on("s3:GetBucketOwnershipControls", BUCKETS),
    Permission::on("s3:GetBucketAcl", BUCKETS),
    Permission::on("s3:GetBucketPolicy", BUCKETS),
];

/// The permissions of a periodic run.
const LIST_PERMISSIONS: &[Permission] = &[
    Permission::unscoped("s3:ListAllMyBuckets"),
    Permission::unscoped("s3:GetAccountPublicAccessBlock"),
    Permission::unscoped("s3:ListAccessPoints"),
    Permission::unscoped("s3:GetAccessPoint"),
    Permission::on("s3:GetAccessPointPolicy", ACCESS_POINTS),
    Permission::on("s3:GetAccessPointPolicyStatus", ACCESS_POINTS),
    Permission::on("s3:GetBucketAcl", BUCKETS),
    Permission::on("s3:GetBucketOwnershipControls", BUCKETS),
    Permission::on("s3:GetBucketPolicy", BUCKETS),
    Permission::on("s3:GetBucketPolicyStatus", BUCKETS),
    Permission::on("s3:GetBucketPublicAccessBlock", BUCKETS),
];

/// The permissions for the live read of a remediation: those of a periodic run, and those that only a plan needs.
pub const READ_PERMISSIONS: &[Permission] = &[
    Permission::unscoped("s3:GetAccountPublicAccessBlock"),
    Permission::unscoped("s3:ListAccessPoints"),
    Permission::unscoped("s3:GetAccessPoint"),
    Permission::on("s3:GetAccessPointPolicy", ACCESS_POINTS),
    Permission::on("s3:GetAccessPointPolicyStatus", ACCESS_POINTS),
    Permission::on("s3:GetBucketAcl", BUCKETS),
    Permission::on("s3:GetBucketOwnershipControls", BUCKETS),
    Permission::on("s3:GetBucketPolicy", BUCKETS),
    Permission::on("s3:GetBucketPolicyStatus", BUCKETS),
    Permission::on("s3:GetBucketPublicAccessBlock", BUCKETS),
    Permission::on("s3:GetBucketTagging", BUCKETS),
    Permission::on("s3:GetBucketWebsite", BUCKETS),
];

/// The permission of fix and undo: IAM has no separate action for `DeletePublicAccessBlock` (Service Authorization
/// Reference for Amazon S3, 2026-11-21).
pub const FIX_PERMISSIONS: &[Permission] = &[Permission::on("s3:PutBucketPublicAccessBlock", BUCKETS)];

parameters! {
    /// Which grantees are public, and which settings are evaluated.
    pub Params {
        /// Whether a grant to the group AuthenticatedUsers, every principal with any AWS account, counts as public.
        /// Default `true`.
        treat_authenticated_users_as_public: Flag = Flag(true),
        /// Whether periodic runs and remediations evaluate the bucket's access points. Default `true`.
        check_access_points: Flag = Flag(true),
        /// Tag, as `key=value`, of intentionally public buckets: they stay NON_COMPLIANT, and the remediation only
        /// plans. Default: none.
        public_tag: Option<KeyValue> = None,
    }
}

/// The call that sets the block of a bucket.
pub type Action = public_access_block::Action<OwnedBucket>;
/// The calls that restore it.
pub type Undo = public_access_block::Undo<OwnedBucket>;

/// A control that prohibits one class of public access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAccess {
    /// The class.
    pub access: Access,
}

impl Control for PublicAccess {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        let access = self.access;
        let exposure = subject.exposure(params);
        let causes = exposure.causes(access);
        if causes.is_empty() {
            let without_account_block = Subject { account_block: Flags::NONE, ..subject.clone() }.exposure(params);
            return Verdict::Compliant(
                (!without_account_block.causes(access).is_empty())
                    .then(|| Annotation::new("protected by account-level block")),
            );
        }
        let mut finding =
            format!("Public {} through {}", access.name(), offenders(causes.iter().map(Cause::to_string)));
        if causes.contains(&Cause::PolicyUnexplained) {
            finding.push_str("; S3 reports the policy public; statement not identified");
        }
        if !causes.iter().all(Cause::is_acl) {
            finding.push_str("; RestrictPublicBuckets=false");
        }
        Verdict::non_compliant(finding)
    }
}

impl FromItem for PublicAccess {
    type Resource = Bucket;
    type Facts = Facts;

    fn fact_permissions(&self) -> &'static [Permission] {
        FACT_PERMISSIONS
    }

    fn subject(&self, bucket: Bucket, facts: Facts) -> Subject {
        Subject::of(bucket, facts)
    }
}

impl Periodic for PublicAccess {
    fn list_permissions(&self) -> &'static [Permission] {
        LIST_PERMISSIONS
    }
}

impl Remediation for PublicAccess {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: READ_PERMISSIONS, fix: FIX_PERMISSIONS, undo: FIX_PERMISSIONS }
    }

    fn fix(&self, live: &Subject, params: &Params, _now: Timestamp) -> Plan<Action> {
        block::plan(live, params, self.access)
    }

    fn predict(&self, live: Subject, action: &Action) -> Subject {
        block::predict(live, action)
    }

    fn touched_fields(&self, subject: &Subject, _done: &[Action]) -> Value {
        block::touched_fields(subject)
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        block::undo(before, done)
    }
}

//! The controls that let nobody outside do one class of access. A control is a value of [`PublicAccess`].

pub mod block;
mod subject;

#[cfg(test)]
pub(crate) mod laws;

use rectify_compliance::values::{Flag, KeyValue};
use rectify_compliance::{
    Annotation, Control, FromItem, Irreversible, Periodic, Permission, Plan, Remediation, Timestamp, Verdict,
    offenders, parameters,
};
use serde_json::Value;

use crate::families::access::{Access, Cause, Flags};
use crate::resources::bucket::{BUCKETS, Bucket};

pub use block::{Action, PublicAccessBlock, Undo};
pub use subject::{Facts, Subject};

/// The access points of the function's own region and account.
const ACCESS_POINTS: &str = "arn:${AWS::Partition}:s3:${AWS::Region}:${AWS::AccountId}:accesspoint/*";

/// What a change event's facts are read with: ACL and policy only where the item lacks them.
const FACTS: &[Permission] = &[
    Permission::unscoped("s3:GetAccountPublicAccessBlock"),
    Permission::on("s3:GetBucketOwnershipControls", BUCKETS),
    Permission::on("s3:GetBucketAcl", BUCKETS),
    Permission::on("s3:GetBucketPolicy", BUCKETS),
];

/// What a periodic run calls.
const LISTING: &[Permission] = &[
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

/// What the live read of a remediation calls: as a periodic run, and what else a plan depends on.
pub const LIVE: &[Permission] = &[
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

/// What the fix calls. The undo needs the very same action: IAM has none of its own for
/// `DeletePublicAccessBlock` (Service Authorization Reference for Amazon S3, 2026-11-21).
pub const CALLS: &[Permission] = &[Permission::on("s3:PutBucketPublicAccessBlock", BUCKETS)];

parameters! {
    /// Who is the public, and where it is looked for.
    pub Params {
        /// Whether a grant to the group AuthenticatedUsers, anybody with any AWS account, counts as public. Default `true`.
        treat_authenticated_users_as_public: Flag = Flag(true),
        /// Whether periodic runs and remediations look at the bucket's access points. Default `true`.
        check_access_points: Flag = Flag(true),
        /// Tag, as `key=value`, of buckets that are public on purpose: they stay NON_COMPLIANT, and the remediation only plans.
        /// Default: none.
        public_tag: Option<KeyValue> = None,
    }
}

/// A control that lets nobody outside do one class of access.
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
            let alone = Subject { account_block: Flags::NONE, ..subject.clone() }.exposure(params);
            return Verdict::Compliant(
                (!alone.causes(access).is_empty()).then(|| Annotation::new("protected by account-level block")),
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
        FACTS
    }

    fn subject(&self, bucket: Bucket, facts: Facts) -> Subject {
        Subject::of(bucket, facts)
    }
}

impl Periodic for PublicAccess {
    fn list_permissions(&self) -> &'static [Permission] {
        LISTING
    }
}

impl Remediation for PublicAccess {
    type Action = Action;
    type Undo = Undo;

    fn read_permissions(&self) -> &'static [Permission] {
        LIVE
    }

    fn fix_permissions(&self) -> &'static [Permission] {
        CALLS
    }

    fn undo_permissions(&self) -> &'static [Permission] {
        CALLS
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

//! Whether the account blocks public access to all of its buckets. Of a bucket it uses only the access that a block
//! would end.

use std::collections::BTreeSet;

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, Plan, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Step, Tags, Timestamp, Verdict, control, offenders,
    parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::families::access::{Access, Cause, Flags};
use crate::families::public_access;
use crate::families::public_access_block::{self, OfAccount};
use crate::resources::bucket::BUCKETS;

control! {
    /// ## What it checks
    ///
    /// That the account-level public access block has the required flags, all four by default.
    /// S3 returns the flags in effect, so those set by an organization policy count.
    /// An account where no block was ever set has none of the flags.
    /// The block applies to all regions, so it is evaluated in the home region only.
    ///
    /// ## Why it matters
    ///
    /// It is the only setting that keeps every bucket private, future ones included, whatever their ACL, policy and bucket-level block.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// ```json
    /// {"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": false, "RestrictPublicBuckets": false}
    /// ```
    ///
    /// Annotation: `Account block lacks BlockPublicPolicy, RestrictPublicBuckets`.
    ///
    /// ## Parameters
    ///
    /// The four flags select the required ones; at least one must be required.
    /// False means "not required", and not, as in the managed rule, "must be off": a stricter account is never a finding.
    /// `accountWide` is a second opt-in for the remediation, which affects every bucket of the account at once.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` for the account, level L2, with the flags already set and the required ones.
    /// It is planned and never applied without `accountWide`, and while it would end public access in use.
    /// To find such access, the remediation reads every bucket of every region live, with its access points, and evaluates it as `s3-bucket-public-read-prohibited` and `s3-bucket-public-write-prohibited` do: it uses no stored result, and those rules need not be deployed.
    /// A bucket that cannot be read, such as one whose policy denies all access from outside a VPC, blocks the plan and is named in it: an operator checks it, and sets the block by hand or grants the remediation's role access.
    /// A bucket that is exempt from those controls blocks the plan too, since the block would end its access as well.
    /// The search stops at a hundred public or a hundred unreadable buckets; an account with thousands of private buckets may need more time than the function has, and then the delivery fails as `OutOfTime` and nothing is changed.
    /// Object ACLs are not read: objects with a public ACL become private with `IgnorePublicAcls`.
    /// Where an organization policy manages the block, S3 rejects the call, and the attempt fails permanently.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the flags in between is overwritten.
    /// Undo restores the four flags, or removes the block where there was none, and so may open buckets to the public again.
    /// IAM has no separate action for removing the block: `s3:PutAccountPublicAccessBlock` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-account-level-public-access-blocks-periodic.html)
    /// - [Configuring block public access settings for your account](https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html)
    /// - [PutPublicAccessBlock](https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html)
    /// - [Security Hub S3.1](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-1)
    pub S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC: S3AccountLevelPublicAccessBlocksPeriodic {
        id: "s3-account-level-public-access-blocks-periodic",
        title: "Account does not block public S3 access",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Cis30: ["2.1.4"],
            Cis50: ["2.1.4"],
            Fsbp: ["S3.1"],
            Nist80053r5: ["AC-3", "AC-4", "AC-21", "SC-7"],
            Pci40: ["1.2.8", "1.3.1", "1.4.2", "1.5.1", "10.3.2"],
        },
    }
}

/// The maximum number of public buckets to look for: more would not change the plan.
pub const MAX_EXPOSED_BUCKETS: usize = 100;

/// Access points of the account, in every region.
const ACCESS_POINTS: &str = "arn:${AWS::Partition}:s3:*:${AWS::AccountId}:accesspoint/*";

parameters! {
    /// The required flags, and the second opt-in.
    pub Params, check: Params::requires_one {
        /// Whether `IgnorePublicAcls` is required. Default `true`.
        #[serde(rename = "IgnorePublicAcls")]
        ignore_public_acls: Flag = Flag(true),
        /// Whether `BlockPublicPolicy` is required. Default `true`.
        #[serde(rename = "BlockPublicPolicy")]
        block_public_policy: Flag = Flag(true),
        /// Whether `BlockPublicAcls` is required. Default `true`.
        #[serde(rename = "BlockPublicAcls")]
        block_public_acls: Flag = Flag(true),
        /// Whether `RestrictPublicBuckets` is required. Default `true`.
        #[serde(rename = "RestrictPublicBuckets")]
        restrict_public_buckets: Flag = Flag(true),
        /// Whether the remediation may set the block for every bucket of the account. Default `false`.
        account_wide: Flag = Flag(false),
    }
}

impl Params {
    fn requires_one(&self) -> Result<(), String> {
        let names = "BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls and RestrictPublicBuckets";
        match self.required() {
            Flags::NONE => Err(format!("{names} are all false: expected at least one")),
            _ => Ok(()),
        }
    }

    /// The required flags.
    pub const fn required(&self) -> Flags {
        Flags {
            block_public_acls: self.block_public_acls.0,
            ignore_public_acls: self.ignore_public_acls.0,
            block_public_policy: self.block_public_policy.0,
            restrict_public_buckets: self.restrict_public_buckets.0,
        }
    }
}

/// The block of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountBlock {
    /// The account.
    pub account: AccountId,
    /// The flags in effect; `None` where no block was ever set, and undo removes it again.
    pub block: Option<Flags>,
    /// The buckets whose public access the required flags would end, at most [`MAX_EXPOSED_BUCKETS`], each with the causes.
    /// Read only by a remediation that has flags to set.
    #[serde(default)]
    pub exposed: Option<BTreeSet<String>>,
    /// The buckets that could not be read, at most [`MAX_EXPOSED_BUCKETS`], each with the operation and its error code.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unreadable: BTreeSet<String>,
    /// Always empty for an account.
    #[serde(default)]
    pub tags: Tags,
}

impl AccountBlock {
    /// An account with this block, its buckets not read.
    pub fn new(account: &AccountId, block: Option<Flags>) -> Self {
        Self { account: account.clone(), block, exposed: None, unreadable: BTreeSet::new(), tags: Tags::new() }
    }

    /// The flags after the fix: those already set and the required ones.
    pub fn wanted(&self, params: &Params) -> Flags {
        self.block.unwrap_or_default().or(params.required())
    }

    fn in_calls(&self) -> OfAccount {
        OfAccount { account_id: self.account.clone() }
    }

    /// Whether required flags are missing, so that a plan needs the public buckets.
    pub fn lacks(&self, params: &Params) -> bool {
        !self.block.unwrap_or_default().missing(params.required()).is_empty()
    }
}

impl ResourceState for AccountBlock {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { tags: &self.tags, ..ResourceIdentity::account(&self.account) }
    }
}

/// The bucket with the causes of public access that an account-level block with these flags would end; `None` if there
/// are none.
pub fn exposed(bucket: &public_access::Subject, wanted: Flags) -> Option<String> {
    let params = public_access::Params::default();
    let current = bucket.exposure(&params);
    let blocked = public_access::Subject { account_block: wanted, ..bucket.clone() }.exposure(&params);
    let ended = |access| current.causes(access).difference(blocked.causes(access)).map(Cause::to_string);
    let causes = offenders(ended(Access::Read).chain(ended(Access::Write)));
    let identity = &bucket.bucket;
    (!causes.is_empty()).then(|| format!("{} in {} ({causes})", identity.name, identity.region))
}

impl Control for S3AccountLevelPublicAccessBlocksPeriodic {
    type Params = Params;
    type Subject = AccountBlock;

    fn evaluate(&self, subject: &AccountBlock, params: &Params, _now: Timestamp) -> Verdict {
        let missing = subject.block.unwrap_or_default().missing(params.required());
        if missing.is_empty() {
            return Verdict::COMPLIANT;
        }
        Verdict::non_compliant(format!("Account block lacks {}", missing.join(", ")))
    }
}

impl Periodic for S3AccountLevelPublicAccessBlocksPeriodic {
    fn list_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("s3:GetAccountPublicAccessBlock")] }
    }
}

/// The call that sets the block of the account.
pub type Action = public_access_block::Action<OfAccount>;
/// The calls that restore it.
pub type Undo = public_access_block::Undo<OfAccount>;

impl Remediation for S3AccountLevelPublicAccessBlocksPeriodic {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    Permission::unscoped("s3:GetAccountPublicAccessBlock"),
                    Permission::unscoped("s3:ListAllMyBuckets"),
                    Permission::unscoped("s3:ListAccessPoints"),
                    Permission::unscoped("s3:GetAccessPoint"),
                    Permission::on("s3:GetAccessPointPolicy", ACCESS_POINTS),
                    Permission::on("s3:GetAccessPointPolicyStatus", ACCESS_POINTS),
                    Permission::on("s3:GetBucketAcl", BUCKETS),
                    Permission::on("s3:GetBucketLocation", BUCKETS),
                    Permission::on("s3:GetBucketOwnershipControls", BUCKETS),
                    Permission::on("s3:GetBucketPolicy", BUCKETS),
                    Permission::on("s3:GetBucketPolicyStatus", BUCKETS),
                    Permission::on("s3:GetBucketPublicAccessBlock", BUCKETS),
                ],
                fix: &[Permission::unscoped("s3:PutAccountPublicAccessBlock")],
                undo: &[Permission::unscoped("s3:PutAccountPublicAccessBlock")],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("CloudFormation has no resource type for the public access block of an account")
    }

    fn fix(&self, live: &AccountBlock, params: &Params, _now: Timestamp) -> Plan<Action> {
        let steps = vec![Step::call(Level::L2, Action::put(live.in_calls(), live.wanted(params)))];
        let mut reasons = Vec::new();
        if !params.account_wide.0 {
            reasons.push("accountWide is not true, and the block applies to every bucket of the account".to_owned());
        }
        match &live.exposed {
            None => reasons.push("the buckets of the account were not read".to_owned()),
            Some(exposed) if exposed.is_empty() => {}
            Some(exposed) => {
                reasons.push(format!("public access in use would end{}: {}", at_least(exposed), named(exposed)));
            }
        }
        if !live.unreadable.is_empty() {
            let (all, names) = (at_least(&live.unreadable), named(&live.unreadable));
            reasons
                .push(format!("public access that would end is unknown for buckets that cannot be read{all}: {names}"));
        }
        Plan::unless(reasons, steps)
    }

    /// Sets the four flags; the buckets are not read again.
    fn predict(&self, live: AccountBlock, action: &Action) -> AccountBlock {
        AccountBlock { block: Some(action.flags()), exposed: None, unreadable: BTreeSet::new(), ..live }
    }

    fn touched_fields(&self, subject: &AccountBlock, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "PublicAccessBlockConfiguration": subject.block }) }
    }

    fn undo(&self, before: &AccountBlock, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        if done.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Undo::restore(before.in_calls(), before.block)])
    }
}

fn at_least(buckets: &BTreeSet<String>) -> &'static str {
    if buckets.len() < MAX_EXPOSED_BUCKETS { "" } else { ", at least" }
}

fn named(buckets: &BTreeSet<String>) -> String {
    offenders(buckets.iter().cloned())
}

#[cfg(test)]
mod tests;

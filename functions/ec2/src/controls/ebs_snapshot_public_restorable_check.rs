//! `ebs-snapshot-public-restorable-check`: no EBS snapshot of the account can be restored by everyone.
//!
//! Pure: the public snapshots of the region and the block of public access are passed in as one [`PublicSnapshots`].

use std::collections::BTreeSet;

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, Plan, Region, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Step, Timestamp, Verdict, control, offenders, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::permissions::{DESCRIBE_SNAPSHOTS, GET_SNAPSHOT_BLOCK};
use crate::resources::snapshot_block::SnapshotBlock;

control! {
    /// ## What it checks
    /// The account's own EBS snapshots in one region: none may have the group `all` among its create volume permissions.
    /// Snapshots shared with named accounts do not count, and neither do public snapshots of other accounts.
    /// The block of public access does not change the permissions: a blocked snapshot is a finding as well, with a note, because it becomes public again with the end of the block.
    ///
    /// ## Why it matters
    /// Anyone with an AWS account can copy a public snapshot and read the volume behind it.
    ///
    /// ## Compliant example
    /// `DescribeSnapshots` with the owner `self` and `RestorableByUserIds` `all` returns no snapshot.
    ///
    /// ## Non-compliant example
    /// It returns `{"SnapshotId": "snap-0b5c1d3e7f9a24680"}`.
    ///
    /// ## Parameters
    /// With `honourBlockPublicAccess` the account is compliant while the state of the block is `block-all-sharing`.
    ///
    /// ## Remediation
    /// `ModifySnapshotAttribute` removes the group `all` from each public snapshot (L2: every account that uses the snapshot loses it); accounts that the snapshot is shared with by id keep it.
    /// A snapshot with the tag `public` = `approved` stays public; the plan then has a step for an operator, and none of its calls is made automatically.
    /// More than 50 public snapshots block the plan: an account publishes so many on purpose, and the hourly budget counts the account once.
    /// The remediation's role may remove the group `all`, and may not add it.
    /// Undo adds the group to the same snapshots; EC2 rejects the call while the account blocks public sharing.
    /// A snapshot that was deleted in the meantime cannot be made public again, and its undo fails.
    ///
    /// ## References
    /// - [ebs-snapshot-public-restorable-check](https://docs.aws.amazon.com/config/latest/developerguide/ebs-snapshot-public-restorable-check.html)
    /// - [Security Hub EC2.1](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-1)
    /// - [ModifySnapshotAttribute](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html)
    pub EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK: EbsSnapshotPublicRestorableCheck {
        id: "ebs-snapshot-public-restorable-check",
        title: "EBS snapshots can be restored by everyone",
        severity: Critical,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["EC2.1"],
            Nist80053r5: ["AC-3", "AC-3(7)", "AC-4", "AC-6", "AC-21", "SC-7"],
        },
    }
}

/// The maximum number of snapshots that one plan changes.
const MAX_SNAPSHOTS: usize = 50;

/// The tag, key and value, of a snapshot that is public on purpose.
pub const APPROVED: (&str, &str) = ("public", "approved");

/// Snapshots of every account: their ARNs have no account id.
const SNAPSHOTS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*";

parameters! {
    /// The parameters of [`EbsSnapshotPublicRestorableCheck`].
    pub EbsSnapshotPublicRestorableCheckParameters {
        /// Whether the account is compliant while `block-all-sharing` blocks its public snapshots. Default false.
        honour_block_public_access: Flag = Flag(false),
    }
}

/// The public snapshots of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicSnapshots {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// The ids of its public snapshots.
    pub public: BTreeSet<String>,
    /// Those of them with the tag [`APPROVED`].
    pub approved: BTreeSet<String>,
    /// The block of public access; read only if a snapshot is public.
    pub block: Option<SnapshotBlock>,
}

impl ResourceState for PublicSnapshots {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity::account(&self.account)
    }
}

impl Control for EbsSnapshotPublicRestorableCheck {
    type Params = EbsSnapshotPublicRestorableCheckParameters;
    type Subject = PublicSnapshots;

    fn evaluate(&self, subject: &PublicSnapshots, params: &Self::Params, _now: Timestamp) -> Verdict {
        if subject.public.is_empty() {
            return Verdict::COMPLIANT;
        }
        let finding = format!("Public EBS snapshots in {}: {}", subject.region, offenders(subject.public.clone()));
        if subject.block != Some(SnapshotBlock::BlockAllSharing) {
            return Verdict::non_compliant(finding);
        }
        let blocked = format!("{finding}; blocked by account setting");
        if params.honour_block_public_access.0 {
            Verdict::Compliant(Some(blocked.into()))
        } else {
            Verdict::non_compliant(blocked)
        }
    }
}

impl Periodic for EbsSnapshotPublicRestorableCheck {
    fn list_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE_SNAPSHOTS, GET_SNAPSHOT_BLOCK]
    }
}

/// A call that changes who can create volumes from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum SnapshotCall {
    /// Removes the group, or adds it for undo.
    ModifySnapshotAttribute {
        /// The snapshot.
        snapshot_id: String,
        /// `createVolumePermission`.
        attribute: String,
        /// What to do.
        operation_type: OperationType,
        /// `all`: everyone.
        group_names: Vec<String>,
    },
}

/// `OperationType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationType {
    /// Adds the group.
    Add,
    /// Removes the group.
    Remove,
}

impl SnapshotCall {
    fn everyone(operation_type: OperationType, snapshot_id: &str) -> Self {
        Self::ModifySnapshotAttribute {
            snapshot_id: snapshot_id.to_owned(),
            attribute: "createVolumePermission".to_owned(),
            operation_type,
            group_names: vec!["all".to_owned()],
        }
    }

    fn snapshot_id(&self) -> &str {
        let Self::ModifySnapshotAttribute { snapshot_id, .. } = self;
        snapshot_id
    }
}

impl Remediation for EbsSnapshotPublicRestorableCheck {
    type Action = SnapshotCall;
    type Undo = SnapshotCall;

    fn permissions(&self) -> RemediationPermissions {
        const MODIFY: Permission = Permission::on("ec2:ModifySnapshotAttribute", SNAPSHOTS);
        const {
            RemediationPermissions {
                read: &[DESCRIBE_SNAPSHOTS, GET_SNAPSHOT_BLOCK],
                fix: &[MODIFY.when("ec2:Remove/group", "all")],
                undo: &[MODIFY.when("ec2:Add/group", "all")],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("CloudFormation has no resource type for snapshots")
    }

    fn fix(&self, live: &PublicSnapshots, _params: &Self::Params, _now: Timestamp) -> Plan<SnapshotCall> {
        let close = |id| Step::call(Level::L2, SnapshotCall::everyone(OperationType::Remove, id));
        let mut steps: Vec<_> = live.public.difference(&live.approved).map(|id| close(id)).collect();
        let count = steps.len();
        if !live.approved.is_empty() {
            let ((key, value), ids) = (APPROVED, offenders(live.approved.clone()));
            steps.push(Step::manual(
                Level::L0,
                format!("decide whether snapshots with tag {key}={value} stay public: {ids}"),
            ));
        }
        let reason =
            (count > MAX_SNAPSHOTS).then(|| format!("{count} snapshots are public; expected at most {MAX_SNAPSHOTS}"));
        Plan::unless(reason, steps)
    }

    /// The block is read only while a snapshot is public.
    fn predict(&self, mut live: PublicSnapshots, action: &SnapshotCall) -> PublicSnapshots {
        let SnapshotCall::ModifySnapshotAttribute { snapshot_id, operation_type, .. } = action;
        match operation_type {
            OperationType::Remove => {
                live.public.remove(snapshot_id);
            }
            OperationType::Add => {
                live.public.insert(snapshot_id.clone());
            }
        }
        if live.public.is_empty() {
            live.block = None;
        }
        live
    }

    /// The changed snapshots: one that becomes public later does not prevent an undo.
    fn touched_fields(&self, subject: &PublicSnapshots, done: &[SnapshotCall]) -> Value {
        let is_public = |id: &str| Value::Bool(subject.public.contains(id));
        let changed = done.iter().map(SnapshotCall::snapshot_id);
        Value::Object(changed.map(|id| (id.to_owned(), is_public(id))).collect::<Map<_, _>>())
    }

    fn undo(&self, _before: &PublicSnapshots, done: &[SnapshotCall]) -> Result<Vec<SnapshotCall>, Irreversible> {
        let changed = done.iter().rev().map(SnapshotCall::snapshot_id);
        Ok(changed.map(|id| SnapshotCall::everyone(OperationType::Add, id)).collect())
    }
}

#[cfg(test)]
mod tests;

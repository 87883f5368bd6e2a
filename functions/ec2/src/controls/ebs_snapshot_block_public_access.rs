//! `ebs-snapshot-block-public-access`: EBS snapshots of the account cannot be made public in the region.
//!
//! Pure: the setting, and whether a snapshot is public, are passed in as one [`SnapshotSetting`].

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Region, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::permissions::{DESCRIBE_SNAPSHOTS, GET_SNAPSHOT_BLOCK, in_region};
use crate::resources::snapshot_block::SnapshotBlock;

control! {
    /// ## What it checks
    /// The account's setting "block public access for snapshots" in one region, whether or not the region has snapshots.
    /// The required state is `block-all-sharing`, or `block-new-sharing` with `acceptNewOnly`.
    ///
    /// ## Why it matters
    /// Anyone with an AWS account can copy a public snapshot and read the volume behind it; without the setting, one call makes a snapshot public.
    ///
    /// ## Compliant example
    /// `GetSnapshotBlockPublicAccessState` returns `{"State": "block-all-sharing", "ManagedBy": "account"}`.
    ///
    /// ## Non-compliant example
    /// It returns `{"State": "unblocked"}`, or `{"State": "block-new-sharing"}`, which leaves public snapshots public.
    ///
    /// ## Parameters
    /// `acceptNewOnly` is for accounts that publish snapshots on purpose and publish no further ones.
    ///
    /// ## Remediation
    /// `EnableSnapshotBlockPublicAccess` sets the required state.
    /// It is L2 for `block-all-sharing` while the account has a public snapshot in the region, because the accounts that use the snapshot lose it, and L1 otherwise.
    /// The plan is blocked unless EC2 reports that the account manages the setting: a declarative policy of the organization overrides the account.
    /// Undo sets the previous state again, or disables the block if there was none; snapshots that were public become public again, since the block does not change their permissions.
    /// CloudFormation identifies the setting by the account id, as it does a few other settings of an account: a stack with one of these blocks the plan as well.
    ///
    /// ## References
    /// - [ebs-snapshot-block-public-access](https://docs.aws.amazon.com/config/latest/developerguide/ebs-snapshot-block-public-access.html)
    /// - [Security Hub EC2.182](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-182)
    /// - [Block public access for snapshots](https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html)
    pub EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS: EbsSnapshotBlockPublicAccess {
        id: "ebs-snapshot-block-public-access",
        title: "EBS snapshots can be made public in this region",
        severity: High,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: { Fsbp: ["EC2.182"] },
    }
}

parameters! {
    /// The parameters of [`EbsSnapshotBlockPublicAccess`].
    pub EbsSnapshotBlockPublicAccessParameters {
        /// Whether `block-new-sharing` is enough. Default false.
        accept_new_only: Flag = Flag(false),
    }
}

impl EbsSnapshotBlockPublicAccessParameters {
    const fn required(&self) -> SnapshotBlock {
        if self.accept_new_only.0 { SnapshotBlock::BlockNewSharing } else { SnapshotBlock::BlockAllSharing }
    }
}

/// `ManagedBy` of a setting that the account may change.
const BY_ACCOUNT: &str = "account";

/// The setting of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotSetting {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// `State`.
    pub state: SnapshotBlock,
    /// `ManagedBy`: `account` or `declarative-policy`.
    pub managed_by: Option<String>,
    /// Whether the account has a public snapshot in the region; read only by a remediation that would block it.
    pub has_public_snapshots: Option<bool>,
}

impl SnapshotSetting {
    /// Whether the level of the plan depends on public snapshots.
    pub fn would_block_public_snapshots(&self, params: &EbsSnapshotBlockPublicAccessParameters) -> bool {
        self.state < params.required() && params.required() == SnapshotBlock::BlockAllSharing
    }
}

impl ResourceState for SnapshotSetting {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity::account(&self.account)
    }
}

impl Control for EbsSnapshotBlockPublicAccess {
    type Params = EbsSnapshotBlockPublicAccessParameters;
    type Subject = SnapshotSetting;

    fn evaluate(&self, subject: &SnapshotSetting, params: &Self::Params, _now: Timestamp) -> Verdict {
        let SnapshotSetting { state, region, .. } = subject;
        let required = params.required();
        if *state >= required {
            return Verdict::COMPLIANT;
        }
        Verdict::non_compliant(format!("Public sharing of snapshots: {state} in {region}; expected {required}"))
    }
}

impl Periodic for EbsSnapshotBlockPublicAccess {
    fn list_permissions(&self) -> &'static [Permission] {
        &[GET_SNAPSHOT_BLOCK]
    }
}

/// The calls of the remediation, which only enables, and of its undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum SnapshotBlockCall {
    /// Blocks new public sharing, or all of it.
    EnableSnapshotBlockPublicAccess {
        /// The new state.
        state: SnapshotBlock,
    },
    /// Blocks nothing.
    DisableSnapshotBlockPublicAccess {},
}

impl Remediation for EbsSnapshotBlockPublicAccess {
    type Action = SnapshotBlockCall;
    type Undo = SnapshotBlockCall;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[GET_SNAPSHOT_BLOCK, DESCRIBE_SNAPSHOTS],
                fix: &[in_region("ec2:EnableSnapshotBlockPublicAccess")],
                undo: &[
                    in_region("ec2:EnableSnapshotBlockPublicAccess"),
                    in_region("ec2:DisableSnapshotBlockPublicAccess"),
                ],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the account id")
    }

    fn stack_resources(&self, live: &SnapshotSetting, _action: &SnapshotBlockCall) -> Vec<PhysicalId> {
        vec![PhysicalId::here(live.account.as_str())]
    }

    fn fix(&self, live: &SnapshotSetting, params: &Self::Params, _now: Timestamp) -> Plan<SnapshotBlockCall> {
        let state = params.required();
        let harmless = state == SnapshotBlock::BlockNewSharing || live.has_public_snapshots == Some(false);
        let level = if harmless { Level::L1 } else { Level::L2 };
        let manager = live.managed_by.as_deref().unwrap_or("an unknown entity");
        let reason =
            (manager != BY_ACCOUNT).then(|| format!("the setting is managed by {manager}, not by the account"));
        Plan::unless(reason, vec![Step::call(level, SnapshotBlockCall::EnableSnapshotBlockPublicAccess { state })])
    }

    fn predict(&self, live: SnapshotSetting, action: &SnapshotBlockCall) -> SnapshotSetting {
        let state = match action {
            SnapshotBlockCall::EnableSnapshotBlockPublicAccess { state } => *state,
            SnapshotBlockCall::DisableSnapshotBlockPublicAccess {} => SnapshotBlock::Unblocked,
        };
        SnapshotSetting { state, has_public_snapshots: None, ..live }
    }

    fn touched_fields(&self, subject: &SnapshotSetting, done: &[SnapshotBlockCall]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "state": subject.state }) }
    }

    fn undo(
        &self,
        before: &SnapshotSetting,
        done: &[SnapshotBlockCall],
    ) -> Result<Vec<SnapshotBlockCall>, Irreversible> {
        let restore = match before.state {
            SnapshotBlock::Unblocked => SnapshotBlockCall::DisableSnapshotBlockPublicAccess {},
            state => SnapshotBlockCall::EnableSnapshotBlockPublicAccess { state },
        };
        Ok(if done.is_empty() { Vec::new() } else { vec![restore] })
    }
}

#[cfg(test)]
mod tests;

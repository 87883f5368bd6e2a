//! `vpc-default-security-group-closed`: the default security group of a VPC allows no traffic.
//!
//! Pure: the group is passed in, from an item or a live read.

use rectify_compliance::{
    ConfigurationItem, Control, FromItem, Irreversible, NoParameters, Plan, Remediation, RemediationPermissions,
    Resource, ShapeError, Timestamp, Verdict, control, offenders,
};
use serde_json::Value;

use crate::families::authorization::Authorize;
use crate::families::revocation::{self, RevocationPlan, Revoke};
use crate::permissions;
use crate::resources::security_group::{GroupInNetwork, Network, SecurityGroup, TYPE};

control! {
    /// ## What it checks
    /// That the security group named `default` of a VPC has no rules, neither ingress nor egress.
    /// A permission without a peer counts as a rule too, whatever it allows.
    /// The name is compared exactly: only the group that AWS creates with the VPC can have it; every other group is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Resources launched without a security group get the default one.
    /// With its initial rules, its members can reach each other and the whole internet.
    ///
    /// ## Compliant example
    /// A group `default` without rules.
    ///
    /// ## Non-compliant example
    /// A group `default` as AWS creates it: all traffic from itself, all traffic to `0.0.0.0/0`.
    ///
    /// ## Parameters
    /// None, as with the managed rule.
    ///
    /// ## Remediation
    /// All rules are revoked by id, ingress first: `RevokeSecurityGroupIngress`, then `RevokeSecurityGroupEgress` (L2: it cuts off resources that use the group).
    /// If the second call fails, the first one stands and the attempt fails.
    /// If a network interface uses the group, the plan is blocked and names the interface: it needs another group first.
    /// Nothing is revoked in a group of another account, and a rule without a peer blocks the plan, because undo could not recreate it.
    /// What may break: resources launched later without a group of their own reach nothing, which is the point.
    /// Undo recreates every revoked rule with description and tags, including the one that references the group itself; the rules get new ids, and `aws:` tags are not restored.
    ///
    /// ## References
    /// - [VPC_DEFAULT_SECURITY_GROUP_CLOSED](https://docs.aws.amazon.com/config/latest/developerguide/vpc-default-security-group-closed.html)
    /// - [Security Hub EC2.2](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2)
    /// - [Default security groups for your VPCs](https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html)
    pub VPC_DEFAULT_SECURITY_GROUP_CLOSED: VpcDefaultSecurityGroupClosed {
        id: "vpc-default-security-group-closed",
        title: "Default security group of a VPC allows traffic",
        severity: High,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["5.4"],
            Cis50: ["5.5"],
            Fsbp: ["EC2.2"],
            Nist80053r5: ["AC-4", "AC-4(21)", "SC-7", "SC-7(5)", "SC-7(11)"],
        },
    }
}

/// The name of the group that AWS creates with a VPC; no other group can have it.
const DEFAULT: &str = "default";

/// A group with a known name: an unnamed group could be the open default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedGroup(SecurityGroup);

impl Resource for NamedGroup {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let group = SecurityGroup::from_item(item)?;
        if group.name.is_none() {
            return Err(ShapeError::missing("configuration.groupName", "a group name"));
        }
        Ok(Self(group))
    }
}

impl FromItem for VpcDefaultSecurityGroupClosed {
    type Resource = NamedGroup;
    type Facts = ();

    fn subject(&self, group: NamedGroup, (): ()) -> GroupInNetwork {
        GroupInNetwork { group: group.0, network: Network::default() }
    }
}

impl Control for VpcDefaultSecurityGroupClosed {
    type Params = NoParameters;
    type Subject = GroupInNetwork;

    fn evaluate(&self, subject: &GroupInNetwork, _params: &NoParameters, _now: Timestamp) -> Verdict {
        let group = &subject.group;
        if group.name.as_deref().is_some_and(|name| name != DEFAULT) {
            return Verdict::not_applicable("not the default group of a VPC");
        }
        if group.rules.is_empty() {
            return Verdict::COMPLIANT;
        }
        let ingress = group.ingress().count();
        let egress = group.rules.len() - ingress;
        let vpc = group.vpc_id.as_deref().unwrap_or("an unknown VPC");
        let id = &group.id;
        Verdict::non_compliant(format!("Default group {id} of {vpc} has rules: {ingress} ingress, {egress} egress"))
    }
}

impl Remediation for VpcDefaultSecurityGroupClosed {
    type Action = Revoke;
    type Undo = Authorize;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[permissions::DESCRIBE_GROUPS, permissions::DESCRIBE_RULES, permissions::DESCRIBE_INTERFACES],
            fix: &[permissions::REVOKE_INGRESS, permissions::REVOKE_EGRESS],
            undo: permissions::REOPEN,
        }
    }

    fn fix(&self, live: &GroupInNetwork, _params: &NoParameters, _now: Timestamp) -> Plan<Revoke> {
        let mut draft = RevocationPlan::new(&live.group, live.blockers());
        if let Some(usage) = live.network.usage.as_ref().filter(|usage| usage.in_use) {
            let named = offenders(usage.interfaces.iter().take(3).cloned());
            draft.block(format!("network interfaces use the group, among them `{named}`"));
        }
        draft.revoke(&live.group.rules);
        draft.plan()
    }

    fn predict(&self, live: GroupInNetwork, action: &Revoke) -> GroupInNetwork {
        revocation::predict(live, action)
    }

    fn touched_fields(&self, subject: &GroupInNetwork, _done: &[Revoke]) -> Value {
        revocation::touched_fields(&subject.group, |_| true)
    }

    fn undo(&self, before: &GroupInNetwork, done: &[Revoke]) -> Result<Vec<Authorize>, Irreversible> {
        revocation::undo(&before.group, done)
    }

    fn reverted(&self, live: &GroupInNetwork, call: &Authorize) -> Option<GroupInNetwork> {
        Some(revocation::reverted(live, call))
    }
}

#[cfg(test)]
mod tests;

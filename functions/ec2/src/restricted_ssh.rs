//! `restricted-ssh`: no security group lets the internet reach SSH.
//!
//! Pure: the group and its surroundings come from outside, as an item, a listing or a live read.

use rectify_compliance::values::{Bounded, Flag, PortSet};
use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Parameters, Permission, Plan, Remediation, Timestamp, Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::authorization::Open;
use crate::closed_ports::{self, ClosedPorts};
use crate::iam;
use crate::internet::{Internet, InternetParameters};
use crate::openness::Breadth;
use crate::revocation::{self, Close};
use crate::rule::Rule;
use crate::security_group::{GroupInNetwork, Network, SecurityGroup, TYPE};

control! {
    /// ## What it checks
    /// Every ingress rule of a security group that lets TCP through on one of `ports`, protocol `-1` included.
    /// The group is NON_COMPLIANT when one CIDR is at most `maxPrefixV4` or `maxPrefixV6` bits long, or when the CIDRs of several rules cover the whole IPv4 or the whole IPv6 space together, as `0.0.0.0/1` and `128.0.0.0/1` do.
    /// A prefix list counts as the CIDRs in it.
    /// Security groups as sources, egress rules, UDP, ICMP and other protocols never count.
    /// A range of ports that AWS does not state, and one that makes no sense, is every port.
    ///
    /// ## Why it matters
    /// An SSH server that everybody can reach can be attacked by everybody: with guessed passwords, with leaked keys, and through whatever flaw its version has.
    /// A comparison with `0.0.0.0/0` alone misses IPv6, wide ranges of ports, prefix lists, and two halves that make a whole.
    ///
    /// ## Compliant example
    /// A rule for tcp 22 from `203.0.113.0/24`, beside one for tcp 443 from `0.0.0.0/0`.
    ///
    /// ## Non-compliant example
    /// A rule for tcp 20-25 from `::/0`.
    ///
    /// ## Parameters
    /// `ports`, `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` decide what is found; `narrowWideRules` decides what the plan shows.
    /// A prefix list that cannot be read, because it is gone or not shared with this account, contributes nothing, and the annotation names it.
    ///
    /// ## Remediation
    /// Open rules whose ports all lie within `ports` are revoked by their ids in one `RevokeSecurityGroupIngress`, so every neighbour in the same permission stays (L2: it can cut off an operator).
    /// Everything else is planned for a person: a wider range of ports, protocol `-1`, a prefix list, and rules that are open only together.
    /// With `narrowWideRules` the plan spells out the calls that would narrow a wider range, but no machine makes them: they need a role that may authorize ingress, and the role of this remediation cannot open SSH.
    /// Nothing is revoked while the group belongs to another account, or while a service manages an interface that uses it.
    /// What may break is every SSH session and tool that comes from the internet.
    /// EC2 knows no revisions: between the last read and the revocation lie milliseconds in which a change by somebody else goes unseen; the call names ids, so a rule made in between is not touched.
    /// Undo makes each revoked rule again with its description and its tags; its id is a new one, and tags of AWS itself (`aws:…`) are not restored.
    ///
    /// ## References
    /// - [INCOMING_SSH_DISABLED](https://docs.aws.amazon.com/config/latest/developerguide/restricted-ssh.html)
    /// - [Security Hub EC2.13](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-13)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub RESTRICTED_SSH: RestrictedSsh {
        id: "restricted-ssh",
        title: "Security group lets the whole internet reach SSH",
        severity: High,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["5.2", "5.3"],
            Cis50: ["5.3", "5.4"],
            Fsbp: ["EC2.13"],
            Nist80053r5: ["AC-4", "AC-4(21)", "CM-7", "SC-7", "SC-7(11)", "SC-7(16)", "SC-7(21)"],
            Pci40: ["1.2.8", "1.3.1", "1.3.2", "1.4.2", "1.5.1"],
        },
    }
}

/// The parameters of [`RestrictedSsh`]; the managed rule has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RestrictedSshParameters {
    /// Ports treated as SSH: a comma list of 1 to 16 ports or ranges, 0..=65535. Default 22.
    pub ports: PortSet,
    /// IPv4 CIDRs with a prefix of at most that many bits are the internet, 0..=32. Default 0.
    pub max_prefix_v4: Bounded<0, 32>,
    /// IPv6 CIDRs with a prefix of at most that many bits are the internet, 0..=128. Default 0.
    pub max_prefix_v6: Bounded<0, 128>,
    /// Whether the entries of prefix lists are read and judged. Default true.
    pub resolve_prefix_lists: Flag,
    /// Whether a group that no network interface uses is NOT_APPLICABLE. Default false.
    pub ignore_unattached: Flag,
    /// Whether the plan shows the calls that split a wide TCP range; a person makes them. Default false.
    pub narrow_wide_rules: Flag,
}

impl Default for RestrictedSshParameters {
    fn default() -> Self {
        Self {
            ports: PortSet::single(22),
            max_prefix_v4: Bounded::of(0),
            max_prefix_v6: Bounded::of(0),
            resolve_prefix_lists: Flag(true),
            ignore_unattached: Flag(false),
            narrow_wide_rules: Flag(false),
        }
    }
}

impl Parameters for RestrictedSshParameters {}

impl InternetParameters for RestrictedSshParameters {
    fn internet(&self) -> Internet {
        Internet {
            breadth: Breadth { v4: self.max_prefix_v4.get(), v6: self.max_prefix_v6.get() },
            resolve_prefix_lists: self.resolve_prefix_lists.0,
            ignore_unattached: self.ignore_unattached.0,
        }
    }

    fn concerns(&self, rule: &Rule) -> bool {
        closed_ports::reaches(rule, &self.ports)
    }
}

impl ClosedPorts for RestrictedSshParameters {
    const FINDING: &'static str = "SSH open to the internet";

    fn ports(&self) -> PortSet {
        self.ports.clone()
    }

    fn narrows_wide_rules(&self) -> bool {
        self.narrow_wide_rules.0
    }
}

impl FromItem for RestrictedSsh {
    type Resource = SecurityGroup;
    type Facts = Network;
    fn fact_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_FACTS
    }

    fn subject(&self, group: SecurityGroup, network: Network) -> GroupInNetwork {
        GroupInNetwork { group, network }
    }
}

impl Inventory for RestrictedSsh {
    fn list_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_LISTING
    }
}

impl Control for RestrictedSsh {
    type Params = RestrictedSshParameters;
    type Subject = GroupInNetwork;

    fn evaluate(&self, subject: &GroupInNetwork, params: &RestrictedSshParameters, _now: Timestamp) -> Verdict {
        closed_ports::evaluate(subject, params)
    }
}

impl Remediation for RestrictedSsh {
    type Action = Close;
    /// Nothing: the before-image holds every rule whole.
    type Undo = Open;
    fn read_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_LIVE
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[iam::REVOKE_INGRESS]
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        iam::REOPEN_INGRESS
    }

    fn fix(&self, live: &GroupInNetwork, params: &RestrictedSshParameters, _now: Timestamp) -> Plan<Close> {
        closed_ports::plan(live, params)
    }

    fn expect(&self, live: GroupInNetwork, action: &Close) -> GroupInNetwork {
        revocation::expect(live, action)
    }

    fn footprint(&self, subject: &GroupInNetwork, _done: &[Close]) -> Value {
        closed_ports::footprint(subject)
    }

    fn undo(&self, before: &GroupInNetwork, done: &[Close]) -> Result<Vec<Open>, Irreversible> {
        revocation::undo(&before.group, done)
    }

    fn reverted(&self, live: &GroupInNetwork, open: &Open) -> Option<GroupInNetwork> {
        Some(revocation::reverted(live, open))
    }
}

#[cfg(test)]
#[path = "restricted_ssh_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "restricted_ssh_laws.rs"]
mod laws;

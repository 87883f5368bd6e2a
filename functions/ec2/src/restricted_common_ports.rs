//! `restricted-common-ports`: no security group lets the internet reach administrative or database ports.
//!
//! Pure: the group and its surroundings come from outside, as an item, a listing or a live read.

use rectify_compliance::values::{Bounded, Flag, PortList, PortOrNone, PortSet};
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
    /// Every ingress rule of a security group that lets TCP through on a blocked port, protocol `-1` included.
    /// Blocked are `blockedPort1` to `blockedPort5` and the ports in `blockedPorts`.
    /// The group is NON_COMPLIANT when one CIDR is at most `maxPrefixV4` or `maxPrefixV6` bits long, or when the CIDRs of several rules cover the whole IPv4 or the whole IPv6 space together, as `0.0.0.0/1` and `128.0.0.0/1` do.
    /// A prefix list counts as the CIDRs in it.
    /// Security groups as sources, egress rules, UDP, ICMP and other protocols never count.
    /// A range of ports that AWS does not state, and one that makes no sense, is every port.
    ///
    /// ## Why it matters
    /// Remote desktops, file transfer and databases are found by scanners within minutes of being reachable, and are attacked by everybody from then on.
    /// A comparison of one port with `0.0.0.0/0` alone misses IPv6, wide ranges of ports, prefix lists, and two halves that make a whole.
    ///
    /// ## Compliant example
    /// A rule for tcp 3306 from `10.0.0.0/8`, beside one for tcp 443 from `0.0.0.0/0`.
    ///
    /// ## Non-compliant example
    /// A rule for tcp 3000-4000 from `0.0.0.0/0`, which holds 3306 and 3389.
    ///
    /// ## Parameters
    /// `blockedPort1` to `blockedPort5` and `blockedPorts` are those of the managed rule; a blank one has its default, and `none`, which the managed rule does not have, takes a default away.
    /// `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` decide what is found; `narrowWideRules` decides what the plan shows.
    /// A prefix list that cannot be read, because it is gone or not shared with this account, contributes nothing, and the annotation names it.
    /// The managed rule judges groups "in use"; this one judges every group, unless `ignoreUnattached` says otherwise: a group that nobody uses today is used tomorrow without a change of its own.
    ///
    /// ## Remediation
    /// Open rules whose ports are all blocked ones are revoked by their ids in one `RevokeSecurityGroupIngress`, so every neighbour in the same permission stays (L2: it can cut off who uses it).
    /// Everything else is planned for a person: a wider range of ports, protocol `-1`, a prefix list, and rules that are open only together.
    /// With `narrowWideRules` the plan spells out the calls that would narrow a wider range, but no machine makes them: they need a role that may authorize ingress.
    /// Nothing is revoked while the group belongs to another account, or while a service manages an interface that uses it.
    /// What may break is every client that reaches these ports from the internet.
    /// Undo makes each revoked rule again with its description and its tags; its id is a new one, and tags of AWS itself (`aws:…`) are not restored.
    ///
    /// ## References
    /// - [RESTRICTED_INCOMING_TRAFFIC](https://docs.aws.amazon.com/config/latest/developerguide/restricted-common-ports.html)
    /// - [Security Hub EC2.14](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-14)
    /// - [Security Hub EC2.19](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub RESTRICTED_COMMON_PORTS: RestrictedCommonPorts {
        id: "restricted-common-ports",
        title: "Security group lets the whole internet reach administrative or database ports",
        severity: High,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["5.2", "5.3"],
            Cis50: ["5.3", "5.4"],
            Fsbp: ["EC2.14", "EC2.19"],
            Nist80053r5: ["AC-4", "CM-7", "SC-7", "SC-7(11)", "SC-7(21)"],
            Pci40: ["1.2.8", "1.3.1", "1.3.2", "1.4.2"],
        },
    }
}

/// The parameters of [`RestrictedCommonPorts`]; the blocked ports are the managed rule's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RestrictedCommonPortsParameters {
    /// A blocked TCP port, 0..=65535, or `none`. Default 20 (FTP data).
    pub blocked_port1: PortOrNone,
    /// A blocked TCP port, 0..=65535, or `none`. Default 21 (FTP control).
    pub blocked_port2: PortOrNone,
    /// A blocked TCP port, 0..=65535, or `none`. Default 3389 (remote desktop).
    pub blocked_port3: PortOrNone,
    /// A blocked TCP port, 0..=65535, or `none`. Default 3306 (MySQL).
    pub blocked_port4: PortOrNone,
    /// A blocked TCP port, 0..=65535, or `none`. Default 4333 (mSQL).
    pub blocked_port5: PortOrNone,
    /// Blocked TCP ports beside the five: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
    pub blocked_ports: Option<PortList>,
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

impl Default for RestrictedCommonPortsParameters {
    fn default() -> Self {
        let blocked = |port| PortOrNone(Some(port));
        Self {
            blocked_port1: blocked(20),
            blocked_port2: blocked(21),
            blocked_port3: blocked(3389),
            blocked_port4: blocked(3306),
            blocked_port5: blocked(4333),
            blocked_ports: None,
            max_prefix_v4: Bounded::of(0),
            max_prefix_v6: Bounded::of(0),
            resolve_prefix_lists: Flag(true),
            ignore_unattached: Flag(false),
            narrow_wide_rules: Flag(false),
        }
    }
}

impl Parameters for RestrictedCommonPortsParameters {
    fn check(&self) -> Result<(), String> {
        if self.ports().is_empty() {
            return Err("blockedPort1 to blockedPort5 are `none` and blockedPorts is absent: no port is blocked".into());
        }
        Ok(())
    }
}

impl InternetParameters for RestrictedCommonPortsParameters {
    fn internet(&self) -> Internet {
        Internet {
            breadth: Breadth { v4: self.max_prefix_v4.get(), v6: self.max_prefix_v6.get() },
            resolve_prefix_lists: self.resolve_prefix_lists.0,
            ignore_unattached: self.ignore_unattached.0,
        }
    }

    fn concerns(&self, rule: &Rule) -> bool {
        closed_ports::reaches(rule, &self.ports())
    }
}

impl ClosedPorts for RestrictedCommonPortsParameters {
    const FINDING: &'static str = "Blocked ports open to the internet";

    fn ports(&self) -> PortSet {
        let Self { blocked_port1, blocked_port2, blocked_port3, blocked_port4, blocked_port5, blocked_ports, .. } =
            self;
        let five = [blocked_port1, blocked_port2, blocked_port3, blocked_port4, blocked_port5];
        let five = five.into_iter().filter_map(|it| it.0).map(|port| (port, port));
        PortSet::of(five.chain(blocked_ports.iter().flat_map(|it| it.0.ranges().iter().copied())))
    }

    fn narrows_wide_rules(&self) -> bool {
        self.narrow_wide_rules.0
    }
}

impl FromItem for RestrictedCommonPorts {
    type Resource = SecurityGroup;
    type Facts = Network;
    fn fact_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_FACTS
    }

    fn subject(&self, group: SecurityGroup, network: Network) -> GroupInNetwork {
        GroupInNetwork { group, network }
    }
}

impl Inventory for RestrictedCommonPorts {
    fn list_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_LISTING
    }
}

impl Control for RestrictedCommonPorts {
    type Params = RestrictedCommonPortsParameters;
    type Subject = GroupInNetwork;

    fn evaluate(&self, subject: &GroupInNetwork, params: &RestrictedCommonPortsParameters, _now: Timestamp) -> Verdict {
        closed_ports::evaluate(subject, params)
    }
}

impl Remediation for RestrictedCommonPorts {
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

    fn fix(&self, live: &GroupInNetwork, params: &RestrictedCommonPortsParameters, _now: Timestamp) -> Plan<Close> {
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
#[path = "restricted_common_ports_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "restricted_common_ports_laws.rs"]
mod laws;

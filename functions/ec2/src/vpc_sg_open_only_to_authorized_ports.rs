//! `vpc-sg-open-only-to-authorized-ports`: what the internet reaches, somebody has authorized.
//!
//! Pure: the group and its surroundings come from outside, as an item, a listing or a live read.

use std::collections::BTreeSet;

use rectify_compliance::values::{Bounded, Flag, PortList, PortSet};
use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Level, Parameters, Permission, Plan, Remediation, Step, Timestamp,
    Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::authorization::Open;
use crate::iam;
use crate::internet::{Internet, InternetParameters, sources};
use crate::openness::{Breadth, Exposure, touches, within};
use crate::revocation::{self, Close, Draft};
use crate::rule::{Direction, PortRange, Protocol, Rule};
use crate::security_group::{GroupInNetwork, Network, SecurityGroup, TYPE};

control! {
    /// ## What it checks
    /// That an ingress rule of a security group which is open to the internet lets through only authorized ports: a TCP rule only ports in `authorizedTcpPorts`, a UDP rule only ports in `authorizedUdpPorts`.
    /// A rule is open when one of its CIDRs is at most `maxPrefixV4` or `maxPrefixV6` bits long; rules whose CIDRs cover the whole IPv4 or IPv6 space only together are judged as one.
    /// The whole range of a rule must be authorized: 80-443 is not authorized by 80 and 443.
    /// Protocol `-1` from the internet is always a finding; protocols without ports are one only with `otherProtocols` `noncompliant`.
    /// A group that is not open to the internet at all is NOT_APPLICABLE, as with the managed rule.
    ///
    /// ## Why it matters
    /// A list of ports that must be closed forgets the port that somebody opens tomorrow; a list of ports that may be open does not.
    ///
    /// ## Compliant example
    /// With `authorizedTcpPorts` `443,1020-1025`: a rule for tcp 1020-1024 from `::/0`.
    ///
    /// ## Non-compliant example
    /// With `authorizedTcpPorts` `80,443`: a rule for tcp 80-443 from `0.0.0.0/0`.
    ///
    /// ## Parameters
    /// `authorizedTcpPorts` and `authorizedUdpPorts` are those of the managed rule; without them every open rule is a finding.
    /// `otherProtocols`, `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` are ours; their defaults are what the managed rule does, as far as AWS documents it.
    /// What the managed rule says of ICMP and other protocols is not documented.
    /// A prefix list that cannot be read, because it is gone or not shared with this account, contributes nothing, and the annotation names it.
    ///
    /// ## Remediation
    /// Open rules for CIDRs none of whose ports is authorized are revoked by their ids in one `RevokeSecurityGroupIngress`, so every neighbour in the same permission stays (L2: it cuts off who uses them).
    /// Everything else is planned for a person: rules with some authorized ports, protocol `-1`, prefix lists, and rules that are open only together.
    /// "All traffic" from elsewhere than the internet is not touched.
    /// Nothing is revoked while the group belongs to another account, or while a service manages an interface that uses it.
    /// What may break is every client on the internet that uses an unauthorized port.
    /// Undo makes each revoked rule again with its description and its tags; its id is a new one, and tags of AWS itself (`aws:…`) are not restored.
    ///
    /// ## References
    /// - [VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS](https://docs.aws.amazon.com/config/latest/developerguide/vpc-sg-open-only-to-authorized-ports.html)
    /// - [Security Hub EC2.18](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS: VpcSgOpenOnlyToAuthorizedPorts {
        id: "vpc-sg-open-only-to-authorized-ports",
        title: "Security group is open to the internet on a port nobody authorized",
        severity: High,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Fsbp: ["EC2.18"],
            Nist80053r5: ["AC-4", "AC-4(21)", "SC-7", "SC-7(11)", "SC-7(16)", "SC-7(21)"],
            Pci40: ["1.2.5", "1.3.1", "1.4.2"],
        },
    }
}

/// The parameters of [`VpcSgOpenOnlyToAuthorizedPorts`]; the authorized ports are the managed rule's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct VpcSgOpenOnlyToAuthorizedPortsParameters {
    /// TCP ports that may be open to the internet: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
    pub authorized_tcp_ports: Option<PortList>,
    /// UDP ports that may be open to the internet: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
    pub authorized_udp_ports: Option<PortList>,
    /// What an open rule for a protocol without ports is: `ignore` or `noncompliant`. Default ignore.
    pub other_protocols: OtherProtocols,
    /// IPv4 CIDRs with a prefix of at most that many bits are the internet, 0..=32. Default 0.
    pub max_prefix_v4: Bounded<0, 32>,
    /// IPv6 CIDRs with a prefix of at most that many bits are the internet, 0..=128. Default 0.
    pub max_prefix_v6: Bounded<0, 128>,
    /// Whether the entries of prefix lists are read and judged. Default true.
    pub resolve_prefix_lists: Flag,
    /// Whether a group that no network interface uses is NOT_APPLICABLE. Default false.
    pub ignore_unattached: Flag,
}

/// What an open rule for a protocol without ports is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OtherProtocols {
    /// None of this control's business.
    #[default]
    Ignore,
    /// A finding.
    Noncompliant,
}

impl Default for VpcSgOpenOnlyToAuthorizedPortsParameters {
    fn default() -> Self {
        Self {
            authorized_tcp_ports: None,
            authorized_udp_ports: None,
            other_protocols: OtherProtocols::Ignore,
            max_prefix_v4: Bounded::of(0),
            max_prefix_v6: Bounded::of(0),
            resolve_prefix_lists: Flag(true),
            ignore_unattached: Flag(false),
        }
    }
}

type Params = VpcSgOpenOnlyToAuthorizedPortsParameters;

impl Parameters for Params {}

impl InternetParameters for Params {
    fn internet(&self) -> Internet {
        Internet {
            breadth: Breadth { v4: self.max_prefix_v4.get(), v6: self.max_prefix_v6.get() },
            resolve_prefix_lists: self.resolve_prefix_lists.0,
            ignore_unattached: self.ignore_unattached.0,
        }
    }

    /// Every rule: whether a group is open at all decides between COMPLIANT and NOT_APPLICABLE.
    fn concerns(&self, _rule: &Rule) -> bool {
        true
    }
}

impl FromItem for VpcSgOpenOnlyToAuthorizedPorts {
    type Resource = SecurityGroup;
    type Facts = Network;
    fn fact_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_FACTS
    }

    fn subject(&self, group: SecurityGroup, network: Network) -> GroupInNetwork {
        GroupInNetwork { group, network }
    }
}

impl Inventory for VpcSgOpenOnlyToAuthorizedPorts {
    fn list_permissions(&self) -> &'static [Permission] {
        iam::INTERNET_LISTING
    }
}

impl Control for VpcSgOpenOnlyToAuthorizedPorts {
    type Params = Params;
    type Subject = GroupInNetwork;

    fn evaluate(&self, subject: &GroupInNetwork, params: &Params, _now: Timestamp) -> Verdict {
        if let Some(unattached) = params.unattached(subject) {
            return unattached;
        }
        if params.exposure(subject, |_| PortSet::every()).is_empty() {
            return Verdict::not_applicable(params.remarked(subject, "no rule lets the internet in".to_owned()));
        }
        let unauthorized = params.unauthorized(subject);
        if unauthorized.is_empty() {
            return Verdict::Compliant(params.remark(subject).map(Into::into));
        }
        let open = sources(unauthorized.rules(), Rule::reach);
        let finding = format!("Open to the internet on unauthorized ports: {open}; {}", params.authorized_text());
        Verdict::non_compliant(params.remarked(subject, finding))
    }
}

impl Remediation for VpcSgOpenOnlyToAuthorizedPorts {
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

    fn fix(&self, live: &GroupInNetwork, params: &Params, _now: Timestamp) -> Plan<Close> {
        let unauthorized = params.unauthorized(live);
        let (whole, others): (Vec<&Rule>, Vec<&Rule>) =
            unauthorized.broad.iter().partition(|rule| params.is_unauthorized_throughout(rule));
        let mut draft = Draft::new(&live.group, live.obstacles());
        draft.revoke(whole);
        for rule in others {
            draft.push(params.by_hand(rule));
        }
        draft.narrow_together(&unauthorized.joint);
        draft.plan()
    }

    fn expect(&self, live: GroupInNetwork, action: &Close) -> GroupInNetwork {
        revocation::expect(live, action)
    }

    /// Ingress rules from CIDRs for one protocol: all that a revocation can touch.
    fn footprint(&self, subject: &GroupInNetwork, _done: &[Close]) -> Value {
        revocation::footprint(&subject.group, |rule| {
            rule.direction == Direction::Ingress && rule.protocol != Protocol::All && rule.peer.is_cidr()
        })
    }

    fn undo(&self, before: &GroupInNetwork, done: &[Close]) -> Result<Vec<Open>, Irreversible> {
        revocation::undo(&before.group, done)
    }

    fn reverted(&self, live: &GroupInNetwork, open: &Open) -> Option<GroupInNetwork> {
        Some(revocation::reverted(live, open))
    }
}

impl VpcSgOpenOnlyToAuthorizedPortsParameters {
    /// The authorized ports of a protocol; one without ports has none.
    fn authorized(&self, protocol: &Protocol) -> PortSet {
        let list = match protocol {
            Protocol::Tcp => self.authorized_tcp_ports.as_ref(),
            Protocol::Udp => self.authorized_udp_ports.as_ref(),
            Protocol::All | Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => None,
        };
        list.map(|it| it.0.clone()).unwrap_or_default()
    }

    /// What lets the internet in on those ports of each protocol that `ports` says.
    fn exposure<'a>(&self, subject: &'a GroupInNetwork, ports: impl Fn(&Protocol) -> PortSet) -> Exposure<'a> {
        let own = subject.group.ingress().map(|rule| rule.protocol.clone());
        let protocols: BTreeSet<Protocol> = own.chain([Protocol::All, Protocol::Tcp, Protocol::Udp]).collect();
        let breadth = self.internet().breadth;
        Exposure::together(protocols.iter().map(|it| Exposure::of(subject, it, &ports(it), breadth)))
    }

    fn unauthorized<'a>(&self, subject: &'a GroupInNetwork) -> Exposure<'a> {
        self.exposure(subject, |protocol| match protocol {
            Protocol::All => PortSet::every(),
            Protocol::Tcp | Protocol::Udp => self.authorized(protocol).complement(),
            Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => match self.other_protocols {
                OtherProtocols::Ignore => PortSet::default(),
                OtherProtocols::Noncompliant => PortSet::every(),
            },
        })
    }

    /// Whether nothing that a rule lets in is authorized, so that it can go whole.
    fn is_unauthorized_throughout(&self, rule: &Rule) -> bool {
        let range = rule.reaches(&rule.protocol).unwrap_or(PortRange::ALL);
        rule.protocol != Protocol::All && rule.peer.is_cidr() && !touches(range, &self.authorized(&rule.protocol))
    }

    /// What a person does about an open rule that also serves something else.
    fn by_hand(&self, rule: &Rule) -> Step<Close> {
        if rule.protocol == Protocol::All || !rule.peer.is_cidr() {
            let text = format!("replace the rule {rule} by rules for what is authorized");
            return Step::person(Level::L3, text);
        }
        let range = PortRange::of(rule.from_port, rule.to_port);
        let kept: Vec<String> =
            within(range, &self.authorized(&rule.protocol)).iter().map(ToString::to_string).collect();
        Step::person(Level::L2, format!("narrow the rule {rule} to {} {}", rule.protocol, kept.join(",")))
    }

    /// `authorized tcp 80,443`: the lists as they bind, each cut where it is long.
    fn authorized_text(&self) -> String {
        let list = |name: &str, list: &Option<PortList>| list.as_ref().map(|it| format!("{name} {}", cut(&it.0)));
        let lists = [list("tcp", &self.authorized_tcp_ports), list("udp", &self.authorized_udp_ports)];
        let lists: Vec<String> = lists.into_iter().flatten().collect();
        if lists.is_empty() { "authorized none".to_owned() } else { format!("authorized {}", lists.join(", ")) }
    }
}

/// Ports as an annotation repeats them: at most 60 characters.
fn cut(ports: &PortSet) -> String {
    const MOST: usize = 60;
    let text = ports.to_string();
    if text.len() <= MOST { text } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}

#[cfg(test)]
#[path = "vpc_sg_open_only_to_authorized_ports_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "vpc_sg_open_only_to_authorized_ports_laws.rs"]
mod laws;

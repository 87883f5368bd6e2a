//! Which ports the internet may reach, as the parameters of a control say it, and what follows from that about a rule.
//!
//! Knows no control: [`open_ports`](crate::families::open_ports) judges and plans with it.

use std::collections::BTreeSet;

use rectify_compliance::values::PortSet;
use rectify_compliance::{Level, Step, offenders, plan::call_text};

use crate::families::authorization::Authorize;
use crate::families::exposure::{Exposure, touches, within, without};
use crate::families::revocation::{RevocationPlan, Revoke};
use crate::resources::internet::{Internet, sources};
use crate::resources::rule::{Direction, Peer, PortRange, Protocol, Rule};
use crate::resources::security_group::{GroupInNetwork, SecurityGroup};

/// What the internet is, and which ports it may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// What the internet is.
    pub internet: Internet,
    /// Which ports it may reach.
    pub ports: Ports,
}

/// Which ports the internet may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// All but these TCP ports.
    Closed {
        /// How a finding begins.
        finding: &'static str,
        /// The ports.
        ports: PortSet,
        /// `narrowWideRules`: whether the plan spells out how a wider rule is narrowed.
        narrow_wide_rules: bool,
    },
    /// None but these. A group that is not open at all is not judged.
    Authorized {
        /// The TCP ports.
        tcp: PortSet,
        /// The UDP ports.
        udp: PortSet,
        /// Whether protocols without ports are authorized.
        other_protocols: bool,
    },
}

impl Limits {
    /// The prefix lists without which a group cannot be judged: what has to be read, and nothing else.
    pub fn prefix_lists_to_read(&self, group: &SecurityGroup) -> BTreeSet<String> {
        if self.internet.resolve_prefix_lists { self.prefix_lists(group) } else { BTreeSet::new() }
    }

    /// The prefix lists of the rules that can matter, whether they are to be read or not.
    pub fn prefix_lists(&self, group: &SecurityGroup) -> BTreeSet<String> {
        let matters = |rule: &&Rule| match &self.ports {
            Ports::Closed { ports, .. } => rule.reaches(&Protocol::Tcp).is_some_and(|range| touches(range, ports)),
            // Whether a group is open at all decides between COMPLIANT and NOT_APPLICABLE.
            Ports::Authorized { .. } => true,
        };
        let list = |rule: &Rule| if let Peer::PrefixList(id) = &rule.peer { Some(id.clone()) } else { None };
        group.ingress().filter(matters).filter_map(list).collect()
    }

    /// What lets the internet reach ports that it may not.
    pub fn exposure<'a>(&self, subject: &'a GroupInNetwork) -> Exposure<'a> {
        self.exposure_on(subject, |protocol| self.ports.forbidden(protocol))
    }

    /// Whether the internet reaches nothing, in a control that judges open groups only.
    pub fn is_not_open(&self, subject: &GroupInNetwork) -> bool {
        matches!(self.ports, Ports::Authorized { .. }) && self.exposure_on(subject, |_| PortSet::every()).is_empty()
    }

    fn exposure_on<'a>(&self, subject: &'a GroupInNetwork, ports: impl Fn(&Protocol) -> PortSet) -> Exposure<'a> {
        let own = subject.group.ingress().map(|rule| rule.protocol.clone());
        let protocols: BTreeSet<Protocol> = own.chain([Protocol::All, Protocol::Tcp, Protocol::Udp]).collect();
        Exposure::together(protocols.iter().map(|it| Exposure::of(subject, it, &ports(it), self.internet.breadth)))
    }
}

impl Ports {
    /// The ports of a protocol that the internet must not reach.
    fn forbidden(&self, protocol: &Protocol) -> PortSet {
        match self {
            Self::Closed { ports, .. } if *protocol == Protocol::Tcp => ports.clone(),
            Self::Closed { .. } => PortSet::default(),
            Self::Authorized { tcp, udp, other_protocols } => match protocol {
                Protocol::All => PortSet::every(),
                Protocol::Tcp => tcp.complement(),
                Protocol::Udp => udp.complement(),
                Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) if *other_protocols => PortSet::default(),
                Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => PortSet::every(),
            },
        }
    }

    /// Whether a rule opens nothing but forbidden ports, so that it can go whole.
    pub fn forbid_whole(&self, rule: &Rule) -> bool {
        let range = rule.reaches(&rule.protocol).unwrap_or(PortRange::ALL);
        self.forbidden(&rule.protocol).covers(range.from, range.to)
    }

    /// The finding about rules that open forbidden ports.
    pub fn finding<'a>(&self, rules: impl Iterator<Item = &'a Rule>) -> String {
        match self {
            Self::Closed { finding, ports, .. } => {
                format!("{finding}: {}", sources(rules, |rule| reach_with(rule, ports)))
            }
            Self::Authorized { tcp, udp, .. } => {
                let lists = [("tcp", tcp), ("udp", udp)].into_iter().filter(|(_, ports)| !ports.is_empty());
                let lists: Vec<String> = lists.map(|(name, ports)| format!("{name} {}", cut(ports))).collect();
                let authorized = if lists.is_empty() { "none".to_owned() } else { lists.join(", ") };
                let open = sources(rules, Rule::reach);
                format!("Open to the internet on unauthorized ports: {open}; authorized {authorized}")
            }
        }
    }

    /// Drafts what a person does about an open rule that also serves something else.
    pub fn leave_to_a_person(&self, draft: &mut RevocationPlan<'_, Revoke>, rule: &Rule) {
        let group = draft.group();
        let is_whole = rule.protocol == Protocol::All || !rule.peer.is_cidr();
        let range = PortRange::of(rule.from_port, rule.to_port);
        let (level, text) = match self {
            Self::Closed { ports, .. } if is_whole => (
                Level::L3,
                format!("replace the rule {rule} by rules for what is needed: without tcp {ports} from the internet"),
            ),
            Self::Closed { ports, narrow_wide_rules: true, .. } => {
                draft.hold(format!("narrowing the rule {rule} needs a role that may authorize ingress"));
                (Level::L2, narrowing(group, rule, &without(range, ports)))
            }
            Self::Closed { ports, .. } => (Level::L2, format!("narrow the rule {rule} to leave out tcp {ports}")),
            Self::Authorized { .. } if is_whole => {
                (Level::L3, format!("replace the rule {rule} by rules for what is authorized"))
            }
            Self::Authorized { .. } => {
                let kept = without(range, &self.forbidden(&rule.protocol));
                let kept = kept.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                (Level::L2, format!("narrow the rule {rule} to {} {kept}", rule.protocol))
            }
        };
        draft.push(Step::manual(level, text));
    }
}

/// What a rule reaches; where it is wider than several ports in question, with those of them it holds.
fn reach_with(rule: &Rule, ports: &PortSet) -> String {
    let range = rule.reaches(&Protocol::Tcp).unwrap_or(PortRange::ALL);
    let is_single = matches!(ports.ranges(), [(from, to)] if from == to);
    if is_single || ports.covers(range.from, range.to) {
        return rule.reach();
    }
    format!("{} ({})", rule.reach(), offenders(within(range, ports).iter().map(ToString::to_string)))
}

/// The calls by which a person leaves nothing of a rule but these ports.
fn narrowing(group: &SecurityGroup, rule: &Rule, left: &[PortRange]) -> String {
    let mut calls: Vec<String> = Authorize::narrowed(&group.id, rule, left).iter().map(call_text).collect();
    calls.extend(rule.id.iter().map(|id| call_text(&Revoke::of(Direction::Ingress, &group.id, vec![id.clone()]))));
    calls.join(", then ")
}

/// Ports as an annotation repeats them: at most 60 characters.
fn cut(ports: &PortSet) -> String {
    const MOST: usize = 60;
    let text = ports.to_string();
    if text.len() <= MOST { text } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}

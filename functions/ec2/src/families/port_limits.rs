//! Which ports the internet may reach according to the parameters of a control, and what that means for a rule.
//!
//! Knows no control: [`open_ports`](crate::families::open_ports) evaluates and plans with it.

use std::collections::BTreeSet;

use rectify_compliance::values::PortSet;
use rectify_compliance::{Level, Step, offenders, plan::call_text};

use crate::families::authorization::Authorize;
use crate::families::exposure::{Exposure, overlaps, within, without};
use crate::families::revocation::{RevocationPlan, Revoke};
use crate::resources::internet::{Internet, sources};
use crate::resources::rule::{Direction, Peer, PortRange, Protocol, Rule};
use crate::resources::security_group::{GroupInNetwork, SecurityGroup};

/// The definition of the internet, and the ports it may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The definition of the internet.
    pub internet: Internet,
    /// Which ports it may reach.
    pub ports: Ports,
}

/// Which ports the internet may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// All except these.
    Closed {
        /// The start of the annotation.
        finding: &'static str,
        /// The TCP ports.
        tcp: PortSet,
        /// The UDP ports.
        udp: PortSet,
        /// `narrowWideRules`: whether the plan lists the calls that narrow a wider rule.
        narrow_wide_rules: bool,
    },
    /// Only these. A group that is not open at all is NOT_APPLICABLE.
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
    /// The prefix lists that must be read before a group can be evaluated.
    pub fn prefix_lists_to_read(&self, group: &SecurityGroup) -> BTreeSet<String> {
        if self.internet.resolve_prefix_lists { self.prefix_lists(group) } else { BTreeSet::new() }
    }

    /// The prefix lists of the relevant rules, whether they are read or not.
    pub fn prefix_lists(&self, group: &SecurityGroup) -> BTreeSet<String> {
        let is_relevant = |rule: &&Rule| match &self.ports {
            Ports::Closed { .. } => [Protocol::Tcp, Protocol::Udp]
                .iter()
                .any(|it| rule.ports_for(it).is_some_and(|range| overlaps(range, &self.ports.forbidden(it)))),
            // Any open rule turns NOT_APPLICABLE into COMPLIANT.
            Ports::Authorized { .. } => true,
        };
        let list = |rule: &Rule| if let Peer::PrefixList(id) = &rule.peer { Some(id.clone()) } else { None };
        group.ingress().filter(is_relevant).filter_map(list).collect()
    }

    /// The rules that let the internet reach forbidden ports.
    pub fn exposure<'a>(&self, subject: &'a GroupInNetwork) -> Exposure<'a> {
        self.exposure_on(subject, |protocol| self.ports.forbidden(protocol))
    }

    /// Whether the internet reaches no port, for a control that evaluates open groups only.
    pub fn is_not_open(&self, subject: &GroupInNetwork) -> bool {
        matches!(self.ports, Ports::Authorized { .. }) && self.exposure_on(subject, |_| PortSet::every()).is_empty()
    }

    fn exposure_on<'a>(&self, subject: &'a GroupInNetwork, ports: impl Fn(&Protocol) -> PortSet) -> Exposure<'a> {
        let in_rules = subject.group.ingress().map(|rule| rule.protocol.clone());
        let protocols: BTreeSet<Protocol> = in_rules.chain([Protocol::All, Protocol::Tcp, Protocol::Udp]).collect();
        Exposure::merge(protocols.iter().map(|it| Exposure::of(subject, it, &ports(it), self.internet.max_prefix)))
    }
}

impl Ports {
    /// The ports of a protocol that the internet must not reach.
    fn forbidden(&self, protocol: &Protocol) -> PortSet {
        match self {
            Self::Closed { tcp, udp, .. } => match protocol {
                Protocol::Tcp => tcp.clone(),
                Protocol::Udp => udp.clone(),
                // A rule for all traffic is a rule for TCP and UDP.
                Protocol::All | Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => PortSet::default(),
            },
            Self::Authorized { tcp, udp, other_protocols } => match protocol {
                Protocol::All => PortSet::every(),
                Protocol::Tcp => tcp.complement(),
                Protocol::Udp => udp.complement(),
                Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) if *other_protocols => PortSet::default(),
                Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => PortSet::every(),
            },
        }
    }

    /// Whether a rule opens only forbidden ports, so that the whole rule can be revoked.
    pub fn forbid_entirely(&self, rule: &Rule) -> bool {
        let range = rule.ports_for(&rule.protocol).unwrap_or(PortRange::ALL);
        self.forbidden(&rule.protocol).covers(range.from, range.to)
    }

    /// The annotation for rules that open forbidden ports.
    pub fn finding<'a>(&self, rules: impl Iterator<Item = &'a Rule>) -> String {
        match self {
            Self::Closed { finding, .. } => {
                format!("{finding}: {}", sources(rules, |rule| self.ports_in_question(rule)))
            }
            Self::Authorized { tcp, udp, .. } => {
                let lists = [("tcp", tcp), ("udp", udp)].into_iter().filter(|(_, ports)| !ports.is_empty());
                let lists: Vec<String> = lists.map(|(name, ports)| format!("{name} {}", shortened(ports))).collect();
                let authorized = if lists.is_empty() { "none".to_owned() } else { lists.join(", ") };
                let open = sources(rules, Rule::protocol_and_ports);
                format!("Open to the internet on unauthorized ports: {open}; authorized {authorized}")
            }
        }
    }

    /// Adds a manual step for an open rule that cannot simply be revoked.
    pub fn add_manual_step(&self, draft: &mut RevocationPlan<'_, Revoke>, rule: &Rule) {
        let group = draft.group();
        let must_replace = rule.protocol == Protocol::All || !rule.peer.is_cidr();
        let range = PortRange::of(rule.from_port, rule.to_port);
        let (level, text) = match self {
            Self::Closed { .. } if must_replace => (
                Level::L3,
                format!(
                    "replace the rule {rule} with rules for the required traffic, without {} from the internet",
                    self.closed_to(rule)
                ),
            ),
            Self::Closed { narrow_wide_rules: true, .. } => {
                draft.block(format!("narrowing the rule {rule} needs a role that may authorize ingress"));
                (Level::L2, narrowing(group, rule, &without(range, &self.forbidden(&rule.protocol))))
            }
            Self::Closed { .. } => (Level::L2, format!("narrow the rule {rule} to exclude {}", self.closed_to(rule))),
            Self::Authorized { .. } if must_replace => {
                (Level::L3, format!("replace the rule {rule} with rules for the authorized ports"))
            }
            Self::Authorized { .. } => {
                let kept = without(range, &self.forbidden(&rule.protocol));
                let kept = kept.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                (Level::L2, format!("narrow the rule {rule} to {} {kept}", rule.protocol))
            }
        };
        draft.push(Step::manual(level, text));
    }

    /// The forbidden ports of each protocol that a rule allows; a protocol without any is left out.
    fn forbidden_to(&self, rule: &Rule) -> Vec<(Protocol, PortSet)> {
        let allowed = [Protocol::Tcp, Protocol::Udp].into_iter().filter(|it| rule.ports_for(it).is_some());
        allowed.map(|it| (it.clone(), self.forbidden(&it))).filter(|(_, ports)| !ports.is_empty()).collect()
    }

    /// The forbidden ports of the protocols that a rule allows: `tcp 3389 and udp 53`.
    fn closed_to(&self, rule: &Rule) -> String {
        let lists = self.forbidden_to(rule).into_iter().map(|(protocol, ports)| format!("{protocol} {ports}"));
        lists.collect::<Vec<_>>().join(" and ")
    }

    /// Protocol and ports of a rule; if it is wider than the ports in question, followed by those it contains.
    fn ports_in_question(&self, rule: &Rule) -> String {
        let range = rule.ports_for(&rule.protocol).unwrap_or(PortRange::ALL);
        let forbidden = self.forbidden_to(rule);
        let is_exact = |ports: &PortSet| {
            matches!(ports.ranges(), [(from, to)] if from == to) || ports.covers(range.from, range.to)
        };
        if matches!(forbidden.as_slice(), [(_, ports)] if is_exact(ports)) {
            return rule.protocol_and_ports();
        }
        let contained = forbidden.iter().flat_map(|(protocol, ports)| {
            let name = if forbidden.len() > 1 { format!("{protocol} ") } else { String::new() };
            within(range, ports).into_iter().map(move |it| format!("{name}{it}"))
        });
        format!("{} ({})", rule.protocol_and_ports(), offenders(contained))
    }
}

/// The calls by which an operator reduces a rule to these ports.
fn narrowing(group: &SecurityGroup, rule: &Rule, kept: &[PortRange]) -> String {
    let mut calls: Vec<String> = Authorize::narrowed(&group.id, rule, kept).iter().map(call_text).collect();
    calls.extend(rule.id.iter().map(|id| call_text(&Revoke::of(Direction::Ingress, &group.id, vec![id.clone()]))));
    calls.join(", then ")
}

/// Ports for an annotation: at most 60 characters.
fn shortened(ports: &PortSet) -> String {
    const MAX_CHARS: usize = 60;
    let text = ports.to_string();
    if text.len() <= MAX_CHARS { text } else { text.chars().take(MAX_CHARS - 1).chain(['…']).collect() }
}

//! How open a security group is: which ingress rules let the internet reach a port, alone or together.
//!
//! Port and CIDR arithmetic only. Groups as peers never count, nor do prefix lists that could not be read.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rectify_compliance::values::PortSet;

use crate::resources::rule::{PortRange, Protocol, Rule};
use crate::resources::security_group::GroupInNetwork;

/// From which breadth on a CIDR is the internet: prefix lengths, bits; at most that long is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breadth {
    /// For IPv4, 0..=32.
    pub v4: u32,
    /// For IPv6, 0..=128.
    pub v6: u32,
}

impl Breadth {
    fn includes(self, net: &IpNet) -> bool {
        match net {
            IpNet::V4(net) => u32::from(net.prefix_len()) <= self.v4,
            IpNet::V6(net) => u32::from(net.prefix_len()) <= self.v6,
        }
    }
}

/// The ingress rules that open a group, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure<'a> {
    /// Those that open it each alone: a CIDR of theirs is broad enough.
    pub broad: Vec<&'a Rule>,
    /// Those that, with the broad ones gone, still cover the whole IPv4 or IPv6 space together on some port.
    pub joint: Vec<&'a Rule>,
}

impl<'a> Exposure<'a> {
    /// What lets the internet reach one of `ports` by `protocol`.
    pub fn of(subject: &'a GroupInNetwork, protocol: &Protocol, ports: &PortSet, breadth: Breadth) -> Self {
        let (broad, rest): (Vec<Reaching<'_>>, Vec<Reaching<'_>>) =
            reaching(subject, protocol, ports).partition(|it| it.cidrs.iter().any(|net| breadth.includes(net)));
        Self { broad: broad.into_iter().map(|it| it.rule).collect(), joint: joint(&rest, ports) }
    }

    /// What several protocols open, as one: a rule that opens the group alone is not named a second time.
    pub fn together(exposures: impl IntoIterator<Item = Self>) -> Self {
        let (mut broad, mut joint) = (BTreeSet::new(), BTreeSet::new());
        for exposure in exposures {
            broad.extend(exposure.broad);
            joint.extend(exposure.joint);
        }
        Self { broad: broad.into_iter().collect(), joint: joint.into_iter().collect() }
    }

    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        self.broad.is_empty() && self.joint.is_empty()
    }

    /// All rules of both kinds.
    pub fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.broad.iter().chain(&self.joint).copied()
    }
}

/// A rule that reaches one of the ports in question, and from where.
struct Reaching<'a> {
    rule: &'a Rule,
    range: PortRange,
    cidrs: Vec<IpNet>,
}

fn reaching<'a>(
    subject: &'a GroupInNetwork,
    protocol: &Protocol,
    ports: &PortSet,
) -> impl Iterator<Item = Reaching<'a>> {
    subject.group.ingress().filter_map(|rule| {
        let range = rule.reaches(protocol)?;
        touches(range, ports).then(|| Reaching { rule, range, cidrs: subject.cidrs(rule) })
    })
}

/// Whether a range and a set of ports have one in common.
pub fn touches(range: PortRange, ports: &PortSet) -> bool {
    ports.ranges().iter().any(|(from, to)| range.overlaps(PortRange { from: *from, to: *to }))
}

/// What a range and a set of ports have in common.
pub fn within(range: PortRange, ports: &PortSet) -> Vec<PortRange> {
    let ranges = ports.ranges().iter().map(|(from, to)| PortRange { from: *from, to: *to });
    ranges
        .filter(|it| it.overlaps(range))
        .map(|it| PortRange { from: it.from.max(range.from), to: it.to.min(range.to) })
        .collect()
}

/// What is left of a range without the ports.
pub fn without(range: PortRange, ports: &PortSet) -> Vec<PortRange> {
    within(range, &ports.complement())
}

fn joint<'a>(rest: &[Reaching<'a>], ports: &PortSet) -> Vec<&'a Rule> {
    let everything: Vec<IpNet> = rest.iter().flat_map(|it| it.cidrs.iter().copied()).collect();
    if covering(&everything).is_empty() {
        return Vec::new();
    }
    let mut rules = BTreeSet::new();
    for port in turning_points(rest, ports) {
        let here = || rest.iter().filter(|it| it.range.contains(port));
        let cidrs: Vec<IpNet> = here().flat_map(|it| it.cidrs.iter().copied()).collect();
        let covering = covering(&cidrs);
        rules.extend(here().filter(|it| it.cidrs.iter().any(|net| covering.contains(net))).map(|it| it.rule));
    }
    rules.into_iter().collect()
}

/// The ports at which the set of reaching rules can differ from that of the port below.
fn turning_points(rest: &[Reaching<'_>], ports: &PortSet) -> BTreeSet<u16> {
    let starts = ports.ranges().iter().map(|(from, _)| *from);
    let edges = rest.iter().flat_map(|it| [Some(it.range.from), it.range.to.checked_add(1)]).flatten();
    starts.chain(edges).filter(|port| ports.contains(*port)).collect()
}

/// The widest of the nets of every family whose union is the whole space; none where neither is covered.
fn covering(nets: &[IpNet]) -> BTreeSet<IpNet> {
    let v4: Vec<Ipv4Net> =
        nets.iter().filter_map(|net| if let IpNet::V4(net) = net { Some(*net) } else { None }).collect();
    let v6: Vec<Ipv6Net> =
        nets.iter().filter_map(|net| if let IpNet::V6(net) = net { Some(*net) } else { None }).collect();
    let mut found = BTreeSet::new();
    if Ipv4Net::aggregate(&v4).contains(&Ipv4Net::default()) {
        found.extend(widest(v4.into_iter().map(IpNet::V4)));
    }
    if Ipv6Net::aggregate(&v6).contains(&Ipv6Net::default()) {
        found.extend(widest(v6.into_iter().map(IpNet::V6)));
    }
    found
}

/// Drops the nets that lie within another one. Two nets are nested or apart, so one pass over the sorted nets is enough.
fn widest(nets: impl Iterator<Item = IpNet>) -> Vec<IpNet> {
    let mut nets: Vec<IpNet> = nets.collect();
    nets.sort_by_key(|net| (net.network(), net.prefix_len()));
    let mut kept: Vec<IpNet> = Vec::new();
    for net in nets {
        if kept.last().is_none_or(|wider| !wider.contains(&net)) {
            kept.push(net);
        }
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::arbitrary::{group, ingress};

    const WORLD: Breadth = Breadth { v4: 0, v6: 0 };

    fn exposure(rules: &[(&str, i32, i32, &str)], ports: &str, breadth: Breadth) -> (Vec<String>, Vec<String>) {
        let rules = rules.iter().map(|(protocol, from, to, peer)| ingress(protocol, *from, *to, peer)).collect();
        let subject = group(rules);
        let found = Exposure::of(&subject, &Protocol::Tcp, &ports.parse().unwrap(), breadth);
        let texts = |rules: &[&Rule]| rules.iter().map(|rule| format!("{} {}", rule.reach(), rule.peer)).collect();
        (texts(&found.broad), texts(&found.joint))
    }

    #[test]
    fn breadth_is_a_prefix_length_of_each_family() {
        let rules = [("tcp", 22, 22, "10.0.0.0/8"), ("tcp", 22, 22, "10.1.0.0/16"), ("tcp", 22, 22, "2000::/3")];
        assert_eq!(exposure(&rules, "22", WORLD), (vec![], vec![]));
        let (broad, joint) = exposure(&rules, "22", Breadth { v4: 8, v6: 3 });
        assert_eq!((broad, joint), (vec!["tcp 22 10.0.0.0/8".to_owned(), "tcp 22 2000::/3".to_owned()], vec![]));
    }

    #[test]
    fn halves_open_together_only_on_a_port_they_share() {
        let apart = [("tcp", 20, 21, "0.0.0.0/1"), ("tcp", 23, 24, "128.0.0.0/1")];
        assert_eq!(exposure(&apart, "20-24", WORLD), (vec![], vec![]));
        let shared = [("tcp", 20, 23, "0.0.0.0/1"), ("-1", -1, -1, "128.0.0.0/1"), ("tcp", 22, 22, "10.0.0.0/8")];
        let (broad, joint) = exposure(&shared, "22-30", WORLD);
        assert_eq!(
            (broad, joint),
            (vec![], vec!["all traffic 128.0.0.0/1".to_owned(), "tcp 20-23 0.0.0.0/1".to_owned()])
        );
    }

    #[test]
    fn families_are_united_each_for_itself() {
        let mixed = [("tcp", 22, 22, "0.0.0.0/1"), ("tcp", 22, 22, "8000::/1")];
        assert_eq!(exposure(&mixed, "22", WORLD), (vec![], vec![]));
        let v6 = [("tcp", 22, 22, "::/1"), ("tcp", 22, 22, "8000::/1")];
        assert_eq!(exposure(&v6, "22", WORLD).1.len(), 2);
    }

    #[test]
    fn halves_are_found_beside_a_broad_rule_since_they_outlive_it() {
        let rules = [("tcp", 22, 22, "0.0.0.0/0"), ("tcp", 22, 22, "0.0.0.0/1"), ("tcp", 22, 22, "128.0.0.0/1")];
        let (broad, joint) = exposure(&rules, "22", WORLD);
        assert_eq!((broad.len(), joint.len()), (1, 2));
    }

    #[test]
    fn what_is_left_of_a_range_never_holds_the_ports() {
        for (from, to, ports, expected) in [
            (20, 25, "22", "20-21,23-25"),
            (22, 25, "22", "23-25"),
            (20, 22, "22", "20-21"),
            (22, 22, "22", ""),
            (0, 65535, "22,2222,65535", "0-21,23-2221,2223-65534"),
            (0, 65535, "0-65535", ""),
            (100, 200, "22", "100-200"),
        ] {
            let left = without(PortRange { from, to }, &ports.parse().unwrap());
            let text = left.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            assert_eq!(text, expected, "{from}-{to} without {ports}");
        }
    }
}

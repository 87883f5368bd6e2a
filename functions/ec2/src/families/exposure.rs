//! The exposure of a security group: which ingress rules let the internet reach a port, individually or combined.
//!
//! Port and CIDR arithmetic only. Groups as peers never count, and neither do unreadable prefix lists.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rectify_compliance::values::PortSet;

use crate::resources::rule::{PortRange, Protocol, Rule};
use crate::resources::security_group::GroupInNetwork;

/// The longest prefixes that count as the internet, in bits: a CIDR with a prefix of at most this length is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPrefixLength {
    /// For IPv4, 0..=32.
    pub v4: u32,
    /// For IPv6, 0..=128.
    pub v6: u32,
}

impl MaxPrefixLength {
    fn counts_as_internet(self, net: &IpNet) -> bool {
        match net {
            IpNet::V4(net) => u32::from(net.prefix_len()) <= self.v4,
            IpNet::V6(net) => u32::from(net.prefix_len()) <= self.v6,
        }
    }
}

/// The ingress rules that open a group to the internet, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure<'a> {
    /// Rules that open it individually: one of their CIDRs counts as the internet.
    pub broad: Vec<&'a Rule>,
    /// Rules that, without the broad ones, still cover the whole IPv4 or IPv6 space in combination on some port.
    pub combined: Vec<&'a Rule>,
}

impl<'a> Exposure<'a> {
    /// The rules that let the internet reach one of `ports` over `protocol`.
    pub fn of(subject: &'a GroupInNetwork, protocol: &Protocol, ports: &PortSet, max_prefix: MaxPrefixLength) -> Self {
        let (broad, rest): (Vec<Candidate<'_>>, Vec<Candidate<'_>>) = candidates(subject, protocol, ports)
            .partition(|it| it.cidrs.iter().any(|net| max_prefix.counts_as_internet(net)));
        Self { broad: broad.into_iter().map(|it| it.rule).collect(), combined: combined(&rest, ports) }
    }

    /// Merges the exposures of several protocols; each rule is named once per kind.
    pub fn merge(exposures: impl IntoIterator<Item = Self>) -> Self {
        let (mut broad, mut combined) = (BTreeSet::new(), BTreeSet::new());
        for exposure in exposures {
            broad.extend(exposure.broad);
            combined.extend(exposure.combined);
        }
        Self { broad: broad.into_iter().collect(), combined: combined.into_iter().collect() }
    }

    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        self.broad.is_empty() && self.combined.is_empty()
    }

    /// All rules of both kinds.
    pub fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.broad.iter().chain(&self.combined).copied()
    }
}

/// A rule that allows one of the ports in question, with its CIDRs.
struct Candidate<'a> {
    rule: &'a Rule,
    range: PortRange,
    cidrs: Vec<IpNet>,
}

fn candidates<'a>(
    subject: &'a GroupInNetwork,
    protocol: &Protocol,
    ports: &PortSet,
) -> impl Iterator<Item = Candidate<'a>> {
    subject.group.ingress().filter_map(|rule| {
        let range = rule.ports_for(protocol)?;
        overlaps(range, ports).then(|| Candidate { rule, range, cidrs: subject.cidrs(rule) })
    })
}

/// Whether a range and a set of ports overlap.
pub fn overlaps(range: PortRange, ports: &PortSet) -> bool {
    ports.ranges().iter().any(|(from, to)| range.overlaps(PortRange { from: *from, to: *to }))
}

/// The ports of `range` that are in `ports`.
pub fn within(range: PortRange, ports: &PortSet) -> Vec<PortRange> {
    let ranges = ports.ranges().iter().map(|(from, to)| PortRange { from: *from, to: *to });
    ranges
        .filter(|it| it.overlaps(range))
        .map(|it| PortRange { from: it.from.max(range.from), to: it.to.min(range.to) })
        .collect()
}

/// The ports of `range` that are not in `ports`.
pub fn without(range: PortRange, ports: &PortSet) -> Vec<PortRange> {
    within(range, &ports.complement())
}

fn combined<'a>(rest: &[Candidate<'a>], ports: &PortSet) -> Vec<&'a Rule> {
    let everything: Vec<IpNet> = rest.iter().flat_map(|it| it.cidrs.iter().copied()).collect();
    if covering(&everything).is_empty() {
        return Vec::new();
    }
    let mut rules = BTreeSet::new();
    for port in boundary_ports(rest, ports) {
        let here = || rest.iter().filter(|it| it.range.contains(port));
        let cidrs: Vec<IpNet> = here().flat_map(|it| it.cidrs.iter().copied()).collect();
        let covering = covering(&cidrs);
        rules.extend(here().filter(|it| it.cidrs.iter().any(|net| covering.contains(net))).map(|it| it.rule));
    }
    rules.into_iter().collect()
}

/// The ports at which the set of matching rules can change.
fn boundary_ports(rest: &[Candidate<'_>], ports: &PortSet) -> BTreeSet<u16> {
    let starts = ports.ranges().iter().map(|(from, _)| *from);
    let edges = rest.iter().flat_map(|it| [Some(it.range.from), it.range.to.checked_add(1)]).flatten();
    starts.chain(edges).filter(|port| ports.contains(*port)).collect()
}

/// The widest nets of each address family whose union is the whole space; empty if neither family is covered.
pub fn covering(nets: &[IpNet]) -> BTreeSet<IpNet> {
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

/// Drops nets contained in another one. Two nets are nested or disjoint, so one pass over the sorted nets is enough.
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
mod tests {
    use super::*;
    use crate::arbitrary::{group, ingress};

    const WORLD: MaxPrefixLength = MaxPrefixLength { v4: 0, v6: 0 };

    fn exposure(
        rules: &[(&str, i32, i32, &str)],
        ports: &str,
        max_prefix: MaxPrefixLength,
    ) -> (Vec<String>, Vec<String>) {
        let rules = rules.iter().map(|(protocol, from, to, peer)| ingress(protocol, *from, *to, peer)).collect();
        let subject = group(rules);
        let found = Exposure::of(&subject, &Protocol::Tcp, &ports.parse().unwrap(), max_prefix);
        let texts =
            |rules: &[&Rule]| rules.iter().map(|rule| format!("{} {}", rule.protocol_and_ports(), rule.peer)).collect();
        (texts(&found.broad), texts(&found.combined))
    }

    #[test]
    fn each_address_family_has_its_own_prefix_length() {
        let rules = [("tcp", 22, 22, "10.0.0.0/8"), ("tcp", 22, 22, "10.1.0.0/16"), ("tcp", 22, 22, "2000::/3")];
        assert_eq!(exposure(&rules, "22", WORLD), (vec![], vec![]));
        let (broad, combined) = exposure(&rules, "22", MaxPrefixLength { v4: 8, v6: 3 });
        assert_eq!((broad, combined), (vec!["tcp 22 10.0.0.0/8".to_owned(), "tcp 22 2000::/3".to_owned()], vec![]));
    }

    #[test]
    fn two_halves_open_only_a_port_they_share() {
        let apart = [("tcp", 20, 21, "0.0.0.0/1"), ("tcp", 23, 24, "128.0.0.0/1")];
        assert_eq!(exposure(&apart, "20-24", WORLD), (vec![], vec![]));
        let shared = [("tcp", 20, 23, "0.0.0.0/1"), ("-1", -1, -1, "128.0.0.0/1"), ("tcp", 22, 22, "10.0.0.0/8")];
        let (broad, combined) = exposure(&shared, "22-30", WORLD);
        assert_eq!(
            (broad, combined),
            (vec![], vec!["all traffic 128.0.0.0/1".to_owned(), "tcp 20-23 0.0.0.0/1".to_owned()])
        );
    }

    #[test]
    fn address_families_are_not_combined_with_each_other() {
        let mixed = [("tcp", 22, 22, "0.0.0.0/1"), ("tcp", 22, 22, "8000::/1")];
        assert_eq!(exposure(&mixed, "22", WORLD), (vec![], vec![]));
        let v6 = [("tcp", 22, 22, "::/1"), ("tcp", 22, 22, "8000::/1")];
        assert_eq!(exposure(&v6, "22", WORLD).1.len(), 2);
    }

    #[test]
    fn two_halves_are_found_beside_a_broad_rule() {
        let rules = [("tcp", 22, 22, "0.0.0.0/0"), ("tcp", 22, 22, "0.0.0.0/1"), ("tcp", 22, 22, "128.0.0.0/1")];
        let (broad, combined) = exposure(&rules, "22", WORLD);
        assert_eq!((broad.len(), combined.len()), (1, 2));
    }

    #[test]
    fn remaining_range_excludes_the_ports() {
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

//! One security group rule with exactly one peer; one model for configuration items and live reads.
//!
//! Knows no control: whether a rule is too wide is decided by [`exposure`](crate::families::exposure) and the controls.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use rectify_compliance::{ShapeError, Tags};
use serde::{Deserialize, Serialize};

/// The direction of the traffic that a rule allows. From `IsEgress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Into the interfaces that use the group.
    Ingress,
    /// Out of them.
    Egress,
}

/// `IpProtocol`: a name, an IANA number as text, or `-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Protocol {
    /// `-1`: every protocol on every port.
    All,
    /// `tcp` or `6`.
    Tcp,
    /// `udp` or `17`.
    Udp,
    /// `icmp` or `1`.
    Icmp,
    /// `icmpv6` or `58`.
    Icmpv6,
    /// Any other, as written, e.g. `47` (GRE). It has no ports.
    Other(String),
}

impl From<String> for Protocol {
    fn from(text: String) -> Self {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "-1" | "all" => Self::All,
            "tcp" | "6" => Self::Tcp,
            "udp" | "17" => Self::Udp,
            "icmp" | "1" => Self::Icmp,
            "icmpv6" | "58" => Self::Icmpv6,
            _ => Self::Other(text),
        }
    }
}

impl From<Protocol> for String {
    fn from(protocol: Protocol) -> Self {
        protocol.to_string()
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::All => "-1",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmpv6 => "icmpv6",
            Self::Other(text) => text,
        })
    }
}

/// Ports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// The lowest.
    pub from: u16,
    /// The highest, at least `from`.
    pub to: u16,
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self { from: 0, to: u16::MAX };

    /// Reads `FromPort` and `ToPort`. An invalid range (absent, `-1`, reversed) counts as every port: unknown is never
    /// safe.
    pub fn of(from: Option<i32>, to: Option<i32>) -> Self {
        let port = |value: Option<i32>| value.and_then(|it| u16::try_from(it).ok());
        match (port(from), port(to)) {
            (Some(from), Some(to)) if from <= to => Self { from, to },
            _ => Self::ALL,
        }
    }

    /// Whether the range contains `port`.
    pub const fn contains(self, port: u16) -> bool {
        self.from <= port && port <= self.to
    }

    /// Whether the two ranges share a port.
    pub const fn overlaps(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to { write!(out, "{}", self.from) } else { write!(out, "{}-{}", self.from, self.to) }
    }
}

/// The source or destination of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Peer {
    /// `CidrIpv4`, host bits cleared.
    CidrIpv4(Ipv4Net),
    /// `CidrIpv6`, host bits cleared.
    CidrIpv6(Ipv6Net),
    /// `PrefixListId`.
    PrefixList(String),
    /// `ReferencedGroupInfo`: another security group, never the internet.
    Group {
        /// `GroupId`.
        group_id: Option<String>,
        /// `UserId`, the account that owns it. Over a transit gateway EC2 does not state it.
        user_id: Option<String>,
    },
    /// No peer is stated. The rule can be revoked by its id but not recreated.
    Unstated,
}

impl Peer {
    /// Reads an IPv4 CIDR; `0.0.0.0/00` and `10.1.2.3/8` are normalized.
    ///
    /// # Errors
    /// [`ShapeError`] if `text` is not an IPv4 CIDR: an unreadable source never counts as a narrow one.
    pub fn cidr_v4(text: &str) -> Result<Self, ShapeError> {
        let net = text
            .trim()
            .split_once('/')
            .and_then(|(address, length)| Ipv4Net::new(address.parse::<Ipv4Addr>().ok()?, length.parse().ok()?).ok());
        net.map(|it| Self::CidrIpv4(it.trunc())).ok_or_else(|| ShapeError::new("cidrIp", "an IPv4 CIDR", text))
    }

    /// Reads an IPv6 CIDR; normalized in the same way.
    ///
    /// # Errors
    /// [`ShapeError`] if `text` is not an IPv6 CIDR.
    pub fn cidr_v6(text: &str) -> Result<Self, ShapeError> {
        let net = text
            .trim()
            .split_once('/')
            .and_then(|(address, length)| Ipv6Net::new(address.parse::<Ipv6Addr>().ok()?, length.parse().ok()?).ok());
        net.map(|it| Self::CidrIpv6(it.trunc())).ok_or_else(|| ShapeError::new("cidrIpv6", "an IPv6 CIDR", text))
    }

    /// Whether it is a CIDR.
    pub const fn is_cidr(&self) -> bool {
        match self {
            Self::CidrIpv4(_) | Self::CidrIpv6(_) => true,
            Self::PrefixList(_) | Self::Group { .. } | Self::Unstated => false,
        }
    }

    /// Whether the two peers are the same. A group id is unique, so a missing owner matches any owner.
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Group { group_id: Some(one), user_id: owner },
                Self::Group { group_id: Some(another), user_id: other_owner },
            ) => one == another && (owner.is_none() || other_owner.is_none() || owner == other_owner),
            _ => self == other,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CidrIpv4(net) => write!(out, "{net}"),
            Self::CidrIpv6(net) => write!(out, "{net}"),
            Self::PrefixList(id) => out.write_str(id),
            Self::Group { group_id, .. } => out.write_str(group_id.as_deref().unwrap_or("a security group")),
            Self::Unstated => out.write_str("an unstated peer"),
        }
    }
}

/// One rule: one direction, one protocol, one port range, one peer.
///
/// Rules are sorted by their fields in this order, so two reads of the same group are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// `IsEgress`.
    pub direction: Direction,
    /// `IpProtocol`.
    pub protocol: Protocol,
    /// `FromPort` as AWS returns it: a port, an ICMP type, or -1.
    pub from_port: Option<i32>,
    /// `ToPort` as AWS returns it: a port, an ICMP code, or -1.
    pub to_port: Option<i32>,
    /// The source or destination.
    pub peer: Peer,
    /// `Description`.
    pub description: Option<String>,
    /// The tags of the rule itself; only `DescribeSecurityGroupRules` returns them.
    pub tags: Tags,
    /// `SecurityGroupRuleId`; absent in configuration items and in `DescribeSecurityGroups`.
    pub id: Option<String>,
}

impl Rule {
    /// The ports on which the rule allows `protocol`, or `None`. A protocol without ports is allowed on all of them.
    pub fn ports_for(&self, protocol: &Protocol) -> Option<PortRange> {
        match &self.protocol {
            Protocol::All => Some(PortRange::ALL),
            allowed if allowed != protocol => None,
            Protocol::Tcp | Protocol::Udp => Some(PortRange::of(self.from_port, self.to_port)),
            Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => Some(PortRange::ALL),
        }
    }

    /// Protocol and ports in readable form: `tcp 20-25`, `all traffic`.
    pub fn protocol_and_ports(&self) -> String {
        match &self.protocol {
            Protocol::All => "all traffic".to_owned(),
            Protocol::Tcp | Protocol::Udp => {
                format!("{} {}", self.protocol, PortRange::of(self.from_port, self.to_port))
            }
            Protocol::Icmp | Protocol::Icmpv6 => self.protocol.to_string(),
            Protocol::Other(number) => format!("protocol {number}"),
        }
    }

    /// The rule reduced to the fields by which EC2 identifies a rule: direction, protocol, ports and peer, without
    /// description, tags and id. TCP and UDP have ports, ICMP has type and code (-1 if absent), other protocols neither.
    #[must_use]
    pub fn traffic(&self) -> Self {
        let (from_port, to_port) = match &self.protocol {
            Protocol::All | Protocol::Other(_) => (None, None),
            Protocol::Tcp | Protocol::Udp => {
                let PortRange { from, to } = PortRange::of(self.from_port, self.to_port);
                (Some(i32::from(from)), Some(i32::from(to)))
            }
            Protocol::Icmp | Protocol::Icmpv6 => (Some(self.from_port.unwrap_or(-1)), Some(self.to_port.unwrap_or(-1))),
        };
        Self { from_port, to_port, description: None, tags: Tags::new(), id: None, ..self.clone() }
    }

    /// Whether the two rules allow the same traffic for the same peer.
    pub fn is_same_traffic(&self, other: &Self) -> bool {
        let (one, another) = (self.traffic(), other.traffic());
        one.peer.matches(&another.peer) && one == Self { peer: one.peer.clone(), ..another }
    }

    /// The tags without the reserved `aws:` ones, which cannot be set on a recreated rule.
    pub fn own_tags(&self) -> Tags {
        self.tags
            .iter()
            .filter(|(key, _)| !key.starts_with("aws:"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.id {
            write!(out, "{id} ")?;
        }
        write!(out, "{} from {}", self.protocol_and_ports(), self.peer)
    }
}

/// Reads `IpProtocol`, which is mandatory.
pub(crate) fn protocol(text: Option<String>) -> Result<Protocol, ShapeError> {
    text.filter(|it| !it.trim().is_empty())
        .map(Protocol::from)
        .ok_or_else(|| ShapeError::missing("ipProtocol", "a protocol"))
}

/// A description; an empty one counts as absent.
pub(crate) fn described(text: Option<String>) -> Option<String> {
    text.filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_read_by_name_or_number_and_written_as_in_the_api() {
        for (text, expected) in [
            ("-1", "-1"),
            ("all", "-1"),
            ("6", "tcp"),
            ("TCP", "tcp"),
            ("17", "udp"),
            ("1", "icmp"),
            ("58", "icmpv6"),
            ("47", "47"),
        ] {
            assert_eq!(Protocol::from(text.to_owned()).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn missing_owner_matches_any() {
        let group = |id: Option<&str>, owner: Option<&str>| Peer::Group {
            group_id: id.map(str::to_owned),
            user_id: owner.map(str::to_owned),
        };
        let (own, other) = (Some("111122223333"), Some("444455556666"));
        for (one, another, expected) in [
            (group(Some("sg-2"), own), group(Some("sg-2"), own), true),
            (group(Some("sg-2"), own), group(Some("sg-2"), None), true),
            (group(Some("sg-2"), None), group(Some("sg-2"), None), true),
            (group(Some("sg-2"), own), group(Some("sg-2"), other), false),
            (group(Some("sg-2"), None), group(Some("sg-3"), None), false),
            (group(None, own), group(None, other), false),
            (group(Some("sg-2"), None), Peer::cidr_v4("10.0.0.0/8").unwrap(), false),
            (Peer::Unstated, Peer::Unstated, true),
        ] {
            assert_eq!((one.matches(&another), another.matches(&one)), (expected, expected), "{one:?} {another:?}");
            let rule = |peer: &Peer| Rule { peer: peer.clone(), ..crate::arbitrary::ingress("tcp", 22, 22, "::/0") };
            assert_eq!(rule(&one).is_same_traffic(&rule(&another)), expected, "{one:?} {another:?}");
        }
        let at = |port| crate::arbitrary::ingress("tcp", port, port, "sg-2");
        assert!(!at(22).is_same_traffic(&at(23)));
    }

    #[test]
    fn invalid_port_range_is_every_port() {
        for (from, to, expected) in [
            (Some(22), Some(22), "22"),
            (Some(20), Some(25), "20-25"),
            (None, None, "0-65535"),
            (Some(-1), Some(-1), "0-65535"),
            (Some(22), None, "0-65535"),
            (Some(25), Some(20), "0-65535"),
            (Some(0), Some(70_000), "0-65535"),
        ] {
            assert_eq!(PortRange::of(from, to).to_string(), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn cidrs_are_normalized_and_invalid_ones_rejected() {
        assert_eq!(Peer::cidr_v4("0.0.0.0/00").unwrap().to_string(), "0.0.0.0/0");
        assert_eq!(Peer::cidr_v4("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(Peer::cidr_v6("2001:DB8::1/32").unwrap().to_string(), "2001:db8::/32");
        assert_eq!(Peer::cidr_v6("0::0/0").unwrap().to_string(), "::/0");
        for text in ["", "0.0.0.0", "0.0.0.0/33", "::/0", "any/0"] {
            let error = Peer::cidr_v4(text).unwrap_err();
            assert_eq!(error.to_string(), format!("cidrIp: expected an IPv4 CIDR: received `{text}`"));
        }
        assert!(Peer::cidr_v6("0.0.0.0/0").is_err() && Peer::cidr_v6("::/129").is_err());
    }
}

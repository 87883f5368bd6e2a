//! The input of `AuthorizeSecurityGroupIngress` as data, spelt as the API has it: what undo plays and what a person is
//! told. No remediation may hold it.

use serde::{Deserialize, Serialize};

use crate::rule::{Peer, PortRange, Rule};

/// The input of `AuthorizeSecurityGroupIngress`: rules that come into being with their descriptions and tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthorizeIngress {
    /// The group.
    pub group_id: String,
    /// What is let in.
    pub ip_permissions: Vec<NewPermission>,
    /// Tags of the new rules; none are an absent list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_specifications: Vec<TagSpecification>,
}

/// An `IpPermission` of one CIDR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewPermission {
    /// `tcp`, `udp`, …
    pub ip_protocol: String,
    /// The lowest port.
    pub from_port: Option<i32>,
    /// The highest port.
    pub to_port: Option<i32>,
    /// IPv4 sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
    /// IPv6 sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv6_ranges: Vec<Ipv6Range>,
}

/// An IPv4 source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IpRange {
    /// The CIDR.
    pub cidr_ip: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An IPv6 source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ipv6Range {
    /// The CIDR.
    pub cidr_ipv6: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The tags of every rule a call makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagSpecification {
    /// `security-group-rule`.
    pub resource_type: String,
    /// The tags.
    pub tags: Vec<Tag>,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value, possibly empty.
    pub value: String,
}

impl AuthorizeIngress {
    /// Makes `rule` again as it was, but for its id; `None` where its peer is no CIDR.
    pub fn again(group_id: &str, rule: &Rule) -> Option<Self> {
        Self::with_ports(group_id, rule, [(rule.from_port, rule.to_port)])
    }

    /// Makes the rule again for the ports in `left` only; `None` where there are none or its peer is no CIDR.
    pub fn narrowed(group_id: &str, rule: &Rule, left: &[PortRange]) -> Option<Self> {
        let ports = left.iter().map(|range| (Some(i32::from(range.from)), Some(i32::from(range.to))));
        Self::with_ports(group_id, rule, ports)
    }

    fn with_ports(
        group_id: &str,
        rule: &Rule,
        ports: impl IntoIterator<Item = (Option<i32>, Option<i32>)>,
    ) -> Option<Self> {
        let description = || rule.description.clone();
        let (ip_ranges, ipv6_ranges) = match &rule.peer {
            Peer::CidrIpv4(net) => (vec![IpRange { cidr_ip: net.to_string(), description: description() }], vec![]),
            Peer::CidrIpv6(net) => (vec![], vec![Ipv6Range { cidr_ipv6: net.to_string(), description: description() }]),
            Peer::PrefixList(_) | Peer::Group { .. } => return None,
        };
        let ip_permissions: Vec<NewPermission> = ports
            .into_iter()
            .map(|(from_port, to_port)| NewPermission {
                ip_protocol: rule.protocol.to_string(),
                from_port,
                to_port,
                ip_ranges: ip_ranges.clone(),
                ipv6_ranges: ipv6_ranges.clone(),
            })
            .collect();
        if ip_permissions.is_empty() {
            return None;
        }
        let tags: Vec<Tag> = rule.own_tags().into_iter().map(|(key, value)| Tag { key, value }).collect();
        let tag_specifications = if tags.is_empty() {
            vec![]
        } else {
            vec![TagSpecification { resource_type: "security-group-rule".to_owned(), tags }]
        };
        Some(Self { group_id: group_id.to_owned(), ip_permissions, tag_specifications })
    }
}

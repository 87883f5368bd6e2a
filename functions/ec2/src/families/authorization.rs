//! The `AuthorizeSecurityGroup…` calls as data, spelled as in the API: undo calls, and steps shown to an operator.
//! Of the remediations, only `security-group-drift` may make them.

use rectify_compliance::Tags;
use serde::{Deserialize, Serialize};

use crate::resources::permission::{GroupPair, IpPermission, Listed};
use crate::resources::rule::{Direction, Peer, PortRange, Rule};

/// A call that authorizes rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authorize {
    /// Creates ingress rules.
    AuthorizeSecurityGroupIngress(Authorization),
    /// Creates egress rules.
    AuthorizeSecurityGroupEgress(Authorization),
}

/// The input of both calls: new rules with their descriptions and tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Authorization {
    /// The group.
    pub group_id: String,
    /// The rules to create.
    pub ip_permissions: Vec<NewPermission>,
    /// Tags of the new rules; omitted if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_specifications: Vec<TagSpecification>,
}

/// An `IpPermission` with one peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewPermission {
    /// `tcp`, `udp`, …
    pub ip_protocol: String,
    /// The lowest port, or the ICMP type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i32>,
    /// The highest port, or the ICMP code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i32>,
    /// IPv4 peers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
    /// IPv6 peers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv6_ranges: Vec<Ipv6Range>,
    /// Prefix lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix_list_ids: Vec<PrefixListId>,
    /// Security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_id_group_pairs: Vec<UserIdGroupPair>,
}

/// An IPv4 peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IpRange {
    /// The CIDR.
    pub cidr_ip: String,
    /// `Description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An IPv6 peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ipv6Range {
    /// The CIDR.
    pub cidr_ipv6: String,
    /// `Description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A prefix list as a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrefixListId {
    /// `pl-…`.
    pub prefix_list_id: String,
    /// `Description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A security group as a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserIdGroupPair {
    /// `sg-…`.
    pub group_id: String,
    /// The account that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// `Description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The tags of every rule that a call creates.
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

impl Authorize {
    /// The call for a direction.
    pub const fn of(direction: Direction, input: Authorization) -> Self {
        match direction {
            Direction::Ingress => Self::AuthorizeSecurityGroupIngress(input),
            Direction::Egress => Self::AuthorizeSecurityGroupEgress(input),
        }
    }

    /// Recreates `rule` unchanged except for its id; `None` if it has no peer, or its peer is a group without an id.
    pub fn recreate(group_id: &str, rule: &Rule) -> Option<Self> {
        let ports = [(rule.from_port, rule.to_port)];
        Authorization::with_ports(group_id, rule, ports).map(|input| Self::of(rule.direction, input))
    }

    /// Recreates the rule for `kept` ports only; `None` if `kept` is empty, or as in [`Self::recreate`].
    pub fn narrowed(group_id: &str, rule: &Rule, kept: &[PortRange]) -> Option<Self> {
        let ports = kept.iter().map(|range| (Some(i32::from(range.from)), Some(i32::from(range.to))));
        Authorization::with_ports(group_id, rule, ports).map(|input| Self::of(rule.direction, input))
    }

    /// Creates these rules, without tags, in one call; `None` if there are none.
    pub fn all<'r>(group_id: &str, direction: Direction, rules: impl IntoIterator<Item = &'r Rule>) -> Option<Self> {
        let ip_permissions: Vec<NewPermission> = rules
            .into_iter()
            .filter_map(|rule| {
                let (from_port, to_port) = (rule.from_port, rule.to_port);
                Some(NewPermission { from_port, to_port, ..NewPermission::of_peer(rule)? })
            })
            .collect();
        let input = Authorization { group_id: group_id.to_owned(), ip_permissions, tag_specifications: vec![] };
        (!input.ip_permissions.is_empty()).then(|| Self::of(direction, input))
    }

    /// Whether it authorizes ingress or egress.
    pub const fn direction(&self) -> Direction {
        match self {
            Self::AuthorizeSecurityGroupIngress(_) => Direction::Ingress,
            Self::AuthorizeSecurityGroupEgress(_) => Direction::Egress,
        }
    }

    /// The input of the call.
    pub const fn input(&self) -> &Authorization {
        match self {
            Self::AuthorizeSecurityGroupIngress(input) | Self::AuthorizeSecurityGroupEgress(input) => input,
        }
    }

    /// Adds the rules it creates to the rules of a group; an existing rule is not added twice.
    pub fn predict(&self, rules: &mut Vec<Rule>) {
        for rule in self.rules() {
            if !rules.iter().any(|it| it.traffic() == rule.traffic()) {
                rules.push(rule);
            }
        }
        rules.sort();
    }

    /// The rules it creates, without the ids that EC2 assigns. Permissions that EC2 would reject yield none.
    pub fn rules(&self) -> Vec<Rule> {
        let input = self.input();
        let tags: Tags = input
            .tag_specifications
            .iter()
            .flat_map(|it| it.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())))
            .collect();
        let created = input.ip_permissions.iter().flat_map(|permission| {
            IpPermission::from(permission.clone()).flatten(self.direction()).unwrap_or_default()
        });
        created.map(|rule| Rule { tags: tags.clone(), ..rule }).collect()
    }
}

impl Authorization {
    fn with_ports(
        group_id: &str,
        rule: &Rule,
        ports: impl IntoIterator<Item = (Option<i32>, Option<i32>)>,
    ) -> Option<Self> {
        let peer = NewPermission::of_peer(rule)?;
        let ip_permissions: Vec<NewPermission> = ports
            .into_iter()
            .map(|(from_port, to_port)| NewPermission { from_port, to_port, ..peer.clone() })
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

impl NewPermission {
    /// Protocol and peer of a rule, without its ports.
    fn of_peer(rule: &Rule) -> Option<Self> {
        let description = rule.description.clone();
        let mut permission = Self { ip_protocol: rule.protocol.to_string(), ..Self::default() };
        match &rule.peer {
            Peer::CidrIpv4(net) => permission.ip_ranges = vec![IpRange { cidr_ip: net.to_string(), description }],
            Peer::CidrIpv6(net) => permission.ipv6_ranges = vec![Ipv6Range { cidr_ipv6: net.to_string(), description }],
            Peer::PrefixList(id) => {
                permission.prefix_list_ids = vec![PrefixListId { prefix_list_id: id.clone(), description }];
            }
            Peer::Group { group_id, user_id } => {
                let (group_id, user_id) = (group_id.clone()?, user_id.clone());
                permission.user_id_group_pairs = vec![UserIdGroupPair { group_id, user_id, description }];
            }
            Peer::Unstated => return None,
        }
        Some(permission)
    }
}

impl From<NewPermission> for IpPermission {
    fn from(new: NewPermission) -> Self {
        let listed = |value: String, description| Listed::Described { value, description };
        Self {
            ip_protocol: Some(new.ip_protocol),
            from_port: new.from_port,
            to_port: new.to_port,
            ip_ranges: None,
            ipv4_ranges: Some(new.ip_ranges.into_iter().map(|it| listed(it.cidr_ip, it.description)).collect()),
            ipv6_ranges: Some(new.ipv6_ranges.into_iter().map(|it| listed(it.cidr_ipv6, it.description)).collect()),
            prefix_list_ids: Some(
                new.prefix_list_ids.into_iter().map(|it| listed(it.prefix_list_id, it.description)).collect(),
            ),
            user_id_group_pairs: Some(
                new.user_id_group_pairs
                    .into_iter()
                    .map(|it| GroupPair {
                        group_id: Some(it.group_id),
                        user_id: it.user_id,
                        description: it.description,
                    })
                    .collect(),
            ),
        }
    }
}

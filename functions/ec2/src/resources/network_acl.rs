//! `AWS::EC2::NetworkAcl`: its ingress entries, in the order in which EC2 evaluates them.
//!
//! Knows no SDK and no control: the client passes the fields of an entry, and unreadable values are rejected here.

use std::collections::BTreeSet;

use ipnet::IpNet;
use rectify_compliance::{
    AccountId, ConfigurationItem, Region, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::rule::{PortRange, Protocol};

/// The resource type.
pub const TYPE: &str = "AWS::EC2::NetworkAcl";

/// A network ACL, from an item or a live read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAcl {
    /// `NetworkAclId`.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `IsDefault`; a missing value counts as false, so that the ACL is evaluated.
    pub is_default: bool,
    /// The subnets of `Associations`.
    pub subnets: BTreeSet<String>,
    /// The ingress entries, sorted by rule number.
    pub entries: Vec<AclEntry>,
    /// Its tags.
    pub tags: Tags,
}

/// An ingress entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AclEntry {
    /// `RuleNumber`: the lowest number that matches decides.
    pub rule_number: i32,
    /// `RuleAction`.
    pub action: RuleAction,
    /// `Protocol`.
    pub protocol: Protocol,
    /// `PortRange.From`; 0 if the entry has no range.
    pub from_port: u16,
    /// `PortRange.To`; 65535 if the entry has no range.
    pub to_port: u16,
    /// `CidrBlock` or `Ipv6CidrBlock`.
    pub source: IpNet,
}

/// `RuleAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleAction {
    /// The traffic passes.
    Allow,
    /// The traffic is dropped.
    Deny,
}

/// An entry as AWS states it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedEntry {
    /// `Egress`.
    pub egress: Option<bool>,
    /// `RuleNumber`.
    pub rule_number: Option<i32>,
    /// `RuleAction`.
    pub rule_action: Option<String>,
    /// `Protocol`: an IANA number or `-1`.
    pub protocol: Option<String>,
    /// `PortRange`.
    pub port_range: Option<StatedRange>,
    /// `CidrBlock`.
    pub cidr_block: Option<String>,
    /// `Ipv6CidrBlock`.
    pub ipv6_cidr_block: Option<String>,
}

/// `PortRange` as AWS states it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct StatedRange {
    /// `From`.
    pub from: Option<i32>,
    /// `To`.
    pub to: Option<i32>,
}

impl NetworkAcl {
    /// The ARN of the ACL `id`.
    pub fn arn_of(region: &Region, account: &AccountId, id: &str) -> String {
        region.partition().arn("ec2", region.as_str(), account.as_str(), &format!("network-acl/{id}"))
    }

    /// The ingress entries among these, sorted.
    ///
    /// # Errors
    /// [`ShapeError`] if an entry cannot be read: it could be the one that opens a port.
    pub fn entries_of(stated: impl IntoIterator<Item = StatedEntry>) -> Result<Vec<AclEntry>, ShapeError> {
        let mut entries = Vec::new();
        for entry in stated {
            match entry.egress {
                Some(true) => {}
                Some(false) => entries.push(AclEntry::try_from(entry)?),
                None => return Err(ShapeError::missing("entries.egress", "a boolean")),
            }
        }
        entries.sort();
        Ok(entries)
    }
}

impl AclEntry {
    /// Whether it decides about traffic of this protocol to this port. Every port matches for protocol `-1`.
    pub fn matches(&self, protocol: &Protocol, port: u16) -> bool {
        self.protocol == Protocol::All
            || (self.protocol == *protocol && (self.from_port..=self.to_port).contains(&port))
    }

    /// Whether its source is every address of a family.
    pub fn is_from_everywhere(&self) -> bool {
        self.source.prefix_len() == 0
    }

    /// `tcp 20-25`, `all traffic`.
    pub fn traffic(&self) -> String {
        match self.protocol {
            Protocol::All => "all traffic".to_owned(),
            _ => format!("{} {}", self.protocol, PortRange { from: self.from_port, to: self.to_port }),
        }
    }
}

impl TryFrom<StatedEntry> for AclEntry {
    type Error = ShapeError;

    fn try_from(stated: StatedEntry) -> Result<Self, ShapeError> {
        let StatedEntry { rule_number, rule_action, protocol, port_range, cidr_block, ipv6_cidr_block, .. } = stated;
        let missing = |field: &str, expected| ShapeError::missing(format!("entries.{field}"), expected);
        let action = match rule_action.as_deref() {
            Some("allow") => RuleAction::Allow,
            Some("deny") => RuleAction::Deny,
            other => return Err(ShapeError::new("entries.ruleAction", "allow or deny", other.unwrap_or("nothing"))),
        };
        // A deny with an unreadable range must not count as one of every port.
        let (from_port, to_port) = match port_range {
            None => (0, u16::MAX),
            Some(StatedRange { from, to }) => {
                let port = |value: Option<i32>| value.and_then(|it| u16::try_from(it).ok());
                let range = port(from).zip(port(to)).filter(|(from, to)| from <= to);
                range.ok_or_else(|| {
                    ShapeError::new("entries.portRange", "two ports from low to high", format!("{from:?}-{to:?}"))
                })?
            }
        };
        let source = cidr_block.or(ipv6_cidr_block).ok_or_else(|| missing("cidrBlock", "a CIDR"))?;
        let source: IpNet =
            source.parse().map_err(|_| ShapeError::new("entries.cidrBlock", "a CIDR", source.as_str()))?;
        Ok(Self {
            rule_number: rule_number.ok_or_else(|| missing("ruleNumber", "a number"))?,
            action,
            protocol: Protocol::from(protocol.ok_or_else(|| missing("protocol", "a protocol"))?),
            from_port,
            to_port,
            source: source.trunc(),
        })
    }
}

impl ResourceState for NetworkAcl {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.id), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

impl Resource for NetworkAcl {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let id = item.resource.id.as_str();
        let at = |key: &str| item.configuration.get(key);
        let entries = at("entries").ok_or_else(|| ShapeError::missing("configuration.entries", "a list"))?;
        let entries = Vec::<StatedEntry>::deserialize(entries)
            .map_err(|error| ShapeError::new("configuration.entries", "a list of entries", error))?;
        let associations = at("associations").and_then(Value::as_array).into_iter().flatten();
        let subnet = |it: &Value| it.get("subnetId").and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            id: id.to_owned(),
            arn: item.arn.clone().unwrap_or_else(|| Self::arn_of(&item.region, &item.account, id)),
            is_default: at("isDefault").and_then(Value::as_bool).unwrap_or(false),
            subnets: associations.filter_map(subnet).collect(),
            entries: Self::entries_of(entries).map_err(|error| error.within("configuration"))?,
            tags: item.tags.clone(),
        })
    }
}

//! `AWS::EC2::SecurityGroup`: the group, its network context, and both together as the subject of the controls.
//!
//! Knows no control and no SDK. Items, listings and live reads all produce the same type; only a live read includes the
//! ids and tags of the rules.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use rectify_compliance::{
    AccountId, ConfigurationItem, Region, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
    offenders,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::permission::IpPermission;
use crate::resources::rule::{Direction, Peer, Rule};

/// The resource type.
pub const TYPE: &str = "AWS::EC2::SecurityGroup";

/// A security group with its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// The account that is evaluated.
    pub account: AccountId,
    /// `OwnerId`: the account that owns the group. Groups of other accounts are visible in a shared VPC.
    pub owner: AccountId,
    /// The region it is in.
    pub region: Region,
    /// `GroupId`.
    pub id: String,
    /// `GroupName`.
    pub name: Option<String>,
    /// `VpcId`.
    pub vpc_id: Option<String>,
    /// The ARN.
    pub arn: String,
    /// The tags of the group.
    pub tags: Tags,
    /// All rules, both directions, sorted.
    pub rules: Vec<Rule>,
}

/// Facts that the item of a group does not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// The prefix lists that were read, by id.
    pub prefix_lists: BTreeMap<String, PrefixList>,
    /// The use of the group, if it was read.
    pub usage: Option<Usage>,
}

/// The result of `GetManagedPrefixListEntries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrefixList {
    /// Its CIDRs, all pages.
    Entries(BTreeSet<IpNet>),
    /// It was deleted, or belongs to another account that does not share it.
    Unreadable,
}

/// A summary of the network interfaces with this group, whose number can be large.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Usage {
    /// Whether any interface uses the group.
    pub in_use: bool,
    /// `Operator.Principal` of the interfaces that a service manages (`Operator.Managed`).
    pub operators: BTreeSet<String>,
    /// The first few interface ids, if a plan names them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub interfaces: BTreeSet<String>,
}

impl Usage {
    /// The maximum number of interface ids to keep.
    const MAX_IDS: usize = 10;

    /// Adds the id of an interface; only the first ids in order are kept.
    pub fn name(&mut self, interface: Option<&str>) {
        self.interfaces.extend(interface.map(str::to_owned));
        if self.interfaces.len() > Self::MAX_IDS {
            self.interfaces.pop_last();
        }
    }

    /// The same without the ids: if a plan does not name interfaces, a change of interfaces must not count as a change of
    /// the subject.
    #[must_use]
    pub fn unnamed(self) -> Self {
        Self { interfaces: BTreeSet::new(), ..self }
    }
}

/// A group with its network context: the subject of security group controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupInNetwork {
    /// The group.
    pub group: SecurityGroup,
    /// Its network context.
    pub network: Network,
}

impl SecurityGroup {
    /// The group as AWS Config identifies it.
    pub(crate) fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity {
            key: ResourceKey::new(TYPE, &self.id),
            arn: Some(&self.arn),
            name: self.name.as_deref(),
            tags: &self.tags,
        }
    }

    /// The ARN of the group `id`.
    pub fn arn_of(region: &Region, owner: &AccountId, id: &str) -> String {
        region.partition().arn("ec2", region.as_str(), owner.as_str(), &format!("security-group/{id}"))
    }

    /// The ingress rules.
    pub fn ingress(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.direction == Direction::Ingress)
    }

    /// One rule by its id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id.as_deref() == Some(id))
    }

    /// Flattens both lists of permissions into sorted rules.
    ///
    /// # Errors
    /// [`ShapeError`] if a permission is unreadable.
    pub fn rules_of(ingress: Vec<IpPermission>, egress: Vec<IpPermission>) -> Result<Vec<Rule>, ShapeError> {
        let mut rules = Vec::new();
        for (direction, path, permissions) in
            [(Direction::Ingress, "ipPermissions", ingress), (Direction::Egress, "ipPermissionsEgress", egress)]
        {
            for permission in permissions {
                rules.extend(permission.flatten(direction).map_err(|error| error.within(path))?);
            }
        }
        rules.sort();
        Ok(rules)
    }
}

impl Resource for SecurityGroup {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let text = |key: &str| item.configuration.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        let id = text("groupId").ok_or_else(|| ShapeError::missing("configuration.groupId", "a group id"))?;
        let rules = Self::rules_of(permissions(item, "ipPermissions")?, permissions(item, "ipPermissionsEgress")?)
            .map_err(|error| error.within("configuration"))?;
        let owner = text("ownerId").map_or_else(|| item.account.clone(), AccountId::new);
        Ok(Self {
            account: item.account.clone(),
            region: item.region.clone(),
            id: id.to_owned(),
            name: text("groupName").map(str::to_owned),
            vpc_id: text("vpcId").map(str::to_owned),
            arn: item.arn.clone().unwrap_or_else(|| Self::arn_of(&item.region, &owner, id)),
            owner,
            tags: item.tags.clone(),
            rules,
        })
    }
}

fn permissions(item: &ConfigurationItem, key: &str) -> Result<Vec<IpPermission>, ShapeError> {
    let path = format!("configuration.{key}");
    match item.configuration.get(key) {
        None => Err(ShapeError::missing(path, "a list of permissions")),
        Some(list @ Value::Array(_)) => Vec::<IpPermission>::deserialize(list)
            .map_err(|error| ShapeError::new(path, "a list of permissions", error)),
        Some(other) => Err(ShapeError::new(path, "a list of permissions", other)),
    }
}

impl ResourceState for GroupInNetwork {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.group.identity()
    }
}

impl GroupInNetwork {
    /// The CIDRs of a rule's peer; none for a group or a prefix list without entries on record.
    pub fn cidrs(&self, rule: &Rule) -> Vec<IpNet> {
        match &rule.peer {
            Peer::CidrIpv4(net) => vec![IpNet::V4(*net)],
            Peer::CidrIpv6(net) => vec![IpNet::V6(*net)],
            Peer::PrefixList(id) => match self.network.prefix_lists.get(id) {
                Some(PrefixList::Entries(entries)) => entries.iter().map(IpNet::trunc).collect(),
                Some(PrefixList::Unreadable) | None => Vec::new(),
            },
            Peer::Group { .. } | Peer::Unstated => Vec::new(),
        }
    }
}

/// The unmet preconditions that all remediations of a group share.
pub fn blockers(group: &SecurityGroup, usage: Option<&Usage>) -> Vec<String> {
    let mut reasons = Vec::new();
    if group.owner != group.account {
        reasons.push(format!("the group belongs to account `{}`", group.owner));
    }
    match usage {
        None => reasons.push("the interfaces that use the group were not read".to_owned()),
        Some(usage) if !usage.operators.is_empty() => {
            let operators = offenders(usage.operators.iter().cloned());
            reasons.push(format!("interfaces managed by `{operators}` use the group"));
        }
        Some(_) => {}
    }
    reasons
}

impl GroupInNetwork {
    /// The unmet preconditions that all remediations of a group share.
    pub fn blockers(&self) -> Vec<String> {
        blockers(&self.group, self.network.usage.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::item_of;
    use serde_json::json;

    fn read(configuration: Value) -> Result<SecurityGroup, String> {
        SecurityGroup::from_item(&item_of("sg-1", configuration)).map_err(|error| error.to_string())
    }

    #[test]
    fn item_becomes_a_group() {
        let group = read(json!({
            "groupId": "sg-1", "groupName": "web", "ownerId": "444455556666", "vpcId": "vpc-1",
            "ipPermissions": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["10.0.0.0/8"]}],
            "ipPermissionsEgress": []
        }))
        .unwrap();
        let expected = SecurityGroup {
            account: AccountId::new("111122223333"),
            owner: AccountId::new("444455556666"),
            region: Region::new("eu-west-1"),
            id: "sg-1".to_owned(),
            name: Some("web".to_owned()),
            vpc_id: Some("vpc-1".to_owned()),
            arn: "arn:aws:ec2:eu-west-1:444455556666:security-group/sg-1".to_owned(),
            tags: Tags::from([("team".to_owned(), "net".to_owned())]),
            rules: vec![Rule {
                direction: Direction::Ingress,
                protocol: crate::resources::rule::Protocol::Tcp,
                from_port: Some(22),
                to_port: Some(22),
                peer: Peer::cidr_v4("10.0.0.0/8").unwrap(),
                description: None,
                tags: Tags::new(),
                id: None,
            }],
        };
        assert_eq!(group, expected);
    }

    #[test]
    fn item_without_id_or_permissions_is_an_error() {
        for (configuration, expected) in [
            (json!({"ipPermissions": [], "ipPermissionsEgress": []}), "configuration.groupId"),
            (json!({"groupId": "sg-1", "ipPermissionsEgress": []}), "configuration.ipPermissions"),
            (
                json!({"groupId": "sg-1", "ipPermissions": null, "ipPermissionsEgress": []}),
                "configuration.ipPermissions",
            ),
            (json!({"groupId": "sg-1", "ipPermissions": []}), "configuration.ipPermissionsEgress"),
            (json!({"groupId": "sg-1", "ipPermissions": {}, "ipPermissionsEgress": []}), "configuration.ipPermissions"),
            (
                json!({"groupId": "sg-1", "ipPermissions": [{"fromPort": 22}], "ipPermissionsEgress": []}),
                "configuration.ipPermissions.ipProtocol",
            ),
        ] {
            let error = read(configuration).unwrap_err();
            assert!(error.starts_with(&format!("{expected}: expected ")), "{error}");
        }
    }
}

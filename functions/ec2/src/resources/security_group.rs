//! `AWS::EC2::SecurityGroup`: the group, what surrounds it, and both together as the subject of its controls.
//!
//! Knows no control and no SDK. Groups made from an item, from a listing and from a live read are of one type; only the
//! last one knows the ids and tags of its rules.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use rectify_compliance::{
    AccountId, ConfigurationItem, Region, Resource, ResourceKey, ResourceState, ShapeError, Tags, offenders,
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
    /// The account that is judged.
    pub account: AccountId,
    /// `OwnerId`: the account that owns the group. Another one's group can be seen through a shared VPC.
    pub owner: AccountId,
    /// Where it is.
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

/// What a group's item does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// The prefix lists that were asked for, by id.
    pub prefix_lists: BTreeMap<String, PrefixList>,
    /// Who uses the group, where that was asked for.
    pub usage: Option<Usage>,
}

/// The answer to `GetManagedPrefixListEntries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrefixList {
    /// Its CIDRs, all pages.
    Entries(BTreeSet<IpNet>),
    /// It is gone, or belongs to another account that does not share it.
    Unreadable,
}

/// The network interfaces with this group, summed up: their number says nothing and may be large.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Usage {
    /// Whether there is one at all.
    pub in_use: bool,
    /// `Operator.Principal` of those that a service manages (`Operator.Managed`).
    pub operators: BTreeSet<String>,
    /// The first few of their ids, where a plan names them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub interfaces: BTreeSet<String>,
}

impl Usage {
    /// How many interfaces are kept by name.
    const NAMED: usize = 10;

    /// Keeps the id of an interface, of all of them the first ones.
    pub fn name(&mut self, interface: Option<&str>) {
        self.interfaces.extend(interface.map(str::to_owned));
        if self.interfaces.len() > Self::NAMED {
            self.interfaces.pop_last();
        }
    }

    /// The same without the ids: where a plan does not name interfaces, their coming and going must not count as a change
    /// of what is judged.
    #[must_use]
    pub fn unnamed(self) -> Self {
        Self { interfaces: BTreeSet::new(), ..self }
    }
}

/// A group in its surroundings: what controls of security groups judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupInNetwork {
    /// The group.
    pub group: SecurityGroup,
    /// What surrounds it.
    pub network: Network,
}

impl SecurityGroup {
    /// The ARN of the group `id`.
    pub fn arn_of(region: &Region, owner: &AccountId, id: &str) -> String {
        region.partition().arn("ec2", region.as_str(), owner.as_str(), &format!("security-group/{id}"))
    }

    /// The rules that let traffic in.
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
    /// [`ShapeError`] when a permission cannot be read.
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
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::new(TYPE, &self.group.id)
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.group.arn)
    }

    fn name(&self) -> Option<&str> {
        self.group.name.as_deref()
    }

    fn tags(&self) -> &Tags {
        &self.group.tags
    }
}

impl GroupInNetwork {
    /// The CIDRs behind a rule's peer; a group has none, nor has a prefix list that was not or cannot be read.
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

/// The preconditions of every remediation of a group that do not hold.
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
    /// The preconditions of every remediation that do not hold of this group.
    pub fn blockers(&self) -> Vec<String> {
        blockers(&self.group, self.network.usage.as_ref())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::arbitrary::item_of;
    use serde_json::json;

    fn read(configuration: Value) -> Result<SecurityGroup, String> {
        SecurityGroup::from_item(&item_of("sg-1", configuration)).map_err(|error| error.to_string())
    }

    #[test]
    fn an_item_becomes_a_group_whole() {
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
    fn an_item_without_id_or_permissions_is_no_group() {
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

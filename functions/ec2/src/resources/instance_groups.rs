//! An instance with its network interfaces and their security groups.
//!
//! Knows no SDK and no control.

use std::collections::BTreeSet;

use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceState, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::controls::ec2_instance_required_security_group::requirement::{FoundGroups, PerVpc};
use crate::resources::instance::{Instance, TYPE, operator};

/// A network interface of an instance.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// `NetworkInterfaceId`.
    pub id: String,
    /// Whether it is the primary interface: device index 0 on network card 0.
    pub is_primary: bool,
    /// The ids of its groups, in EC2's order.
    pub groups: Vec<String>,
    /// `InterfaceType`, e.g. `interface`.
    pub kind: Option<String>,
    /// `RequesterManaged`; known only after `DescribeNetworkInterfaces`.
    pub requester_managed: Option<bool>,
    /// The service that manages it (`Operator.Managed`), if any.
    pub operator: Option<String>,
}

/// The interfaces and groups that an item records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedInterfaces {
    /// The instance.
    pub instance: Instance,
    interfaces: Option<Vec<Interface>>,
    groups: Option<Vec<String>>,
}

/// Facts that an item does not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GroupFacts {
    /// The groups in the instance's VPC that match a requirement.
    pub found: FoundGroups,
    /// The current interfaces, if the item does not list them.
    pub interfaces: Option<Vec<Interface>>,
    /// The value of the Systems Manager parameter that `perVpc` names.
    pub per_vpc: Option<PerVpc>,
}

/// An instance with its interfaces and the matching groups: the subject of the control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceInGroups {
    /// The instance.
    pub instance: Instance,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// The groups in its VPC that match a requirement.
    pub found: FoundGroups,
    /// The value of the Systems Manager parameter that `perVpc` names.
    #[serde(default)]
    pub per_vpc: Option<PerVpc>,
}

impl PartialEq for Interface {
    /// EC2 does not guarantee the order of groups, so order is ignored.
    fn eq(&self, other: &Self) -> bool {
        let Self { id, is_primary, groups, kind, requester_managed, operator } = self;
        *id == other.id
            && *is_primary == other.is_primary
            && groups.iter().collect::<BTreeSet<_>>() == other.groups.iter().collect::<BTreeSet<_>>()
            && *kind == other.kind
            && *requester_managed == other.requester_managed
            && *operator == other.operator
    }
}

impl Resource for RecordedInterfaces {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let instance = Instance::of_item(item);
        let list = |key: &str| match item.configuration.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(members)) if members.is_empty() => Ok(None),
            Some(Value::Array(members)) => Ok(Some(members)),
            Some(other) => Err(ShapeError::new(format!("configuration.{key}"), "a list", other)),
        };
        let within = |error: ShapeError| error.within("configuration.networkInterfaces");
        let interfaces = list("networkInterfaces")?
            .map(|members| members.iter().map(interface).collect::<Result<Vec<_>, _>>())
            .transpose()
            .map_err(within)?;
        let groups = list("securityGroups")?.map(|members| ids(members)).transpose();
        let groups = groups.map_err(|error| error.within("configuration.securityGroups"))?;
        if !instance.is_gone() {
            if instance.vpc_id.is_none() {
                return Err(ShapeError::missing("configuration.vpcId", "a VPC"));
            }
            if interfaces.is_none() && groups.is_none() {
                return Err(ShapeError::missing("configuration.networkInterfaces", "interfaces or security groups"));
            }
        }
        Ok(Self { instance, interfaces, groups })
    }
}

impl RecordedInterfaces {
    /// Whether the item lists the interfaces, so that each can be evaluated.
    pub fn lists_interfaces(&self) -> bool {
        self.interfaces.is_some()
    }

    /// The subject. An item without interfaces records the groups of the primary one only; it gets the instance's id.
    pub fn among(self, facts: GroupFacts) -> InstanceInGroups {
        let first = Interface {
            id: self.instance.id.clone(),
            is_primary: true,
            groups: self.groups.unwrap_or_default(),
            kind: None,
            requester_managed: None,
            operator: None,
        };
        let interfaces = facts.interfaces.or(self.interfaces).unwrap_or_else(|| vec![first]);
        InstanceInGroups { instance: self.instance, interfaces, found: facts.found, per_vpc: facts.per_vpc }
    }
}

impl InstanceInGroups {
    /// Every group attached to an interface of the instance.
    pub fn attached(&self) -> BTreeSet<&str> {
        self.interfaces.iter().flat_map(|it| &it.groups).map(String::as_str).collect()
    }
}

fn interface(member: &Value) -> Result<Interface, ShapeError> {
    let at = |pointer: &str| member.pointer(pointer);
    let text = |pointer: &str| at(pointer).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
    let index = |pointer: &str| at(pointer).and_then(Value::as_i64);
    let groups =
        at("/groups").and_then(Value::as_array).ok_or_else(|| ShapeError::missing("groups", "a list of groups"))?;
    Ok(Interface {
        id: text("/networkInterfaceId").ok_or_else(|| ShapeError::missing("networkInterfaceId", "an interface id"))?,
        is_primary: is_primary(index("/attachment/deviceIndex"), index("/attachment/networkCardIndex")),
        groups: ids(groups).map_err(|error| error.within("groups"))?,
        kind: text("/interfaceType"),
        requester_managed: None,
        operator: operator(member),
    })
}

/// Whether an interface with these indexes is the primary one; a missing card index counts as 0.
pub fn is_primary(device_index: Option<i64>, network_card_index: Option<i64>) -> bool {
    device_index == Some(0) && network_card_index.unwrap_or(0) == 0
}

fn ids(groups: &[Value]) -> Result<Vec<String>, ShapeError> {
    let id = |group: &Value| group.get("groupId").and_then(Value::as_str).map(str::to_owned);
    groups.iter().map(|group| id(group).ok_or_else(|| ShapeError::missing("groupId", "a group id"))).collect()
}

impl ResourceState for InstanceInGroups {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.instance.identity()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::instance::tests::item_of;

    fn read(configuration: Value) -> Result<InstanceInGroups, String> {
        let read = RecordedInterfaces::from_item(&item_of(configuration)).map_err(|error| error.to_string())?;
        Ok(read.among(GroupFacts::default()))
    }

    #[test]
    fn interfaces_keep_the_order_of_their_groups() {
        let configuration = json!({
            "state": {"name": "running"}, "vpcId": "vpc-1", "securityGroups": [{"groupId": "sg-9"}],
            "networkInterfaces": [
                {"networkInterfaceId": "eni-1", "interfaceType": "efa",
                    "groups": [{"groupId": "sg-2"}, {"groupId": "sg-1"}], "attachment": {"deviceIndex": 0}},
                {"networkInterfaceId": "eni-2", "groups": [], "attachment": {"deviceIndex": 0, "networkCardIndex": 1},
                    "operator": {"managed": true, "principal": "eks.amazonaws.com"}}
            ]
        });
        let bare = |id: &str, is_primary, groups: &[&str]| Interface {
            id: id.to_owned(),
            is_primary,
            groups: groups.iter().map(|it| (*it).to_owned()).collect(),
            kind: None,
            requester_managed: None,
            operator: None,
        };
        let first = Interface { kind: Some("efa".to_owned()), ..bare("eni-1", true, &["sg-2", "sg-1"]) };
        let second = Interface { operator: Some("eks.amazonaws.com".to_owned()), ..bare("eni-2", false, &[]) };
        let subject = read(configuration).unwrap();
        assert_eq!(subject.interfaces[0].groups, ["sg-2", "sg-1"]);
        let other_order = Interface { groups: vec!["sg-1".to_owned(), "sg-2".to_owned()], ..first.clone() };
        let fewer = Interface { groups: vec!["sg-1".to_owned()], ..first.clone() };
        assert!(first == other_order && first != fewer, "order is ignored");
        assert_eq!(subject.interfaces, [first, second]);
        assert_eq!(subject.attached(), BTreeSet::from(["sg-1", "sg-2"]));

        let old = json!({"vpcId": "vpc-1", "securityGroups": [{"groupId": "sg-9"}], "networkInterfaces": []});
        assert_eq!(read(old).unwrap().interfaces, [bare("i-1", true, &["sg-9"])]);
    }

    #[test]
    fn item_that_could_hide_a_violation_is_an_error() {
        for (configuration, expected) in [
            (json!({"securityGroups": [{"groupId": "sg-1"}]}), "configuration.vpcId: expected a VPC"),
            (json!({"vpcId": "vpc-1"}), "configuration.networkInterfaces: expected interfaces or security groups"),
            (json!({"vpcId": "vpc-1", "securityGroups": [{}]}), "configuration.securityGroups.groupId"),
            (
                json!({"vpcId": "vpc-1", "networkInterfaces": [{"groups": []}]}),
                "configuration.networkInterfaces.network",
            ),
            (
                json!({"vpcId": "vpc-1", "networkInterfaces": [{"networkInterfaceId": "eni-1"}]}),
                "configuration.networkInterfaces.groups",
            ),
            (
                json!({"vpcId": "vpc-1", "networkInterfaces": "none"}),
                "configuration.networkInterfaces: expected a list",
            ),
        ] {
            let error = read(configuration).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(read(json!({"state": {"name": "terminated"}})).is_ok());
    }
}

//! Security groups for tests: built by hand, or generated with and without violations.
use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use proptest::prelude::*;
use rectify_compliance::{AccountId, ConfigurationItem, ItemStatus, Region, ResourceKey, Tags};
use serde_json::{Map, Value, json};

use crate::resources::live_rule::LiveRule;
use crate::resources::rule::{Direction, Peer, Protocol, Rule};
use crate::resources::security_group::{GroupInNetwork, Network, PrefixList, SecurityGroup, TYPE, Usage};

pub(crate) const ACCOUNT: &str = "111122223333";

/// The item of a group with this `configuration`.
pub(crate) fn item_of(id: &str, configuration: Value) -> ConfigurationItem {
    item(TYPE, id, configuration, &[("team", "net")])
}

/// The item of a resource with this `configuration` and these tags.
pub(crate) fn item(kind: &str, id: &str, configuration: Value, tags: &[(&str, &str)]) -> ConfigurationItem {
    ConfigurationItem {
        account: AccountId::new(ACCOUNT),
        region: Region::new("eu-west-1"),
        resource: ResourceKey::new(kind, id),
        name: None,
        arn: None,
        status: ItemStatus::Ok,
        captured_at: "2026-03-04T05:06:07.890Z".parse().unwrap(),
        configuration,
        supplementary: Map::new(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        relationships: vec![],
    }
}

/// An ingress rule. The form of `peer` selects its kind; an empty one is unstated, and a port of -1 is absent.
pub(crate) fn ingress(protocol: &str, from: i32, to: i32, peer: &str) -> Rule {
    let peer = if peer.is_empty() {
        Peer::Unstated
    } else if peer.starts_with("pl-") {
        Peer::PrefixList(peer.to_owned())
    } else if peer.starts_with("sg-") {
        Peer::Group { group_id: Some(peer.to_owned()), user_id: Some(ACCOUNT.to_owned()) }
    } else if peer.contains(':') {
        Peer::cidr_v6(peer).unwrap()
    } else {
        Peer::cidr_v4(peer).unwrap()
    };
    Rule {
        direction: Direction::Ingress,
        protocol: Protocol::from(protocol.to_owned()),
        from_port: (from != -1).then_some(from),
        to_port: (to != -1).then_some(to),
        peer,
        description: None,
        tags: Tags::new(),
        id: None,
    }
}

/// An ingress rule for TCP.
pub(crate) fn tcp(from: i32, to: i32, peer: &str) -> Rule {
    ingress("tcp", from, to, peer)
}

/// The same rule as egress.
pub(crate) fn egress(rule: Rule) -> Rule {
    Rule { direction: Direction::Egress, ..rule }
}

/// A group of this account with these rules, `sgr-0`, `sgr-1`, … in their sorted order, used by one interface.
pub(crate) fn group(mut rules: Vec<Rule>) -> GroupInNetwork {
    rules.sort();
    for (index, rule) in rules.iter_mut().enumerate() {
        rule.id = Some(format!("sgr-{index}"));
    }
    GroupInNetwork {
        group: SecurityGroup {
            account: AccountId::new(ACCOUNT),
            owner: AccountId::new(ACCOUNT),
            region: Region::new("eu-west-1"),
            id: "sg-1".to_owned(),
            name: Some("web".to_owned()),
            vpc_id: Some("vpc-1".to_owned()),
            arn: format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:security-group/sg-1"),
            tags: Tags::from([("team".to_owned(), "net".to_owned())]),
            rules,
        },
        network: Network { prefix_lists: BTreeMap::new(), usage: Some(Usage { in_use: true, ..Usage::default() }) },
    }
}

/// The same group as AWS Config records it: peers grouped under permissions, IPv4 twice, no ids, no ports for `-1`.
pub(crate) fn as_item(group: &SecurityGroup) -> ConfigurationItem {
    let mut item = item_of(
        &group.id,
        json!({
            "groupId": group.id, "groupName": group.name, "ownerId": group.owner, "vpcId": group.vpc_id,
            "ipPermissions": permissions(group, Direction::Ingress),
            "ipPermissionsEgress": permissions(group, Direction::Egress),
        }),
    );
    item.arn = Some(group.arn.clone());
    item.tags.clone_from(&group.tags);
    item
}

/// `ipProtocol`, `fromPort`, `toPort`: the fields that the peers of one permission share. A rule without a peer gets a
/// permission of its own.
type Shared = (String, Option<i32>, Option<i32>, Option<String>);

fn permissions(group: &SecurityGroup, direction: Direction) -> Value {
    let mut grouped: BTreeMap<Shared, Vec<&Rule>> = BTreeMap::new();
    for rule in group.rules.iter().filter(|rule| rule.direction == direction) {
        let ports = |port: Option<i32>| port.filter(|_| rule.protocol != Protocol::All);
        let own_permission = (rule.peer == Peer::Unstated).then(|| rule.id.clone()).flatten();
        let shared = (rule.protocol.to_string(), ports(rule.from_port), ports(rule.to_port), own_permission);
        grouped.entry(shared).or_default().push(rule);
    }
    let permission = |((protocol, from, to, _), rules): (Shared, Vec<&Rule>)| {
        let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for rule in rules {
            let described = |key: &str, value: &str| json!({key: value, "description": rule.description});
            let text = rule.peer.to_string();
            match &rule.peer {
                Peer::CidrIpv4(_) => {
                    lists.entry("ipRanges").or_default().push(json!(text));
                    lists.entry("ipv4Ranges").or_default().push(described("cidrIp", &text));
                }
                Peer::CidrIpv6(_) => lists.entry("ipv6Ranges").or_default().push(described("cidrIpv6", &text)),
                Peer::PrefixList(_) => lists.entry("prefixListIds").or_default().push(described("prefixListId", &text)),
                Peer::Group { group_id, user_id } => {
                    lists.entry("userIdGroupPairs").or_default().push(json!({"groupId": group_id, "userId": user_id}));
                }
                Peer::Unstated => {}
            }
        }
        let mut object = json!({"ipProtocol": protocol, "fromPort": from, "toPort": to});
        for (key, values) in lists {
            object[key] = Value::Array(values);
        }
        object
    };
    Value::Array(grouped.into_iter().map(permission).collect())
}

/// The same rules as `DescribeSecurityGroupRules` returns them: one peer each, ports of -1 for `-1`.
pub(crate) fn as_live(group: &SecurityGroup) -> Vec<LiveRule> {
    let live = |rule: &Rule| {
        let port = |port: Option<i32>| if rule.protocol == Protocol::All { Some(-1) } else { port };
        let mut returned = LiveRule {
            id: rule.id.clone(),
            is_egress: Some(rule.direction == Direction::Egress),
            protocol: Some(rule.protocol.to_string()),
            from_port: port(rule.from_port),
            to_port: port(rule.to_port),
            description: rule.description.clone(),
            tags: rule.tags.clone(),
            ..LiveRule::default()
        };
        match &rule.peer {
            Peer::CidrIpv4(net) => returned.cidr_ipv4 = Some(net.to_string()),
            Peer::CidrIpv6(net) => returned.cidr_ipv6 = Some(net.to_string()),
            Peer::PrefixList(id) => returned.prefix_list_id = Some(id.clone()),
            Peer::Group { group_id, user_id } => returned.group = Some((group_id.clone(), user_id.clone())),
            Peer::Unstated => {}
        }
        returned
    };
    group.rules.iter().map(live).collect()
}

fn peers() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => Just("0.0.0.0/0"),
        6 => Just("::/0"),
        2 => Just("0.0.0.0/1"),
        2 => Just("128.0.0.0/1"),
        1 => Just("8000::/1"),
        1 => Just("::/1"),
        4 => Just("10.0.0.0/8"),
        3 => Just("10.1.23.2/32"),
        2 => Just("2001:db8::/32"),
        2 => Just("pl-0a"),
        1 => Just("pl-0b"),
        3 => Just("sg-2"),
    ]
}

fn traffic() -> impl Strategy<Value = (&'static str, i32, i32)> {
    prop_oneof![
        16 => Just(("tcp", 22, 22)),
        2 => Just(("tcp", 20, 25)),
        1 => Just(("tcp", 0, 65535)),
        8 => Just(("tcp", 443, 443)),
        1 => Just(("-1", -1, -1)),
        3 => Just(("udp", 22, 22)),
        1 => Just(("icmp", 8, 0)),
        1 => Just(("47", -1, -1)),
    ]
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let described = proptest::option::of("[a-z ]{1,12}");
    let tagged = proptest::collection::btree_map("[a-c]", "[a-z]{0,3}", 0..3);
    let egress = proptest::bool::weighted(0.2);
    let rule = (traffic(), peers(), egress, described, tagged);
    proptest::collection::vec(rule, 0..6).prop_map(|drawn| {
        let mut seen = BTreeSet::new();
        drawn
            .into_iter()
            .filter(|(traffic, peer, egress, _, _)| seen.insert((*traffic, *peer, *egress)))
            .map(|((protocol, from, to), peer, egress, description, tags)| Rule {
                direction: if egress { Direction::Egress } else { Direction::Ingress },
                description,
                tags,
                ..ingress(protocol, from, to, peer)
            })
            .collect()
    })
}

fn prefix_list() -> impl Strategy<Value = PrefixList> {
    let entries = |texts: &[&str]| {
        let nets: BTreeSet<IpNet> = texts.iter().map(|text| text.parse().unwrap()).collect();
        Just(PrefixList::Entries(nets))
    };
    prop_oneof![
        entries(&["10.0.0.0/8"]),
        entries(&["0.0.0.0/0", "10.2.0.0/16"]),
        entries(&["0.0.0.0/1"]),
        entries(&[]),
        Just(PrefixList::Unreadable),
    ]
}

/// Groups of every kind: open in various ways, closed, owned by another account, used by a service.
pub(crate) fn groups() -> impl Strategy<Value = GroupInNetwork> {
    let owner = prop_oneof![9 => Just(ACCOUNT), 1 => Just("444455556666")];
    let operators = prop_oneof![9 => Just(vec![]), 1 => Just(vec!["eks.amazonaws.com".to_owned()])];
    (rules(), prefix_list(), prefix_list(), owner, operators, any::<bool>()).prop_map(
        |(rules, first, second, owner, operators, in_use)| {
            let mut subject = group(rules);
            subject.group.owner = AccountId::new(owner);
            subject.network = Network {
                prefix_lists: BTreeMap::from([("pl-0a".to_owned(), first), ("pl-0b".to_owned(), second)]),
                usage: Some(Usage { in_use, operators: operators.into_iter().collect(), ..Usage::default() }),
            };
            subject
        },
    )
}

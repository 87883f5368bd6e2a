//! Properties that follow from more than one attribute, or from an attribute in another form.

use serde_json::{Map, Value, json};

use super::within;
use crate::template::{Gap, Opening};

/// `associate_public_ip_address` as the first interface.
pub(super) fn instance(properties: &mut Map<String, Value>) {
    if let Some(public) = properties.get_mut("NetworkInterfaces").filter(|it| it.is_boolean()) {
        *public = json!([{ "AssociatePublicIpAddress": public.take() }]);
    }
}

/// `enable_deletion_protection` as an attribute.
pub(super) fn protection(properties: &mut Map<String, Value>) {
    if let Some(on) = properties.get_mut("LoadBalancerAttributes").filter(|it| it.is_boolean()) {
        *on = json!([{ "Key": "deletion_protection.enabled", "Value": on.take() }]);
    }
}

/// 0 days is forever.
pub(super) fn log_group(properties: &mut Map<String, Value>) {
    if properties.get("RetentionInDays").is_some_and(|it| it == 0) {
        properties.remove("RetentionInDays");
    }
}

/// `public-read` as CloudFormation writes it.
pub(super) fn acl(properties: &mut Map<String, Value>) {
    if let Some(Value::String(acl)) = properties.get_mut("AccessControl") {
        let parts = acl.split('-').map(|part| {
            let (first, rest) = part.split_at_checked(1).unwrap_or(("", part));
            first.to_ascii_uppercase() + rest
        });
        *acl = parts.collect();
    }
}

/// A rule of the provider as rules with one peer each.
fn split(rule: &Map<String, Value>) -> Vec<Value> {
    let part = |key: &str| rule.get(key).filter(|it| !it.is_null());
    let texts = |key: &str| match part(key) {
        Some(Value::Array(list)) => list.clone(),
        one => one.cloned().into_iter().collect(),
    };
    let peers = [
        ("cidr_blocks", "CidrIp"),
        ("ipv6_cidr_blocks", "CidrIpv6"),
        ("prefix_list_ids", "SourcePrefixListId"),
        ("security_groups", "SourceSecurityGroupId"),
        ("SourceSecurityGroupId", "SourceSecurityGroupId"),
    ];
    let mut rules = Vec::new();
    let mut add = |member: &str, peer: Value| {
        let mut rule = Map::new();
        for (from, to) in [("protocol", "IpProtocol"), ("from_port", "FromPort"), ("to_port", "ToPort")] {
            rule.insert(to.to_owned(), part(from).cloned().unwrap_or_default());
        }
        rule.insert(member.to_owned(), peer);
        rules.push(Value::Object(rule));
    };
    for (from, to) in peers {
        for peer in texts(from) {
            add(to, peer);
        }
    }
    if part("self").is_some_and(|it| it == true) {
        add("SourceSecurityGroupId", "self".into());
    }
    rules
}

/// The ingress blocks of a group as `SecurityGroupIngress`; one with an unknown part is one rule that is not known.
pub(super) fn group(mut properties: Map<String, Value>, openings: Vec<Opening>) -> (Value, Vec<Opening>) {
    let blocks = properties.remove("Ingress");
    let (inside, mut openings): (Vec<Opening>, Vec<Opening>) =
        openings.into_iter().partition(|it| it.path.starts_with("/Ingress/"));
    for opening in &mut openings {
        if within(&opening.path, "/Ingress") {
            "/SecurityGroupIngress".clone_into(&mut opening.path);
        }
    }
    let mut rules = Vec::new();
    for (at, block) in blocks.as_ref().and_then(Value::as_array).into_iter().flatten().enumerate() {
        let open = inside.iter().find(|it| within(&it.path, &format!("/Ingress/{at}")) && !is_irrelevant(it));
        if let Some(open) = open {
            let rest = open.path.splitn(4, '/').nth(3).unwrap_or_default();
            let path = format!("/SecurityGroupIngress/{}/{rest}", rules.len());
            openings.push(Opening { path, gap: open.gap.clone() });
            rules.push(json!({}));
        }
        rules.extend(block.as_object().map(split).unwrap_or_default());
    }
    if !rules.is_empty() {
        properties.insert("SecurityGroupIngress".to_owned(), rules.into());
    }
    (Value::Object(properties), openings)
}

/// Whether nothing depends on the value: a description, or a group of the plan as the peer.
fn is_irrelevant(opening: &Opening) -> bool {
    opening.path.ends_with("/description")
        || (opening.gap == Gap::Reference && opening.path.contains("/security_groups"))
}

/// A rule apart from its group, as one resource for each peer; none for an egress rule.
pub(super) fn rules(properties: &Map<String, Value>, openings: Vec<Opening>) -> Vec<(Value, Vec<Opening>)> {
    if properties.get("type").is_some_and(|it| it == "egress") {
        return Vec::new();
    }
    let group = properties.get("GroupId").cloned().unwrap_or_default();
    let (of_group, open): (Vec<Opening>, Vec<Opening>) = openings.into_iter().partition(|it| it.path == "/GroupId");
    let mut rules = split(properties);
    let first = rules.len();
    // A peer that is not known is not in the values.
    let is_peer = |it: &&Opening| it.path.contains("cidr_blocks") || it.path.contains("prefix_list");
    rules.extend(open.iter().filter(is_peer).map(|_| json!({})));
    let with_group = |(at, mut rule): (usize, Value)| {
        if let Value::Object(members) = &mut rule {
            members.insert("GroupId".to_owned(), group.clone());
        }
        let mut openings = of_group.clone();
        openings.extend(open.iter().filter(|it| at >= first || !is_peer(it)).cloned());
        (rule, openings)
    };
    rules.into_iter().enumerate().map(with_group).collect()
}

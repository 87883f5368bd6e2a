//! `AWS::EC2::SecurityGroup`.
//!
//! The item has the IPv4 ranges twice: as strings (`ipRanges`) and as objects with descriptions (`ipv4Ranges`).
//! Source: aws-config-resource-schema, and captured notifications.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup, UserIdGroupPair};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, object, relationship, sorted};
use super::{RecorderError, failed, required};
use crate::engine::EngineSettings;

pub(super) async fn read(
    ec2: &aws_sdk_ec2::Client,
    settings: &EngineSettings,
) -> Result<Vec<Observation>, RecorderError> {
    let mut groups = ec2.describe_security_groups().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(group) = groups.next().await {
        let group = group.map_err(failed("ec2:DescribeSecurityGroups", "all groups"))?;
        observations.push(observe(&group, settings)?);
    }
    Ok(observations)
}

fn observe(group: &SecurityGroup, settings: &EngineSettings) -> Result<Observation, RecorderError> {
    let EngineSettings { account, region, partition } = settings;
    let id = required("a security group", "groupId", group.group_id())?;
    let owner = group.owner_id().unwrap_or(account);
    let tags = group.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect();
    let in_vpc = group.vpc_id().map(|vpc| relationship("AWS::EC2::VPC", vpc, None, "Is contained in Vpc"));
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: group.group_name().map(str::to_owned),
        arn: format!("arn:{partition}:ec2:{region}:{owner}:security-group/{id}"),
        region: region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: None,
        tags,
        relationships: in_vpc.into_iter().collect(),
        configuration: json!({
            "description": group.description(),
            "groupId": id,
            "groupName": group.group_name(),
            "ipPermissions": sorted(group.ip_permissions().iter().map(permission)),
            "ipPermissionsEgress": sorted(group.ip_permissions_egress().iter().map(permission)),
            "ownerId": owner,
            "tags": sorted(group.tags().iter().map(|tag| json!({ "key": tag.key(), "value": tag.value() }))),
            "vpcId": group.vpc_id()
        }),
        supplementary: Map::new(),
    })
}

fn permission(permission: &IpPermission) -> Value {
    // With all protocols (-1) an item has no ports, even if a backend returns some.
    let ports = permission.ip_protocol() != Some("-1");
    let text = |value: Option<&str>| value.map(Value::from);
    let ranges = permission.ip_ranges();
    let ipv4 = ranges
        .iter()
        .map(|range| object([("cidrIp", text(range.cidr_ip())), ("description", text(range.description()))]));
    let ipv6 = permission
        .ipv6_ranges()
        .iter()
        .map(|range| object([("cidrIpv6", text(range.cidr_ipv6())), ("description", text(range.description()))]));
    let lists = permission
        .prefix_list_ids()
        .iter()
        .map(|list| object([("prefixListId", text(list.prefix_list_id())), ("description", text(list.description()))]));
    object([
        ("ipProtocol", text(permission.ip_protocol())),
        ("fromPort", permission.from_port().filter(|_| ports).map(Value::from)),
        ("toPort", permission.to_port().filter(|_| ports).map(Value::from)),
        ("ipRanges", Some(sorted(ranges.iter().filter_map(|range| text(range.cidr_ip()))))),
        ("ipv4Ranges", Some(sorted(ipv4))),
        ("ipv6Ranges", Some(sorted(ipv6))),
        ("prefixListIds", Some(sorted(lists))),
        ("userIdGroupPairs", Some(sorted(permission.user_id_group_pairs().iter().map(pair)))),
    ])
}

fn pair(pair: &UserIdGroupPair) -> Value {
    let text = |value: Option<&str>| value.map(Value::from);
    object([
        ("description", text(pair.description())),
        ("groupId", text(pair.group_id())),
        ("groupName", text(pair.group_name())),
        ("peeringStatus", text(pair.peering_status())),
        ("userId", text(pair.user_id())),
        ("vpcId", text(pair.vpc_id())),
        ("vpcPeeringConnectionId", text(pair.vpc_peering_connection_id())),
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_ec2::types::{IpRange, Ipv6Range, PrefixListId, Tag};

    use super::*;

    #[test]
    fn group_becomes_an_aws_config_item() {
        let ssh = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(22)
            .to_port(22)
            .ip_ranges(IpRange::builder().cidr_ip("198.51.100.0/24").build())
            .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").description("office").build())
            .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
            .prefix_list_ids(PrefixListId::builder().prefix_list_id("pl-1").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-2").user_id("111122223333").build())
            .build();
        let all = IpPermission::builder().ip_protocol("-1").from_port(-1).to_port(-1).build();
        let group = SecurityGroup::builder()
            .group_id("sg-1")
            .group_name("web")
            .description("web servers")
            .owner_id("111122223333")
            .vpc_id("vpc-1")
            .ip_permissions(ssh)
            .ip_permissions_egress(all)
            .tags(Tag::builder().key("team").value("blue").build())
            .build();
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("eu-west-1"), partition: text("aws-cn") };
        assert_eq!(
            observe(&group, &settings).unwrap(),
            Observation {
                resource_id: text("sg-1"),
                resource_name: Some(text("web")),
                arn: text("arn:aws-cn:ec2:eu-west-1:111122223333:security-group/sg-1"),
                region: text("eu-west-1"),
                availability_zone: NOT_APPLICABLE,
                created: None,
                tags: [(text("team"), text("blue"))].into(),
                relationships: vec![json!({
                    "resourceId": "vpc-1", "resourceName": null, "resourceType": "AWS::EC2::VPC", "name": "Is contained in Vpc"
                })],
                configuration: json!({
                    "description": "web servers", "groupId": "sg-1", "groupName": "web", "ownerId": "111122223333",
                    "tags": [{"key": "team", "value": "blue"}], "vpcId": "vpc-1",
                    "ipPermissions": [{
                        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                        "ipRanges": ["0.0.0.0/0", "198.51.100.0/24"],
                        "ipv4Ranges": [{"cidrIp": "0.0.0.0/0", "description": "office"}, {"cidrIp": "198.51.100.0/24"}],
                        "ipv6Ranges": [{"cidrIpv6": "::/0"}],
                        "prefixListIds": [{"prefixListId": "pl-1"}],
                        "userIdGroupPairs": [{"groupId": "sg-2", "userId": "111122223333"}]
                    }],
                    "ipPermissionsEgress": [{
                        "ipProtocol": "-1", "ipRanges": [], "ipv4Ranges": [], "ipv6Ranges": [], "prefixListIds": [],
                        "userIdGroupPairs": []
                    }]
                }),
                supplementary: Map::new(),
            }
        );
    }
}

//! EC2 resources recorded for their tags: volumes and networking resources.
//!
//! Their items have all identifiers and tags, the fields that a control evaluates, and a few distinguishing ones.
//! Source: aws-config-resource-schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Tag, VpnState};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, object, sorted};
use super::{RecorderError, failed, required};
use crate::engine::EngineSettings;

/// A type recorded for its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tagged {
    CustomerGateway,
    InternetGateway,
    NetworkAcl,
    NetworkInterface,
    RouteTable,
    Subnet,
    Volume,
    Vpc,
    VpnConnection,
    VpnGateway,
}

/// The common fields of these resources.
struct Found<'a> {
    /// The resource type in the ARN.
    noun: &'static str,
    /// The configuration field of the id.
    field: &'static str,
    id: Option<&'a str>,
    tags: &'a [Tag],
    zone: Option<&'a str>,
    more: Vec<(&'static str, Value)>,
}

/// Observes every resource of a paginated list.
macro_rules! observe_all {
    ($settings:ident, $call:expr, $operation:literal, $observe:expr) => {{
        let mut items = $call.into_paginator().items().send();
        let mut observations = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed($operation, "all"))?;
            observations.push($observe(&item).observe($settings)?);
        }
        observations
    }};
}

pub(super) async fn read(
    kind: Tagged,
    ec2: &Client,
    settings: &EngineSettings,
) -> Result<Vec<Observation>, RecorderError> {
    Ok(match kind {
        Tagged::InternetGateway => {
            observe_all!(settings, ec2.describe_internet_gateways(), "ec2:DescribeInternetGateways", internet_gateway)
        }
        Tagged::NetworkAcl => {
            observe_all!(settings, ec2.describe_network_acls(), "ec2:DescribeNetworkAcls", network_acl)
        }
        Tagged::NetworkInterface => {
            observe_all!(settings, ec2.describe_network_interfaces(), "ec2:DescribeNetworkInterfaces", interface)
        }
        Tagged::RouteTable => {
            observe_all!(settings, ec2.describe_route_tables(), "ec2:DescribeRouteTables", route_table)
        }
        Tagged::Subnet => observe_all!(settings, ec2.describe_subnets(), "ec2:DescribeSubnets", subnet),
        Tagged::Volume => observe_all!(settings, ec2.describe_volumes(), "ec2:DescribeVolumes", volume),
        Tagged::Vpc => observe_all!(settings, ec2.describe_vpcs(), "ec2:DescribeVpcs", vpc),
        Tagged::CustomerGateway => {
            let answer = ec2.describe_customer_gateways().send().await;
            let answer = answer.map_err(failed("ec2:DescribeCustomerGateways", "all"))?;
            let existing = answer.customer_gateways().iter().filter(|it| it.state() != Some("deleted"));
            existing.map(|it| customer_gateway(it).observe(settings)).collect::<Result<_, _>>()?
        }
        Tagged::VpnConnection => {
            let answer = ec2.describe_vpn_connections().send().await;
            let answer = answer.map_err(failed("ec2:DescribeVpnConnections", "all"))?;
            let existing = answer.vpn_connections().iter().filter(|it| it.state() != Some(&VpnState::Deleted));
            existing.map(|it| vpn_connection(it).observe(settings)).collect::<Result<_, _>>()?
        }
        Tagged::VpnGateway => {
            let answer = ec2.describe_vpn_gateways().send().await;
            let answer = answer.map_err(failed("ec2:DescribeVpnGateways", "all"))?;
            let existing = answer.vpn_gateways().iter().filter(|it| it.state() != Some(&VpnState::Deleted));
            existing.map(|it| vpn_gateway(it).observe(settings)).collect::<Result<_, _>>()?
        }
    })
}

impl<'a> Found<'a> {
    fn of(noun: &'static str, field: &'static str, id: Option<&'a str>, tags: &'a [Tag]) -> Self {
        Self { noun, field, id, tags, zone: None, more: Vec::new() }
    }

    fn with(mut self, field: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.more.extend(value.map(|value| (field, value.into())));
        self
    }

    fn observe(self, settings: &EngineSettings) -> Result<Observation, RecorderError> {
        let EngineSettings { account, region, partition } = settings;
        let id = required(self.noun, self.field, self.id)?;
        let Value::Object(mut configuration) = object([(self.field, Some(id.into())), ("tags", Some(tags(self.tags)))])
        else {
            return Err(RecorderError::Answer {
                resource: id.to_owned(),
                field: self.field,
                why: "missing".to_owned(),
            });
        };
        configuration.extend(self.more.into_iter().map(|(field, value)| (field.to_owned(), value)));
        Ok(Observation {
            resource_id: id.to_owned(),
            resource_name: None,
            arn: format!("arn:{partition}:ec2:{region}:{account}:{}/{id}", self.noun),
            region: region.clone(),
            availability_zone: self.zone.map_or(NOT_APPLICABLE, |zone| Cow::Owned(zone.to_owned())),
            created: None,
            tags: tag_map(self.tags),
            relationships: Vec::new(),
            configuration: Value::Object(configuration),
            supplementary: Map::new(),
        })
    }
}

fn customer_gateway(it: &types::CustomerGateway) -> Found<'_> {
    Found::of("customer-gateway", "customerGatewayId", it.customer_gateway_id(), it.tags())
        .with("ipAddress", it.ip_address())
        .with("state", it.state())
}

fn internet_gateway(it: &types::InternetGateway) -> Found<'_> {
    let attached = it.attachments().iter().map(|it| json!({"vpcId": it.vpc_id()}));
    Found::of("internet-gateway", "internetGatewayId", it.internet_gateway_id(), it.tags())
        .with("attachments", Some(sorted(attached)))
}

fn network_acl(it: &types::NetworkAcl) -> Found<'_> {
    let subnets = it.associations().iter().map(|it| json!({"subnetId": it.subnet_id()}));
    Found::of("network-acl", "networkAclId", it.network_acl_id(), it.tags())
        .with("vpcId", it.vpc_id())
        .with("isDefault", it.is_default())
        .with("associations", Some(sorted(subnets)))
        .with("entries", Some(sorted(it.entries().iter().map(acl_entry))))
}

fn acl_entry(it: &types::NetworkAclEntry) -> Value {
    json!({
        "ruleNumber": it.rule_number(), "egress": it.egress(), "protocol": it.protocol(),
        "ruleAction": it.rule_action().map(types::RuleAction::as_str),
        "cidrBlock": it.cidr_block(), "ipv6CidrBlock": it.ipv6_cidr_block(),
        "portRange": it.port_range().map(|it| json!({"from": it.from(), "to": it.to()})),
        "icmpTypeCode": it.icmp_type_code().map(|it| json!({"code": it.code(), "type": it.r#type()})),
    })
}

fn interface(it: &types::NetworkInterface) -> Found<'_> {
    let groups = it.groups().iter().map(|it| json!({"groupId": it.group_id(), "groupName": it.group_name()}));
    let found = Found::of("network-interface", "networkInterfaceId", it.network_interface_id(), it.tag_set())
        .with("interfaceType", it.interface_type().map(types::NetworkInterfaceType::as_str))
        .with("requesterManaged", it.requester_managed())
        .with("groups", Some(sorted(groups)))
        .with("subnetId", it.subnet_id())
        .with("vpcId", it.vpc_id());
    Found { zone: it.availability_zone(), ..found }
}

fn route_table(it: &types::RouteTable) -> Found<'_> {
    Found::of("route-table", "routeTableId", it.route_table_id(), it.tags()).with("vpcId", it.vpc_id())
}

fn subnet(it: &types::Subnet) -> Found<'_> {
    let found = Found::of("subnet", "subnetId", it.subnet_id(), it.tags())
        .with("vpcId", it.vpc_id())
        .with("ownerId", it.owner_id())
        .with("cidrBlock", it.cidr_block())
        .with("defaultForAz", it.default_for_az())
        .with("mapPublicIpOnLaunch", it.map_public_ip_on_launch())
        .with("assignIpv6AddressOnCreation", it.assign_ipv6_address_on_creation());
    Found { zone: it.availability_zone(), ..found }
}

fn volume(it: &types::Volume) -> Found<'_> {
    let found = Found::of("volume", "volumeId", it.volume_id(), it.tags())
        .with("size", it.size())
        .with("encrypted", it.encrypted())
        .with("kmsKeyId", it.kms_key_id())
        .with("state", it.state().map(types::VolumeState::as_str))
        .with("attachments", Some(sorted(it.attachments().iter().map(attachment))));
    Found { zone: it.availability_zone(), ..found }
}

fn attachment(it: &types::VolumeAttachment) -> Value {
    let state = it.state().map(types::VolumeAttachmentState::as_str);
    json!({"instanceId": it.instance_id(), "device": it.device(), "state": state, "volumeId": it.volume_id()})
}

fn vpc(it: &types::Vpc) -> Found<'_> {
    let found = Found::of("vpc", "vpcId", it.vpc_id(), it.tags())
        .with("cidrBlock", it.cidr_block())
        .with("isDefault", it.is_default());
    Found { zone: Some("Multiple Availability Zones"), ..found }
}

fn vpn_connection(it: &types::VpnConnection) -> Found<'_> {
    Found::of("vpn-connection", "vpnConnectionId", it.vpn_connection_id(), it.tags())
        .with("vpnGatewayId", it.vpn_gateway_id())
        .with("state", it.state().map(VpnState::as_str))
}

fn vpn_gateway(it: &types::VpnGateway) -> Found<'_> {
    Found::of("vpn-gateway", "vpnGatewayId", it.vpn_gateway_id(), it.tags())
        .with("state", it.state().map(VpnState::as_str))
}

/// The item's `tags`.
pub(super) fn tag_map(tags: &[Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

/// The configuration's `tags`.
pub(super) fn tags(tags: &[Tag]) -> Value {
    sorted(tags.iter().map(|tag| json!({"key": tag.key(), "value": tag.value()})))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn resource_becomes_an_item_with_its_tags() {
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("eu-west-1"), partition: text("aws-cn") };
        let tag = Tag::builder().key("Owner").value("net").build();
        let created = types::NetworkInterface::builder()
            .network_interface_id("eni-1")
            .requester_managed(true)
            .availability_zone("eu-west-1a")
            .tag_set(tag)
            .build();
        assert_eq!(
            interface(&created).observe(&settings).unwrap(),
            Observation {
                resource_id: text("eni-1"),
                resource_name: None,
                arn: text("arn:aws-cn:ec2:eu-west-1:111122223333:network-interface/eni-1"),
                region: text("eu-west-1"),
                availability_zone: "eu-west-1a".into(),
                created: None,
                tags: [(text("Owner"), text("net"))].into(),
                relationships: vec![],
                configuration: json!({
                    "networkInterfaceId": "eni-1", "tags": [{"key": "Owner", "value": "net"}],
                    "requesterManaged": true, "groups": []
                }),
                supplementary: Map::new(),
            }
        );
        assert!(vpc(&types::Vpc::builder().build()).observe(&settings).is_err(), "a resource needs an id");
    }
}

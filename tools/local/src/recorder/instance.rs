//! `AWS::EC2::Instance`.
//!
//! A terminated instance has no item: AWS Config records its termination as a deletion, although EC2 lists it for an
//! hour. Source: aws-config-resource-schema, and captured notifications.

use aws_sdk_ec2::types::{
    GroupIdentifier, Instance, InstanceNetworkInterface, InstanceNetworkInterfaceAssociation, InstancePrivateIpAddress,
    InstanceStateName, InstanceType,
};
use serde_json::{Map, Value, json};

use super::observation::{Observation, iso, object, relationship, sorted, timestamp};
use super::tagged::{tag_map, tags};
use super::{RecorderError, failed, required};
use crate::engine::EngineSettings;

pub(super) async fn read(
    ec2: &aws_sdk_ec2::Client,
    settings: &EngineSettings,
) -> Result<Vec<Observation>, RecorderError> {
    let mut reservations = ec2.describe_instances().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(reservation) = reservations.next().await {
        let reservation = reservation.map_err(failed("ec2:DescribeInstances", "all instances"))?;
        let existing = reservation.instances().iter().filter(|it| !is_terminated(it));
        for instance in existing {
            observations.push(observe(instance, settings)?);
        }
    }
    Ok(observations)
}

fn is_terminated(instance: &Instance) -> bool {
    instance.state().and_then(|state| state.name()) == Some(&InstanceStateName::Terminated)
}

fn observe(instance: &Instance, settings: &EngineSettings) -> Result<Observation, RecorderError> {
    let EngineSettings { account, region, partition } = settings;
    let id = required("an instance", "instanceId", instance.instance_id())?;
    let zone = instance.placement().and_then(|it| it.availability_zone()).unwrap_or(region);
    let launched = instance.launch_time().and_then(timestamp);
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: None,
        arn: format!("arn:{partition}:ec2:{region}:{account}:instance/{id}"),
        region: region.clone(),
        availability_zone: zone.to_owned().into(),
        created: launched,
        tags: tag_map(instance.tags()),
        relationships: relationships(instance),
        configuration: json!({
            "instanceId": id,
            "imageId": instance.image_id(),
            "state": instance.state().map(|it| json!({"code": it.code(), "name": it.name().map(InstanceStateName::as_str)})),
            "instanceType": instance.instance_type().map(InstanceType::as_str),
            "launchTime": launched.map(iso),
            "placement": {"availabilityZone": zone},
            "subnetId": instance.subnet_id(),
            "vpcId": instance.vpc_id(),
            "privateIpAddress": instance.private_ip_address(),
            "publicIpAddress": instance.public_ip_address(),
            "securityGroups": groups(instance.security_groups()),
            "networkInterfaces": sorted(instance.network_interfaces().iter().map(interface)),
            "metadataOptions": metadata_options(instance),
            "tags": tags(instance.tags()),
        }),
        supplementary: Map::new(),
    })
}

fn relationships(instance: &Instance) -> Vec<Value> {
    let interfaces = instance.network_interfaces().iter().filter_map(|it| it.network_interface_id());
    let groups = instance.security_groups().iter().filter_map(|it| it.group_id());
    let volumes = instance.block_device_mappings().iter().filter_map(|it| it.ebs()?.volume_id());
    let all = interfaces
        .map(|id| ("AWS::EC2::NetworkInterface", id, "Contains NetworkInterface"))
        .chain(groups.map(|id| ("AWS::EC2::SecurityGroup", id, "Is associated with SecurityGroup")))
        .chain(instance.subnet_id().map(|id| ("AWS::EC2::Subnet", id, "Is contained in Subnet")))
        .chain(volumes.map(|id| ("AWS::EC2::Volume", id, "Is attached to Volume")))
        .chain(instance.vpc_id().map(|id| ("AWS::EC2::VPC", id, "Is contained in Vpc")));
    all.map(|(kind, id, name)| relationship(kind, id, None, name)).collect()
}

fn groups(groups: &[GroupIdentifier]) -> Value {
    sorted(groups.iter().map(|group| json!({"groupId": group.group_id(), "groupName": group.group_name()})))
}

fn interface(interface: &InstanceNetworkInterface) -> Value {
    let text = |value: Option<&str>| value.map(Value::from);
    let ipv6 = interface.ipv6_addresses().iter().map(|it| json!({"ipv6Address": it.ipv6_address()}));
    let attachment = interface.attachment().map(|it| {
        object([
            ("attachmentId", text(it.attachment_id())),
            ("deviceIndex", it.device_index().map(Value::from)),
            ("networkCardIndex", it.network_card_index().map(Value::from)),
            ("status", it.status().map(|status| status.as_str().into())),
            ("deleteOnTermination", it.delete_on_termination().map(Value::from)),
        ])
    });
    object([
        ("networkInterfaceId", text(interface.network_interface_id())),
        ("interfaceType", text(interface.interface_type())),
        ("subnetId", text(interface.subnet_id())),
        ("vpcId", text(interface.vpc_id())),
        ("ownerId", text(interface.owner_id())),
        ("groups", Some(groups(interface.groups()))),
        ("attachment", attachment),
        ("association", interface.association().map(association)),
        ("privateIpAddresses", Some(sorted(interface.private_ip_addresses().iter().map(private_address)))),
        ("ipv6Addresses", Some(sorted(ipv6))),
    ])
}

fn private_address(address: &InstancePrivateIpAddress) -> Value {
    object([
        ("privateIpAddress", address.private_ip_address().map(Value::from)),
        ("primary", address.primary().map(Value::from)),
        ("association", address.association().map(association)),
    ])
}

fn association(association: &InstanceNetworkInterfaceAssociation) -> Value {
    object([
        ("publicIp", association.public_ip().map(Value::from)),
        ("carrierIp", association.carrier_ip().map(Value::from)),
        ("ipOwnerId", association.ip_owner_id().map(Value::from)),
    ])
}

fn metadata_options(instance: &Instance) -> Value {
    let Some(options) = instance.metadata_options() else { return Value::Null };
    object([
        ("state", options.state().map(|it| it.as_str().into())),
        ("httpTokens", options.http_tokens().map(|it| it.as_str().into())),
        ("httpPutResponseHopLimit", options.http_put_response_hop_limit().map(Value::from)),
        ("httpEndpoint", options.http_endpoint().map(|it| it.as_str().into())),
        ("httpProtocolIpv6", options.http_protocol_ipv6().map(|it| it.as_str().into())),
        ("instanceMetadataTags", options.instance_metadata_tags().map(|it| it.as_str().into())),
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_ec2::types::{
        HttpTokensState, InstanceMetadataOptionsResponse, InstanceNetworkInterfaceAttachment, InstanceState, Placement,
        Tag,
    };

    use super::*;

    fn in_state(name: InstanceStateName) -> Instance {
        let group = GroupIdentifier::builder().group_id("sg-1").group_name("web").build();
        let attachment = InstanceNetworkInterfaceAttachment::builder().device_index(0).network_card_index(0).build();
        let interface = InstanceNetworkInterface::builder()
            .network_interface_id("eni-1")
            .interface_type("interface")
            .groups(group.clone())
            .association(InstanceNetworkInterfaceAssociation::builder().public_ip("203.0.113.7").build())
            .attachment(attachment);
        Instance::builder()
            .instance_id("i-1")
            .state(InstanceState::builder().code(16).name(name).build())
            .vpc_id("vpc-1")
            .placement(Placement::builder().availability_zone("eu-west-1b").build())
            .metadata_options(
                InstanceMetadataOptionsResponse::builder()
                    .http_tokens(HttpTokensState::Optional)
                    .http_put_response_hop_limit(2)
                    .build(),
            )
            .security_groups(group)
            .network_interfaces(interface.build())
            .tags(Tag::builder().key("Name").value("web").build())
            .build()
    }

    #[test]
    fn instance_becomes_an_aws_config_item() {
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("eu-west-1"), partition: text("aws-cn") };
        let observation = observe(&in_state(InstanceStateName::Running), &settings).unwrap();
        assert_eq!(observation.arn, "arn:aws-cn:ec2:eu-west-1:111122223333:instance/i-1");
        assert_eq!(observation.availability_zone, "eu-west-1b");
        assert_eq!(observation.tags, [(text("Name"), text("web"))].into());
        assert_eq!(observation.relationships.len(), 3);
        let groups = json!([{"groupId": "sg-1", "groupName": "web"}]);
        assert_eq!(
            observation.configuration,
            json!({
                "instanceId": "i-1", "imageId": null, "state": {"code": 16, "name": "running"}, "instanceType": null,
                "launchTime": null, "placement": {"availabilityZone": "eu-west-1b"}, "subnetId": null, "vpcId": "vpc-1",
                "privateIpAddress": null, "publicIpAddress": null, "securityGroups": groups,
                "networkInterfaces": [{
                    "networkInterfaceId": "eni-1", "interfaceType": "interface", "groups": groups,
                    "attachment": {"deviceIndex": 0, "networkCardIndex": 0}, "association": {"publicIp": "203.0.113.7"},
                    "privateIpAddresses": [], "ipv6Addresses": []
                }],
                "metadataOptions": {"httpTokens": "optional", "httpPutResponseHopLimit": 2},
                "tags": [{"key": "Name", "value": "web"}]
            })
        );
    }

    #[test]
    fn only_a_terminated_instance_counts_as_deleted() {
        for (state, deleted) in [
            (InstanceStateName::Terminated, true),
            (InstanceStateName::ShuttingDown, false),
            (InstanceStateName::Stopped, false),
        ] {
            assert_eq!(is_terminated(&in_state(state.clone())), deleted, "{state}");
        }
    }
}

//! Subnets, and what launched the instances in them.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{self, AttributeBooleanValue, Reservation};
use rectify_compliance::{AccountId, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::instances::{instance, operator};
use super::{Clients, filter, tags};
use rectify_ec2::SubnetAutoAssignPublicIpDisabled;
use rectify_ec2::controls::subnet_auto_assign_public_ip_disabled::{
    Attribute, SubnetAction, SubnetAutoAssignPublicIpDisabledParameters,
};
use rectify_ec2::resources::subnet::Subnet;

/// Instances per page, the API's maximum.
const INSTANCES_PER_PAGE: i32 = 1000;

impl Fix<Clients> for SubnetAutoAssignPublicIpDisabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &SubnetAutoAssignPublicIpDisabledParameters,
    ) -> Result<Option<Subnet>, AwsError> {
        let id = target.resource.id.as_str();
        let answer = match clients.ec2.describe_subnets().subnet_ids(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("ec2:DescribeSubnets", &error);
                return if error.is("InvalidSubnetID.NotFound") { Ok(None) } else { Err(error) };
            }
        };
        let Some(found) = answer.subnets().iter().find(|it| it.subnet_id() == Some(id)) else { return Ok(None) };
        let launchers = Some(clients.launchers(target).await?);
        Ok(Some(Subnet { launchers, ..subnet(found, target)? }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &SubnetAction) -> Result<(), AwsError> {
        let SubnetAction::ModifySubnetAttribute { subnet_id, attribute } = action;
        let request = clients.ec2.modify_subnet_attribute().subnet_id(subnet_id);
        let to = |value: &bool| AttributeBooleanValue::builder().value(*value).build();
        let request = match attribute {
            Attribute::MapPublicIpOnLaunch { value } => request.map_public_ip_on_launch(to(value)),
            Attribute::AssignIpv6AddressOnCreation { value } => request.assign_ipv6_address_on_creation(to(value)),
        };
        request.send().await.map(drop).map_err(|error| AwsError::call("ec2:ModifySubnetAttribute", &error))
    }
}

impl Clients {
    /// The groups, launch templates and services behind the instances in a subnet. A terminated instance counts: EC2
    /// lists it for about an hour, and its group is likely to replace it.
    async fn launchers(&self, target: &Target) -> Result<BTreeSet<String>, AwsError> {
        let request = self.ec2.describe_instances().include_managed_resources(true);
        let request = request.filters(filter("subnet-id", [target.resource.id.as_str()]));
        let mut pages = request.into_paginator().page_size(INSTANCES_PER_PAGE).send();
        let mut launchers = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeInstances", &error))?;
            for found in page.reservations().iter().flat_map(Reservation::instances) {
                launchers.extend(instance(found, &target.account, &target.region)?.launched_by());
                launchers.extend(operator(found.operator()));
            }
        }
        Ok(launchers)
    }
}

fn subnet(answer: &types::Subnet, target: &Target) -> Result<Subnet, ShapeError> {
    let id = target.resource.id.as_str();
    let owner = answer.owner_id().map_or_else(|| target.account.clone(), AccountId::new);
    Ok(Subnet {
        account: target.account.clone(),
        id: id.to_owned(),
        arn: Subnet::arn_of(&target.region, &owner, id),
        owner,
        default_for_az: answer.default_for_az().unwrap_or(false),
        ipv6_native: answer.ipv6_native().unwrap_or(false),
        map_public_ip_on_launch: answer
            .map_public_ip_on_launch()
            .ok_or_else(|| ShapeError::missing("Subnets.MapPublicIpOnLaunch", "a boolean"))?,
        assign_ipv6_address_on_creation: answer.assign_ipv6_address_on_creation().unwrap_or(false),
        launchers: None,
        tags: tags(answer.tags()),
    })
}

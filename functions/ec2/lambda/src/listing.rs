//! The ids of all resources of a type, for a scan.

use std::future::Future;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::VpnState;
use futures_util::TryStreamExt;
use rectify_compliance::{ResourceKey, ShapeError};
use rectify_runtime::AwsError;
use rectify_runtime::client::AccountRegion;

use rectify_ec2::resources::{instance, network_acl, security_group, subnet, volume};

use super::Clients;

impl Clients {
    /// All resources of a type, from all pages; `None` for a type of another service.
    pub(super) async fn listed(&self, place: &AccountRegion, kind: &str) -> Result<Option<Vec<ResourceKey>>, AwsError> {
        let ec2 = &self.ec2;
        let ids: Vec<Option<String>> = match kind {
            security_group::TYPE => return self.group_keys(place).try_concat().await.map(Some),
            instance::TYPE => return self.instance_keys().await.map(Some),
            network_acl::TYPE => {
                let all = ec2.describe_network_acls().into_paginator().items().send().try_collect();
                called("ec2:DescribeNetworkAcls", all).await?.into_iter().map(|it| it.network_acl_id).collect()
            }
            subnet::TYPE => {
                let all = ec2.describe_subnets().into_paginator().items().send().try_collect();
                called("ec2:DescribeSubnets", all).await?.into_iter().map(|it| it.subnet_id).collect()
            }
            volume::TYPE => {
                let all = ec2.describe_volumes().into_paginator().items().send().try_collect();
                called("ec2:DescribeVolumes", all).await?.into_iter().map(|it| it.volume_id).collect()
            }
            "AWS::EC2::InternetGateway" => {
                let all = ec2.describe_internet_gateways().into_paginator().items().send().try_collect();
                called("ec2:DescribeInternetGateways", all)
                    .await?
                    .into_iter()
                    .map(|it| it.internet_gateway_id)
                    .collect()
            }
            "AWS::EC2::NetworkInterface" => {
                let all = ec2.describe_network_interfaces().include_managed_resources(true);
                let all = all.into_paginator().items().send().try_collect();
                let all = called("ec2:DescribeNetworkInterfaces", all).await?;
                all.into_iter().map(|it| it.network_interface_id).collect()
            }
            "AWS::EC2::RouteTable" => {
                let all = ec2.describe_route_tables().into_paginator().items().send().try_collect();
                called("ec2:DescribeRouteTables", all).await?.into_iter().map(|it| it.route_table_id).collect()
            }
            "AWS::EC2::VPC" => {
                let all = ec2.describe_vpcs().into_paginator().items().send().try_collect();
                called("ec2:DescribeVpcs", all).await?.into_iter().map(|it| it.vpc_id).collect()
            }
            // The next three have no pages, and deleted ones stay visible for a while.
            "AWS::EC2::CustomerGateway" => {
                let all = called("ec2:DescribeCustomerGateways", ec2.describe_customer_gateways().send()).await?;
                let all = all.customer_gateways.unwrap_or_default().into_iter();
                all.filter(|it| it.state() != Some("deleted")).map(|it| it.customer_gateway_id).collect()
            }
            "AWS::EC2::VPNConnection" => {
                let all = called("ec2:DescribeVpnConnections", ec2.describe_vpn_connections().send()).await?;
                let all = all.vpn_connections.unwrap_or_default().into_iter();
                all.filter(|it| it.state() != Some(&VpnState::Deleted)).map(|it| it.vpn_connection_id).collect()
            }
            "AWS::EC2::VPNGateway" => {
                let all = called("ec2:DescribeVpnGateways", ec2.describe_vpn_gateways().send()).await?;
                let all = all.vpn_gateways.unwrap_or_default().into_iter();
                all.filter(|it| it.state() != Some(&VpnState::Deleted)).map(|it| it.vpn_gateway_id).collect()
            }
            _ => return Ok(None),
        };
        let key = |id: Option<String>| {
            id.map(|id| ResourceKey::new(kind, id)).ok_or_else(|| ShapeError::missing(kind, "an id"))
        };
        Ok(Some(ids.into_iter().map(key).collect::<Result<_, _>>()?))
    }
}

/// The answer of an operation.
async fn called<T, E: ProvideErrorMetadata>(
    operation: &'static str,
    call: impl Future<Output = Result<T, SdkError<E>>> + Send,
) -> Result<T, AwsError> {
    call.await.map_err(|error| AwsError::call(operation, &error))
}

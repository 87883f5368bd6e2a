//! What the remediation of `required-tags` may call: twelve types of EC2, each with its own read and its own ARN.

use rectify_compliance::Permission;

use super::GET_PARAMETER;

/// The types that are tagged, as their ARNs name them.
macro_rules! on_each_type {
    ($action:literal) => {
        on_each_type!(
            $action,
            "customer-gateway",
            "instance",
            "internet-gateway",
            "network-acl",
            "network-interface",
            "route-table",
            "security-group",
            "subnet",
            "volume",
            "vpc",
            "vpn-connection",
            "vpn-gateway"
        )
    };
    ($action:literal, $($noun:literal),+) => {
        &[$(Permission::on(
            $action,
            concat!("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:", $noun, "/*"),
        )),+]
    };
}

pub(super) const LIVE: &[Permission] = &[
    Permission::unscoped("ec2:DescribeCustomerGateways"),
    Permission::unscoped("ec2:DescribeInstances"),
    Permission::unscoped("ec2:DescribeInternetGateways"),
    Permission::unscoped("ec2:DescribeNetworkAcls"),
    Permission::unscoped("ec2:DescribeNetworkInterfaces"),
    Permission::unscoped("ec2:DescribeRouteTables"),
    Permission::unscoped("ec2:DescribeSecurityGroups"),
    Permission::unscoped("ec2:DescribeSubnets"),
    Permission::unscoped("ec2:DescribeVolumes"),
    Permission::unscoped("ec2:DescribeVpcs"),
    Permission::unscoped("ec2:DescribeVpnConnections"),
    Permission::unscoped("ec2:DescribeVpnGateways"),
    Permission::unscoped("tag:GetResources"),
    GET_PARAMETER,
];
pub(super) const CREATE: &[Permission] = on_each_type!("ec2:CreateTags");
pub(super) const DELETE: &[Permission] = on_each_type!("ec2:DeleteTags");

//! The permissions of the `required-tags` remediation: twelve EC2 resource types, each with its own read and ARN.

use rectify_compliance::Permission;

use crate::resources::stored_parameter::GET_PARAMETER;

/// The resource types that the remediation tags.
const ARNS: [&str; 12] = [
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:customer-gateway/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:internet-gateway/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-acl/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:route-table/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:volume/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpn-connection/*",
    "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpn-gateway/*",
];

/// One permission per resource type.
#[allow(clippy::indexing_slicing)] // evaluated at compile time: an index out of range does not compile
const fn on_each_type(action: &'static str) -> [Permission; ARNS.len()] {
    let mut all = [Permission::unscoped(action); ARNS.len()];
    let mut index = 0;
    while index < ARNS.len() {
        all[index] = Permission::on(action, ARNS[index]);
        index += 1;
    }
    all
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
pub(super) const CREATE: &[Permission] = &on_each_type("ec2:CreateTags");
pub(super) const DELETE: &[Permission] = &on_each_type("ec2:DeleteTags");

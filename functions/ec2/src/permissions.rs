//! IAM permissions that several controls share.

use rectify_compliance::Permission;

/// All security groups in the account and region.
const GROUPS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*";
/// All security group rules in the account and region.
const RULES: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group-rule/*";

/// An action that IAM cannot scope to a resource, in the deployment's region only.
pub const fn in_region(action: &'static str) -> Permission {
    Permission::unscoped(action).when("ec2:Region", "${AWS::Region}")
}

/// Snapshots, with their tags.
pub const DESCRIBE_SNAPSHOTS: Permission = in_region("ec2:DescribeSnapshots");
/// The block of public snapshots.
pub const GET_SNAPSHOT_BLOCK: Permission = in_region("ec2:GetSnapshotBlockPublicAccessState");

/// Instances with their metadata options and interfaces.
pub const DESCRIBE_INSTANCES: Permission = Permission::unscoped("ec2:DescribeInstances");
/// Groups with their rules, without rule ids.
pub const DESCRIBE_GROUPS: Permission = Permission::unscoped("ec2:DescribeSecurityGroups");
/// Rules with their ids and tags.
pub const DESCRIBE_RULES: Permission = Permission::unscoped("ec2:DescribeSecurityGroupRules");
/// The network interfaces that use a group.
pub const DESCRIBE_INTERFACES: Permission = Permission::unscoped("ec2:DescribeNetworkInterfaces");
/// The CIDRs in a prefix list, including lists of other accounts.
pub const READ_PREFIX_LIST: Permission =
    Permission::on("ec2:GetManagedPrefixListEntries", "arn:${AWS::Partition}:ec2:${AWS::Region}:*:prefix-list/*");

/// Revokes ingress rules. IAM authorizes both revocations on the group alone.
pub const REVOKE_INGRESS: Permission = Permission::on("ec2:RevokeSecurityGroupIngress", GROUPS);
/// Revokes egress rules.
pub const REVOKE_EGRESS: Permission = Permission::on("ec2:RevokeSecurityGroupEgress", GROUPS);

/// Authorizes ingress rules.
pub const AUTHORIZE_INGRESS: [Permission; 2] = [
    Permission::on("ec2:AuthorizeSecurityGroupIngress", GROUPS),
    Permission::on("ec2:AuthorizeSecurityGroupIngress", RULES),
];
/// Authorizes egress rules.
pub const AUTHORIZE_EGRESS: [Permission; 2] = [
    Permission::on("ec2:AuthorizeSecurityGroupEgress", GROUPS),
    Permission::on("ec2:AuthorizeSecurityGroupEgress", RULES),
];
/// Tags ingress rules on creation.
pub const TAG_NEW_INGRESS: Permission =
    Permission::on("ec2:CreateTags", RULES).when("ec2:CreateAction", "AuthorizeSecurityGroupIngress");
/// Tags egress rules on creation.
pub const TAG_NEW_EGRESS: Permission =
    Permission::on("ec2:CreateTags", RULES).when("ec2:CreateAction", "AuthorizeSecurityGroupEgress");

/// Reads the facts for a control that limits which ports the internet can reach.
pub const INTERNET_FACTS: &[Permission] = &[DESCRIBE_INTERFACES, READ_PREFIX_LIST];
/// Lists the groups for such a control.
pub const INTERNET_LISTING: &[Permission] = &[DESCRIBE_GROUPS, DESCRIBE_INTERFACES, READ_PREFIX_LIST];
/// Reads the live state for the remediation of such a control.
pub const INTERNET_LIVE: &[Permission] = &[DESCRIBE_GROUPS, DESCRIBE_RULES, DESCRIBE_INTERFACES, READ_PREFIX_LIST];
/// Recreates revoked ingress rules.
pub const REOPEN_INGRESS: &[Permission] = &[AUTHORIZE_INGRESS[0], AUTHORIZE_INGRESS[1], TAG_NEW_INGRESS];
/// Recreates revoked rules in both directions.
pub const REOPEN: &[Permission] = &[
    AUTHORIZE_INGRESS[0],
    AUTHORIZE_INGRESS[1],
    AUTHORIZE_EGRESS[0],
    AUTHORIZE_EGRESS[1],
    TAG_NEW_INGRESS,
    TAG_NEW_EGRESS,
];

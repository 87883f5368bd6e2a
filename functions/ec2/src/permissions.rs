//! The IAM permissions that several controls need, each once.

use rectify_compliance::Permission;

/// Any security group of the account and region.
const GROUPS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*";
/// Any rule of one.
const RULES: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group-rule/*";

/// Instances with their metadata options and interfaces.
pub const DESCRIBE_INSTANCES: Permission = Permission::unscoped("ec2:DescribeInstances");
/// Groups with the rules in them, without the rules' ids.
pub const DESCRIBE_GROUPS: Permission = Permission::unscoped("ec2:DescribeSecurityGroups");
/// Rules with their ids and tags.
pub const DESCRIBE_RULES: Permission = Permission::unscoped("ec2:DescribeSecurityGroupRules");
/// Who uses a group.
pub const DESCRIBE_INTERFACES: Permission = Permission::unscoped("ec2:DescribeNetworkInterfaces");
/// The CIDRs behind a prefix list, another account's included.
pub const READ_PREFIX_LIST: Permission =
    Permission::on("ec2:GetManagedPrefixListEntries", "arn:${AWS::Partition}:ec2:${AWS::Region}:*:prefix-list/*");

/// Closes a group inwards. Both revocations are authorized on the group alone.
pub const REVOKE_INGRESS: Permission = Permission::on("ec2:RevokeSecurityGroupIngress", GROUPS);
/// Closes it outwards.
pub const REVOKE_EGRESS: Permission = Permission::on("ec2:RevokeSecurityGroupEgress", GROUPS);

/// Opens a group inwards.
pub const AUTHORIZE_INGRESS: [Permission; 2] = [
    Permission::on("ec2:AuthorizeSecurityGroupIngress", GROUPS),
    Permission::on("ec2:AuthorizeSecurityGroupIngress", RULES),
];
/// Opens it outwards.
pub const AUTHORIZE_EGRESS: [Permission; 2] = [
    Permission::on("ec2:AuthorizeSecurityGroupEgress", GROUPS),
    Permission::on("ec2:AuthorizeSecurityGroupEgress", RULES),
];
/// Gives rules their tags while they are made, inwards.
pub const TAG_NEW_INGRESS: Permission =
    Permission::on("ec2:CreateTags", RULES).when("ec2:CreateAction", "AuthorizeSecurityGroupIngress");
/// Outwards.
pub const TAG_NEW_EGRESS: Permission =
    Permission::on("ec2:CreateTags", RULES).when("ec2:CreateAction", "AuthorizeSecurityGroupEgress");

/// The facts of a control that says which ports the internet may reach.
pub const INTERNET_FACTS: &[Permission] = &[DESCRIBE_INTERFACES, READ_PREFIX_LIST];
/// The listing of such a control.
pub const INTERNET_LISTING: &[Permission] = &[DESCRIBE_GROUPS, DESCRIBE_INTERFACES, READ_PREFIX_LIST];
/// The live read of such a control's remediation.
pub const INTERNET_LIVE: &[Permission] = &[DESCRIBE_GROUPS, DESCRIBE_RULES, DESCRIBE_INTERFACES, READ_PREFIX_LIST];
/// What makes revoked ingress rules again.
pub const REOPEN_INGRESS: &[Permission] = &[AUTHORIZE_INGRESS[0], AUTHORIZE_INGRESS[1], TAG_NEW_INGRESS];
/// What makes revoked rules of both directions again.
pub const REOPEN: &[Permission] = &[
    AUTHORIZE_INGRESS[0],
    AUTHORIZE_INGRESS[1],
    AUTHORIZE_EGRESS[0],
    AUTHORIZE_EGRESS[1],
    TAG_NEW_INGRESS,
    TAG_NEW_EGRESS,
];

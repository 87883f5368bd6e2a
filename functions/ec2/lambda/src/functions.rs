//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "restricted-ssh", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_ec2::controls::restricted_ssh::RESTRICTED_SSH).serve() },
    Function { name: "restricted-ssh-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::restricted_ssh::RESTRICTED_SSH).serve() },
    Function { name: "ec2-ebs-encryption-by-default", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_ec2::controls::ec2_ebs_encryption_by_default::EC2_EBS_ENCRYPTION_BY_DEFAULT).serve() },
    Function { name: "ec2-ebs-encryption-by-default-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::ec2_ebs_encryption_by_default::EC2_EBS_ENCRYPTION_BY_DEFAULT).serve() },
    Function { name: "ebs-snapshot-block-public-access", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_ec2::controls::ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS).serve() },
    Function { name: "ebs-snapshot-block-public-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS).serve() },
    Function { name: "ebs-snapshot-public-restorable-check", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_ec2::controls::ebs_snapshot_public_restorable_check::EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK).serve() },
    Function { name: "ebs-snapshot-public-restorable-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::ebs_snapshot_public_restorable_check::EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK).serve() },
    Function { name: "restricted-common-ports", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_ec2::controls::restricted_common_ports::RESTRICTED_COMMON_PORTS).serve() },
    Function { name: "restricted-common-ports-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::restricted_common_ports::RESTRICTED_COMMON_PORTS).serve() },
    Function { name: "vpc-default-security-group-closed", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_ec2::controls::vpc_default_security_group_closed::VPC_DEFAULT_SECURITY_GROUP_CLOSED).serve() },
    Function { name: "vpc-default-security-group-closed-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::vpc_default_security_group_closed::VPC_DEFAULT_SECURITY_GROUP_CLOSED).serve() },
    Function { name: "vpc-flow-logs-enabled", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_ec2::controls::vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED).serve() },
    Function { name: "vpc-flow-logs-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED).serve() },
    Function { name: "vpc-sg-open-only-to-authorized-ports", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_ec2::controls::vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS).serve() },
    Function { name: "vpc-sg-open-only-to-authorized-ports-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS).serve() },
    Function { name: "ec2-imdsv2-check", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_ec2::controls::ec2_imdsv2_check::EC2_IMDSV2_CHECK).serve() },
    Function { name: "ec2-imdsv2-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::ec2_imdsv2_check::EC2_IMDSV2_CHECK).serve() },
    Function { name: "ec2-instance-required-security-group", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_ec2::controls::ec2_instance_required_security_group::EC2_INSTANCE_REQUIRED_SECURITY_GROUP).serve() },
    Function { name: "ec2-instance-required-security-group-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::ec2_instance_required_security_group::EC2_INSTANCE_REQUIRED_SECURITY_GROUP).serve() },
    Function { name: "required-tags", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_ec2::controls::required_tags::REQUIRED_TAGS).serve() },
    Function { name: "required-tags-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::required_tags::REQUIRED_TAGS).serve() },
    Function { name: "security-group-drift", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_ec2::controls::security_group_drift::SECURITY_GROUP_DRIFT).serve() },
    Function { name: "security-group-drift-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::security_group_drift::SECURITY_GROUP_DRIFT).serve() },
    Function { name: "ec2-instance-no-public-ip", serve: || rectify_runtime::rule::on_item(&rectify_ec2::controls::ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP).serve() },
    Function { name: "ec2-instance-no-public-ip-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP).serve() },
    Function { name: "encrypted-volumes", serve: || rectify_runtime::rule::on_item(&rectify_ec2::controls::encrypted_volumes::ENCRYPTED_VOLUMES).serve() },
    Function { name: "encrypted-volumes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::encrypted_volumes::ENCRYPTED_VOLUMES).serve() },
    Function { name: "nacl-no-unrestricted-ssh-rdp", serve: || rectify_runtime::rule::on_item(&rectify_ec2::controls::nacl_no_unrestricted_ssh_rdp::NACL_NO_UNRESTRICTED_SSH_RDP).serve() },
    Function { name: "nacl-no-unrestricted-ssh-rdp-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::nacl_no_unrestricted_ssh_rdp::NACL_NO_UNRESTRICTED_SSH_RDP).serve() },
    Function { name: "subnet-auto-assign-public-ip-disabled", serve: || rectify_runtime::rule::on_item(&rectify_ec2::controls::subnet_auto_assign_public_ip_disabled::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED).serve() },
    Function { name: "subnet-auto-assign-public-ip-disabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ec2::controls::subnet_auto_assign_public_ip_disabled::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::restricted_ssh::RESTRICTED_SSH),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::ec2_ebs_encryption_by_default::EC2_EBS_ENCRYPTION_BY_DEFAULT),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::ebs_snapshot_public_restorable_check::EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::restricted_common_ports::RESTRICTED_COMMON_PORTS),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::vpc_default_security_group_closed::VPC_DEFAULT_SECURITY_GROUP_CLOSED),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::ec2_imdsv2_check::EC2_IMDSV2_CHECK),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::ec2_instance_required_security_group::EC2_INSTANCE_REQUIRED_SECURITY_GROUP),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::required_tags::REQUIRED_TAGS),
    || Operations::listed::<_, Clients>(&rectify_ec2::controls::security_group_drift::SECURITY_GROUP_DRIFT),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::encrypted_volumes::ENCRYPTED_VOLUMES),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::nacl_no_unrestricted_ssh_rdp::NACL_NO_UNRESTRICTED_SSH_RDP),
    || Operations::of::<_, Clients>(&rectify_ec2::controls::subnet_auto_assign_public_ip_disabled::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED),
];

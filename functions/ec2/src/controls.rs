//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod ebs_snapshot_block_public_access;
pub mod ebs_snapshot_public_restorable_check;
pub mod ec2_ebs_encryption_by_default;
pub mod ec2_imdsv2_check;
pub mod ec2_instance_no_public_ip;
pub mod ec2_instance_required_security_group;
pub mod encrypted_volumes;
pub mod nacl_no_unrestricted_ssh_rdp;
pub mod required_tags;
pub mod restricted_common_ports;
pub mod restricted_ssh;
pub mod security_group_drift;
pub mod subnet_auto_assign_public_ip_disabled;
pub mod vpc_default_security_group_closed;
pub mod vpc_flow_logs_enabled;
pub mod vpc_sg_open_only_to_authorized_ports;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change, on_change_and_schedule, on_item, on_schedule};

/// Every control of this crate.
pub const CONTROLS: &[Entry] = &[
    on_change_and_schedule(&restricted_ssh::RESTRICTED_SSH).remediated(),
    on_schedule(&ec2_ebs_encryption_by_default::EC2_EBS_ENCRYPTION_BY_DEFAULT).remediated(),
    on_schedule(&ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS).remediated(),
    on_schedule(&ebs_snapshot_public_restorable_check::EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK).remediated(),
    on_change_and_schedule(&restricted_common_ports::RESTRICTED_COMMON_PORTS).remediated(),
    on_change(&vpc_default_security_group_closed::VPC_DEFAULT_SECURITY_GROUP_CLOSED).remediated(),
    on_schedule(&vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED).remediated(),
    on_change_and_schedule(&vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS).remediated(),
    on_change(&ec2_imdsv2_check::EC2_IMDSV2_CHECK).remediated(),
    on_change_and_schedule(&ec2_instance_required_security_group::EC2_INSTANCE_REQUIRED_SECURITY_GROUP).remediated(),
    on_change(&required_tags::REQUIRED_TAGS).remediated(),
    on_change_and_schedule(&security_group_drift::SECURITY_GROUP_DRIFT).remediated(),
    on_item(&ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP).remediated(),
    on_item(&encrypted_volumes::ENCRYPTED_VOLUMES).remediated(),
    on_item(&nacl_no_unrestricted_ssh_rdp::NACL_NO_UNRESTRICTED_SSH_RDP).remediated(),
    on_item(&subnet_auto_assign_public_ip_disabled::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED).remediated(),
];

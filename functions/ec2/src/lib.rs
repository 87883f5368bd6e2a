//! EC2 controls: security groups, instances, tags and account-level EBS encryption.
//!
//! No SDK is linked, so the decision logic compiles and tests in seconds. The API calls are in `rectify-ec2-lambda`.

pub mod controls;
pub mod families;
pub mod resources;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
pub(crate) mod group_laws;
pub mod permissions;

pub use controls::CONTROLS;
pub use controls::ec2_ebs_encryption_by_default::{EC2_EBS_ENCRYPTION_BY_DEFAULT, Ec2EbsEncryptionByDefault};
pub use controls::ec2_imdsv2_check::{EC2_IMDSV2_CHECK, Ec2Imdsv2Check};
pub use controls::ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP;
pub use controls::ec2_instance_required_security_group::{
    EC2_INSTANCE_REQUIRED_SECURITY_GROUP, Ec2InstanceRequiredSecurityGroup,
};
pub use controls::encrypted_volumes::ENCRYPTED_VOLUMES;
pub use controls::nacl_no_unrestricted_ssh_rdp::{NACL_NO_UNRESTRICTED_SSH_RDP, NaclNoUnrestrictedSshRdp};
pub use controls::required_tags::{REQUIRED_TAGS, RequiredTags};
pub use controls::restricted_common_ports::RESTRICTED_COMMON_PORTS;
pub use controls::restricted_ssh::RESTRICTED_SSH;
pub use controls::security_group_drift::{SECURITY_GROUP_DRIFT, SecurityGroupDrift};
pub use controls::subnet_auto_assign_public_ip_disabled::{
    SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, SubnetAutoAssignPublicIpDisabled,
};
pub use controls::vpc_default_security_group_closed::{
    VPC_DEFAULT_SECURITY_GROUP_CLOSED, VpcDefaultSecurityGroupClosed,
};
pub use controls::vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS;

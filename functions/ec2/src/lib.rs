//! EC2 controls: security groups, instances, tags and account-level EBS encryption.
//!
//! | module | noun |
//! |---|---|
//! | [`restricted_ssh`] | the control: no security group lets the internet reach SSH |
//! | [`restricted_common_ports`] | the control: no security group lets the internet reach administrative or database ports |
//! | [`vpc_default_security_group_closed`] | the control: the default group of a VPC lets nothing through |
//! | [`vpc_sg_open_only_to_authorized_ports`] | the control: what the internet reaches, somebody has authorized |
//! | [`security_group_drift`] | the control: a security group is what was approved |
//! | [`ec2_ebs_encryption_by_default`] | the control: new EBS volumes are encrypted without anybody asking |
//! | [`ec2_imdsv2_check`] | the control: no instance answers metadata requests without a session token |
//! | [`ec2_instance_required_security_group`] | the control: every instance has the groups that are mandatory in its VPC |
//! | [`group_requirement`] | which groups are asked for, and which of those there are satisfy it |
//! | [`group_demand`] | what that asks of the interfaces of one instance |
//! | [`instance_groups`] | an instance with its interfaces and their groups |
//! | [`instance`] | an instance: which one, whether it lives, who runs it |
//! | [`instance_metadata`] | how an instance's metadata service is set up, and who still calls it without a token |
//! | [`required_tags`] | the control: every resource has the tags that are asked for |
//! | [`tag_requirement`] | which tags a resource must have, and what is wrong with those it has |
//! | [`tagged_resource`] | a resource of any type that has tags |
//! | [`ownership`] | whether an AWS service owns a resource |
//! | [`stored_parameter`] | parameters kept in Systems Manager: the permission to read them, and their values |
//! | [`security_group`] | a group, its surroundings, and both as the subject of its controls |
//! | [`permission`] | the peers of one permission, flattened into rules |
//! | [`baseline`] | the approved rules of a group, and the document they are kept as |
//! | [`drift_parameters`] | where baselines are, and which differences count |
//! | [`drift`] | a group beside its baseline, and how they differ |
//! | [`rule`] | one rule with one peer |
//! | [`live_rule`] | a rule as a live read answers it, with id and tags |
//! | [`openness`] | which rules let the internet in, alone or together |
//! | [`authorization`] | the calls that open a group, as data |
//! | [`revocation`] | the calls that close a group, as data, with their model, their undo and the plan around them |
//! | [`open_ports`] | the controls that say which ports the internet may reach: their judgement and plan |
//! | [`port_limits`] | which ports those are, and what follows about a rule |
//! | [`internet`] | what counts as the internet |
//! | [`iam`] | the permissions of all that, each once |
//!
//! No SDK is linked: everything that decides compiles and tests in seconds. The calls are in `rectify-ec2-lambda`.

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod authorization;
pub mod baseline;
pub mod drift;
pub mod drift_parameters;
pub mod ec2_ebs_encryption_by_default;
pub mod ec2_imdsv2_check;
pub mod ec2_instance_required_security_group;
pub mod group_demand;
#[cfg(test)]
pub(crate) mod group_laws;
pub mod group_requirement;
pub mod iam;
pub mod instance;
pub mod instance_groups;
pub mod instance_metadata;
pub mod internet;
pub mod live_rule;
pub mod open_ports;
pub mod openness;
pub mod ownership;
pub mod permission;
pub mod port_limits;
pub mod required_tags;
pub mod restricted_common_ports;
pub mod restricted_ssh;
pub mod revocation;
pub mod rule;
pub mod security_group;
pub mod security_group_drift;
pub mod stored_parameter;
pub mod tag_requirement;
pub mod tagged_resource;
pub mod vpc_default_security_group_closed;
pub mod vpc_sg_open_only_to_authorized_ports;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change, on_change_and_schedule, on_schedule};

pub use ec2_ebs_encryption_by_default::{EC2_EBS_ENCRYPTION_BY_DEFAULT, Ec2EbsEncryptionByDefault};
pub use ec2_imdsv2_check::{EC2_IMDSV2_CHECK, Ec2Imdsv2Check};
pub use ec2_instance_required_security_group::{
    EC2_INSTANCE_REQUIRED_SECURITY_GROUP, Ec2InstanceRequiredSecurityGroup,
};
pub use required_tags::{REQUIRED_TAGS, RequiredTags};
pub use restricted_common_ports::RESTRICTED_COMMON_PORTS;
pub use restricted_ssh::RESTRICTED_SSH;
pub use security_group_drift::{SECURITY_GROUP_DRIFT, SecurityGroupDrift};
pub use vpc_default_security_group_closed::{VPC_DEFAULT_SECURITY_GROUP_CLOSED, VpcDefaultSecurityGroupClosed};
pub use vpc_sg_open_only_to_authorized_ports::VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS;

/// Every control of this crate.
pub const CONTROLS: &[Entry] = &[
    on_change_and_schedule(&RESTRICTED_SSH).remediated(),
    on_schedule(&EC2_EBS_ENCRYPTION_BY_DEFAULT).remediated(),
    on_change_and_schedule(&RESTRICTED_COMMON_PORTS).remediated(),
    on_change(&VPC_DEFAULT_SECURITY_GROUP_CLOSED).remediated(),
    on_change_and_schedule(&VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS).remediated(),
    on_change(&EC2_IMDSV2_CHECK).remediated(),
    on_change_and_schedule(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP).remediated(),
    on_change(&REQUIRED_TAGS).remediated(),
    on_change_and_schedule(&SECURITY_GROUP_DRIFT).remediated(),
];

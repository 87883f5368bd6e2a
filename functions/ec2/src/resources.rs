//! Resources as AWS reports them, in configuration items and in API responses. Knows no control.

pub mod flow_log;
pub mod instance;
pub mod instance_addresses;
pub mod instance_groups;
pub mod instance_metadata;
pub mod internet;
pub mod live_rule;
pub mod network_acl;
pub mod ownership;
pub mod permission;
pub mod rule;
pub mod security_group;
pub mod snapshot_block;
pub mod stored_parameter;
pub mod subnet;
pub mod tagged_resource;
pub mod volume;

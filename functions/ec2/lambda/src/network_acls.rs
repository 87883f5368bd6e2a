//! Network ACLs and their entries.

use aws_sdk_ec2::types::{self, PortRange};
use rectify_compliance::{ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::{Clients, tags};
use rectify_ec2::NaclNoUnrestrictedSshRdp;
use rectify_ec2::controls::nacl_no_unrestricted_ssh_rdp::{AclAction, AclUndo, NaclNoUnrestrictedSshRdpParameters};
use rectify_ec2::resources::network_acl::{NetworkAcl, RuleAction, StatedEntry, StatedRange};

impl Fix<Clients> for NaclNoUnrestrictedSshRdp {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &NaclNoUnrestrictedSshRdpParameters,
    ) -> Result<Option<NetworkAcl>, AwsError> {
        let id = target.resource.id.as_str();
        let answer = match clients.ec2.describe_network_acls().network_acl_ids(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("ec2:DescribeNetworkAcls", &error);
                return if error.is("InvalidNetworkAclID.NotFound") { Ok(None) } else { Err(error) };
            }
        };
        let found = answer.network_acls().iter().find(|it| it.network_acl_id() == Some(id));
        found.map(|it| network_acl(it, target)).transpose().map_err(Into::into)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &AclAction) -> Result<(), AwsError> {
        let AclAction::DeleteNetworkAclEntry { network_acl_id, rule_number, egress } = action;
        let request = clients.ec2.delete_network_acl_entry().network_acl_id(network_acl_id).rule_number(*rule_number);
        let answer = request.egress(*egress).send().await;
        let answer = answer.map_err(|error| AwsError::call("ec2:DeleteNetworkAclEntry", &error));
        unless(answer.map(drop), "InvalidNetworkAclEntry.NotFound")
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &AclUndo) -> Result<(), AwsError> {
        let AclUndo::CreateNetworkAclEntry {
            network_acl_id,
            rule_number,
            egress,
            protocol,
            rule_action,
            cidr_block,
            ipv6_cidr_block,
            port_range,
        } = undo;
        let action = match rule_action {
            RuleAction::Allow => types::RuleAction::Allow,
            RuleAction::Deny => types::RuleAction::Deny,
        };
        let ports = PortRange::builder().from(port_range.from.into()).to(port_range.to.into()).build();
        let request = clients.ec2.create_network_acl_entry().network_acl_id(network_acl_id).rule_number(*rule_number);
        let request = request.egress(*egress).protocol(protocol).rule_action(action).port_range(ports);
        let request = request.set_cidr_block(cidr_block.map(|it| it.to_string()));
        let answer = request.set_ipv6_cidr_block(ipv6_cidr_block.map(|it| it.to_string())).send().await;
        let answer = answer.map_err(|error| AwsError::call("ec2:CreateNetworkAclEntry", &error));
        // Undo compares the entries afterwards: another one with this number does not pass for the restored one.
        unless(answer.map(drop), "NetworkAclEntryAlreadyExists")
    }
}

/// The call succeeded, or the error shows that it is already in effect.
fn unless(answer: Result<(), AwsError>, in_effect: &str) -> Result<(), AwsError> {
    answer.or_else(|error| if error.is(in_effect) { Ok(()) } else { Err(error) })
}

fn network_acl(answer: &types::NetworkAcl, target: &Target) -> Result<NetworkAcl, ShapeError> {
    let id = target.resource.id.as_str();
    Ok(NetworkAcl {
        id: id.to_owned(),
        arn: NetworkAcl::arn_of(&target.region, &target.account, id),
        is_default: answer.is_default().unwrap_or(false),
        subnets: answer.associations().iter().filter_map(|it| it.subnet_id().map(str::to_owned)).collect(),
        entries: NetworkAcl::entries_of(answer.entries().iter().map(stated)).map_err(|error| error.within(id))?,
        tags: tags(answer.tags()),
    })
}

fn stated(entry: &types::NetworkAclEntry) -> StatedEntry {
    StatedEntry {
        egress: entry.egress(),
        rule_number: entry.rule_number(),
        rule_action: entry.rule_action().map(|it| it.as_str().to_owned()),
        protocol: entry.protocol().map(str::to_owned),
        port_range: entry.port_range().map(|it| StatedRange { from: it.from(), to: it.to() }),
        cidr_block: entry.cidr_block().map(str::to_owned),
        ipv6_cidr_block: entry.ipv6_cidr_block().map(str::to_owned),
    }
}

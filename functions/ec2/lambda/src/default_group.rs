//! The default group of a VPC: the rule needs only its item, the fix needs its usage.

use rectify_compliance::{NoParameters, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, ReadFacts};

use super::Clients;
use rectify_ec2::VpcDefaultSecurityGroupClosed;
use rectify_ec2::controls::vpc_default_security_group_closed::NamedGroup;
use rectify_ec2::families::authorization::Authorize;
use rectify_ec2::families::revocation::Revoke;
use rectify_ec2::resources::security_group::{GroupInNetwork, Network};

impl ReadFacts<Clients> for VpcDefaultSecurityGroupClosed {
    async fn facts(
        &self,
        _clients: &Clients,
        _target: &Target,
        _group: &NamedGroup,
        _params: &NoParameters,
    ) -> Result<Option<()>, AwsError> {
        Ok(Some(()))
    }
}

impl Fix<Clients> for VpcDefaultSecurityGroupClosed {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &NoParameters,
    ) -> Result<Option<GroupInNetwork>, AwsError> {
        let Some(group) = clients.group(target).await? else { return Ok(None) };
        let usage = Some(clients.usage(&group.id).await?);
        Ok(Some(GroupInNetwork { group, network: Network { usage, ..Network::default() } }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Revoke) -> Result<(), AwsError> {
        clients.close(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Authorize) -> Result<(), AwsError> {
        clients.reopen(undo).await
    }
}

//! The controls of ports open to the internet: reading, listing, revoking and reauthorizing.

use futures_util::stream::try_unfold;
use futures_util::{Stream, StreamExt};
use rectify_compliance::{Parameters, ResourceKey, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page, ReadFacts};

use super::Clients;
use super::network::PrefixLists;
use rectify_ec2::families::authorization::Authorize;
use rectify_ec2::families::open_ports::OpenPorts;
use rectify_ec2::families::revocation::Revoke;
use rectify_ec2::resources::security_group::{GroupInNetwork, Network, SecurityGroup};

impl<P: Parameters> ReadFacts<Clients> for OpenPorts<P> {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        group: &SecurityGroup,
        params: &P,
    ) -> Result<Option<Network>, AwsError> {
        clients.network(group, &(self.limits)(params)).await.map(Some)
    }
}

impl<P: Parameters> List<Clients> for OpenPorts<P> {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a P,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<GroupInNetwork>, AwsError>> + Send + 'a {
        let pages = Box::pin(clients.group_pages(place, from));
        let start = (pages, PrefixLists::default(), (self.limits)(params));
        try_unfold(start, move |(mut pages, mut lists, limits)| async move {
            let Some(groups) = pages.next().await.transpose()? else { return Ok(None) };
            let page = clients.with_network(groups, &mut lists, &limits).await?;
            Ok(Some((page, (pages, lists, limits))))
        })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a P,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        clients.group_keys(place)
    }
}

impl<P: Parameters> Fix<Clients> for OpenPorts<P> {
    async fn live(&self, clients: &Clients, target: &Target, params: &P) -> Result<Option<GroupInNetwork>, AwsError> {
        let Some(group) = clients.group(target).await? else { return Ok(None) };
        let wanted = (self.limits)(params).prefix_lists_to_read(&group);
        let prefix_lists = PrefixLists::default().read(clients, &wanted).await?;
        let usage = Some(clients.usage(&group.id).await?.unnamed());
        Ok(Some(GroupInNetwork { group, network: Network { prefix_lists, usage } }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Revoke) -> Result<(), AwsError> {
        clients.close(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Authorize) -> Result<(), AwsError> {
        clients.reopen(undo).await
    }
}

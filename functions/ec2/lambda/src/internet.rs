//! The controls that ask what the internet reaches: all read, list, close and reopen groups the same way.

use futures_util::stream::try_unfold;
use futures_util::{Stream, StreamExt};
use rectify_compliance::{ResourceKey, Target};
use rectify_runtime::AwsError;
use rectify_runtime::edge::{Fix, List, Page, Place, ReadFacts};

use super::Clients;
use super::network::PrefixLists;
use rectify_ec2::authorization::Open;
use rectify_ec2::internet::InternetParameters;
use rectify_ec2::revocation::Close;
use rectify_ec2::security_group::{GroupInNetwork, Network, SecurityGroup};
use rectify_ec2::{RestrictedCommonPorts, RestrictedSsh, VpcSgOpenOnlyToAuthorizedPorts};

/// Gives a control the edge that all of them share. A macro, since neither the traits nor a type parameter is this crate's.
macro_rules! asks_what_the_internet_reaches {
    ($($control:ty),+ $(,)?) => {$(
        impl ReadFacts<Clients> for $control {
            async fn facts(
                &self, clients: &Clients,
                _target: &Target,
                group: &SecurityGroup,
                params: &Self::Params,
            ) -> Result<Option<Network>, AwsError> {
                clients.network(group, params).await.map(Some)
            }
        }

        impl List<Clients> for $control {
            fn pages<'a>(
                &'a self, clients: &'a Clients,
                place: &'a Place,
                params: &'a Self::Params,
                from: Option<String>,
            ) -> impl Stream<Item = Result<Page<GroupInNetwork>, AwsError>> + Send + 'a {
                clients.groups_in_network(place, params, from)
            }

            fn keys<'a>(
                &'a self, clients: &'a Clients,
                place: &'a Place,
                _params: &'a Self::Params,
            ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
                clients.group_keys(place)
            }
        }

        impl Fix<Clients> for $control {
            async fn live(
                &self, clients: &Clients,
                target: &Target,
                params: &Self::Params,
            ) -> Result<Option<GroupInNetwork>, AwsError> {
                clients.live_in_network(target, params).await
            }

            async fn apply(&self, clients: &Clients, _target: &Target, action: &Close) -> Result<(), AwsError> {
                clients.close(action).await
            }

            async fn revert(&self, clients: &Clients, _target: &Target, undo: &Open) -> Result<(), AwsError> {
                clients.reopen(undo).await
            }
        }

    )+};
}

asks_what_the_internet_reaches!(RestrictedSsh, RestrictedCommonPorts, VpcSgOpenOnlyToAuthorizedPorts);

impl Clients {
    fn groups_in_network<'a, P: InternetParameters>(
        &'a self,
        place: &'a Place,
        params: &'a P,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<GroupInNetwork>, AwsError>> + Send + 'a {
        let pages = Box::pin(self.group_pages(place, from));
        try_unfold((pages, PrefixLists::default()), move |(mut pages, mut lists)| async move {
            let Some(groups) = pages.next().await.transpose()? else { return Ok(None) };
            let page = self.surround(groups, &mut lists, params).await?;
            Ok(Some((page, (pages, lists))))
        })
    }

    async fn live_in_network(
        &self,
        target: &Target,
        params: &impl InternetParameters,
    ) -> Result<Option<GroupInNetwork>, AwsError> {
        let Some(group) = self.group(target).await? else { return Ok(None) };
        let prefix_lists = PrefixLists::default().read(self, &params.prefix_lists_to_read(&group)).await?;
        let usage = Some(self.usage(&group.id).await?.unnamed());
        Ok(Some(GroupInNetwork { group, network: Network { prefix_lists, usage } }))
    }
}

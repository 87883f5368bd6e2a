//! The trails of an account: read completely, and changed in their home region.

use aws_sdk_cloudtrail::types;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::{Clients, updated};
use rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::{
    MultiRegionCloudtrailEnabled, MultiRegionCloudtrailEnabledParameters,
};
use rectify_cloudtrail::resources::account_trails::AccountTrails;
use rectify_cloudtrail::resources::recording::{Action, Undo};
use rectify_cloudtrail::resources::selectors::{
    AdvancedEventSelector, EventSelector, FieldSelector, ReadWriteType, Selectors,
};
use rectify_cloudtrail::resources::trail::{ObservedFrom, region_of};

impl List<Clients> for MultiRegionCloudtrailEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a MultiRegionCloudtrailEnabledParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<AccountTrails>, AwsError>> + Send + 'a {
        once(async move { Ok(Page::whole([clients.account_trails(&place.account, &place.region).await?])) })
    }
}

impl Fix<Clients> for MultiRegionCloudtrailEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &MultiRegionCloudtrailEnabledParameters,
    ) -> Result<Option<AccountTrails>, AwsError> {
        clients.account_trails(&target.account, &target.region).await.map(Some)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        match action {
            Action::StartLogging { name } => {
                let request = clients.in_home_region(name)?.start_logging().name(name);
                request.send().await.map_err(|error| AwsError::call("cloudtrail:StartLogging", &error))?;
                Ok(())
            }
            Action::UpdateTrail { name, is_multi_region_trail, include_global_service_events } => {
                clients.update_regions(name, *is_multi_region_trail, *include_global_service_events).await
            }
            Action::PutEventSelectors { trail_name, selectors } => clients.put_selectors(trail_name, selectors).await,
        }
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::StopLogging { name } => {
                let request = clients.in_home_region(name)?.stop_logging().name(name);
                request.send().await.map_err(|error| AwsError::call("cloudtrail:StopLogging", &error))?;
                Ok(())
            }
            Undo::UpdateTrail { name, is_multi_region_trail, include_global_service_events } => {
                clients.update_regions(name, *is_multi_region_trail, *include_global_service_events).await
            }
            Undo::PutEventSelectors { trail_name, selectors } => clients.put_selectors(trail_name, selectors).await,
        }
    }
}

impl Clients {
    async fn account_trails(&self, account: &AccountId, region: &Region) -> Result<AccountTrails, AwsError> {
        let seen_from = ObservedFrom { account: account.clone(), region: region.clone() };
        let trails = self.reader.observe(&seen_from).await?;
        Ok(AccountTrails::new(account.clone(), region.clone(), trails))
    }

    /// The client of the region in which the trail can be changed.
    fn in_home_region(&self, arn: &str) -> Result<aws_sdk_cloudtrail::Client, ShapeError> {
        Ok(self.reader.at(&region_of(arn)?).into_client())
    }

    async fn update_regions(&self, arn: &str, multi_region: bool, global_events: bool) -> Result<(), AwsError> {
        let request = self.in_home_region(arn)?.update_trail().name(arn);
        updated(request.is_multi_region_trail(multi_region).include_global_service_events(global_events)).await
    }

    async fn put_selectors(&self, arn: &str, selectors: &Selectors) -> Result<(), AwsError> {
        let request = self.in_home_region(arn)?.put_event_selectors().trail_name(arn);
        let request = match selectors {
            Selectors::EventSelectors(all) => request.set_event_selectors(Some(all.iter().map(selector).collect())),
            Selectors::AdvancedEventSelectors(all) => {
                let all = all.iter().map(advanced_selector).collect::<Result<_, _>>()?;
                request.set_advanced_event_selectors(Some(all))
            }
        };
        request.send().await.map_err(|error| AwsError::call("cloudtrail:PutEventSelectors", &error))?;
        Ok(())
    }
}

fn selector(selector: &EventSelector) -> types::EventSelector {
    let read_write_type = match selector.read_write_type {
        ReadWriteType::ReadOnly => types::ReadWriteType::ReadOnly,
        ReadWriteType::WriteOnly => types::ReadWriteType::WriteOnly,
        ReadWriteType::All => types::ReadWriteType::All,
    };
    let resources = selector
        .data_resources
        .iter()
        .map(|it| types::DataResource::builder().set_type(it.kind.clone()).set_values(Some(it.values.clone())).build());
    types::EventSelector::builder()
        .read_write_type(read_write_type)
        .include_management_events(selector.include_management_events)
        .set_data_resources(Some(resources.collect()))
        .set_exclude_management_event_sources(Some(selector.exclude_management_event_sources.clone()))
        .build()
}

/// Operators without values are omitted: CloudTrail refuses an empty list.
fn field_selector(selector: &FieldSelector) -> Result<types::AdvancedFieldSelector, ShapeError> {
    let non_empty = |values: &Vec<String>| Some(values.clone()).filter(|it| !it.is_empty());
    types::AdvancedFieldSelector::builder()
        .field(&selector.field)
        .set_equals(non_empty(&selector.equals))
        .set_starts_with(non_empty(&selector.starts_with))
        .set_ends_with(non_empty(&selector.ends_with))
        .set_not_equals(non_empty(&selector.not_equals))
        .set_not_starts_with(non_empty(&selector.not_starts_with))
        .set_not_ends_with(non_empty(&selector.not_ends_with))
        .build()
        .map_err(|error| ShapeError::new("AdvancedEventSelectors.FieldSelectors", "a field", error))
}

fn advanced_selector(selector: &AdvancedEventSelector) -> Result<types::AdvancedEventSelector, ShapeError> {
    let fields = selector.field_selectors.iter().map(field_selector).collect::<Result<_, _>>()?;
    types::AdvancedEventSelector::builder()
        .set_name(selector.name.clone())
        .set_field_selectors(Some(fields))
        .build()
        .map_err(|error| ShapeError::new("AdvancedEventSelectors", "a selector", error))
}

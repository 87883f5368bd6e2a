//! The calls to KMS. The only place that names its SDK; it maps answers and decides nothing.

mod functions;
mod policy;

use std::future::Future;

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::operation::get_key_rotation_status::GetKeyRotationStatusError;
use aws_sdk_kms::operation::list_resource_tags::ListResourceTagsError;
use aws_sdk_kms::types::KeyMetadata;
use aws_types::SdkConfig;
use futures_util::stream::{self, Stream};
use rectify_compliance::{ResourceKey, ResourceState, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, Found, List, Page, ReadFacts, read_each};

use rectify_kms::controls::cmk_backing_key_rotation_enabled::{
    Action, CmkBackingKeyRotationEnabled, KeyRotationParameters, Undo,
};
use rectify_kms::resources::key::{Description, Key, MultiRegionConfiguration, RecordedKey, Rotation, TYPE};

pub use functions::{FUNCTIONS, OPERATIONS};

/// Keys per page: the maximum number of evaluations of one `PutEvaluations` call.
const KEYS_PER_PAGE: i32 = 100;
/// The maximum page size of `ListKeys`.
const MAX_PAGE_SIZE: i32 = 1000;
/// How many keys are read concurrently; each takes one or two calls.
const CONCURRENCY: usize = 8;

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    kms: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { kms: Client::new(config) }
    }
}

impl Clients {
    /// A key with its rotation, without its tags; `None` when there is no such key. The rotation of an exempt key is
    /// not read: KMS refuses the call for most of them.
    async fn key(&self, id: &str, params: &KeyRotationParameters) -> Result<Option<Key>, AwsError> {
        let Some(key) = self.describe(id).await? else { return Ok(None) };
        if params.exemption(&key).is_some() {
            return Ok(Some(key));
        }
        Ok(self.rotation(id).await?.map(|rotation| Key { rotation: Some(rotation), ..key }))
    }

    /// `DescribeKey`; `None` when there is no such key.
    async fn describe(&self, id: &str) -> Result<Option<Key>, AwsError> {
        match self.kms.describe_key().key_id(id).send().await {
            Ok(answer) => {
                let metadata = answer.key_metadata.ok_or_else(|| ShapeError::missing("KeyMetadata", "a key"))?;
                Ok(Some(description(metadata).live()?))
            }
            Err(error) if error.as_service_error().is_some_and(DescribeKeyError::is_not_found_exception) => Ok(None),
            Err(error) => Err(AwsError::call("kms:DescribeKey", &error)),
        }
    }

    /// `GetKeyRotationStatus`; `None` when the key is already gone.
    async fn rotation(&self, id: &str) -> Result<Option<Rotation>, AwsError> {
        let error = match self.kms.get_key_rotation_status().key_id(id).send().await {
            Ok(answer) => {
                return Ok(Some(Rotation::answered(answer.key_rotation_enabled, answer.rotation_period_in_days)?));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(GetKeyRotationStatusError::NotFoundException(_)) => Ok(None),
            Some(GetKeyRotationStatusError::UnsupportedOperationException(_)) => Ok(Some(Rotation::Unsupported)),
            _ => Err(AwsError::call("kms:GetKeyRotationStatus", &error)),
        }
    }

    /// `ListResourceTags`, all pages; `None` when the key is already gone.
    async fn tags(&self, id: &str) -> Result<Option<Tags>, AwsError> {
        let mut tags = Tags::new();
        let mut pages = self.kms.list_resource_tags().key_id(id).into_paginator().send();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
                }
                Err(error) if error.as_service_error().is_some_and(ListResourceTagsError::is_not_found_exception) => {
                    return Ok(None);
                }
                Err(error) => return Err(AwsError::call("kms:ListResourceTags", &error)),
            }
        }
        Ok(Some(tags))
    }

    /// The keys from a page of `ListKeys` on, each read by `read`, a few at a time.
    fn pages<'a, S, R>(
        &'a self,
        from: Option<String>,
        read: impl Fn(String) -> R + Clone + Send + 'a,
    ) -> impl Stream<Item = Result<Page<S>, AwsError>> + Send + 'a
    where
        S: ResourceState,
        R: Future<Output = Result<Option<S>, AwsError>> + Send + 'a,
    {
        let pages = self.kms.list_keys().set_marker(from).into_paginator().page_size(KEYS_PER_PAGE).send();
        stream::try_unfold((pages, read), |(mut pages, read)| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("kms:ListKeys", &error))?;
            let mut reads = Vec::new();
            for entry in page.keys() {
                let id = entry.key_id().ok_or_else(|| ShapeError::missing("Keys.KeyId", "a key id"))?;
                let found = Found { resource: ResourceKey::new(TYPE, id), name: None };
                reads.push((found, read(id.to_owned())));
            }
            let resources = read_each(reads, CONCURRENCY).await;
            Ok(Some((Page { resources, next: page.next_marker.filter(|it| !it.is_empty()) }, (pages, read))))
        })
    }

    /// The ids of all keys.
    fn ids(&self) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + '_ {
        let pages = self.kms.list_keys().into_paginator().page_size(MAX_PAGE_SIZE).send();
        stream::try_unfold(pages, |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("kms:ListKeys", &error))?;
            let keys =
                page.keys().iter().filter_map(|key| Some(ResourceKey::new(TYPE, key.key_id()?))).collect::<Vec<_>>();
            Ok(Some((keys, pages)))
        })
    }

    /// `EnableKeyRotation`; idempotent.
    async fn enable(&self, key_id: &str, period_in_days: Option<u32>) -> Result<(), AwsError> {
        let period = period_in_days.map(days).transpose()?;
        let call = self.kms.enable_key_rotation().key_id(key_id).set_rotation_period_in_days(period);
        call.send().await.map(drop).map_err(|error| AwsError::call("kms:EnableKeyRotation", &error))
    }

    /// `DisableKeyRotation`; idempotent.
    async fn disable(&self, key_id: &str) -> Result<(), AwsError> {
        let call = self.kms.disable_key_rotation().key_id(key_id);
        call.send().await.map(drop).map_err(|error| AwsError::call("kms:DisableKeyRotation", &error))
    }
}

impl ReadFacts<Clients> for CmkBackingKeyRotationEnabled {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        recorded: &RecordedKey,
        params: &KeyRotationParameters,
    ) -> Result<Option<Option<Key>>, AwsError> {
        let key = recorded.key();
        if params.exemption(key).is_some() || recorded.is_sufficient(params.needs_period()) {
            return Ok(Some(None));
        }
        Ok(clients.key(&key.id, params).await?.map(Some))
    }
}

impl List<Clients> for CmkBackingKeyRotationEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        params: &'a KeyRotationParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Key>, AwsError>> + Send + 'a {
        clients.pages(from, move |id| async move { clients.key(&id, params).await })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a KeyRotationParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        clients.ids()
    }
}

impl Fix<Clients> for CmkBackingKeyRotationEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &KeyRotationParameters,
    ) -> Result<Option<Key>, AwsError> {
        let id = &target.resource.id;
        match clients.key(id, params).await? {
            // Nothing is planned for an exempt key, and the tags of AWS managed keys cannot be read.
            Some(key) if params.exemption(&key).is_some() => Ok(Some(key)),
            Some(key) => Ok(clients.tags(id).await?.map(|tags| Key { tags, ..key })),
            None => Ok(None),
        }
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::EnableKeyRotation { key_id, rotation_period_in_days } = action;
        clients.enable(key_id, *rotation_period_in_days).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::DisableKeyRotation { key_id } => clients.disable(key_id).await,
            Undo::EnableKeyRotation { key_id, rotation_period_in_days } => {
                clients.enable(key_id, Some(*rotation_period_in_days)).await
            }
        }
    }
}

fn days(period: u32) -> Result<i32, ShapeError> {
    i32::try_from(period).map_err(|_| ShapeError::new("RotationPeriodInDays", "a number of days", period))
}

fn description(metadata: KeyMetadata) -> Description {
    #[allow(deprecated)] // the former name of KeySpec, for a partition that has no other
    let customer_master_key_spec = metadata.customer_master_key_spec.map(|it| it.as_str().to_owned());
    Description {
        key_id: Some(metadata.key_id),
        arn: metadata.arn,
        key_manager: metadata.key_manager.map(|it| it.as_str().to_owned()),
        key_spec: metadata.key_spec.map(|it| it.as_str().to_owned()),
        customer_master_key_spec,
        origin: metadata.origin.map(|it| it.as_str().to_owned()),
        key_state: metadata.key_state.map(|it| it.as_str().to_owned()),
        multi_region: metadata.multi_region,
        multi_region_configuration: metadata.multi_region_configuration.map(|it| MultiRegionConfiguration {
            multi_region_key_type: it.multi_region_key_type.map(|it| it.as_str().to_owned()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::types;

    use super::*;
    use rectify_kms::resources::key::{KeyState, Manager, Part};

    #[test]
    fn description_is_parsed_like_a_recorded_key() {
        let configuration = types::MultiRegionConfiguration::builder()
            .multi_region_key_type(types::MultiRegionKeyType::Primary)
            .build();
        let metadata = KeyMetadata::builder()
            .key_id("mrk-1")
            .arn("arn:aws:kms:eu-west-1:111122223333:key/mrk-1")
            .key_manager(types::KeyManagerType::Customer)
            .key_spec(types::KeySpec::SymmetricDefault)
            .origin(types::OriginType::AwsKms)
            .key_state(types::KeyState::PendingReplicaDeletion)
            .multi_region(true)
            .multi_region_configuration(configuration)
            .build()
            .unwrap();
        let expected = Key {
            id: "mrk-1".into(),
            arn: "arn:aws:kms:eu-west-1:111122223333:key/mrk-1".into(),
            manager: Manager::Customer,
            spec: "SYMMETRIC_DEFAULT".into(),
            origin: "AWS_KMS".into(),
            part: Part::Primary,
            state: KeyState::PendingReplicaDeletion,
            rotation: None,
            tags: Tags::new(),
        };
        assert_eq!(description(metadata).live(), Ok(expected));
    }
}

//! The calls to CloudTrail and to the services that its trails use. The only place that names their SDKs; it maps
//! answers and decides nothing.

mod delivery;
mod encryption;
mod functions;
mod reader;
mod recording;

use std::future::Future;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_trail::GetTrailError;
use aws_sdk_cloudtrail::operation::list_tags::ListTagsError;
use aws_sdk_cloudtrail::operation::update_trail::builders::UpdateTrailFluentBuilder;
use aws_sdk_cloudtrail::types;
use aws_types::SdkConfig;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{ResourceState, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found, Page, read_each};
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use reader::description;
use rectify_cloudtrail::resources::trail::{
    LiveTrail, ObservedFrom, RecordedTrail, Trail, TrailOwnership, one_per_name,
};

pub use reader::TrailReader;

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    cloudtrail: Client,
    iam: aws_sdk_iam::Client,
    kms: aws_sdk_kms::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    reader: TrailReader,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self {
            cloudtrail: Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            reader: TrailReader::connect(config),
        }
    }
}

impl Clients {
    /// `GetTrail`; `None` when there is no such trail.
    async fn get(&self, arn: &str, seen_from: ObservedFrom) -> Result<Option<Trail>, AwsError> {
        match self.cloudtrail.get_trail().name(arn).send().await {
            Ok(answer) => {
                let trail = answer.trail.ok_or_else(|| ShapeError::missing("Trail", "a trail"))?;
                Ok(Some(description(trail).seen(seen_from)?))
            }
            Err(error) if error.as_service_error().is_some_and(GetTrailError::is_trail_not_found_exception) => Ok(None),
            Err(error) => Err(AwsError::call("cloudtrail:GetTrail", &error)),
        }
    }

    /// `ListTags`, all pages; `None` when the trail is already gone.
    async fn tags(&self, arn: &str) -> Result<Option<Tags>, AwsError> {
        let mut tags = Tags::new();
        let mut pages = self.cloudtrail.list_tags().resource_id_list(arn).into_paginator().send();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => tags.extend(tags_of(page.resource_tag_list.unwrap_or_default(), arn)),
                Err(error) if error.as_service_error().is_some_and(ListTagsError::is_resource_not_found_exception) => {
                    return Ok(None);
                }
                Err(error) => return Err(AwsError::call("cloudtrail:ListTags", &error)),
            }
        }
        Ok(Some(tags))
    }

    /// The trail that a target names, with its tags if it belongs to this account; `None` when it is gone. The tags of
    /// another account's trail are not read.
    async fn trail(&self, target: &Target) -> Result<Option<Trail>, AwsError> {
        let Some(trail) = self.get(&Trail::arn_of(target), observed_from(target)).await? else {
            return Ok(None);
        };
        if trail.ownership() != TrailOwnership::Local {
            return Ok(Some(trail));
        }
        Ok(self.tags(&trail.arn).await?.map(|tags| Trail { tags, ..trail }))
    }

    /// The trails visible in an account and region, one per name.
    async fn trails(&self, place: &AccountRegion) -> Result<Vec<Trail>, AwsError> {
        let seen_from = ObservedFrom { account: place.account.clone(), region: place.region.clone() };
        self.reader.describe(None, &seen_from).await.map(one_per_name)
    }

    /// The trails of an account and region, each with further reads, one after the other: an account has at most five
    /// trails per region.
    async fn read_trails<S, R>(
        &self,
        place: &AccountRegion,
        read: impl Fn(Trail) -> R + Send + Sync,
    ) -> Result<Page<S>, AwsError>
    where
        S: ResourceState,
        R: Future<Output = Result<Option<S>, AwsError>> + Send,
    {
        let with_found = |trail: Trail| (Found { resource: trail.identity().key, name: None }, read(trail));
        let reads = self.trails(place).await?.into_iter().map(with_found).collect();
        Ok(Page { resources: read_each(reads, 1).await, next: None })
    }

    /// The live trail if the item is not sufficient; `None` when the trail is gone.
    async fn settled(
        &self,
        target: &Target,
        recorded: &RecordedTrail,
        item_decides: bool,
    ) -> Result<Option<LiveTrail>, AwsError> {
        if item_decides {
            return Ok(Some(None));
        }
        let described = self.reader.describe(Some(recorded.name()), &observed_from(target)).await?;
        Ok(recorded.settle(described))
    }

    /// `UpdateTrail` of one trail; settings that the request omits stay unchanged.
    fn update_trail(&self, arn: &str) -> UpdateTrailFluentBuilder {
        self.cloudtrail.update_trail().name(arn)
    }
}

/// Sends an update.
async fn updated(request: UpdateTrailFluentBuilder) -> Result<(), AwsError> {
    request.send().await.map(drop).map_err(|error| AwsError::call("cloudtrail:UpdateTrail", &error))
}

impl Views<Trail> for Clients {
    async fn facts(&self, target: &Target, recorded: &RecordedTrail) -> Result<Option<LiveTrail>, AwsError> {
        self.settled(target, recorded, recorded.is_local() && recorded.has_validation()).await
    }

    async fn read(&self, target: &Target) -> Result<Option<Trail>, AwsError> {
        self.trail(target).await
    }

    async fn write(&self, arn: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let call = self.update_trail(arn);
        updated(match member {
            "EnableLogFileValidation" => call.enable_log_file_validation(value_of(member, value)?),
            _ => return Err(unknown_member(member)),
        })
        .await
    }

    fn pages<'a>(
        &'a self,
        place: &'a AccountRegion,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Trail>, AwsError>> + Send + 'a {
        once(async move { self.trails(place).await.map(Page::whole) })
    }
}

fn observed_from(target: &Target) -> ObservedFrom {
    ObservedFrom { account: target.account.clone(), region: target.region.clone() }
}

fn tags_of(resources: Vec<types::ResourceTag>, arn: &str) -> Tags {
    resources
        .into_iter()
        .filter(|resource| resource.resource_id.as_deref() == Some(arn))
        .flat_map(|resource| resource.tags_list.unwrap_or_default())
        .map(|tag| (tag.key, tag.value.unwrap_or_default()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";

    #[test]
    fn tags_of_other_resources_are_ignored() {
        let tag = |key: &str| types::Tag::builder().key(key).value("v").build().unwrap();
        let of = |id: &str, key: &str| types::ResourceTag::builder().resource_id(id).tags_list(tag(key)).build();
        let tags = tags_of(vec![of("other", "a"), of(ARN, "b"), of(ARN, "c")], ARN);
        assert_eq!(tags, Tags::from([("b".to_owned(), "v".to_owned()), ("c".to_owned(), "v".to_owned())]));
    }
}

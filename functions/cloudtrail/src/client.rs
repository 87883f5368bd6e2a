//! The calls to CloudTrail. The only place that names its SDK; it maps answers and decides nothing.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_trail::GetTrailError;
use aws_sdk_cloudtrail::operation::list_tags::ListTagsError;
use aws_sdk_cloudtrail::types;
use aws_types::SdkConfig;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{NoParameters, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::edge::{Apply, Connect, List, Place, ReadFacts, ReadLive, Revert};

use crate::cloud_trail_log_file_validation_enabled::{Action, CloudTrailLogFileValidationEnabled};
use crate::trail::{Custody, Description, LiveTrail, RecordedTrail, Settings, Trail, Vantage, one_per_name};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    cloudtrail: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { cloudtrail: Client::new(config) }
    }
}

impl Clients {
    /// `DescribeTrails`, which has no pages: every trail that shows here, or those of ours that have this name.
    async fn describe(&self, name: Option<&str>, seen_from: &Vantage) -> Result<Vec<Trail>, AwsError> {
        let answer = self
            .cloudtrail
            .describe_trails()
            .set_trail_name_list(name.map(|it| vec![it.to_owned()]))
            .include_shadow_trails(name.is_none())
            .send()
            .await
            .map_err(|error| AwsError::call("cloudtrail:DescribeTrails", &error))?;
        let trails = answer.trail_list.unwrap_or_default();
        Ok(trails.into_iter().map(|it| description(it).seen(seen_from.clone())).collect::<Result<_, _>>()?)
    }

    /// `GetTrail`; `None` when there is no such trail.
    async fn get(&self, arn: &str, seen_from: Vantage) -> Result<Option<Trail>, AwsError> {
        match self.cloudtrail.get_trail().name(arn).send().await {
            Ok(answer) => {
                let trail = answer.trail.ok_or_else(|| ShapeError::missing("Trail", "a trail"))?;
                Ok(Some(description(trail).seen(seen_from)?))
            }
            Err(error) if error.as_service_error().is_some_and(GetTrailError::is_trail_not_found_exception) => Ok(None),
            Err(error) => Err(AwsError::call("cloudtrail:GetTrail", &error)),
        }
    }

    /// `ListTags`, all pages; `None` when the trail is gone by now.
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

    /// `UpdateTrail` of the one flag; what is left out of the request stays as it is.
    async fn update(&self, action: &Action) -> Result<(), AwsError> {
        let Action::UpdateTrail { name, enable_log_file_validation } = action;
        self.cloudtrail
            .update_trail()
            .name(name)
            .enable_log_file_validation(*enable_log_file_validation)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("cloudtrail:UpdateTrail", &error))
    }
}

impl ReadFacts<Clients> for CloudTrailLogFileValidationEnabled {
    async fn facts(
        clients: &Clients,
        target: &Target,
        recorded: &RecordedTrail,
        _params: &NoParameters,
    ) -> Result<Option<LiveTrail>, AwsError> {
        if recorded.suffices() {
            return Ok(Some(None));
        }
        let described = clients.describe(Some(recorded.name()), &vantage(target)).await?;
        Ok(recorded.settle(described))
    }
}

impl List<Clients> for CloudTrailLogFileValidationEnabled {
    fn pages<'a>(
        clients: &'a Clients,
        place: &'a Place,
        _params: &'a NoParameters,
    ) -> impl Stream<Item = Result<Vec<Trail>, AwsError>> + Send + 'a {
        once(async move {
            let seen_from = Vantage { account: place.account.clone(), region: place.region.clone() };
            clients.describe(None, &seen_from).await.map(one_per_name)
        })
    }
}

impl ReadLive<Clients> for CloudTrailLogFileValidationEnabled {
    async fn live(clients: &Clients, target: &Target, _params: &NoParameters) -> Result<Option<Trail>, AwsError> {
        let Some(trail) = clients.get(&Trail::arn_of(target), vantage(target)).await? else {
            return Ok(None);
        };
        if trail.custody() != Custody::Ours {
            return Ok(Some(trail)); // its tags are its owner's business, and its owner's to read
        }
        Ok(clients.tags(&trail.arn).await?.map(|tags| Trail { tags, ..trail }))
    }
}

impl Apply<Clients> for CloudTrailLogFileValidationEnabled {
    async fn apply(clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.update(action).await
    }
}

impl Revert<Clients> for CloudTrailLogFileValidationEnabled {
    async fn revert(clients: &Clients, _target: &Target, undo: &Action) -> Result<(), AwsError> {
        clients.update(undo).await
    }
}

fn vantage(target: &Target) -> Vantage {
    Vantage { account: target.account.clone(), region: target.region.clone() }
}

fn description(trail: types::Trail) -> Description {
    Description {
        name: trail.name,
        arn: trail.trail_arn,
        home_region: trail.home_region,
        log_file_validation_enabled: trail.log_file_validation_enabled,
        settings: Settings {
            s3_bucket_name: trail.s3_bucket_name,
            s3_key_prefix: trail.s3_key_prefix,
            sns_topic_arn: trail.sns_topic_arn,
            kms_key_id: trail.kms_key_id,
            cloud_watch_logs_log_group_arn: trail.cloud_watch_logs_log_group_arn,
            cloud_watch_logs_role_arn: trail.cloud_watch_logs_role_arn,
            include_global_service_events: trail.include_global_service_events,
            is_multi_region_trail: trail.is_multi_region_trail,
            is_organization_trail: trail.is_organization_trail,
            recursive_logging: trail.recursive_logging,
            has_custom_event_selectors: trail.has_custom_event_selectors,
            has_insight_selectors: trail.has_insight_selectors,
        },
    }
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
#[allow(clippy::unwrap_used)]
mod tests {
    use rectify_compliance::{AccountId, Region};

    use super::*;

    const ARN: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";

    fn seen_from() -> Vantage {
        Vantage { account: AccountId::new("111122223333"), region: Region::new("eu-west-1") }
    }

    #[test]
    fn every_setting_of_an_answer_is_kept() {
        let answer = types::Trail::builder()
            .name("main")
            .trail_arn(ARN)
            .home_region("eu-west-1")
            .log_file_validation_enabled(true)
            .s3_bucket_name("logs")
            .s3_key_prefix("org")
            .sns_topic_arn("topic")
            .kms_key_id("key")
            .cloud_watch_logs_log_group_arn("group")
            .cloud_watch_logs_role_arn("role")
            .include_global_service_events(true)
            .is_multi_region_trail(true)
            .is_organization_trail(false)
            .recursive_logging(false)
            .has_custom_event_selectors(true)
            .has_insight_selectors(false)
            .build();
        let expected = Trail {
            name: "main".into(),
            arn: ARN.into(),
            owner: AccountId::new("111122223333"),
            home_region: Region::new("eu-west-1"),
            seen_from: seen_from(),
            log_file_validation: true,
            settings: Settings {
                s3_bucket_name: Some("logs".into()),
                s3_key_prefix: Some("org".into()),
                sns_topic_arn: Some("topic".into()),
                kms_key_id: Some("key".into()),
                cloud_watch_logs_log_group_arn: Some("group".into()),
                cloud_watch_logs_role_arn: Some("role".into()),
                include_global_service_events: Some(true),
                is_multi_region_trail: Some(true),
                is_organization_trail: Some(false),
                recursive_logging: Some(false),
                has_custom_event_selectors: Some(true),
                has_insight_selectors: Some(false),
            },
            tags: Tags::new(),
        };
        assert_eq!(description(answer).seen(seen_from()), Ok(expected));
    }

    #[test]
    fn only_tags_of_the_trail_itself_are_its_tags() {
        let tag = |key: &str| types::Tag::builder().key(key).value("v").build().unwrap();
        let of = |id: &str, key: &str| types::ResourceTag::builder().resource_id(id).tags_list(tag(key)).build();
        let tags = tags_of(vec![of("other", "a"), of(ARN, "b"), of(ARN, "c")], ARN);
        assert_eq!(tags, Tags::from([("b".to_owned(), "v".to_owned()), ("c".to_owned(), "v".to_owned())]));
    }
}

//! The calls to AWS Config that every function may need. No other file of this crate names its SDK.

mod results;

use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::types as sdk;
use aws_smithy_types::DateTime;
use aws_types::SdkConfig;
use futures_util::stream::{self, Stream};
use rectify_compliance::item::{ApiItem, Relationship};
use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::rule_event::{ItemSummary, ResultToken};
use rectify_compliance::{ConfigurationItem, Evaluation, Region, ResourceKey, ShapeError, Target, Timestamp};

use crate::client::Found;
use crate::clients::Pool;
use crate::retry::Backoff;
use crate::{AwsError, Error};

pub use results::{Held, key_hash};

/// The maximum number of evaluations of one `PutEvaluations` call.
pub const BATCH: usize = 100;
/// The maximum number of results of one page of a query.
const PAGE: i32 = 100;
/// The maximum number of types of one `GetDiscoveredResourceCounts` call.
const MAX_TYPES: usize = 20;

/// AWS Config, as rules and remediations use it.
#[derive(Debug, Clone)]
pub struct ConfigService {
    client: Client,
}

/// The result of sending evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// AWS Config stored them.
    Stored,
    /// The rule is gone and accepts no evaluations, which is not an error.
    RuleGone,
}

impl ConfigService {
    /// A client with this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// AWS Config by account and region.
    pub fn pool(sdk: &SdkConfig, region: &Region) -> Pool<Self> {
        Pool::new(Arc::new(|sdk| Arc::new(Self::new(sdk))), sdk.clone(), region.clone())
    }

    /// Sends evaluations, at most a hundred per call, each batch with retries until AWS Config has accepted all of it.
    ///
    /// An empty list is sent, too: it acknowledges the event.
    ///
    /// # Errors
    /// [`Error::EvaluationRefused`] when some remain in `FailedEvaluations` after the retries, [`Error::Aws`] when a
    /// call fails.
    pub async fn put_evaluations(&self, token: &ResultToken, evaluations: &[Evaluation]) -> Result<Sent, Error> {
        let evaluations = evaluations.iter().map(to_sdk).collect::<Result<Vec<_>, _>>()?;
        if evaluations.is_empty() {
            return self.put_batch(token, Vec::new()).await;
        }
        for batch in evaluations.chunks(BATCH) {
            if self.put_batch(token, batch.to_vec()).await? == Sent::RuleGone {
                return Ok(Sent::RuleGone);
            }
        }
        Ok(Sent::Stored)
    }

    async fn put_batch(&self, token: &ResultToken, batch: Vec<sdk::Evaluation>) -> Result<Sent, Error> {
        let mut remaining = batch;
        let mut tries = Backoff::CONFIG.tries();
        while tries.next().await.is_some() {
            let answer = self
                .client
                .put_evaluations()
                .set_evaluations(Some(remaining))
                .result_token(token.expose())
                .test_mode(token.is_test())
                .send()
                .await;
            let refused = match answer {
                Ok(answer) => answer.failed_evaluations.unwrap_or_default(),
                Err(error) => {
                    let error = AwsError::call("config:PutEvaluations", &error);
                    if error.is("NoSuchConfigRuleException") {
                        tracing::warn!(error = %error, "the rule is gone; evaluations dropped");
                        return Ok(Sent::RuleGone);
                    }
                    return Err(error.into());
                }
            };
            if refused.is_empty() {
                return Ok(Sent::Stored);
            }
            remaining = refused;
        }
        let first = remaining.first().map_or_else(String::new, |it| {
            format!("{} {}", it.compliance_resource_type(), it.compliance_resource_id())
        });
        Err(Error::EvaluationRefused { count: remaining.len(), first })
    }

    /// Fetches the item of an oversized event as of its capture time; a newer item is accepted, with its own time.
    ///
    /// The history may lag behind the event, so it is read again, the last time without an upper bound. An older item
    /// never replaces the one that the event announced.
    ///
    /// # Errors
    /// [`Error::HistoryNotReady`] when no item is as new as the summary, [`Error::Aws`] when a call fails.
    pub async fn item_of(&self, summary: &ItemSummary) -> Result<ConfigurationItem, Error> {
        let mut tries = Backoff::CONFIG.tries();
        while tries.next().await.is_some() {
            let until = (!tries.is_last()).then_some(summary.captured_at);
            if let Some(item) = self.newest_item(&summary.target, until).await? {
                let item = ConfigurationItem::from_api(item.or_summary(summary))?;
                if item.captured_at >= summary.captured_at {
                    return Ok(item);
                }
            }
        }
        Err(Error::HistoryNotReady {
            resource: summary.target.resource.to_string(),
            captured_at: summary.captured_at.to_string(),
        })
    }

    /// How many resources of these types AWS Config has recorded in its region; `None` when it counts none: types it
    /// does not record, or the account itself.
    ///
    /// # Errors
    /// [`Error::Aws`] when the call fails.
    pub async fn population(&self, types: &[&str]) -> Result<Option<u64>, Error> {
        let types: Vec<&str> = types.iter().copied().filter(|it| *it != ACCOUNT_TYPE).collect();
        let mut total = 0;
        for batch in types.chunks(MAX_TYPES) {
            let counts = self.client.get_discovered_resource_counts();
            let counts = counts.set_resource_types(Some(batch.iter().map(|it| (*it).to_owned()).collect()));
            let answer = counts.send().await;
            let answer = answer.map_err(|error| AwsError::call("config:GetDiscoveredResourceCounts", &error))?;
            // With resource types, the total covers these types, and the first page has it completely.
            total += u64::try_from(answer.total_discovered_resources).unwrap_or_default();
        }
        Ok((total > 0).then_some(total))
    }

    /// All resources of a type that AWS Config has discovered and that exist, from all pages.
    ///
    /// # Errors
    /// [`AwsError`] when a page fails.
    pub async fn discovered(&self, kind: &str) -> Result<Vec<Found>, AwsError> {
        let call = self.client.list_discovered_resources().resource_type(kind.into());
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("config:ListDiscoveredResources", &error))?;
            for it in page.resource_identifiers.unwrap_or_default() {
                let id =
                    it.resource_id.ok_or_else(|| ShapeError::missing("resourceIdentifiers.resourceId", "an id"))?;
                let name = it.resource_name.filter(|name| !name.is_empty() && *name != id);
                found.push(Found { resource: ResourceKey::new(kind, id), name });
            }
        }
        Ok(found)
    }

    /// The results of an advanced query over an aggregator, as JSON, a page at a time.
    ///
    /// # Errors
    /// [`AwsError`] when a page fails; what follows is unknown then.
    pub fn aggregated<'a>(
        &'a self,
        aggregator: &'a str,
        query: String,
    ) -> impl Stream<Item = Result<Vec<String>, AwsError>> + Send + 'a {
        let call = self.client.select_aggregate_resource_config().configuration_aggregator_name(aggregator);
        let pages = call.expression(query).limit(PAGE).into_paginator().send();
        stream::unfold(pages, |mut pages| async move {
            let page = pages.next().await?;
            let page = page.map_err(|error| AwsError::call("config:SelectAggregateResourceConfig", &error));
            Some((page.map(|page| page.results.unwrap_or_default()), pages))
        })
    }

    /// Those of these types that AWS Config does not record now: its list of their resources is empty or old.
    ///
    /// # Errors
    /// [`AwsError`] when a call fails.
    pub async fn unrecorded<'a>(&self, types: &[&'a str]) -> Result<Vec<&'a str>, AwsError> {
        let status = self.client.describe_configuration_recorder_status().send().await;
        let status = status.map_err(|error| AwsError::call("config:DescribeConfigurationRecorderStatus", &error))?;
        if !status.configuration_recorders_status().iter().any(|it| it.recording) {
            return Ok(types.to_vec());
        }
        let answer = self.client.describe_configuration_recorders().send().await;
        let answer = answer.map_err(|error| AwsError::call("config:DescribeConfigurationRecorders", &error))?;
        let groups: Vec<_> = answer.configuration_recorders().iter().filter_map(|it| it.recording_group()).collect();
        Ok(types.iter().copied().filter(|kind| !groups.iter().any(|group| records(group, kind))).collect())
    }

    /// The name that AWS Config recorded for a resource whose id is not its name; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Aws`] when the call fails.
    pub async fn name_of(&self, target: &Target) -> Result<Option<String>, Error> {
        let item = self.newest_item(target, None).await?;
        Ok(item.and_then(|item| item.resource_name).filter(|name| !name.is_empty()))
    }

    /// The newest item that AWS Config recorded of a resource; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Aws`] when the call fails, [`Error::Shape`] when the item cannot be read.
    pub async fn recorded(&self, target: &Target) -> Result<Option<ConfigurationItem>, Error> {
        let item = self.newest_item(target, None).await?;
        Ok(item.map(ConfigurationItem::from_api).transpose()?)
    }

    async fn newest_item(&self, target: &Target, until: Option<Timestamp>) -> Result<Option<ApiItem>, Error> {
        let answer = self
            .client
            .get_resource_config_history()
            .resource_type(target.resource.kind.as_str().into())
            .resource_id(&target.resource.id)
            .set_later_time(until.map(date_time))
            .limit(1)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.configuration_items.unwrap_or_default().into_iter().next().map(from_sdk)),
            Err(error) => {
                let error = AwsError::call("config:GetResourceConfigHistory", &error);
                if error.is("ResourceNotDiscoveredException") { Ok(None) } else { Err(error.into()) }
            }
        }
    }
}

/// Whether a recorder with this group records a type. Recorders without a strategy are older than strategies.
fn records(group: &sdk::RecordingGroup, kind: &str) -> bool {
    let includes = |types: &[sdk::ResourceType]| types.iter().any(|it| it.as_str() == kind);
    match group.recording_strategy().and_then(|it| it.use_only()) {
        Some(sdk::RecordingStrategyType::ExclusionByResourceTypes) => {
            !group.exclusion_by_resource_types().is_some_and(|it| includes(it.resource_types()))
        }
        _ => group.all_supported || includes(group.resource_types()),
    }
}

fn to_sdk(evaluation: &Evaluation) -> Result<sdk::Evaluation, Error> {
    sdk::Evaluation::builder()
        .compliance_resource_type(&evaluation.resource.kind)
        .compliance_resource_id(&evaluation.resource.id)
        .compliance_type(evaluation.verdict.compliance_type().into())
        .set_annotation(evaluation.verdict.annotation().map(|it| it.as_str().to_owned()))
        .ordering_timestamp(date_time(evaluation.ordering))
        .build()
        .map_err(|error| ShapeError::new("evaluation", "a complete evaluation", error).into())
}

fn date_time(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

/// AWS Config has millisecond timestamps, but transmits epoch seconds as floating point: 8.512 s is read as 8.511999845
/// s. Truncated, it would be earlier than the capture time in the event.
pub fn milliseconds(at: DateTime) -> Option<Timestamp> {
    let rounded = (at.as_nanos() + 500_000).div_euclid(1_000_000);
    i64::try_from(rounded).ok().and_then(|at| Timestamp::from_millisecond(at).ok())
}

fn from_sdk(item: sdk::ConfigurationItem) -> ApiItem {
    ApiItem {
        account: item.account_id,
        region: item.aws_region,
        resource_type: item.resource_type.map(|it| it.as_str().to_owned()),
        resource_id: item.resource_id,
        resource_name: item.resource_name,
        arn: item.arn,
        status: item.configuration_item_status.map(|it| it.as_str().to_owned()),
        captured_at: item.configuration_item_capture_time.and_then(milliseconds),
        configuration: item.configuration,
        supplementary: item.supplementary_configuration.unwrap_or_default(),
        tags: item.tags.unwrap_or_default(),
        relationships: item.relationships.unwrap_or_default().into_iter().filter_map(relationship).collect(),
    }
}

fn relationship(it: sdk::Relationship) -> Option<Relationship> {
    Some(Relationship {
        resource_type: it.resource_type?.as_str().to_owned(),
        resource_id: it.resource_id,
        resource_name: it.resource_name,
        name: it.relationship_name,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_precision_loss)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_recorded_as_the_group_of_the_recorder_says() {
        let volumes = sdk::ResourceType::Volume;
        let strategy = |it| sdk::RecordingStrategy::builder().use_only(it).build();
        let excluded = sdk::ExclusionByResourceTypes::builder().resource_types(volumes.clone()).build();
        let group = sdk::RecordingGroup::builder;
        let rows = [
            (group().all_supported(true), [true, true]),
            (group().resource_types(volumes), [true, false]),
            (group(), [false, false]),
            (
                group()
                    .exclusion_by_resource_types(excluded)
                    .recording_strategy(strategy(sdk::RecordingStrategyType::ExclusionByResourceTypes)),
                [false, true],
            ),
        ];
        for (group, expected) in rows {
            let group = group.build();
            let recorded = ["AWS::EC2::Volume", "AWS::ACM::Certificate"].map(|kind| records(&group, kind));
            assert_eq!(recorded, expected, "{group:?}");
        }
    }

    #[test]
    fn every_millisecond_survives_the_transmission() {
        for millisecond in 0..1000_i64 {
            let at = 1_772_600_767_000 + millisecond;
            let read = DateTime::from_secs_f64(at as f64 / 1000.0);
            assert_eq!(milliseconds(read).unwrap().as_millisecond(), at);
        }
    }
}

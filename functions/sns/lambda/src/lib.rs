//! The calls to SNS, and to KMS for the keys of topics. The only place that names their SDKs; it maps answers and decides nothing.

mod encryption;
mod functions;

use aws_sdk_sns::Client;
use aws_sdk_sns::operation::get_topic_attributes::GetTopicAttributesError;
use aws_sdk_sns::operation::list_tags_for_resource::ListTagsForResourceError;
use aws_types::SdkConfig;
use rectify_compliance::{ResourceKey, SetCall, ShapeError, Tags, Target};
use rectify_policy::{PolicyParameters, PublicPolicy};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, Found, ReadFacts};
use rectify_runtime::views::value_of;

use rectify_sns::resources::topic::{SET, TYPE, Topic};

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    sns: Client,
    kms: aws_sdk_kms::Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { sns: Client::new(config), kms: aws_sdk_kms::Client::new(config) }
    }

    async fn ids(&self, _place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        if kind != TYPE {
            return Ok(None);
        }
        let topics: Result<Vec<_>, _> = self.sns.list_topics().into_paginator().items().send().collect().await;
        let topics = topics.map_err(|error| AwsError::call("sns:ListTopics", &error))?;
        let found = |arn: Option<String>| {
            let arn = arn.ok_or_else(|| ShapeError::missing("Topics.TopicArn", "an ARN"))?;
            Ok::<_, ShapeError>(Found { resource: ResourceKey::new(TYPE, arn), name: None })
        };
        Ok(Some(topics.into_iter().map(|it| found(it.topic_arn)).collect::<Result<_, _>>()?))
    }
}

impl Clients {
    /// `GetTopicAttributes`, without the topic's tags; `None` when there is no such topic.
    async fn topic(&self, arn: &str) -> Result<Option<Topic>, AwsError> {
        let answer = match self.sns.get_topic_attributes().topic_arn(arn).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetTopicAttributesError::is_not_found_exception) => {
                return Ok(None);
            }
            Err(error) => return Err(AwsError::call("sns:GetTopicAttributes", &error)),
        };
        let attributes = answer.attributes.unwrap_or_default();
        let attribute = |name: &str| attributes.get(name).map(String::as_str);
        Ok(Some(Topic::of(arn, attribute, Tags::new())?))
    }

    /// `ListTagsForResource`; `None` when the topic is already gone.
    async fn tags(&self, arn: &str) -> Result<Option<Tags>, AwsError> {
        match self.sns.list_tags_for_resource().resource_arn(arn).send().await {
            Ok(answer) => Ok(Some(answer.tags.unwrap_or_default().into_iter().map(|it| (it.key, it.value)).collect())),
            Err(error)
                if error.as_service_error().is_some_and(ListTagsForResourceError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("sns:ListTagsForResource", &error)),
        }
    }

    /// The topic with its tags; `None` when there is no such topic.
    async fn tagged_topic(&self, arn: &str) -> Result<Option<Topic>, AwsError> {
        let Some(topic) = self.topic(arn).await? else { return Ok(None) };
        Ok(self.tags(arn).await?.map(|tags| Topic { tags, ..topic }))
    }

    /// `SetTopicAttributes`; idempotent.
    async fn set(&self, call: &SetCall) -> Result<(), AwsError> {
        let (arn, attribute, value) = call.parts(SET.resource)?;
        let value: String = value_of(attribute, value)?;
        let call = self.sns.set_topic_attributes().topic_arn(arn).attribute_name(attribute).attribute_value(value);
        call.send().await.map(drop).map_err(|error| AwsError::call("sns:SetTopicAttributes", &error))
    }
}

impl ReadFacts<Clients> for PublicPolicy<Topic> {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        recorded: &Topic,
        _params: &PolicyParameters,
    ) -> Result<Option<Option<Topic>>, AwsError> {
        match recorded.policy {
            Some(_) => Ok(Some(None)),
            None => Ok(clients.topic(&recorded.arn).await?.map(Some)),
        }
    }
}

impl Fix<Clients> for PublicPolicy<Topic> {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &PolicyParameters,
    ) -> Result<Option<Topic>, AwsError> {
        clients.tagged_topic(&target.resource.id).await
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &SetCall) -> Result<(), AwsError> {
        clients.set(action).await
    }
}

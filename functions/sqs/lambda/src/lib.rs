//! The calls to SQS. The only place that names its SDK; it maps answers and decides nothing.

mod functions;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::operation::list_queue_tags::ListQueueTagsError;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use rectify_compliance::{ResourceKey, SetCall, Tags, Target};
use rectify_policy::{PolicyParameters, PublicPolicy};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, Found};
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use rectify_sqs::resources::queue::{Queue, SET, SSE, TYPE};

pub use functions::{FUNCTIONS, OPERATIONS};

/// The maximum page size of `ListQueues`.
const MAX_PAGE_SIZE: i32 = 1000;

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    sqs: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { sqs: Client::new(config) }
    }

    async fn ids(&self, _place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        if kind != TYPE {
            return Ok(None);
        }
        // Without a maximum, SQS returns the first thousand queues and no token.
        let pages = self.sqs.list_queues().max_results(MAX_PAGE_SIZE).into_paginator();
        let urls: Result<Vec<String>, _> = pages.items().send().collect().await;
        let urls = urls.map_err(|error| AwsError::call("sqs:ListQueues", &error))?;
        Ok(Some(urls.into_iter().map(|url| Found { resource: ResourceKey::new(TYPE, url), name: None }).collect()))
    }
}

impl Clients {
    /// `GetQueueAttributes`, without the queue's tags; `None` when there is no such queue.
    async fn queue(&self, url: &str) -> Result<Option<Queue>, AwsError> {
        let names = Queue::ATTRIBUTES.map(QueueAttributeName::from).to_vec();
        let call = self.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetQueueAttributesError::is_queue_does_not_exist) => {
                return Ok(None);
            }
            Err(error) => return Err(AwsError::call("sqs:GetQueueAttributes", &error)),
        };
        let attributes = answer.attributes.unwrap_or_default();
        let attribute = |name: &str| attributes.get(&QueueAttributeName::from(name)).map(String::as_str);
        Ok(Some(Queue::of(url, attribute, Tags::new())?))
    }

    /// `ListQueueTags`; `None` when the queue is already gone.
    async fn tags(&self, url: &str) -> Result<Option<Tags>, AwsError> {
        match self.sqs.list_queue_tags().queue_url(url).send().await {
            Ok(answer) => Ok(Some(answer.tags.unwrap_or_default().into_iter().collect())),
            Err(error) if error.as_service_error().is_some_and(ListQueueTagsError::is_queue_does_not_exist) => Ok(None),
            Err(error) => Err(AwsError::call("sqs:ListQueueTags", &error)),
        }
    }
}

impl Views<Queue> for Clients {
    async fn read(&self, target: &Target) -> Result<Option<Queue>, AwsError> {
        let url = &target.resource.id;
        let Some(queue) = self.queue(url).await? else { return Ok(None) };
        Ok(self.tags(url).await?.map(|tags| Queue { tags, ..queue }))
    }

    /// `SetQueueAttributes` with one attribute, which is text; idempotent.
    async fn write(&self, id: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let value: String = match member {
            "Policy" => value_of(member, value)?,
            SSE => value_of::<bool>(member, value)?.to_string(),
            _ => return Err(unknown_member(member)),
        };
        let call = self.sqs.set_queue_attributes().queue_url(id).attributes(QueueAttributeName::from(member), value);
        call.send().await.map(drop).map_err(|error| AwsError::call("sqs:SetQueueAttributes", &error))
    }
}

impl Fix<Clients> for PublicPolicy<Queue> {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &PolicyParameters,
    ) -> Result<Option<Queue>, AwsError> {
        clients.read(target).await
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &SetCall) -> Result<(), AwsError> {
        let (url, member, value) = action.parts(SET.resource)?;
        clients.write(url, member, value).await
    }
}

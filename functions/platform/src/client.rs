//! The clients of this crate, the only module that names an SDK: AWS Config's results, the dead-letter queues, in
//! [`trail`] CloudTrail, and in [`tickets`] the queue of tickets. They decide nothing.

pub mod tickets;
pub mod trail;

use std::collections::BTreeMap;

use aws_sdk_config::types as config;
use aws_sdk_sqs::types as sqs;
/// The SDK configuration, for the controls' own clients.
pub use aws_types::SdkConfig;
use futures_util::{Stream, stream};
use rectify_compliance::{ResourceKey, ShapeError, Timestamp};
use rectify_runtime::AwsError;
use rectify_runtime::config_service::milliseconds;

/// The maximum number of messages of one `ReceiveMessage` call.
pub const RECEIVED_AT_ONCE: usize = 10;
/// The maximum number of rules of one `StartConfigRulesEvaluation` call.
pub const EVALUATED_AT_ONCE: usize = 25;

/// The visibility timeout of a received message, seconds: longer than a run may take, so that a run receives a message
/// once.
const VISIBILITY_TIMEOUT: i32 = 16 * 60;
/// The wait time of a receive call, seconds; without long polling only some of SQS's servers are queried.
const WAIT_SECONDS: i32 = 1;

/// The clients of the reconciler.
#[derive(Debug, Clone)]
pub struct Aws {
    config: aws_sdk_config::Client,
    sqs: aws_sdk_sqs::Client,
}

/// One NON_COMPLIANT result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The resource.
    pub resource: ResourceKey,
    /// When AWS Config recorded it; part of the finding's key in the ledger.
    pub recorded_at: Timestamp,
}

/// One message of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The body.
    pub body: String,
    /// The message attributes of type string or number, as text.
    pub attributes: BTreeMap<String, String>,
    /// The receipt handle, with which it is deleted.
    pub receipt: String,
}

impl Aws {
    /// The clients with one SDK configuration.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self::over(sdk, sdk)
    }

    /// AWS Config with one SDK configuration, the queues with another: tests replay the first.
    pub fn over(config: &SdkConfig, queues: &SdkConfig) -> Self {
        Self { config: aws_sdk_config::Client::new(config), sqs: aws_sdk_sqs::Client::new(queues) }
    }

    /// The NON_COMPLIANT results of a rule, page by page; memory does not grow with the account.
    pub fn findings<'a>(&'a self, rule: &'a str) -> impl Stream<Item = Result<Vec<Finding>, AwsError>> + Send + 'a {
        let pages = self
            .config
            .get_compliance_details_by_config_rule()
            .config_rule_name(rule)
            .compliance_types(config::ComplianceType::NonCompliant)
            .limit(100)
            .into_paginator()
            .send();
        stream::unfold(Some(pages), |pages| async move {
            let mut pages = pages?;
            let page = match pages.next().await? {
                Ok(page) => page.evaluation_results.unwrap_or_default().into_iter().map(finding).collect(),
                Err(error) => Err(AwsError::call("config:GetComplianceDetailsByConfigRule", &error)),
            };
            // A failed listing has no next page.
            let next = page.is_ok().then_some(pages);
            Some((page, next))
        })
    }

    /// When a rule's NON_COMPLIANT result about one resource was recorded, if there is one.
    ///
    /// # Errors
    /// [`AwsError`] when a page of the resource's results cannot be read.
    pub async fn reported(&self, rule: &str, resource: &ResourceKey) -> Result<Option<Timestamp>, AwsError> {
        let mut pages = self
            .config
            .get_compliance_details_by_resource()
            .resource_type(&resource.kind)
            .resource_id(&resource.id)
            .compliance_types(config::ComplianceType::NonCompliant)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("config:GetComplianceDetailsByResource", &error))?;
            for result in page.evaluation_results.unwrap_or_default() {
                let qualifier = result.evaluation_result_identifier.as_ref();
                let qualifier = qualifier.and_then(|it| it.evaluation_result_qualifier.as_ref());
                if qualifier.and_then(|it| it.config_rule_name.as_deref()) == Some(rule) {
                    return finding(result).map(|it| Some(it.recorded_at));
                }
            }
        }
        Ok(None)
    }

    /// Starts a reevaluation of at most [`EVALUATED_AT_ONCE`] rules.
    ///
    /// # Errors
    /// [`AwsError`]; AWS Config accepts one such call a minute, and none for a rule with an evaluation in progress.
    pub async fn evaluate(&self, rules: &[String]) -> Result<(), AwsError> {
        let started = self.config.start_config_rules_evaluation().set_config_rule_names(Some(rules.to_vec()));
        let started = started.send().await;
        started.map(drop).map_err(|error| AwsError::call("config:StartConfigRulesEvaluation", &error))
    }

    /// The next messages of a queue, at most [`RECEIVED_AT_ONCE`]; an empty list when it is empty.
    ///
    /// # Errors
    /// [`AwsError`] when the call fails.
    pub async fn receive(&self, queue: &str, max: usize) -> Result<Vec<Message>, AwsError> {
        let max = i32::try_from(max.min(RECEIVED_AT_ONCE)).unwrap_or(i32::MAX);
        let result = self
            .sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(max)
            .visibility_timeout(VISIBILITY_TIMEOUT)
            .wait_time_seconds(WAIT_SECONDS)
            .message_attribute_names("All")
            .send()
            .await;
        let answer = result.map_err(|error| AwsError::call("sqs:ReceiveMessage", &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    /// Deletes a message after its replacement was accepted.
    ///
    /// # Errors
    /// [`AwsError`] when the call fails; the message is then delivered again.
    pub async fn delete(&self, queue: &str, message: &Message) -> Result<(), AwsError> {
        let deleted = self.sqs.delete_message().queue_url(queue).receipt_handle(&message.receipt).send().await;
        deleted.map(drop).map_err(|error| AwsError::call("sqs:DeleteMessage", &error))
    }

    /// Sends a message with its attributes to another queue.
    ///
    /// # Errors
    /// [`AwsError`] when it was not accepted.
    pub async fn send(&self, queue: &str, message: &Message) -> Result<(), AwsError> {
        let mut request = self.sqs.send_message().queue_url(queue).message_body(&message.body);
        for (name, value) in &message.attributes {
            let value = sqs::MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value = value.map_err(|error| ShapeError::new("attribute", "a text", error))?;
            request = request.message_attributes(name, value);
        }
        request.send().await.map(drop).map_err(|error| AwsError::call("sqs:SendMessage", &error))
    }
}

fn finding(result: config::EvaluationResult) -> Result<Finding, AwsError> {
    let missing = |field| AwsError::from(ShapeError::missing(field, "a result of a resource"));
    let qualifier = result.evaluation_result_identifier.and_then(|it| it.evaluation_result_qualifier);
    let qualifier = qualifier.ok_or_else(|| missing("EvaluationResultQualifier"))?;
    let recorded_at =
        result.result_recorded_time.and_then(milliseconds).ok_or_else(|| missing("ResultRecordedTime"))?;
    Ok(Finding {
        resource: ResourceKey::new(
            qualifier.resource_type.ok_or_else(|| missing("ResourceType"))?,
            qualifier.resource_id.ok_or_else(|| missing("ResourceId"))?,
        ),
        recorded_at,
    })
}

fn message(received: sqs::Message) -> Message {
    let attributes = received.message_attributes.unwrap_or_default().into_iter();
    Message {
        body: received.body.unwrap_or_default(),
        attributes: attributes.filter_map(|(name, value)| Some((name, value.string_value?))).collect(),
        receipt: received.receipt_handle.unwrap_or_default(),
    }
}

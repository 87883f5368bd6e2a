//! `AWS::SQS::Queue`: the attributes as SQS returns them, without those that count messages.
//!
//! Source: a captured notification.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// SQS's error codes for a queue deleted since it was listed.
const DELETED: [&str; 2] = ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"];
/// The attributes of an item.
const RECORDED: [QueueAttributeName; 12] = [
    QueueAttributeName::CreatedTimestamp,
    QueueAttributeName::DelaySeconds,
    QueueAttributeName::FifoQueue,
    QueueAttributeName::KmsMasterKeyId,
    QueueAttributeName::MaximumMessageSize,
    QueueAttributeName::MessageRetentionPeriod,
    QueueAttributeName::Policy,
    QueueAttributeName::QueueArn,
    QueueAttributeName::ReceiveMessageWaitTimeSeconds,
    QueueAttributeName::RedrivePolicy,
    QueueAttributeName::SqsManagedSseEnabled,
    QueueAttributeName::VisibilityTimeout,
];

pub(super) async fn read(sqs: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut urls = sqs.list_queues().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(url) = urls.next().await {
        let url = url.map_err(failed("sqs:ListQueues", "all queues"))?;
        let names = vec![QueueAttributeName::All];
        let attributes = sqs.get_queue_attributes().queue_url(&url).set_attribute_names(Some(names)).send().await;
        let attributes = unless(&DELETED, attributes).map_err(failed("sqs:GetQueueAttributes", &url))?;
        let tags = unless(&DELETED, sqs.list_queue_tags().queue_url(&url).send().await);
        let tags = tags.map_err(failed("sqs:ListQueueTags", &url))?;
        if let (Some(attributes), Some(tags)) = (attributes, tags) {
            let (attributes, tags) = (attributes.attributes.unwrap_or_default(), tags.tags.unwrap_or_default());
            observations.push(item(&url, &attributes, tags.into_iter().collect(), settings)?);
        }
    }
    Ok(observations)
}

fn item(
    url: &str,
    attributes: &HashMap<QueueAttributeName, String>,
    tags: BTreeMap<String, String>,
    settings: &EngineSettings,
) -> Result<Observation, RecorderError> {
    let recorded = RECORDED.iter().filter_map(|name| {
        let value = attributes.get(name)?;
        Some((name.as_str().to_owned(), Value::from(value.as_str())))
    });
    Ok(Observation {
        resource_id: url.to_owned(),
        resource_name: url.rsplit('/').next().map(str::to_owned),
        arn: required(url, "QueueArn", attributes.get(&QueueAttributeName::QueueArn))?.clone(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: None,
        relationships: Vec::new(),
        configuration: Value::Object(recorded.collect()),
        supplementary: Map::from_iter([("Tags".to_owned(), json!(tags))]),
        tags,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn queue_becomes_an_aws_config_item() {
        let (url, arn) = ("http://localhost/111122223333/jobs", "arn:aws:sqs:us-east-1:111122223333:jobs");
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let attributes = [
            (QueueAttributeName::QueueArn, text(arn)),
            (QueueAttributeName::SqsManagedSseEnabled, text("false")),
            (QueueAttributeName::ApproximateNumberOfMessages, text("2")),
        ];
        let tags = BTreeMap::from([(text("team"), text("blue"))]);
        let observation = item(url, &attributes.into(), tags.clone(), &settings).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.resource_name.as_deref()), (url, Some("jobs")));
        assert_eq!((observation.arn.as_str(), &observation.tags), (arn, &tags));
        assert_eq!(observation.configuration, json!({"QueueArn": arn, "SqsManagedSseEnabled": "false"}));
        assert!(item(url, &HashMap::new(), tags, &settings).is_err());
    }
}

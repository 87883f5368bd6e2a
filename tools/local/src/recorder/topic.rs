//! `AWS::SNS::Topic`: the attributes as SNS returns them, without those that count subscriptions.
//!
//! Source: a captured notification.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sns::Client;
use aws_sdk_sns::types::Tag;
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// SNS's error codes for a topic deleted since it was listed.
const DELETED: [&str; 3] = ["NotFound", "NotFoundException", "ResourceNotFound"];
/// The attributes of an item.
const RECORDED: [&str; 6] = ["Policy", "Owner", "TopicArn", "EffectiveDeliveryPolicy", "DisplayName", "KmsMasterKeyId"];

pub(super) async fn read(sns: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut topics = sns.list_topics().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(topic) = topics.next().await {
        let topic = topic.map_err(failed("sns:ListTopics", "all topics"))?;
        let arn = required("a topic", "TopicArn", topic.topic_arn())?;
        let attributes = unless(&DELETED, sns.get_topic_attributes().topic_arn(arn).send().await);
        let attributes = attributes.map_err(failed("sns:GetTopicAttributes", arn))?;
        let tags = unless(&DELETED, sns.list_tags_for_resource().resource_arn(arn).send().await);
        let tags = tags.map_err(failed("sns:ListTagsForResource", arn))?;
        if let (Some(attributes), Some(tags)) = (attributes, tags) {
            observations.push(item(arn, &attributes.attributes.unwrap_or_default(), tags.tags(), settings));
        }
    }
    Ok(observations)
}

fn item(arn: &str, attributes: &HashMap<String, String>, tags: &[Tag], settings: &EngineSettings) -> Observation {
    let recorded =
        RECORDED.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(attributes.get(*name)?.as_str()))));
    let listed: Value = tags.iter().map(|tag| json!({ "key": tag.key(), "value": tag.value() })).collect();
    Observation {
        resource_id: arn.to_owned(),
        resource_name: arn.rsplit(':').next().map(str::to_owned),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: None,
        tags: tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect::<BTreeMap<_, _>>(),
        relationships: Vec::new(),
        configuration: Value::Object(recorded.collect()),
        supplementary: Map::from_iter([("Tags".to_owned(), listed)]),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn topic_becomes_an_aws_config_item() {
        let arn = "arn:aws:sns:us-east-1:111122223333:alarms";
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let attributes = [("Policy", "{}"), ("TopicArn", arn), ("SubscriptionsConfirmed", "2")];
        let attributes = attributes.map(|(name, value)| (text(name), text(value))).into();
        let tags = [Tag::builder().key("team").value("blue").build().unwrap()];
        let observation = item(arn, &attributes, &tags, &settings);
        assert_eq!((observation.resource_id.as_str(), observation.resource_name.as_deref()), (arn, Some("alarms")));
        assert_eq!(observation.configuration, json!({"Policy": "{}", "TopicArn": arn}));
        assert_eq!(observation.tags, [(text("team"), text("blue"))].into());
        assert_eq!(Value::Object(observation.supplementary), json!({"Tags": [{"key": "team", "value": "blue"}]}));
    }
}

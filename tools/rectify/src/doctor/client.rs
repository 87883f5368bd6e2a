//! The reads of the doctor: AWS Config's recorder and rules, and the number of messages in a queue.

use aws_sdk_config::types::{ConfigRuleState, RecorderStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use rectify_runtime::AwsError;

/// The clients.
#[derive(Debug)]
pub(super) struct Aws {
    config: aws_sdk_config::Client,
    sqs: aws_sdk_sqs::Client,
}

/// A configuration recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorder {
    pub(super) name: String,
    pub(super) is_recording: bool,
    pub(super) has_failed: bool,
}

/// A Config rule with the function it invokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) function: String,
    pub(super) is_active: bool,
}

impl Aws {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { config: aws_sdk_config::Client::new(config), sqs: aws_sdk_sqs::Client::new(config) }
    }

    pub(super) async fn recorders(&self) -> Result<Vec<Recorder>, AwsError> {
        let response = self.config.describe_configuration_recorder_status().send().await;
        let response =
            response.map_err(|error| AwsError::call("config:DescribeConfigurationRecorderStatus", &error))?;
        let statuses = response.configuration_recorders_status.unwrap_or_default().into_iter();
        Ok(statuses
            .map(|it| Recorder {
                name: it.name.unwrap_or_default(),
                is_recording: it.recording,
                has_failed: it.last_status.as_ref().is_some_and(is_failure),
            })
            .collect())
    }

    /// All rules with this prefix.
    pub(super) async fn rules(&self, prefix: &str) -> Result<Vec<Rule>, AwsError> {
        let mut rules = self.config.describe_config_rules().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(rule) = rules.next().await {
            let rule = rule.map_err(|error| AwsError::call("config:DescribeConfigRules", &error))?;
            let name = rule.config_rule_name.unwrap_or_default();
            if name.starts_with(prefix) {
                let function = rule.source.and_then(|it| it.source_identifier).unwrap_or_default();
                found.push(Rule { name, function, is_active: rule.config_rule_state == Some(ConfigRuleState::Active) });
            }
        }
        Ok(found)
    }

    /// The number of messages in a queue, identified by URL or name.
    pub(super) async fn waiting(&self, queue: &str) -> Result<u64, AwsError> {
        let url = if queue.contains("://") {
            queue.to_owned()
        } else {
            let response = self.sqs.get_queue_url().queue_name(queue).send().await;
            let response = response.map_err(|error| AwsError::call("sqs:GetQueueUrl", &error))?;
            response.queue_url.unwrap_or_default()
        };
        let number = QueueAttributeName::ApproximateNumberOfMessages;
        let response = self.sqs.get_queue_attributes().queue_url(url).attribute_names(number.clone()).send().await;
        let response = response.map_err(|error| AwsError::call("sqs:GetQueueAttributes", &error))?;
        let attributes = response.attributes.unwrap_or_default();
        Ok(attributes.get(&number).and_then(|it| it.parse().ok()).unwrap_or_default())
    }
}

/// AWS Config returns `FAILURE` where its model has `Failure`, so the SDK parses it as an unknown status.
fn is_failure(status: &RecorderStatus) -> bool {
    status.as_str().eq_ignore_ascii_case(RecorderStatus::Failure.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_recognized_in_any_case() {
        for (text, expected) in [("FAILURE", true), ("Failure", true), ("SUCCESS", false), ("Pending", false)] {
            assert_eq!(is_failure(&RecorderStatus::from(text)), expected, "{text}");
        }
    }
}

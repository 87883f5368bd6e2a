//! The reads of the doctor: AWS Config's recorder, channel and rules, functions, quotas, and the number of messages in a
//! queue.

use std::collections::HashMap;

use aws_sdk_config::types::{ConfigRuleState, RecorderStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use rectify_runtime::AwsError;

/// The clients.
#[derive(Debug)]
pub(super) struct Aws {
    config: aws_sdk_config::Client,
    iam: aws_sdk_iam::Client,
    lambda: aws_sdk_lambda::Client,
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) function: String,
    pub(super) is_active: bool,
    /// `InputParameters`: a JSON object; empty without parameters.
    pub(super) parameters: String,
    /// `MaximumExecutionFrequency` of its schedule, e.g. `TwentyFour_Hours`; empty without one.
    pub(super) frequency: String,
}

/// A function with its environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) environment: HashMap<String, String>,
}

/// How much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) used: u64,
    pub(super) limit: u64,
}

impl Aws {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            config: aws_sdk_config::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
        }
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
                let source = rule.source.as_ref();
                let details = source.map(aws_sdk_config::types::Source::source_details).unwrap_or_default();
                let frequency = details.iter().find_map(|it| it.maximum_execution_frequency.as_ref());
                found.push(Rule {
                    name,
                    function: source.and_then(|it| it.source_identifier.clone()).unwrap_or_default(),
                    is_active: rule.config_rule_state == Some(ConfigRuleState::Active),
                    frequency: frequency.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                    parameters: rule.input_parameters.unwrap_or_default(),
                });
            }
        }
        Ok(found)
    }

    /// The delivery channels, by their buckets.
    pub(super) async fn channels(&self) -> Result<Vec<String>, AwsError> {
        let response = self.config.describe_delivery_channels().send().await;
        let response = response.map_err(|error| AwsError::call("config:DescribeDeliveryChannels", &error))?;
        let channels = response.delivery_channels.unwrap_or_default().into_iter();
        Ok(channels.filter_map(|it| it.s3_bucket_name).collect())
    }

    /// All functions with this prefix.
    pub(super) async fn functions(&self, prefix: &str) -> Result<Vec<Function>, AwsError> {
        let mut functions = self.lambda.list_functions().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(function) = functions.next().await {
            let function = function.map_err(|error| AwsError::call("lambda:ListFunctions", &error))?;
            let name = function.function_name.unwrap_or_default();
            if name.starts_with(prefix) {
                let environment = function.environment.and_then(|it| it.variables).unwrap_or_default();
                found.push(Function { name, environment });
            }
        }
        Ok(found)
    }

    /// The concurrency that no function of the account and region has reserved.
    pub(super) async fn unreserved_concurrency(&self) -> Result<u64, AwsError> {
        let response = self.lambda.get_account_settings().send().await;
        let response = response.map_err(|error| AwsError::call("lambda:GetAccountSettings", &error))?;
        let limit = response.account_limit.and_then(|it| it.unreserved_concurrent_executions);
        Ok(limit.and_then(|it| it.try_into().ok()).unwrap_or_default())
    }

    /// The roles of the account.
    pub(super) async fn roles(&self) -> Result<Quota, AwsError> {
        let response = self.iam.get_account_summary().send().await;
        let response = response.map_err(|error| AwsError::call("iam:GetAccountSummary", &error))?;
        let summary = response.summary_map.unwrap_or_default();
        let of = |name: &str| summary.get(&name.into()).and_then(|it| u64::try_from(*it).ok()).unwrap_or_default();
        Ok(Quota { used: of("Roles"), limit: of("RolesQuota") })
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

//! `AWS::Lambda::Function`: its configuration as `ListFunctions` returns it. An item has no resource policy.
//!
//! Source: aws-config-resource-schema.

use std::collections::BTreeMap;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{FunctionConfiguration, Runtime};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, object};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// Lambda's error code for a function deleted since it was listed.
const DELETED: [&str; 1] = ["ResourceNotFoundException"];

pub(super) async fn read(lambda: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut functions = lambda.list_functions().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(function) = functions.next().await {
        let function = function.map_err(failed("lambda:ListFunctions", "all functions"))?;
        let arn = required("a function", "FunctionArn", function.function_arn())?;
        let tags = unless(&DELETED, lambda.list_tags().resource(arn).send().await);
        if let Some(tags) = tags.map_err(failed("lambda:ListTags", arn))? {
            let tags = tags.tags.unwrap_or_default().into_iter().collect();
            observations.push(item(&function, arn, tags, settings)?);
        }
    }
    Ok(observations)
}

fn item(
    function: &FunctionConfiguration,
    arn: &str,
    tags: BTreeMap<String, String>,
    settings: &EngineSettings,
) -> Result<Observation, RecorderError> {
    let name = required(arn, "FunctionName", function.function_name())?;
    let text = |value: Option<&str>| value.map(Value::from);
    let configuration = object([
        ("functionName", text(Some(name))),
        ("functionArn", text(Some(arn))),
        ("runtime", text(function.runtime().map(Runtime::as_str))),
        ("role", text(function.role())),
        ("handler", text(function.handler())),
        ("timeout", function.timeout().map(Value::from)),
        ("memorySize", function.memory_size().map(Value::from)),
        ("lastModified", text(function.last_modified())),
        ("codeSha256", text(function.code_sha256())),
        ("version", text(function.version())),
    ]);
    let supplementary = Map::from_iter([("Tags".to_owned(), json!(tags))]);
    Ok(Observation {
        resource_id: name.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: None,
        tags,
        relationships: Vec::new(),
        configuration,
        supplementary,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn function_becomes_an_aws_config_item() {
        let arn = "arn:aws:lambda:us-east-1:111122223333:function:resize";
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let function = FunctionConfiguration::builder().function_name("resize").runtime(Runtime::Python312).timeout(3);
        let tags = BTreeMap::from([(text("team"), text("blue"))]);
        let observation = item(&function.build(), arn, tags.clone(), &settings).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.arn.as_str()), ("resize", arn));
        assert_eq!(
            observation.configuration,
            json!({"functionName": "resize", "functionArn": arn, "runtime": "python3.12", "timeout": 3})
        );
        assert_eq!(
            (observation.tags, Value::Object(observation.supplementary)),
            (tags, json!({"Tags": {"team": "blue"}}))
        );
        let nameless = item(&FunctionConfiguration::builder().build(), arn, BTreeMap::new(), &settings).unwrap_err();
        assert_eq!(nameless.to_string(), format!("recorder: {arn}: `FunctionName`: missing"));
    }
}

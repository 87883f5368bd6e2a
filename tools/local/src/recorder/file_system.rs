//! `AWS::EFS::FileSystem`: the properties of its CloudFormation resource, which this type's items have.
//!
//! Source: aws-config-resource-schema, and CloudFormation's schema of the type.

use aws_sdk_efs::Client;
use aws_sdk_efs::types::{FileSystemDescription, PerformanceMode, Tag, ThroughputMode};
use serde_json::{Map, Value, json};

use super::observation::{Observation, REGIONAL, object, timestamp};
use super::{RecorderError, failed, required};
use crate::engine::EngineSettings;

pub(super) async fn read(efs: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut systems = efs.describe_file_systems().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(system) = systems.next().await {
        let system = system.map_err(failed("elasticfilesystem:DescribeFileSystems", "all file systems"))?;
        observations.push(item(&system, settings)?);
    }
    Ok(observations)
}

fn item(system: &FileSystemDescription, settings: &EngineSettings) -> Result<Observation, RecorderError> {
    let id = system.file_system_id();
    let arn = required(id, "FileSystemArn", system.file_system_arn())?;
    let text = |value: Option<&str>| value.map(Value::from);
    let tag = |it: &Tag| json!({"Key": it.key(), "Value": it.value()});
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: None,
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: REGIONAL,
        created: timestamp(system.creation_time()),
        tags: system.tags().iter().map(|it| (it.key().to_owned(), it.value().to_owned())).collect(),
        relationships: Vec::new(),
        configuration: object([
            ("FileSystemId", text(Some(id))),
            ("Arn", text(Some(arn))),
            ("PerformanceMode", text(Some(PerformanceMode::as_str(system.performance_mode())))),
            ("ThroughputMode", text(system.throughput_mode().map(ThroughputMode::as_str))),
            ("FileSystemTags", Some(system.tags().iter().map(tag).collect())),
            ("Encrypted", Some(system.encrypted().unwrap_or(false).into())),
            ("KmsKeyId", text(system.kms_key_id())),
        ]),
        supplementary: Map::new(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_efs::primitives::DateTime;
    use aws_sdk_efs::types::{FileSystemSize, LifeCycleState};

    use super::*;

    #[test]
    fn file_system_becomes_an_aws_config_item() {
        let arn = "arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-0a1b2c3d4e5f60718";
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let system = FileSystemDescription::builder()
            .owner_id("111122223333")
            .creation_token("uploads")
            .file_system_id("fs-0a1b2c3d4e5f60718")
            .creation_time(DateTime::from_secs(1_772_600_000))
            .life_cycle_state(LifeCycleState::Available)
            .number_of_mount_targets(0)
            .size_in_bytes(FileSystemSize::builder().value(0).build())
            .performance_mode(PerformanceMode::GeneralPurpose)
            .tags(Tag::builder().key("team").value("blue").build().unwrap());
        let arnless = item(&system.clone().build().unwrap(), &settings).unwrap_err();
        assert_eq!(arnless.to_string(), "recorder: fs-0a1b2c3d4e5f60718: `FileSystemArn`: missing");
        let observation = item(&system.file_system_arn(arn).encrypted(true).build().unwrap(), &settings).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.arn.as_str()), ("fs-0a1b2c3d4e5f60718", arn));
        assert_eq!(
            observation.configuration,
            json!({"FileSystemId": "fs-0a1b2c3d4e5f60718", "Arn": arn, "PerformanceMode": "generalPurpose",
                "FileSystemTags": [{"Key": "team", "Value": "blue"}], "Encrypted": true})
        );
        assert_eq!(observation.tags, [(text("team"), text("blue"))].into());
    }
}

//! `AWS::DynamoDB::Table`, with its continuous backups and tags.
//!
//! Source: aws-config-resource-schema, and an export from the console.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, ContinuousBackupsDescription, KeySchemaElement, TableDescription, TableStatus, Tag,
};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, object, timestamp};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// DynamoDB's error codes for a table deleted since it was listed.
const DELETED: [&str; 2] = ["ResourceNotFoundException", "TableNotFoundException"];

pub(super) async fn read(dynamodb: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut names = dynamodb.list_tables().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(name) = names.next().await {
        let name = name.map_err(failed("dynamodb:ListTables", "all tables"))?;
        observations.extend(observe(dynamodb, &name, settings).await?);
    }
    Ok(observations)
}

/// Reads one table; none if it was deleted since it was listed.
async fn observe(
    dynamodb: &Client,
    name: &str,
    settings: &EngineSettings,
) -> Result<Option<Observation>, RecorderError> {
    let table = unless(&DELETED, dynamodb.describe_table().table_name(name).send().await);
    let table = table.map_err(failed("dynamodb:DescribeTable", name))?;
    let Some(table) = table.and_then(|answer| answer.table) else { return Ok(None) };
    let arn = required(name, "tableArn", table.table_arn())?;
    let backups = unless(&DELETED, dynamodb.describe_continuous_backups().table_name(name).send().await);
    let backups = backups.map_err(failed("dynamodb:DescribeContinuousBackups", name))?;
    // One page: a table of the emulator has few tags.
    let tags = unless(&DELETED, dynamodb.list_tags_of_resource().resource_arn(arn).send().await);
    let tags = tags.map_err(failed("dynamodb:ListTagsOfResource", name))?;
    let backups = backups.and_then(|answer| answer.continuous_backups_description);
    let tags = tags.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(Some(item(name, arn, &table, backups.as_ref(), &tags, settings)))
}

fn item(
    name: &str,
    arn: &str,
    table: &TableDescription,
    backups: Option<&ContinuousBackupsDescription>,
    tags: &[Tag],
    settings: &EngineSettings,
) -> Observation {
    let text = |value: Option<&str>| value.map(Value::from);
    let attribute = |it: &AttributeDefinition| json!({"attributeName": it.attribute_name(), "attributeType": it.attribute_type().as_str()});
    let key = |it: &KeySchemaElement| json!({"attributeName": it.attribute_name(), "keyType": it.key_type().as_str()});
    let mut supplementary = Map::new();
    supplementary.extend(backups.map(|it| ("ContinuousBackupsDescription".to_owned(), description(it))));
    let tag_list = tags.iter().map(|tag| json!({"key": tag.key(), "value": tag.value()}));
    supplementary.insert("Tags".to_owned(), tag_list.collect());
    Observation {
        resource_id: name.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: table.creation_date_time().and_then(timestamp),
        tags: tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
        relationships: Vec::new(),
        configuration: object([
            ("tableName", text(Some(name))),
            ("tableArn", text(Some(arn))),
            ("tableId", text(table.table_id())),
            ("tableStatus", text(table.table_status().map(TableStatus::as_str))),
            ("attributeDefinitions", Some(table.attribute_definitions().iter().map(attribute).collect())),
            ("keySchema", Some(table.key_schema().iter().map(key).collect())),
        ]),
        supplementary,
    }
}

fn description(backups: &ContinuousBackupsDescription) -> Value {
    let recovery = backups.point_in_time_recovery_description().and_then(|it| it.point_in_time_recovery_status());
    object([
        ("continuousBackupsStatus", Some(backups.continuous_backups_status().as_str().into())),
        (
            "pointInTimeRecoveryDescription",
            recovery.map(|status| json!({"pointInTimeRecoveryStatus": status.as_str()})),
        ),
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_dynamodb::types::{ContinuousBackupsStatus, PointInTimeRecoveryDescription, PointInTimeRecoveryStatus};

    use super::*;

    #[test]
    fn table_becomes_an_aws_config_item() {
        let arn = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";
        let table = TableDescription::builder().table_status(TableStatus::Active).table_id("1d2c").build();
        let recovery = PointInTimeRecoveryDescription::builder()
            .point_in_time_recovery_status(PointInTimeRecoveryStatus::Disabled)
            .build();
        let backups = ContinuousBackupsDescription::builder()
            .continuous_backups_status(ContinuousBackupsStatus::Enabled)
            .point_in_time_recovery_description(recovery)
            .build()
            .unwrap();
        let tag = Tag::builder().key("team").value("shop").build().unwrap();
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let observation = item("orders", arn, &table, Some(&backups), &[tag], &settings);
        assert_eq!((observation.resource_id.as_str(), observation.arn.as_str()), ("orders", arn));
        assert_eq!(
            observation.configuration,
            json!({"tableName": "orders", "tableArn": arn, "tableId": "1d2c", "tableStatus": "ACTIVE",
                "attributeDefinitions": [], "keySchema": []})
        );
        assert_eq!(
            Value::Object(observation.supplementary),
            json!({
                "ContinuousBackupsDescription": {
                    "continuousBackupsStatus": "ENABLED",
                    "pointInTimeRecoveryDescription": {"pointInTimeRecoveryStatus": "DISABLED"}
                },
                "Tags": [{"key": "team", "value": "shop"}]
            })
        );
    }
}

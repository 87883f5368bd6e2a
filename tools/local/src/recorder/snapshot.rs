//! `AWS::RDS::DBSnapshot` and `AWS::RDS::DBClusterSnapshot`, with the accounts that may restore them.
//!
//! Source: aws-config-resource-schema.

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use serde_json::{Map, Value, json};

use super::database::{tags, text};
use super::observation::{NOT_APPLICABLE, Observation, object, sorted, timestamp};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// RDS's error codes for a snapshot deleted since it was listed.
const DELETED: [&str; 2] = ["DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"];

pub(super) async fn read_of_instances(
    rds: &Client,
    settings: &EngineSettings,
) -> Result<Vec<Observation>, RecorderError> {
    let mut snapshots = rds.describe_db_snapshots().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(snapshot) = snapshots.next().await {
        let snapshot = snapshot.map_err(failed("rds:DescribeDBSnapshots", "all snapshots"))?;
        let id = required("a snapshot", "dBSnapshotIdentifier", snapshot.db_snapshot_identifier())?;
        let answer = unless(&DELETED, rds.describe_db_snapshot_attributes().db_snapshot_identifier(id).send().await)
            .map_err(failed("rds:DescribeDBSnapshotAttributes", id))?;
        let Some(answer) = answer else { continue };
        let attributes = answer.db_snapshot_attributes_result.and_then(|it| it.db_snapshot_attributes);
        let attributes =
            attributes.into_iter().flatten().map(|it| attribute(it.attribute_name(), it.attribute_values()));
        observations.push(of_instance(&snapshot, id, sorted(attributes), settings)?);
    }
    Ok(observations)
}

pub(super) async fn read_of_clusters(
    rds: &Client,
    settings: &EngineSettings,
) -> Result<Vec<Observation>, RecorderError> {
    let mut snapshots = rds.describe_db_cluster_snapshots().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(snapshot) = snapshots.next().await {
        let snapshot = snapshot.map_err(failed("rds:DescribeDBClusterSnapshots", "all snapshots"))?;
        let id = required("a snapshot", "dbclusterSnapshotIdentifier", snapshot.db_cluster_snapshot_identifier())?;
        let call = rds.describe_db_cluster_snapshot_attributes().db_cluster_snapshot_identifier(id);
        let answer =
            unless(&DELETED, call.send().await).map_err(failed("rds:DescribeDBClusterSnapshotAttributes", id))?;
        let Some(answer) = answer else { continue };
        let attributes = answer.db_cluster_snapshot_attributes_result.and_then(|it| it.db_cluster_snapshot_attributes);
        let attributes =
            attributes.into_iter().flatten().map(|it| attribute(it.attribute_name(), it.attribute_values()));
        observations.push(of_cluster(&snapshot, id, sorted(attributes), settings)?);
    }
    Ok(observations)
}

fn attribute(name: Option<&str>, values: &[String]) -> Value {
    json!({ "attributeName": name, "attributeValues": values })
}

fn of_instance(
    snapshot: &DbSnapshot,
    id: &str,
    attributes: Value,
    settings: &EngineSettings,
) -> Result<Observation, RecorderError> {
    let arn = required(id, "dBSnapshotArn", snapshot.db_snapshot_arn())?;
    let configuration = object([
        ("dBSnapshotIdentifier", text(Some(id))),
        ("dBInstanceIdentifier", text(snapshot.db_instance_identifier())),
        ("engine", text(snapshot.engine())),
        ("engineVersion", text(snapshot.engine_version())),
        ("allocatedStorage", snapshot.allocated_storage().map(Value::from)),
        ("status", text(snapshot.status())),
        ("snapshotType", text(snapshot.snapshot_type())),
        ("encrypted", snapshot.encrypted().map(Value::from)),
        ("kmsKeyId", text(snapshot.kms_key_id())),
        ("dbiResourceId", text(snapshot.dbi_resource_id())),
        ("dBSnapshotArn", text(Some(arn))),
    ]);
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: Some(id.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: snapshot.snapshot_create_time().and_then(timestamp),
        tags: tags(snapshot.tag_list()),
        relationships: Vec::new(),
        configuration,
        supplementary: supplementary("DBSnapshotAttributes", attributes, snapshot.tag_list()),
    })
}

fn of_cluster(
    snapshot: &DbClusterSnapshot,
    id: &str,
    attributes: Value,
    settings: &EngineSettings,
) -> Result<Observation, RecorderError> {
    let arn = required(id, "dbclusterSnapshotArn", snapshot.db_cluster_snapshot_arn())?;
    let configuration = object([
        ("dbclusterSnapshotIdentifier", text(Some(id))),
        ("dbclusterIdentifier", text(snapshot.db_cluster_identifier())),
        ("engine", text(snapshot.engine())),
        ("engineVersion", text(snapshot.engine_version())),
        ("allocatedStorage", snapshot.allocated_storage().map(Value::from)),
        ("status", text(snapshot.status())),
        ("snapshotType", text(snapshot.snapshot_type())),
        ("storageEncrypted", snapshot.storage_encrypted().map(Value::from)),
        ("kmsKeyId", text(snapshot.kms_key_id())),
        ("dbclusterSnapshotArn", text(Some(arn))),
    ]);
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: Some(id.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: snapshot.snapshot_create_time().and_then(timestamp),
        tags: tags(snapshot.tag_list()),
        relationships: Vec::new(),
        configuration,
        supplementary: supplementary("DBClusterSnapshotAttributes", attributes, snapshot.tag_list()),
    })
}

fn supplementary(key: &str, attributes: Value, list: &[Tag]) -> Map<String, Value> {
    let tags = list.iter().map(|tag| json!({ "key": tag.key(), "value": tag.value() }));
    Map::from_iter([(key.to_owned(), attributes), ("Tags".to_owned(), sorted(tags))])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn settings() -> EngineSettings {
        let text = str::to_owned;
        EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") }
    }

    #[test]
    fn snapshots_become_aws_config_items() {
        let restore = || json!([attribute(Some("restore"), &["all".to_owned()])]);
        let arn = "arn:aws:rds:us-east-1:111122223333:snapshot:orders-1";
        let snapshot = DbSnapshot::builder().db_snapshot_arn(arn).snapshot_type("manual").status("available").build();
        let observation = of_instance(&snapshot, "orders-1", restore(), &settings()).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.arn.as_str()), ("orders-1", arn));
        assert_eq!(
            observation.configuration,
            json!({
                "dBSnapshotIdentifier": "orders-1", "dBSnapshotArn": arn, "snapshotType": "manual",
                "status": "available"
            })
        );
        assert_eq!(
            Value::Object(observation.supplementary),
            json!({"Tags": [], "DBSnapshotAttributes": [{"attributeName": "restore", "attributeValues": ["all"]}]})
        );
        let arn = "arn:aws:rds:us-east-1:111122223333:cluster-snapshot:shop-1";
        let snapshot = DbClusterSnapshot::builder().db_cluster_snapshot_arn(arn).snapshot_type("manual").build();
        let observation = of_cluster(&snapshot, "shop-1", restore(), &settings()).unwrap();
        assert_eq!(
            observation.configuration,
            json!({"dbclusterSnapshotIdentifier": "shop-1", "dbclusterSnapshotArn": arn, "snapshotType": "manual"})
        );
        assert_eq!(observation.supplementary["DBClusterSnapshotAttributes"], restore());
    }
}

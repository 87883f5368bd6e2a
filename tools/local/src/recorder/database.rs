//! `AWS::RDS::DBInstance` and `AWS::RDS::DBCluster`, in AWS Config's casing, which differs between the two.
//!
//! Source: aws-config-resource-schema, and captured items.

use std::collections::BTreeMap;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbCluster, DbInstance, Tag, VpcSecurityGroupMembership};
use serde_json::{Map, Value, json};

use super::observation::{Observation, object, relationship, sorted, timestamp};
use super::{RecorderError, failed, required};
use crate::engine::EngineSettings;

/// The `availabilityZone` of a resource in several zones.
const SEVERAL_ZONES: &str = "Multiple Availability Zones";
/// The `availabilityZone` of a resource in one zone. AWS writes the zone's name, which is only in the configuration
/// here.
const ONE_ZONE: &str = "Regional";

pub(super) async fn read_instances(rds: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut instances = rds.describe_db_instances().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(instance) = instances.next().await {
        let instance = instance.map_err(failed("rds:DescribeDBInstances", "all instances"))?;
        observations.push(observe_instance(&instance, settings)?);
    }
    Ok(observations)
}

pub(super) async fn read_clusters(rds: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut clusters = rds.describe_db_clusters().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(cluster) = clusters.next().await {
        let cluster = cluster.map_err(failed("rds:DescribeDBClusters", "all clusters"))?;
        observations.push(observe_cluster(&cluster, settings)?);
    }
    Ok(observations)
}

fn observe_instance(instance: &DbInstance, settings: &EngineSettings) -> Result<Observation, RecorderError> {
    let name = required("a DB instance", "dBInstanceIdentifier", instance.db_instance_identifier())?;
    let id = required(name, "dbiResourceId", instance.dbi_resource_id())?;
    let arn = required(name, "dBInstanceArn", instance.db_instance_arn())?;
    let several = instance.multi_az() == Some(true);
    let pending = instance.pending_modified_values().map(|pending| {
        object([
            ("dBInstanceClass", text(pending.db_instance_class())),
            ("allocatedStorage", pending.allocated_storage().map(Value::from)),
            ("port", pending.port().map(Value::from)),
            ("backupRetentionPeriod", pending.backup_retention_period().map(Value::from)),
            ("multiAZ", pending.multi_az().map(Value::from)),
            ("engineVersion", text(pending.engine_version())),
        ])
    });
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: (if several { SEVERAL_ZONES } else { ONE_ZONE }).into(),
        created: instance.instance_create_time().and_then(timestamp),
        tags: tags(instance.tag_list()),
        relationships: in_groups(instance.vpc_security_groups()),
        configuration: object([
            ("dBInstanceIdentifier", text(Some(name))),
            ("dBInstanceClass", text(instance.db_instance_class())),
            ("engine", text(instance.engine())),
            ("engineVersion", text(instance.engine_version())),
            ("dBInstanceStatus", text(instance.db_instance_status())),
            ("masterUsername", text(instance.master_username())),
            ("allocatedStorage", instance.allocated_storage().map(Value::from)),
            ("preferredBackupWindow", text(instance.preferred_backup_window())),
            ("backupRetentionPeriod", instance.backup_retention_period().map(Value::from)),
            ("vpcSecurityGroups", Some(groups(instance.vpc_security_groups()))),
            ("availabilityZone", text(instance.availability_zone())),
            ("preferredMaintenanceWindow", text(instance.preferred_maintenance_window())),
            ("pendingModifiedValues", Some(pending.unwrap_or_else(|| json!({})))),
            ("multiAZ", instance.multi_az().map(Value::from)),
            ("autoMinorVersionUpgrade", instance.auto_minor_version_upgrade().map(Value::from)),
            ("readReplicaSourceDBInstanceIdentifier", text(instance.read_replica_source_db_instance_identifier())),
            ("readReplicaDBInstanceIdentifiers", Some(instance.read_replica_db_instance_identifiers().into())),
            ("licenseModel", text(instance.license_model())),
            ("publiclyAccessible", instance.publicly_accessible().map(Value::from)),
            ("storageType", text(instance.storage_type())),
            ("dbInstancePort", instance.db_instance_port().map(Value::from)),
            ("dBClusterIdentifier", text(instance.db_cluster_identifier())),
            ("storageEncrypted", instance.storage_encrypted().map(Value::from)),
            ("kmsKeyId", text(instance.kms_key_id())),
            ("dbiResourceId", text(Some(id))),
            ("copyTagsToSnapshot", instance.copy_tags_to_snapshot().map(Value::from)),
            ("dBInstanceArn", text(Some(arn))),
            ("iAMDatabaseAuthenticationEnabled", instance.iam_database_authentication_enabled().map(Value::from)),
            ("deletionProtection", instance.deletion_protection().map(Value::from)),
        ]),
        supplementary: supplementary(instance.tag_list()),
    })
}

fn observe_cluster(cluster: &DbCluster, settings: &EngineSettings) -> Result<Observation, RecorderError> {
    let name = required("a DB cluster", "dbclusterIdentifier", cluster.db_cluster_identifier())?;
    let id = required(name, "dbClusterResourceId", cluster.db_cluster_resource_id())?;
    let arn = required(name, "dbclusterArn", cluster.db_cluster_arn())?;
    let members = cluster.db_cluster_members().iter().map(|member| {
        object([
            ("isClusterWriter", member.is_cluster_writer().map(Value::from)),
            ("promotionTier", member.promotion_tier().map(Value::from)),
            ("dbinstanceIdentifier", text(member.db_instance_identifier())),
        ])
    });
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: SEVERAL_ZONES.into(),
        created: cluster.cluster_create_time().and_then(timestamp),
        tags: tags(cluster.tag_list()),
        relationships: in_groups(cluster.vpc_security_groups()),
        configuration: object([
            ("allocatedStorage", cluster.allocated_storage().map(Value::from)),
            ("availabilityZones", Some(sorted(cluster.availability_zones().iter().map(|it| json!(it))))),
            ("backupRetentionPeriod", cluster.backup_retention_period().map(Value::from)),
            ("databaseName", text(cluster.database_name())),
            ("status", text(cluster.status())),
            ("multiAZ", cluster.multi_az().map(Value::from)),
            ("engine", text(cluster.engine())),
            ("engineVersion", text(cluster.engine_version())),
            ("engineMode", text(cluster.engine_mode())),
            ("port", cluster.port().map(Value::from)),
            ("masterUsername", text(cluster.master_username())),
            ("preferredBackupWindow", text(cluster.preferred_backup_window())),
            ("preferredMaintenanceWindow", text(cluster.preferred_maintenance_window())),
            ("vpcSecurityGroups", Some(groups(cluster.vpc_security_groups()))),
            ("storageEncrypted", cluster.storage_encrypted().map(Value::from)),
            ("kmsKeyId", text(cluster.kms_key_id())),
            ("dbClusterResourceId", text(Some(id))),
            ("deletionProtection", cluster.deletion_protection().map(Value::from)),
            ("copyTagsToSnapshot", cluster.copy_tags_to_snapshot().map(Value::from)),
            ("dbclusterIdentifier", text(Some(name))),
            ("iamdatabaseAuthenticationEnabled", cluster.iam_database_authentication_enabled().map(Value::from)),
            ("dbsubnetGroup", text(cluster.db_subnet_group())),
            ("dbclusterMembers", Some(sorted(members))),
            ("dbclusterArn", text(Some(arn))),
        ]),
        supplementary: supplementary(cluster.tag_list()),
    })
}

pub(super) fn text(value: Option<&str>) -> Option<Value> {
    value.map(Value::from)
}

pub(super) fn tags(list: &[Tag]) -> BTreeMap<String, String> {
    list.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect()
}

fn supplementary(list: &[Tag]) -> Map<String, Value> {
    let tags = list.iter().map(|tag| json!({ "key": tag.key(), "value": tag.value() }));
    Map::from_iter([("Tags".to_owned(), sorted(tags))])
}

fn groups(memberships: &[VpcSecurityGroupMembership]) -> Value {
    sorted(
        memberships.iter().map(|it| json!({ "vpcSecurityGroupId": it.vpc_security_group_id(), "status": it.status() })),
    )
}

fn in_groups(memberships: &[VpcSecurityGroupMembership]) -> Vec<Value> {
    let ids = memberships.iter().filter_map(VpcSecurityGroupMembership::vpc_security_group_id);
    ids.map(|id| relationship("AWS::EC2::SecurityGroup", id, None, "Is associated with SecurityGroup")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_rds::types::{DbClusterMember, PendingModifiedValues};

    use super::*;

    fn settings() -> EngineSettings {
        let text = str::to_owned;
        EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") }
    }

    #[test]
    fn instance_becomes_an_aws_config_item() {
        let arn = "arn:aws:rds:us-east-1:111122223333:db:orders";
        let group = VpcSecurityGroupMembership::builder().vpc_security_group_id("sg-1").status("active").build();
        let instance = DbInstance::builder()
            .db_instance_identifier("orders")
            .dbi_resource_id("db-ORDERS")
            .db_instance_arn(arn)
            .engine("mysql")
            .db_instance_status("available")
            .multi_az(true)
            .deletion_protection(false)
            .backup_retention_period(0)
            .pending_modified_values(PendingModifiedValues::builder().backup_retention_period(7).build())
            .vpc_security_groups(group)
            .tag_list(Tag::builder().key("team").value("shop").build())
            .build();
        let observation = observe_instance(&instance, &settings()).unwrap();
        assert_eq!(
            (observation.resource_id.as_str(), observation.resource_name.as_deref()),
            ("db-ORDERS", Some("orders"))
        );
        assert_eq!(observation.availability_zone, "Multiple Availability Zones");
        assert_eq!(observation.tags, [("team".to_owned(), "shop".to_owned())].into());
        assert_eq!(
            observation.configuration,
            json!({
                "dBInstanceIdentifier": "orders", "dbiResourceId": "db-ORDERS", "dBInstanceArn": arn, "engine": "mysql",
                "dBInstanceStatus": "available", "multiAZ": true, "deletionProtection": false,
                "backupRetentionPeriod": 0, "pendingModifiedValues": {"backupRetentionPeriod": 7},
                "readReplicaDBInstanceIdentifiers": [],
                "vpcSecurityGroups": [{"vpcSecurityGroupId": "sg-1", "status": "active"}]
            })
        );
        assert_eq!(Value::Object(observation.supplementary), json!({"Tags": [{"key": "team", "value": "shop"}]}));
    }

    #[test]
    fn cluster_becomes_an_aws_config_item() {
        let arn = "arn:aws:rds:us-east-1:111122223333:cluster:shop";
        let member = DbClusterMember::builder().db_instance_identifier("shop-1").is_cluster_writer(true).build();
        let cluster = DbCluster::builder()
            .db_cluster_identifier("shop")
            .db_cluster_resource_id("cluster-SHOP")
            .db_cluster_arn(arn)
            .engine("aurora-mysql")
            .status("available")
            .backup_retention_period(1)
            .db_cluster_members(member)
            .build();
        let observation = observe_cluster(&cluster, &settings()).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.arn.as_str()), ("cluster-SHOP", arn));
        assert_eq!(
            observation.configuration,
            json!({
                "dbclusterIdentifier": "shop", "dbClusterResourceId": "cluster-SHOP", "dbclusterArn": arn,
                "engine": "aurora-mysql", "status": "available", "backupRetentionPeriod": 1, "availabilityZones": [],
                "vpcSecurityGroups": [], "dbclusterMembers": [{"isClusterWriter": true, "dbinstanceIdentifier": "shop-1"}]
            })
        );
    }
}

//! The calls to RDS. The only place that names its SDK; it maps answers and decides nothing.
//!
//! `ApplyImmediately` is never sent: it would also apply all other changes pending for the maintenance window.

mod backups;
mod clusters;
mod functions;
mod instances;
mod snapshots;

use aws_sdk_rds::Client;
use aws_sdk_rds::operation::describe_db_clusters::DescribeDBClustersError;
use aws_sdk_rds::operation::describe_db_instances::DescribeDBInstancesError;
use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDBClusterFluentBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types;
use aws_types::SdkConfig;
use rectify_compliance::{ResourceKey, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found};

use rectify_rds::resources::database::{CLUSTER, Description, INSTANCE, Kind, PendingValues, identifier_of};
use rectify_rds::resources::instance::Instance;

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    rds: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { rds: Client::new(config) }
    }

    async fn ids(&self, _place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        match kind {
            INSTANCE => self.all_instances().await.map(Some),
            CLUSTER => self.all_clusters().await.map(Some),
            _ => Ok(None),
        }
    }
}

impl Clients {
    /// `DescribeDBInstances`, all pages: all instances, with their identifiers.
    async fn all_instances(&self) -> Result<Vec<Found>, AwsError> {
        let mut instances = self.rds.describe_db_instances().into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(it) = instances.next().await {
            let it = it.map_err(|error| AwsError::call("rds:DescribeDBInstances", &error))?;
            all.push(found(INSTANCE, it.dbi_resource_id, it.db_instance_identifier)?);
        }
        Ok(all)
    }

    /// `DescribeDBClusters`, all pages: all clusters, with their identifiers.
    async fn all_clusters(&self) -> Result<Vec<Found>, AwsError> {
        let mut clusters = self.rds.describe_db_clusters().into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(it) = clusters.next().await {
            let it = it.map_err(|error| AwsError::call("rds:DescribeDBClusters", &error))?;
            all.push(found(CLUSTER, it.db_cluster_resource_id, it.db_cluster_identifier)?);
        }
        Ok(all)
    }

    /// `DescribeDBInstances` of the instance with this identifier; `None` when there is none.
    async fn describe_instance(&self, target: &Target) -> Result<Option<types::DbInstance>, AwsError> {
        let call = self.rds.describe_db_instances().db_instance_identifier(identifier_of(target)?);
        match call.send().await {
            Ok(answer) => Ok(answer.db_instances.unwrap_or_default().into_iter().next()),
            Err(error)
                if error.as_service_error().is_some_and(DescribeDBInstancesError::is_db_instance_not_found_fault) =>
            {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("rds:DescribeDBInstances", &error)),
        }
    }

    /// `DescribeDBClusters` of the cluster with this identifier; `None` when there is none.
    async fn describe_cluster(&self, target: &Target) -> Result<Option<types::DbCluster>, AwsError> {
        let call = self.rds.describe_db_clusters().db_cluster_identifier(identifier_of(target)?);
        match call.send().await {
            Ok(answer) => Ok(answer.db_clusters.unwrap_or_default().into_iter().next()),
            Err(error)
                if error.as_service_error().is_some_and(DescribeDBClustersError::is_db_cluster_not_found_fault) =>
            {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("rds:DescribeDBClusters", &error)),
        }
    }

    /// `ModifyDBInstance` without settings: the caller adds them, all others stay unchanged.
    fn modify_instance(&self, identifier: &str) -> ModifyDBInstanceFluentBuilder {
        self.rds.modify_db_instance().db_instance_identifier(identifier)
    }

    /// `ModifyDBCluster` in the same way.
    fn modify_cluster(&self, identifier: &str) -> ModifyDBClusterFluentBuilder {
        self.rds.modify_db_cluster().db_cluster_identifier(identifier)
    }
}

/// A listed database; without its resource id it could not be identified.
fn found(kind: &str, id: Option<String>, name: Option<String>) -> Result<Found, ShapeError> {
    let id = id.ok_or_else(|| ShapeError::missing(format!("{kind}.ResourceId"), "a resource id"))?;
    Ok(Found { resource: ResourceKey::new(kind, id), name })
}

/// Makes the call; idempotent.
async fn modify(call: ModifyDBInstanceFluentBuilder) -> Result<(), AwsError> {
    call.send().await.map(drop).map_err(|error| AwsError::call("rds:ModifyDBInstance", &error))
}

/// Makes the call; idempotent.
async fn modify_cluster(call: ModifyDBClusterFluentBuilder) -> Result<(), AwsError> {
    call.send().await.map(drop).map_err(|error| AwsError::call("rds:ModifyDBCluster", &error))
}

fn description(instance: &types::DbInstance) -> Description {
    let text = |value: Option<&str>| value.map(str::to_owned);
    Description {
        resource_id: text(instance.dbi_resource_id()),
        identifier: text(instance.db_instance_identifier()),
        arn: text(instance.db_instance_arn()),
        engine: text(instance.engine()),
        status: text(instance.db_instance_status()),
        cluster: text(instance.db_cluster_identifier()),
        source_instance: text(instance.read_replica_source_db_instance_identifier()),
        source_cluster: text(instance.read_replica_source_db_cluster_identifier()),
        deletion_protection: instance.deletion_protection(),
        multi_az: instance.multi_az(),
        auto_minor_version_upgrade: instance.auto_minor_version_upgrade(),
        publicly_accessible: instance.publicly_accessible(),
        storage_encrypted: instance.storage_encrypted(),
        kms_key_id: text(instance.kms_key_id()),
        backup_retention_period: instance.backup_retention_period(),
        preferred_backup_window: text(instance.preferred_backup_window()),
        pending_modified_values: instance.pending_modified_values().map(|pending| PendingValues {
            multi_az: pending.multi_az(),
            backup_retention_period: pending.backup_retention_period(),
        }),
    }
}

/// The instance of an answer.
fn instance(found: &types::DbInstance) -> Result<Instance, ShapeError> {
    let description = description(found);
    let database = description.database(Kind::Instance, tags(found.tag_list()))?;
    Ok(Instance::of(&description, database))
}

/// Tags by key; a tag without a key is ignored.
fn tags(list: &[types::Tag]) -> Tags {
    list.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_an_answer_is_kept() {
        let pending = types::PendingModifiedValues::builder().multi_az(true).backup_retention_period(7).build();
        let answer = types::DbInstance::builder()
            .dbi_resource_id("db-ORDERS")
            .db_instance_identifier("orders")
            .db_instance_arn("arn:aws:rds:eu-west-1:111122223333:db:orders")
            .engine("mysql")
            .db_instance_status("available")
            .db_cluster_identifier("shop")
            .read_replica_source_db_instance_identifier("first")
            .read_replica_source_db_cluster_identifier("main")
            .deletion_protection(true)
            .multi_az(false)
            .auto_minor_version_upgrade(true)
            .publicly_accessible(false)
            .storage_encrypted(true)
            .kms_key_id("arn:aws:kms:eu-west-1:111122223333:key/1")
            .backup_retention_period(3)
            .preferred_backup_window("08:50-09:20")
            .pending_modified_values(pending)
            .build();
        let text = |value: &str| Some(value.to_owned());
        let expected = Description {
            resource_id: text("db-ORDERS"),
            identifier: text("orders"),
            arn: text("arn:aws:rds:eu-west-1:111122223333:db:orders"),
            engine: text("mysql"),
            status: text("available"),
            cluster: text("shop"),
            source_instance: text("first"),
            source_cluster: text("main"),
            deletion_protection: Some(true),
            multi_az: Some(false),
            auto_minor_version_upgrade: Some(true),
            publicly_accessible: Some(false),
            storage_encrypted: Some(true),
            kms_key_id: text("arn:aws:kms:eu-west-1:111122223333:key/1"),
            backup_retention_period: Some(3),
            preferred_backup_window: text("08:50-09:20"),
            pending_modified_values: Some(PendingValues { multi_az: Some(true), backup_retention_period: Some(7) }),
        };
        assert_eq!(description(&answer), expected);
    }
}

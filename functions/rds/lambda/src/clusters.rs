//! Deletion protection of a cluster.

use aws_sdk_rds::types;
use rectify_compliance::Target;
use rectify_runtime::AwsError;
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use super::{Clients, modify_cluster, tags};
use rectify_rds::resources::cluster::Cluster;
use rectify_rds::resources::database::{Description, Kind, PendingValues};

impl Views<Cluster> for Clients {
    async fn read(&self, target: &Target) -> Result<Option<Cluster>, AwsError> {
        let Some(found) = self.describe_cluster(target).await? else { return Ok(None) };
        let description = cluster_description(&found);
        let database = description.database(Kind::Cluster, tags(found.tag_list()))?;
        Ok(Some(Cluster::of(&description, database)).filter(|it| it.database.is_target(target)))
    }

    async fn write(&self, id: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let call = self.modify_cluster(id);
        modify_cluster(match member {
            "DeletionProtection" => call.deletion_protection(value_of(member, value)?),
            _ => return Err(unknown_member(member)),
        })
        .await
    }
}

pub(super) fn cluster_description(cluster: &types::DbCluster) -> Description {
    let text = |value: Option<&str>| value.map(str::to_owned);
    Description {
        resource_id: text(cluster.db_cluster_resource_id()),
        identifier: text(cluster.db_cluster_identifier()),
        arn: text(cluster.db_cluster_arn()),
        engine: text(cluster.engine()),
        status: text(cluster.status()),
        deletion_protection: cluster.deletion_protection(),
        backup_retention_period: cluster.backup_retention_period(),
        preferred_backup_window: text(cluster.preferred_backup_window()),
        pending_modified_values: cluster.pending_modified_values().map(|pending| PendingValues {
            backup_retention_period: pending.backup_retention_period(),
            multi_az: None,
        }),
        ..Description::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_an_answer_is_kept() {
        let pending = types::ClusterPendingModifiedValues::builder().backup_retention_period(7).build();
        let answer = types::DbCluster::builder()
            .db_cluster_resource_id("cluster-SHOP")
            .db_cluster_identifier("shop")
            .db_cluster_arn("arn:aws:rds:eu-west-1:111122223333:cluster:shop")
            .engine("aurora-mysql")
            .status("available")
            .deletion_protection(true)
            .backup_retention_period(1)
            .preferred_backup_window("04:48-05:18")
            .pending_modified_values(pending)
            .build();
        let text = |value: &str| Some(value.to_owned());
        let expected = Description {
            resource_id: text("cluster-SHOP"),
            identifier: text("shop"),
            arn: text("arn:aws:rds:eu-west-1:111122223333:cluster:shop"),
            engine: text("aurora-mysql"),
            status: text("available"),
            deletion_protection: Some(true),
            backup_retention_period: Some(1),
            preferred_backup_window: text("04:48-05:18"),
            pending_modified_values: Some(PendingValues { backup_retention_period: Some(7), multi_az: None }),
            ..Description::default()
        };
        assert_eq!(cluster_description(&answer), expected);
    }
}

//! The automated backups of instances and clusters.

use aws_sdk_rds::types;
use rectify_compliance::{ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::{Clients, description, modify, tags};
use rectify_rds::controls::db_instance_backup_enabled::{Action, BackupParameters, Change, DbInstanceBackupEnabled};
use rectify_rds::resources::backups::Backups;
use rectify_rds::resources::database::{CLUSTER, Description, Kind, PendingValues};

impl Clients {
    async fn backups_of_instance(&self, target: &Target) -> Result<Option<Backups>, AwsError> {
        let Some(found) = self.describe_instance(target).await? else { return Ok(None) };
        let description = description(&found);
        let database = description.database(Kind::Instance, tags(found.tag_list()))?;
        Ok(Some(Backups::of(&description, database)?))
    }

    async fn backups_of_cluster(&self, target: &Target) -> Result<Option<Backups>, AwsError> {
        let Some(found) = self.describe_cluster(target).await? else { return Ok(None) };
        let description = cluster(&found);
        let database = description.database(Kind::Cluster, tags(found.tag_list()))?;
        Ok(Some(Backups::of(&description, database)?))
    }

    /// `ModifyDBCluster` with the settings in `change`; omitted settings stay unchanged.
    async fn modify_cluster(&self, identifier: &str, change: &Change) -> Result<(), AwsError> {
        let call = self
            .rds
            .modify_db_cluster()
            .db_cluster_identifier(identifier)
            .set_backup_retention_period(days(change)?)
            .set_preferred_backup_window(change.preferred_backup_window.clone());
        call.send().await.map(drop).map_err(|error| AwsError::call("rds:ModifyDBCluster", &error))
    }
}

impl Fix<Clients> for DbInstanceBackupEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &BackupParameters,
    ) -> Result<Option<Backups>, AwsError> {
        let found = match target.resource.kind.as_str() {
            CLUSTER => clients.backups_of_cluster(target).await?,
            _ => clients.backups_of_instance(target).await?,
        };
        Ok(found.filter(|it| it.database.is_target(target)))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        match action {
            Action::ModifyDBInstance { identifier, change } => {
                let call = clients
                    .modify_instance(identifier)
                    .set_backup_retention_period(days(change)?)
                    .set_preferred_backup_window(change.preferred_backup_window.clone());
                modify(call).await
            }
            Action::ModifyDBCluster { identifier, change } => clients.modify_cluster(identifier, change).await,
        }
    }
}

fn days(change: &Change) -> Result<Option<i32>, ShapeError> {
    let days =
        |days: u32| i32::try_from(days).map_err(|_| ShapeError::new("BackupRetentionPeriod", "a number of days", days));
    change.backup_retention_period.map(days).transpose()
}

fn cluster(cluster: &types::DbCluster) -> Description {
    let text = |value: Option<&str>| value.map(str::to_owned);
    Description {
        resource_id: text(cluster.db_cluster_resource_id()),
        identifier: text(cluster.db_cluster_identifier()),
        arn: text(cluster.db_cluster_arn()),
        engine: text(cluster.engine()),
        status: text(cluster.status()),
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
            backup_retention_period: Some(1),
            preferred_backup_window: text("04:48-05:18"),
            pending_modified_values: Some(PendingValues { backup_retention_period: Some(7), multi_az: None }),
            ..Description::default()
        };
        assert_eq!(cluster(&answer), expected);
    }
}

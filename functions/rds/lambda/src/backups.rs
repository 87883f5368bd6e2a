//! The automated backups of instances and clusters.

use rectify_compliance::{ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::clusters::cluster_description;
use super::{Clients, description, modify, modify_cluster, tags};
use rectify_rds::controls::db_instance_backup_enabled::{Action, BackupParameters, Change, DbInstanceBackupEnabled};
use rectify_rds::resources::backups::Backups;
use rectify_rds::resources::database::{CLUSTER, Kind};

impl Clients {
    async fn backups_of_instance(&self, target: &Target) -> Result<Option<Backups>, AwsError> {
        let Some(found) = self.describe_instance(target).await? else { return Ok(None) };
        let description = description(&found);
        let database = description.database(Kind::Instance, tags(found.tag_list()))?;
        Ok(Some(Backups::of(&description, database)?))
    }

    async fn backups_of_cluster(&self, target: &Target) -> Result<Option<Backups>, AwsError> {
        let Some(found) = self.describe_cluster(target).await? else { return Ok(None) };
        let description = cluster_description(&found);
        let database = description.database(Kind::Cluster, tags(found.tag_list()))?;
        Ok(Some(Backups::of(&description, database)?))
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
            Action::ModifyDBCluster { identifier, change } => {
                let call = clients
                    .modify_cluster(identifier)
                    .set_backup_retention_period(days(change)?)
                    .set_preferred_backup_window(change.preferred_backup_window.clone());
                modify_cluster(call).await
            }
        }
    }
}

fn days(change: &Change) -> Result<Option<i32>, ShapeError> {
    let days =
        |days: u32| i32::try_from(days).map_err(|_| ShapeError::new("BackupRetentionPeriod", "a number of days", days));
    change.backup_retention_period.map(days).transpose()
}

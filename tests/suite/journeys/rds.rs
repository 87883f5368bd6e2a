//! Databases.

use aws_sdk_rds::error::SdkError;
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// How often a call may be cut off while moto imports RDS and all that it stands on, which happens at its first call and
/// takes longer than a call may on a busy machine.
const AWAKENINGS: usize = 6;

/// An instance that keeps backups for three days and can be deleted.
async fn instance(world: &World) -> ResourceKey {
    let rds = &world.clients().rds;
    for _ in 0..AWAKENINGS {
        match rds.describe_db_instances().send().await {
            Err(SdkError::TimeoutError(_)) => {}
            answer => {
                answer.unwrap();
                break;
            }
        }
    }
    let create = rds.create_db_instance().db_instance_identifier("orders").engine("mysql");
    let create = create.db_instance_class("db.m6g.large").allocated_storage(20).master_username("root");
    let create = create.master_user_password("not a secret").backup_retention_period(3).deletion_protection(false);
    let id = create.send().await.unwrap().db_instance.unwrap().dbi_resource_id.unwrap();
    ResourceKey::new("AWS::RDS::DBInstance", id.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_protection_is_turned_on_and_off_again() {
    run_lifecycle("rds-instance-deletion-protection-enabled", "{}", instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_of_backups_is_lengthened_and_what_it_was_again() {
    run_lifecycle("db-instance-backup-enabled", r#"{"backupRetentionMinimum": "7"}"#, instance).await;
}

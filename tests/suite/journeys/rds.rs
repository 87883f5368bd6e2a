//! DB instances and clusters.

use aws_sdk_rds::error::SdkError;
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// How many calls may time out while moto imports RDS and its dependencies, which happens at the first call and takes
/// longer than a call's timeout on a busy machine.
const WARM_UP_CALLS: usize = 6;

/// A client of RDS in moto, once it answers.
async fn rds(world: &World) -> &aws_sdk_rds::Client {
    let rds = &world.clients().rds;
    for _ in 0..WARM_UP_CALLS {
        match rds.describe_db_instances().send().await {
            Err(SdkError::TimeoutError(_)) => {}
            answer => {
                answer.unwrap();
                break;
            }
        }
    }
    rds
}

/// An instance that violates every control with a journey.
async fn instance(world: &World) -> ResourceKey {
    let create = rds(world).await.create_db_instance().db_instance_identifier("orders").engine("mysql");
    let create = create.db_instance_class("db.m6g.large").allocated_storage(20).master_username("root");
    let create = create.master_user_password("not a secret").backup_retention_period(3).deletion_protection(false);
    let create = create.auto_minor_version_upgrade(false).publicly_accessible(true);
    let id = create.send().await.unwrap().db_instance.unwrap().dbi_resource_id.unwrap();
    ResourceKey::new("AWS::RDS::DBInstance", id.as_str())
}

/// An Aurora cluster without deletion protection.
async fn cluster(world: &World) -> ResourceKey {
    let create = rds(world).await.create_db_cluster().db_cluster_identifier("shop").engine("aurora-mysql");
    let create = create.master_username("root").master_user_password("not a secret").deletion_protection(false);
    let id = create.send().await.unwrap().db_cluster.unwrap().db_cluster_resource_id.unwrap();
    ResourceKey::new("AWS::RDS::DBCluster", id.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_protection_of_a_cluster_is_enabled_and_undone() {
    run_lifecycle("rds-cluster-deletion-protection-enabled", "{}", cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_protection_is_enabled_and_undone() {
    run_lifecycle("rds-instance-deletion-protection-enabled", "{}", instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn minor_version_upgrade_is_enabled_and_undone() {
    run_lifecycle("rds-automatic-minor-version-upgrade-enabled", "{}", instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_access_is_removed_and_undone() {
    run_lifecycle("rds-instance-public-access-check", "{}", instance).await;
}

/// A public snapshot of an instance.
async fn snapshot(world: &World) -> ResourceKey {
    instance(world).await;
    let rds = &world.clients().rds;
    rds.create_db_snapshot().db_instance_identifier("orders").db_snapshot_identifier("orders-1").send().await.unwrap();
    let share = rds.modify_db_snapshot_attribute().db_snapshot_identifier("orders-1").attribute_name("restore");
    share.values_to_add("all").send().await.unwrap();
    ResourceKey::new("AWS::RDS::DBSnapshot", "orders-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn public_snapshot_is_made_private_and_undone() {
    run_lifecycle("rds-snapshots-public-prohibited", "{}", snapshot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_retention_is_raised_and_undone() {
    run_lifecycle("db-instance-backup-enabled", r#"{"backupRetentionMinimum": "7"}"#, instance).await;
}

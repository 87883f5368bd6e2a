//! DB instances and clusters.

use rectify_compliance::{Declared, NoParameters, ResourceKey, Target};
use rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED;
use rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED;
use rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK;
use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;
use rectify_rds::controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED;
use rectify_rds::controls::rds_storage_encrypted::RDS_STORAGE_ENCRYPTED;
use rectify_rds_lambda::Clients;

use super::*;

/// A region of the emulator that only these tests use for databases.
const HERE: &str = "ca-central-1";

fn database(kind: &str, id: &str, name: Option<&str>) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(HERE),
        resource: ResourceKey::new(kind, id),
        name: name.map(str::to_owned),
        arn: None,
    }
}

/// Denies each call of a live read in turn: each denial is an error.
async fn each_denied_live_read_is_an_error<K>(control: &'static Declared<K>, target: &Target, params: &K::Params)
where
    K: Fix<Clients>,
{
    let region = target.region.as_str();
    let free = Services::default();
    assert!(control.logic.live(&Clients::connect(&free.sdk(region)), target, params).await.unwrap().is_some());
    let calls = free.calls();
    assert_permitted(&entry(&control.meta).remediation_permissions(), &calls);
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDenied" }]);
        let error = control.logic.live(&Clients::connect(&services.sdk(region)), target, params).await.unwrap_err();
        assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
    }
}

#[tokio::test]
async fn denied_read_of_a_database_is_an_error() {
    let rds = aws_sdk_rds::Client::new(&Services::default().sdk(HERE));
    let create = rds.create_db_instance().db_instance_identifier("orders").engine("mysql").allocated_storage(20);
    let create = create.db_instance_class("db.m6g.large").master_username("root").master_user_password("not a secret");
    let id = create.send().await.unwrap().db_instance.unwrap().dbi_resource_id.unwrap();
    let instance = database("AWS::RDS::DBInstance", &id, Some("orders"));
    each_denied_live_read_is_an_error(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &instance, &Default::default()).await;
    each_denied_live_read_is_an_error(&RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED, &instance, &Default::default())
        .await;
    each_denied_live_read_is_an_error(&RDS_INSTANCE_PUBLIC_ACCESS_CHECK, &instance, &Default::default()).await;
    each_denied_live_read_is_an_error(&RDS_STORAGE_ENCRYPTED, &instance, &Default::default()).await;
    each_denied_live_read_is_an_error(&RDS_MULTI_AZ_SUPPORT, &instance, &Default::default()).await;
    each_denied_live_read_is_an_error(&DB_INSTANCE_BACKUP_ENABLED, &instance, &Default::default()).await;
    let create = rds.create_db_cluster().db_cluster_identifier("shop").engine("aurora-mysql");
    let create = create.master_username("root").master_user_password("not a secret");
    let id = create.send().await.unwrap().db_cluster.unwrap().db_cluster_resource_id.unwrap();
    let cluster = database("AWS::RDS::DBCluster", &id, Some("shop"));
    each_denied_live_read_is_an_error(&DB_INSTANCE_BACKUP_ENABLED, &cluster, &Default::default()).await;
    each_denied_live_read_is_an_error(&RDS_CLUSTER_DELETION_PROTECTION_ENABLED, &cluster, &Default::default()).await;
}

#[tokio::test]
async fn database_without_a_recorded_name_is_an_error_and_not_gone() {
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let error = remediate::<_, Clients>(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &services, &sandbox, "db-NAMELESS")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("AWS::RDS::DBInstance db-NAMELESS.resourceName"), "{error}");
    assert_eq!(services.calls(), [""; 0]);
}

/// Creates a manual snapshot of an instance and one of a cluster in `region`.
async fn snapshots(region: &str) {
    let rds = aws_sdk_rds::Client::new(&Services::default().sdk(region));
    let create = rds.create_db_instance().db_instance_identifier("books").engine("mysql").allocated_storage(20);
    let create = create.db_instance_class("db.m6g.large").master_username("root").master_user_password("not a secret");
    create.send().await.unwrap();
    rds.create_db_snapshot().db_instance_identifier("books").db_snapshot_identifier("books-1").send().await.unwrap();
    let create = rds.create_db_cluster().db_cluster_identifier("carts").engine("aurora-mysql");
    create.master_username("root").master_user_password("not a secret").send().await.unwrap();
    let create = rds.create_db_cluster_snapshot().db_cluster_identifier("carts");
    create.db_cluster_snapshot_identifier("carts-1").send().await.unwrap();
}

#[tokio::test]
async fn denied_read_of_snapshots_is_reported() {
    snapshots("sa-east-1").await;
    let rule = on_change_and_schedule::<_, Clients>(&RDS_SNAPSHOTS_PUBLIC_PROHIBITED);
    each_denied_read_is_reported(&rule, "sa-east-1", "AccessDenied").await;
    for (kind, id) in [("AWS::RDS::DBSnapshot", "books-1"), ("AWS::RDS::DBClusterSnapshot", "carts-1")] {
        let target = Target { region: Region::new("sa-east-1"), ..database(kind, id, None) };
        each_denied_live_read_is_an_error(&RDS_SNAPSHOTS_PUBLIC_PROHIBITED, &target, &NoParameters {}).await;
    }
}

/// `rds-snapshots-public-prohibited/6`: listed, and deleted before it is read.
#[tokio::test]
async fn deleted_snapshot_is_left_out_and_ends_as_gone() {
    snapshots("eu-west-3").await;
    let rule = on_change_and_schedule::<_, Clients>(&RDS_SNAPSHOTS_PUBLIC_PROHIBITED);
    for (operation, code, left) in [
        ("rds:DescribeDBSnapshotAttributes", "DBSnapshotNotFound", "carts-1"),
        ("rds:DescribeDBClusterSnapshotAttributes", "DBClusterSnapshotNotFoundFault", "books-1"),
    ] {
        let services = Services::refusing([InjectedError { operation: Some(operation), number: 1, code }]);
        run_scheduled(&rule, &services, "eu-west-3").await.unwrap();
        assert_eq!(evaluated(&services), BTreeSet::from([left.to_owned()]));
    }
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let gone = remediate::<_, Clients>(&RDS_SNAPSHOTS_PUBLIC_PROHIBITED, &services, &sandbox, "no-such-snapshot")
        .await
        .unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["rds:DescribeDBSnapshots"]);
}

//! DB instances and clusters.

use rectify_compliance::{Declared, ResourceKey, Target};
use rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED;
use rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED;
use rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK;
use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;
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
    let free = Services::default();
    assert!(control.logic.live(&Clients::connect(&free.sdk(HERE)), target, params).await.unwrap().is_some());
    let calls = free.calls();
    assert_permitted(&entry(&control.meta).remediation_permissions(), &calls);
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDenied" }]);
        let error = control.logic.live(&Clients::connect(&services.sdk(HERE)), target, params).await.unwrap_err();
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

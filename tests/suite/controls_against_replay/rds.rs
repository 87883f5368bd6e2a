//! Databases.

use rectify_compliance::{Declared, ResourceKey, Target};
use rectify_rds::controls::db_instance_backup_enabled::DB_INSTANCE_BACKUP_ENABLED;
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;
use rectify_rds_lambda::Clients;

use super::*;

/// A region of the emulator for these tests.
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

/// Denies each call of a live read in turn: none of them is taken for a fact.
async fn each_denied_live_read_is_a_fault<K>(control: &'static Declared<K>, target: &Target, params: &K::Params)
where
    K: Fix<Clients>,
{
    let free = Services::default();
    assert!(control.logic.live(&Clients::connect(&free.sdk(HERE)), target, params).await.unwrap().is_some());
    let calls = free.calls();
    allowed(&entry(&control.meta).remediation_permissions(), &calls);
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDenied" }]);
        let error = control.logic.live(&Clients::connect(&services.sdk(HERE)), target, params).await.unwrap_err();
        assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
    }
}

#[tokio::test]
async fn denied_read_of_a_database_is_a_fault() {
    let rds = aws_sdk_rds::Client::new(&Services::default().sdk(HERE));
    let create = rds.create_db_instance().db_instance_identifier("orders").engine("mysql").allocated_storage(20);
    let create = create.db_instance_class("db.m6g.large").master_username("root").master_user_password("not a secret");
    let id = create.send().await.unwrap().db_instance.unwrap().dbi_resource_id.unwrap();
    let instance = database("AWS::RDS::DBInstance", &id, Some("orders"));
    each_denied_live_read_is_a_fault(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &instance, &Default::default()).await;
    each_denied_live_read_is_a_fault(&RDS_MULTI_AZ_SUPPORT, &instance, &Default::default()).await;
    each_denied_live_read_is_a_fault(&DB_INSTANCE_BACKUP_ENABLED, &instance, &Default::default()).await;
    let create = rds.create_db_cluster().db_cluster_identifier("shop").engine("aurora-mysql");
    let create = create.master_username("root").master_user_password("not a secret");
    let id = create.send().await.unwrap().db_cluster.unwrap().db_cluster_resource_id.unwrap();
    let cluster = database("AWS::RDS::DBCluster", &id, Some("shop"));
    each_denied_live_read_is_a_fault(&DB_INSTANCE_BACKUP_ENABLED, &cluster, &Default::default()).await;
}

#[tokio::test]
async fn database_that_aws_config_has_no_name_for_is_never_taken_for_gone() {
    let (around, services) = (Surroundings::create().await, Services::default());
    let fault = remedied::<_, Clients>(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &services, &around, "db-NAMELESS")
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("AWS::RDS::DBInstance db-NAMELESS.resourceName"), "{fault}");
    assert_eq!(services.calls(), [""; 0]);
}

//! Databases.

use rectify_compliance::{ResourceKey, Target};
use rectify_rds::db_instance_backup_enabled::DbInstanceBackupEnabled;
use rectify_rds::rds_instance_deletion_protection_enabled::RdsInstanceDeletionProtectionEnabled;
use rectify_rds::rds_multi_az_support::RdsMultiAzSupport;
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
async fn each_denied_live_read_is_a_fault<K>(target: &Target, params: &K::Params)
where
    K: Remediation + ReadLive<Clients>,
{
    let free = Services::default();
    assert!(K::live(&Clients::connect(&free.sdk(HERE)), target, params).await.unwrap().is_some());
    let calls = free.calls();
    allowed(&entry::<K>().remediation_permissions(), &calls);
    for number in 1..=calls.len() {
        let services = Services::refusing([Refusal { operation: None, number, code: "AccessDenied" }]);
        let error = K::live(&Clients::connect(&services.sdk(HERE)), target, params).await.unwrap_err();
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
    each_denied_live_read_is_a_fault::<RdsInstanceDeletionProtectionEnabled>(&instance, &Default::default()).await;
    each_denied_live_read_is_a_fault::<RdsMultiAzSupport>(&instance, &Default::default()).await;
    each_denied_live_read_is_a_fault::<DbInstanceBackupEnabled>(&instance, &Default::default()).await;
    let create = rds.create_db_cluster().db_cluster_identifier("shop").engine("aurora-mysql");
    let create = create.master_username("root").master_user_password("not a secret");
    let id = create.send().await.unwrap().db_cluster.unwrap().db_cluster_resource_id.unwrap();
    let cluster = database("AWS::RDS::DBCluster", &id, Some("shop"));
    each_denied_live_read_is_a_fault::<DbInstanceBackupEnabled>(&cluster, &Default::default()).await;
}

#[tokio::test]
async fn database_that_aws_config_has_no_name_for_is_never_taken_for_gone() {
    let (around, services) = (Surroundings::create().await, Services::default());
    let fault =
        remedied::<RdsInstanceDeletionProtectionEnabled, Clients>(&services, &around, "db-NAMELESS").await.unwrap_err();
    assert!(fault.to_string().contains("AWS::RDS::DBInstance db-NAMELESS.resourceName"), "{fault}");
    assert_eq!(services.calls(), [""; 0]);
}

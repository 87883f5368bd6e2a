//! Databases. moto 5.2.5 applies at once what RDS leaves to the maintenance window, and has orderable options of two
//! engines only; what waits for a window is held against replayed answers of RDS.

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use rectify_compliance::{Declared, Irreversible, Remediation, ResourceKey, ResourceState, Target, Timestamp};
use rectify_rds::controls::db_instance_backup_enabled::{DB_INSTANCE_BACKUP_ENABLED, DbInstanceBackupEnabled};
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;
use rectify_rds_lambda::Clients;
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::emulator::sdk_over;
use rectify_tests::services::Services;
use serde_json::json;

use super::{SINGLETON, live, model_and_reality_agree, target};

/// An instance of moto, as AWS Config and RDS know it.
async fn instance<K: Remediation>(control: &'static Declared<K>, sdk: &SdkConfig, name: &str) -> Target {
    let create = aws_sdk_rds::Client::new(sdk).create_db_instance().db_instance_identifier(name).engine("postgres");
    let create = create.db_instance_class("db.m6g.large").allocated_storage(20).master_username("root");
    let create = create.master_user_password("not a secret").backup_retention_period(3);
    let tag = aws_sdk_rds::types::Tag::builder().key("team").value("shop").build();
    let id = create.tags(tag).send().await.unwrap().db_instance.unwrap().dbi_resource_id.unwrap();
    Target { name: Some(name.to_owned()), ..target(control, SINGLETON, &id) }
}

#[tokio::test]
async fn deletion_protection_is_as_expected_and_turned_off_again() {
    let sdk = Services::default().sdk(SINGLETON);
    let target = instance(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &sdk, "protected").await;
    let params = Default::default();
    let calls =
        model_and_reality_agree::<_, Clients>(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBInstance {"DBInstanceIdentifier":"protected","DeletionProtection":true}"#]);
    let read = live::<_, _>(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &Clients::connect(&sdk), &target, &params).await;
    assert_eq!(read.tags().get("team").map(String::as_str), Some("shop"));
}

#[tokio::test]
async fn instance_that_took_the_identifier_of_another_is_not_the_one_that_was_found() {
    let sdk = Services::default().sdk(SINGLETON);
    let mut target = instance(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &sdk, "successor").await;
    target.resource = ResourceKey::new("AWS::RDS::DBInstance", "db-PREDECESSOR");
    let clients = Clients::connect(&sdk);
    let (params, setting) = (Default::default(), &RDS_INSTANCE_DELETION_PROTECTION_ENABLED.logic);
    assert_eq!(setting.live(&clients, &target, &params).await, Ok(None));
    assert_eq!(DbInstanceBackupEnabled.live(&clients, &target, &Default::default()).await, Ok(None));
    let gone = Target { name: Some("no-such-instance".to_owned()), ..target };
    assert_eq!(setting.live(&clients, &gone, &params).await, Ok(None));
}

#[tokio::test]
async fn longer_retention_and_another_window_of_an_instance_are_as_expected_and_taken_back() {
    let sdk = Services::default().sdk(SINGLETON);
    let target = instance(&DB_INSTANCE_BACKUP_ENABLED, &sdk, "backed-up").await;
    let params = json!({"backupRetentionMinimum": "7", "preferredBackupWindow": "01:00-01:30"});
    let params = serde_json::from_value(params).unwrap();
    let calls = model_and_reality_agree::<_, Clients>(&DB_INSTANCE_BACKUP_ENABLED, &sdk, &target, &params).await;
    let call = r#"ModifyDBInstance {"BackupRetentionPeriod":7,"DBInstanceIdentifier":"backed-up","PreferredBackupWindow":"01:00-01:30"}"#;
    assert_eq!(calls, [call]);
}

/// `db-instance-backup-enabled/4`
#[tokio::test]
async fn longer_retention_of_a_cluster_is_as_expected_and_taken_back() {
    let sdk = Services::default().sdk(SINGLETON);
    let create = aws_sdk_rds::Client::new(&sdk).create_db_cluster().db_cluster_identifier("shop");
    let create = create.engine("aurora-mysql").master_username("root").master_user_password("not a secret");
    let created = create.backup_retention_period(1).send().await.unwrap().db_cluster.unwrap();
    let mut target = target(&DB_INSTANCE_BACKUP_ENABLED, SINGLETON, "");
    target.resource = ResourceKey::new("AWS::RDS::DBCluster", created.db_cluster_resource_id.unwrap());
    target.name = Some("shop".to_owned());
    let params = serde_json::from_value(json!({"backupRetentionMinimum": "7"})).unwrap();
    let calls = model_and_reality_agree::<_, Clients>(&DB_INSTANCE_BACKUP_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBCluster {"BackupRetentionPeriod":7,"DBClusterIdentifier":"shop"}"#]);
    let gone = Target { name: Some("no-such-cluster".to_owned()), ..target };
    assert_eq!(DbInstanceBackupEnabled.live(&Clients::connect(&sdk), &gone, &params).await, Ok(None));
}

const ID: &str = "db-ORDERS";

/// RDS's answer about the instance `orders`, with this retention and these values waiting for its window.
fn described(retention: u32, pending: &str) -> String {
    format!(
        "<DescribeDBInstancesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><DescribeDBInstancesResult>\
         <DBInstances><DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier><DbiResourceId>{ID}</DbiResourceId>\
         <DBInstanceArn>arn:aws:rds:{SINGLETON}:111122223333:db:orders</DBInstanceArn><Engine>mysql</Engine>\
         <EngineVersion>8.0.40</EngineVersion><DBInstanceClass>db.m6g.large</DBInstanceClass>\
         <StorageType>gp3</StorageType><DBInstanceStatus>available</DBInstanceStatus><MultiAZ>false</MultiAZ>\
         <BackupRetentionPeriod>{retention}</BackupRetentionPeriod>\
         <PreferredBackupWindow>08:50-09:20</PreferredBackupWindow>\
         <PendingModifiedValues>{pending}</PendingModifiedValues>\
         <TagList><Tag><Key>ha</Key><Value>yes</Value></Tag></TagList></DBInstance></DBInstances>\
         </DescribeDBInstancesResult></DescribeDBInstancesResponse>"
    )
}

/// One page of RDS's answer about what can be ordered, with a marker of the next one.
fn options(marker: &str, multi_az_capable: bool) -> String {
    format!(
        "<DescribeOrderableDBInstanceOptionsResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
         <DescribeOrderableDBInstanceOptionsResult><OrderableDBInstanceOptions><OrderableDBInstanceOption>\
         <Engine>mysql</Engine><StorageType>gp3</StorageType><MultiAZCapable>{multi_az_capable}</MultiAZCapable>\
         </OrderableDBInstanceOption></OrderableDBInstanceOptions>{marker}</DescribeOrderableDBInstanceOptionsResult>\
         </DescribeOrderableDBInstanceOptionsResponse>"
    )
}

fn modified() -> String {
    "<ModifyDBInstanceResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><ModifyDBInstanceResult/>\
     </ModifyDBInstanceResponse>"
        .to_owned()
}

/// RDS that gives these answers in order, and what it was sent.
fn replay(answers: impl IntoIterator<Item = String>) -> (SdkConfig, StaticReplayClient) {
    let event = |body: String| {
        let request = http::Request::builder().uri("https://localhost/").body(SdkBody::empty()).unwrap();
        ReplayEvent::new(request, http::Response::builder().status(200).body(SdkBody::from(body)).unwrap())
    };
    let replay = StaticReplayClient::new(answers.into_iter().map(event).collect());
    (sdk_over("https://localhost", SharedHttpClient::new(replay.clone())), replay)
}

/// The bodies of the requests that change something.
fn sent(replay: &StaticReplayClient) -> Vec<String> {
    let body = |request: &aws_smithy_runtime_api::client::orchestrator::HttpRequest| {
        String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap()
    };
    replay.actual_requests().map(body).filter(|it| it.contains("Action=Modify")).collect()
}

fn orders<K: Remediation>(control: &'static Declared<K>) -> Target {
    Target { name: Some("orders".to_owned()), ..target(control, SINGLETON, ID) }
}

#[tokio::test]
async fn standby_waits_for_the_window_and_is_taken_back() {
    let finding = || [described(7, ""), options("<Marker>more</Marker>", false), options("", true)];
    let waiting = || described(7, "<MultiAZ>true</MultiAZ>");
    let mut answers = finding().to_vec();
    answers.extend([modified(), waiting(), modified(), waiting(), modified(), modified()]);
    answers.extend(finding());
    let (sdk, replay) = replay(answers);
    let params = serde_json::from_value(json!({"tagOptIn": "ha=yes"})).unwrap();
    let target = orders(&RDS_MULTI_AZ_SUPPORT);
    let calls = model_and_reality_agree::<_, Clients>(&RDS_MULTI_AZ_SUPPORT, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBInstance {"DBInstanceIdentifier":"orders","MultiAZ":true}"#]);
    let modify = |multi_az: bool| {
        format!("Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier=orders&MultiAZ={multi_az}")
    };
    assert_eq!(sent(&replay), [modify(true), modify(true), modify(false), modify(false)]);
}

/// `db-instance-backup-enabled/1`: turned on in the window, and never off again by undo.
#[tokio::test]
async fn backups_that_are_turned_on_wait_for_the_window() {
    let waiting = || described(0, "<BackupRetentionPeriod>7</BackupRetentionPeriod>");
    let (sdk, replay) = replay([described(0, ""), modified(), waiting()]);
    let (clients, target, params) = (Clients::connect(&sdk), orders(&DB_INSTANCE_BACKUP_ENABLED), Default::default());
    let before = live::<_, _>(&DB_INSTANCE_BACKUP_ENABLED, &clients, &target, &params).await;
    let plan = DbInstanceBackupEnabled.plan(&before, &params, Timestamp::now());
    let [action] = plan.calls().try_into().unwrap();
    DbInstanceBackupEnabled.apply(&clients, &target, action).await.unwrap();
    let expected = DbInstanceBackupEnabled.predict(before.clone(), action);
    assert_eq!(live::<_, _>(&DB_INSTANCE_BACKUP_ENABLED, &clients, &target, &params).await, expected);
    let undo = DbInstanceBackupEnabled.undo(&before, std::slice::from_ref(action));
    assert!(matches!(undo, Err(Irreversible { .. })), "{undo:?}");
    let modify = "Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier=orders&BackupRetentionPeriod=7";
    assert_eq!(sent(&replay), [modify]);
}

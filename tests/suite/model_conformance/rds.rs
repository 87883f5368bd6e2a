//! Databases. moto 5.2.5 applies pending modifications at once and has orderable options of two engines only, so tests
//! of the maintenance window run against replayed answers of RDS.

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use futures_util::TryStreamExt;
use rectify_compliance::plan::call_text;
use rectify_compliance::{
    AccountId, Declared, Irreversible, NoParameters, Region, Remediation, ResourceKey, Target, Timestamp,
};
use rectify_rds::controls::db_instance_backup_enabled::{DB_INSTANCE_BACKUP_ENABLED, DbInstanceBackupEnabled};
use rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED;
use rectify_rds::controls::rds_cluster_deletion_protection_enabled::RDS_CLUSTER_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds::controls::rds_instance_public_access_check::RDS_INSTANCE_PUBLIC_ACCESS_CHECK;
use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT;
use rectify_rds::controls::rds_snapshots_public_prohibited::{
    RDS_SNAPSHOTS_PUBLIC_PROHIBITED, RdsSnapshotsPublicProhibited,
};
use rectify_rds::resources::snapshot::Snapshot;
use rectify_rds_lambda::Clients;
use rectify_runtime::client::{AccountRegion, Connect, Fix, List, Listed, Page};
use rectify_tests::emulator::sdk_over;
use rectify_tests::services::Services;
use serde_json::json;

use super::{SEPARATE, apply_and_undo, assert_model_conforms, live, target};

/// Creates an instance in moto; the target has the id and the name that AWS Config records.
async fn instance<K: Remediation>(control: &'static Declared<K>, sdk: &SdkConfig, name: &str) -> Target {
    let create = aws_sdk_rds::Client::new(sdk).create_db_instance().db_instance_identifier(name).engine("postgres");
    let create = create.db_instance_class("db.m6g.large").allocated_storage(20).master_username("root");
    let create = create.master_user_password("not a secret").backup_retention_period(3);
    let create = create.auto_minor_version_upgrade(false).publicly_accessible(true);
    let tag = aws_sdk_rds::types::Tag::builder().key("team").value("shop").build();
    let id = create.tags(tag).send().await.unwrap().db_instance.unwrap().dbi_resource_id.unwrap();
    Target { name: Some(name.to_owned()), ..target(control, SEPARATE, &id) }
}

/// The same for an Aurora cluster with a backup retention of one day.
async fn cluster<K: Remediation>(control: &'static Declared<K>, sdk: &SdkConfig, name: &str) -> Target {
    let create = aws_sdk_rds::Client::new(sdk).create_db_cluster().db_cluster_identifier(name).engine("aurora-mysql");
    let create = create.master_username("root").master_user_password("not a secret").backup_retention_period(1);
    let id = create.send().await.unwrap().db_cluster.unwrap().db_cluster_resource_id.unwrap();
    let resource = ResourceKey::new("AWS::RDS::DBCluster", id);
    Target { name: Some(name.to_owned()), resource, ..target(control, SEPARATE, "") }
}

#[tokio::test]
async fn deletion_protection_of_a_cluster_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let control = &RDS_CLUSTER_DELETION_PROTECTION_ENABLED;
    let target = cluster(control, &sdk, "guarded").await;
    let params = Default::default();
    let calls = assert_model_conforms::<_, Clients>(control, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBCluster {"DBClusterIdentifier":"guarded","DeletionProtection":true}"#]);
    let successor = Target { resource: ResourceKey::new("AWS::RDS::DBCluster", "cluster-OTHER"), ..target };
    assert_eq!(control.logic.live(&Clients::connect(&sdk), &successor, &params).await, Ok(None));
}

#[tokio::test]
async fn deletion_protection_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let target = instance(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &sdk, "protected").await;
    let params = Default::default();
    let calls =
        assert_model_conforms::<_, Clients>(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBInstance {"DBInstanceIdentifier":"protected","DeletionProtection":true}"#]);
    let read = live::<_, _>(&RDS_INSTANCE_DELETION_PROTECTION_ENABLED, &Clients::connect(&sdk), &target, &params).await;
    assert_eq!(read.database.tags.get("team").map(String::as_str), Some("shop"));
}

#[tokio::test]
async fn minor_version_upgrade_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let control = &RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED;
    let target = instance(control, &sdk, "upgraded").await;
    let calls = assert_model_conforms::<_, Clients>(control, &sdk, &target, &Default::default()).await;
    assert_eq!(calls, [r#"ModifyDBInstance {"AutoMinorVersionUpgrade":true,"DBInstanceIdentifier":"upgraded"}"#]);
}

#[tokio::test]
async fn public_access_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let control = &RDS_INSTANCE_PUBLIC_ACCESS_CHECK;
    let target = instance(control, &sdk, "exposed").await;
    let calls = assert_model_conforms::<_, Clients>(control, &sdk, &target, &Default::default()).await;
    assert_eq!(calls, [r#"ModifyDBInstance {"DBInstanceIdentifier":"exposed","PubliclyAccessible":false}"#]);
}

/// `rds-snapshots-public-prohibited/2`, `rds-snapshots-public-prohibited/3`
#[tokio::test]
async fn public_snapshots_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let rds = aws_sdk_rds::Client::new(&sdk);
    let control = &RDS_SNAPSHOTS_PUBLIC_PROHIBITED;
    instance(control, &sdk, "copied").await;
    cluster(control, &sdk, "cloned").await;
    rds.create_db_snapshot().db_instance_identifier("copied").db_snapshot_identifier("copied-1").send().await.unwrap();
    let create = rds.create_db_cluster_snapshot().db_cluster_identifier("cloned");
    create.db_cluster_snapshot_identifier("cloned-1").send().await.unwrap();
    let share = rds.modify_db_snapshot_attribute().db_snapshot_identifier("copied-1").attribute_name("restore");
    share.values_to_add("all").values_to_add("444455556666").send().await.unwrap();
    let share = rds.modify_db_cluster_snapshot_attribute().db_cluster_snapshot_identifier("cloned-1");
    share.attribute_name("restore").values_to_add("all").values_to_add("444455556666").send().await.unwrap();
    for (kind, id, call) in [
        (
            "AWS::RDS::DBSnapshot",
            "copied-1",
            r#"ModifyDBSnapshotAttribute {"AttributeName":"restore","DBSnapshotIdentifier":"copied-1","ValuesToRemove":["all"]}"#,
        ),
        (
            "AWS::RDS::DBClusterSnapshot",
            "cloned-1",
            r#"ModifyDBClusterSnapshotAttribute {"AttributeName":"restore","DBClusterSnapshotIdentifier":"cloned-1","ValuesToRemove":["all"]}"#,
        ),
    ] {
        let target = Target { resource: ResourceKey::new(kind, id), ..target(control, SEPARATE, id) };
        let (actions, fixed) =
            apply_and_undo::<_, Clients>(control, &sdk, &target, &Default::default(), Timestamp::now()).await;
        assert_eq!(actions.iter().map(call_text).collect::<Vec<_>>(), [call]);
        assert_eq!(fixed.restorable_by, Some(["444455556666".to_owned()].into()), "{id}");
    }
}

/// Pages of snapshots: two of instances and one of clusters, each snapshot read after its page.
#[tokio::test]
async fn snapshots_are_listed_page_by_page() {
    let page = |operation: &str, list: &str, snapshot: &str, marker: &str| {
        format!(
            "<{operation}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><{operation}Result><{list}>\
             {snapshot}</{list}>{marker}</{operation}Result></{operation}Response>"
        )
    };
    let instances = |id: &str, marker: &str| {
        let snapshot = format!(
            "<DBSnapshot><DBSnapshotIdentifier>{id}</DBSnapshotIdentifier><DBSnapshotArn>arn:{id}</DBSnapshotArn>\
             <SnapshotType>manual</SnapshotType><Status>available</Status></DBSnapshot>"
        );
        page("DescribeDBSnapshots", "DBSnapshots", &snapshot, marker)
    };
    let accounts = |account: &str| {
        let attribute = format!(
            "<DBSnapshotAttributes><DBSnapshotAttribute><AttributeName>restore</AttributeName><AttributeValues>\
             {account}</AttributeValues></DBSnapshotAttribute></DBSnapshotAttributes>"
        );
        page("DescribeDBSnapshotAttributes", "DBSnapshotAttributesResult", &attribute, "")
    };
    let (sdk, replay) = replay([
        instances("one", "<Marker>more</Marker>"),
        accounts("<AttributeValue>all</AttributeValue>"),
        instances("two", ""),
        accounts(""),
        page("DescribeDBClusterSnapshots", "DBClusterSnapshots", "", ""),
    ]);
    let clients = Clients::connect(&sdk);
    let place = AccountRegion { account: AccountId::new("111122223333"), region: Region::new(SEPARATE) };
    let pages = RdsSnapshotsPublicProhibited.pages(&clients, &place, &NoParameters {}, None);
    let pages: Vec<_> = pages.try_collect().await.unwrap();
    let next: Vec<_> = pages.iter().map(|page| page.next.as_deref()).collect();
    assert_eq!(next, [Some("instance:more"), Some("cluster"), None]);
    let public = |page: &Page<Snapshot>| -> Vec<bool> {
        let is_public = |it: &Listed<Snapshot>| matches!(it, Listed::Read(snapshot) if snapshot.is_public());
        page.resources.iter().map(is_public).collect()
    };
    assert_eq!(pages.iter().map(public).collect::<Vec<_>>(), [vec![true], vec![false], vec![]]);
    let bodies: Vec<String> = replay
        .actual_requests()
        .map(|request| String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap())
        .filter(|body| body.contains("SnapshotType="))
        .collect();
    let list =
        |operation: &str, marker: &str| format!("Action={operation}&Version=2014-10-31&SnapshotType=manual{marker}");
    assert_eq!(
        bodies,
        [
            list("DescribeDBSnapshots", ""),
            list("DescribeDBSnapshots", "&Marker=more"),
            list("DescribeDBClusterSnapshots", "")
        ]
    );
}

#[tokio::test]
async fn new_instance_with_a_reused_identifier_is_not_the_one_of_the_finding() {
    let sdk = Services::default().sdk(SEPARATE);
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
async fn retention_and_window_of_an_instance_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let target = instance(&DB_INSTANCE_BACKUP_ENABLED, &sdk, "backed-up").await;
    let params = json!({"backupRetentionMinimum": "7", "preferredBackupWindow": "01:00-01:30"});
    let params = serde_json::from_value(params).unwrap();
    let calls = assert_model_conforms::<_, Clients>(&DB_INSTANCE_BACKUP_ENABLED, &sdk, &target, &params).await;
    let call = r#"ModifyDBInstance {"BackupRetentionPeriod":7,"DBInstanceIdentifier":"backed-up","PreferredBackupWindow":"01:00-01:30"}"#;
    assert_eq!(calls, [call]);
}

/// `db-instance-backup-enabled/4`
#[tokio::test]
async fn retention_of_a_cluster_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let target = cluster(&DB_INSTANCE_BACKUP_ENABLED, &sdk, "shop").await;
    let params = serde_json::from_value(json!({"backupRetentionMinimum": "7"})).unwrap();
    let calls = assert_model_conforms::<_, Clients>(&DB_INSTANCE_BACKUP_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBCluster {"BackupRetentionPeriod":7,"DBClusterIdentifier":"shop"}"#]);
    let gone = Target { name: Some("no-such-cluster".to_owned()), ..target };
    assert_eq!(DbInstanceBackupEnabled.live(&Clients::connect(&sdk), &gone, &params).await, Ok(None));
}

const ID: &str = "db-ORDERS";

/// RDS's answer about the instance `orders`, with this retention and these pending modifications.
fn described(retention: u32, pending: &str) -> String {
    format!(
        "<DescribeDBInstancesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><DescribeDBInstancesResult>\
         <DBInstances><DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier><DbiResourceId>{ID}</DbiResourceId>\
         <DBInstanceArn>arn:aws:rds:{SEPARATE}:111122223333:db:orders</DBInstanceArn><Engine>mysql</Engine>\
         <EngineVersion>8.0.40</EngineVersion><DBInstanceClass>db.m6g.large</DBInstanceClass>\
         <StorageType>gp3</StorageType><DBInstanceStatus>available</DBInstanceStatus><MultiAZ>false</MultiAZ>\
         <BackupRetentionPeriod>{retention}</BackupRetentionPeriod>\
         <PreferredBackupWindow>08:50-09:20</PreferredBackupWindow>\
         <PendingModifiedValues>{pending}</PendingModifiedValues>\
         <TagList><Tag><Key>ha</Key><Value>yes</Value></Tag></TagList></DBInstance></DBInstances>\
         </DescribeDBInstancesResult></DescribeDBInstancesResponse>"
    )
}

/// One page of orderable options, with the marker of the next page.
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

/// An RDS that gives these answers in order, and the client that records its requests.
fn replay(answers: impl IntoIterator<Item = String>) -> (SdkConfig, StaticReplayClient) {
    let event = |body: String| {
        let request = http::Request::builder().uri("https://localhost/").body(SdkBody::empty()).unwrap();
        ReplayEvent::new(request, http::Response::builder().status(200).body(SdkBody::from(body)).unwrap())
    };
    let replay = StaticReplayClient::new(answers.into_iter().map(event).collect());
    (sdk_over("https://localhost", SharedHttpClient::new(replay.clone())), replay)
}

/// The bodies of the modifying requests.
fn sent(replay: &StaticReplayClient) -> Vec<String> {
    let body = |request: &aws_smithy_runtime_api::client::orchestrator::HttpRequest| {
        String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap()
    };
    replay.actual_requests().map(body).filter(|it| it.contains("Action=Modify")).collect()
}

fn orders<K: Remediation>(control: &'static Declared<K>) -> Target {
    Target { name: Some("orders".to_owned()), ..target(control, SEPARATE, ID) }
}

#[tokio::test]
async fn pending_standby_conforms() {
    let finding = || [described(7, ""), options("<Marker>more</Marker>", false), options("", true)];
    let pending = || described(7, "<MultiAZ>true</MultiAZ>");
    let mut answers = finding().to_vec();
    answers.extend([modified(), pending(), modified(), pending(), modified(), modified()]);
    answers.extend(finding());
    let (sdk, replay) = replay(answers);
    let params = serde_json::from_value(json!({"tagOptIn": "ha=yes"})).unwrap();
    let target = orders(&RDS_MULTI_AZ_SUPPORT);
    let calls = assert_model_conforms::<_, Clients>(&RDS_MULTI_AZ_SUPPORT, &sdk, &target, &params).await;
    assert_eq!(calls, [r#"ModifyDBInstance {"DBInstanceIdentifier":"orders","MultiAZ":true}"#]);
    let modify = |multi_az: bool| {
        format!("Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier=orders&MultiAZ={multi_az}")
    };
    assert_eq!(sent(&replay), [modify(true), modify(true), modify(false), modify(false)]);
}

/// `db-instance-backup-enabled/1`: enabled in the maintenance window, and irreversible.
#[tokio::test]
async fn enabled_backups_are_pending_until_the_window() {
    let pending = || described(0, "<BackupRetentionPeriod>7</BackupRetentionPeriod>");
    let (sdk, replay) = replay([described(0, ""), modified(), pending()]);
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

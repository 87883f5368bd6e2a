//! Log groups and alarm chains.

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{ACCOUNT, LocalAwsConfig, World};
use rectify_tests::deployment::templates;
use rectify_tests::{alarms, binaries};

use super::{evaluate, run_lifecycle};

/// A log group with a retention of 30 days.
async fn short_lived(world: &World) -> ResourceKey {
    let logs = &world.clients().logs;
    logs.create_log_group().log_group_name("/app").send().await.unwrap();
    logs.put_retention_policy().log_group_name("/app").retention_in_days(30).send().await.unwrap();
    ResourceKey::new("AWS::Logs::LogGroup", "/app")
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_is_raised_and_undone() {
    run_lifecycle("cw-loggroup-retention-period-check", r#"{"LogGroupNames":"/app"}"#, short_lived).await;
}

/// `cw-loggroup-retention-period-check/5`
#[tokio::test(flavor = "multi_thread")]
async fn deleted_log_group_is_retired_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let templates = templates(&[("controls.cw-loggroup-retention-period-check", "observe")]);
    let mut settings = LocalAwsConfig::new(templates, binaries::folder(), folder.path());
    settings.defer_rules = true;
    let world = World::start(settings).await.unwrap();
    let (rule, group) = ("rectify-cw-loggroup-retention-period-check", short_lived(&world).await);
    world.put_rules().unwrap();
    evaluate(&world, rule).await;
    assert_eq!(world.compliance_of(rule, &group), Some(Compliance::NonCompliant));
    world.clients().logs.delete_log_group().log_group_name("/app").send().await.unwrap();
    evaluate(&world, rule).await;
    assert_eq!(world.compliance_of(rule, &group), Some(Compliance::NotApplicable));
    world.stop().await.unwrap();
}

/// The topic of these journeys.
const TOPIC: &str = r#"{"topicArn": "arn:aws:sns:us-east-1:111122223333:alarms"}"#;

fn account() -> ResourceKey {
    ResourceKey::new("AWS::::Account", ACCOUNT)
}

/// A trail without a filter, and a topic to which CloudWatch may not publish.
async fn unwatched(world: &World) -> ResourceKey {
    let sdk = &world.clients().sdk;
    alarms::trail(sdk).await;
    alarms::topic(sdk, "alarms", "events.amazonaws.com").await;
    account()
}

/// A journey of each control: the fix creates a filter, an alarm and a statement of the topic policy; undo removes them
/// all.
macro_rules! a_chain_is_created_and_undone {
    ($($journey:ident: run_lifecycle($control:literal, ..),)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $journey() {
            run_lifecycle($control, TOPIC, unwatched).await;
        }
    )+};
}

a_chain_is_created_and_undone! {
    root_usage: run_lifecycle("cloudwatch-alarm-root-usage", ..),
    iam_policy_changes: run_lifecycle("cloudwatch-alarm-iam-policy-changes", ..),
    cloudtrail_changes: run_lifecycle("cloudwatch-alarm-cloudtrail-changes", ..),
    console_login_failures: run_lifecycle("cloudwatch-alarm-console-login-failures", ..),
    cmk_disabled_or_deleted: run_lifecycle("cloudwatch-alarm-cmk-disabled-or-deleted", ..),
    s3_bucket_policy_changes: run_lifecycle("cloudwatch-alarm-s3-bucket-policy-changes", ..),
    config_changes: run_lifecycle("cloudwatch-alarm-config-changes", ..),
    security_group_changes: run_lifecycle("cloudwatch-alarm-security-group-changes", ..),
    nacl_changes: run_lifecycle("cloudwatch-alarm-nacl-changes", ..),
    network_gateway_changes: run_lifecycle("cloudwatch-alarm-network-gateway-changes", ..),
    route_table_changes: run_lifecycle("cloudwatch-alarm-route-table-changes", ..),
    vpc_changes: run_lifecycle("cloudwatch-alarm-vpc-changes", ..),
}

/// Only the account that manages an organization is evaluated.
#[tokio::test(flavor = "multi_thread")]
async fn organizations_changes() {
    let managing = async |world: &World| {
        let organizations = aws_sdk_organizations::Client::new(&world.clients().sdk);
        organizations.create_organization().send().await.unwrap();
        unwatched(world).await
    };
    run_lifecycle("cloudwatch-alarm-organizations-changes", TOPIC, managing).await;
}

/// The filter exists: the fix creates the alarm.
#[tokio::test(flavor = "multi_thread")]
async fn alarm_for_refused_calls_is_created_and_undone() {
    let silent = async |world: &World| {
        let sdk = &world.clients().sdk;
        alarms::trail(sdk).await;
        alarms::topic(sdk, "alarms", "cloudwatch.amazonaws.com").await;
        alarms::filter_and_alarm(sdk, "{ $.errorCode = *UnauthorizedOperation || $.errorCode = AccessDenied* }", &[])
            .await;
        account()
    };
    run_lifecycle("cloudwatch-alarm-unauthorized-api-calls", TOPIC, silent).await;
}

/// The alarm is right except that its actions are disabled.
#[tokio::test(flavor = "multi_thread")]
async fn actions_of_a_sign_in_alarm_are_enabled_and_undone() {
    let disabled = async |world: &World| {
        let sdk = &world.clients().sdk;
        alarms::trail(sdk).await;
        let topic = alarms::topic(sdk, "alarms", "cloudwatch.amazonaws.com").await;
        let pattern = "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != Yes }";
        alarms::filter_and_alarm(sdk, pattern, &[&topic]).await;
        world.clients().cloudwatch.disable_alarm_actions().alarm_names("watch").send().await.unwrap();
        account()
    };
    run_lifecycle("cloudwatch-alarm-console-login-without-mfa", "{}", disabled).await;
}

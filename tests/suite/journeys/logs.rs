//! Log groups.

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{ACCOUNT, World, WorldSettings};
use rectify_tests::{alarms, binaries};

use super::{judge, run_lifecycle};

/// A log group that keeps events for a month.
async fn short_lived(world: &World) -> ResourceKey {
    let logs = &world.clients().logs;
    logs.create_log_group().log_group_name("/app").send().await.unwrap();
    logs.put_retention_policy().log_group_name("/app").retention_in_days(30).send().await.unwrap();
    ResourceKey::new("AWS::Logs::LogGroup", "/app")
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_is_raised_and_lowered_again() {
    run_lifecycle("cw-loggroup-retention-period-check", r#"{"LogGroupNames":"/app"}"#, short_lived).await;
}

/// `cw-loggroup-retention-period-check/5`
#[tokio::test(flavor = "multi_thread")]
async fn log_group_that_is_gone_by_the_next_run_is_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = WorldSettings::new(&binaries::root().join("template.yaml"), binaries::folder(), folder.path());
    settings.others_off = true;
    settings.rules_later = true;
    settings.parameters.insert("CwLoggroupRetentionPeriodCheckMode".to_owned(), "observe".to_owned());
    let world = World::start(settings).await.unwrap();
    let (rule, group) = ("rectify-cw-loggroup-retention-period-check", short_lived(&world).await);
    world.put_rules().unwrap();
    judge(&world, rule).await;
    assert_eq!(world.compliance_of(rule, &group), Some(Compliance::NonCompliant));
    world.clients().logs.delete_log_group().log_group_name("/app").send().await.unwrap();
    judge(&world, rule).await;
    assert_eq!(world.compliance_of(rule, &group), Some(Compliance::NotApplicable));
    world.stop().await.unwrap();
}

/// The topic of these journeys.
const TOPIC: &str = r#"{"topicArn": "arn:aws:sns:us-east-1:111122223333:alarms"}"#;

fn account() -> ResourceKey {
    ResourceKey::new("AWS::::Account", ACCOUNT)
}

/// A filter, an alarm and a statement for its topic are made, and none of them is left.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_made_for_root_and_taken_away() {
    let unwatched = async |world: &World| {
        let sdk = &world.clients().sdk;
        alarms::trail(sdk).await;
        alarms::topic(sdk, "alarms", "events.amazonaws.com").await;
        account()
    };
    run_lifecycle("cloudwatch-alarm-root-usage", TOPIC, unwatched).await;
}

/// The filter counts already: an alarm is made.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_made_for_refused_calls_and_taken_away() {
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

/// The alarm is right but for its disabled actions.
#[tokio::test(flavor = "multi_thread")]
async fn the_actions_of_a_sign_in_alarm_are_enabled_and_disabled_again() {
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

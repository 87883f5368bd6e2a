//! Log groups.

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{World, WorldSettings};
use rectify_tests::binaries;

use super::{judge, travel};

/// A log group that keeps events for a month.
async fn short_lived(world: &World) -> ResourceKey {
    let logs = &world.clients().logs;
    logs.create_log_group().log_group_name("/app").send().await.unwrap();
    logs.put_retention_policy().log_group_name("/app").retention_in_days(30).send().await.unwrap();
    ResourceKey::new("AWS::Logs::LogGroup", "/app")
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_is_raised_and_lowered_again() {
    travel("cw-loggroup-retention-period-check", r#"{"LogGroupNames":"/app"}"#, short_lived).await;
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

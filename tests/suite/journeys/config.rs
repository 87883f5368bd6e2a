//! The recorder of AWS Config.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{ACCOUNT, World};
use rectify_runtime::ledger::Outcome;
use rectify_tests::binaries;
use tokio::process::Command;

use super::{attempts, evaluate, run_lifecycle, target, world_of};

const CONTROL: &str = "config-recorder-healthy";

fn account() -> ResourceKey {
    ResourceKey::new("AWS::::Account", ACCOUNT)
}

fn stop(world: &World, hours_ago: i64) {
    world.engine().stop_recorder(Timestamp::now() - SignedDuration::from_hours(hours_ago));
}

#[tokio::test(flavor = "multi_thread")]
async fn recorder_is_started_and_undone() {
    let stopped = async |world: &World| {
        stop(world, 25);
        account()
    };
    run_lifecycle("config-recorder-healthy", "{}", stopped).await;
}

/// `config-recorder-healthy/11`; `rectify doctor` reports the same without AWS Config's rules.
#[tokio::test(flavor = "multi_thread")]
async fn recent_stop_is_found_and_not_fixed() {
    let logs = tempfile::tempdir().unwrap();
    let world = world_of(CONTROL, "{}", logs.path()).await;
    let rule = format!("rectify-{CONTROL}");
    world.put_rules().unwrap();
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &account()), Some(Compliance::Compliant), "healthy by default");
    assert!(doctor(&world).await.contains("recorder  `default` is recording"));

    stop(&world, 23);
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &account()), Some(Compliance::NonCompliant));
    let planned = attempts(&world, &target(&world, &account())).await;
    let [attempt] = planned.as_slice() else { panic!("one attempt: {planned:#?}") };
    assert_eq!((attempt.outcome, attempt.actions.len()), (Some(Outcome::Planned), 0), "{attempt:#?}");
    assert!(attempt.reason.contains("less than 24 h ago"), "{}", attempt.reason);
    assert!(!world.engine().is_recording());
    assert!(doctor(&world).await.contains("recorder  `default` is stopped"));
    assert_eq!(world.take_errors(), Vec::<String>::new());
    world.stop().await.unwrap();
}

/// The output of `rectify doctor`.
async fn doctor(world: &World) -> String {
    let run = Command::new(binaries::folder().join("rectify"))
        .args(["doctor", "--table", &world.stack().tables[0].name])
        .env_clear()
        .envs([("AWS_REGION", world.settings().region.as_str()), ("AWS_ENDPOINT_URL", world.proxy().endpoint())])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

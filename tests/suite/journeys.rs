//! The full cycle of every remediation with calls: a violating resource is found, fixed by the built binaries,
//! compliant, undone, violating again and held.
//!
//! Each control runs in a separate world in which no other control is deployed. Controls that need what the emulator
//! lacks are listed in [`SKIPPED`], each with the test that replaces its journey.

mod cloudtrail;
mod config;
mod dynamodb;
mod ec2;
mod elb;
mod iam;
mod instances;
mod kms;
mod logs;
mod network;
mod policies;
mod rds;
mod s3;
mod sns;
mod sqs;
mod ssm;
mod tags;
mod used;

use rectify_compliance::{AccountId, Plan, Region, Target, Verdict};
use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{ACCOUNT, LocalAwsConfig, World};
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, ResourcePath};
use rectify_tests::binaries;
use rectify_tests::deployment::templates;
use serde_json::json;

use crate::stored_attempts;

/// Controls with calls and without a journey: the control, the reason, and the test that replaces the journey.
const SKIPPED: &[(&str, &str, &str)] = &[
    (
        "access-keys-rotated",
        "a key that is a day old: moto dates a key by its own clock",
        "model_conformance::iam::deactivation_of_keys_conforms",
    ),
    (
        "cloud-trail-cloud-watch-logs-enabled",
        "SimulatePrincipalPolicy, which checks the given role",
        "model_conformance::cloudtrail::log_group_of_a_trail_conforms",
    ),
    (
        "ebs-snapshot-block-public-access",
        "the calls that read and set the block",
        "model_conformance::snapshots::block_of_public_snapshots_conforms",
    ),
    (
        "ebs-snapshot-public-restorable-check",
        "snapshots by who can restore them: moto lists all of them",
        "model_conformance::snapshots::removal_of_the_public_conforms",
    ),
    (
        "iam-user-mfa-enabled",
        "a user that registers a device: the resource violates until then, so its journey differs",
        "journeys::iam::mfa_policy_is_attached_and_undone",
    ),
    (
        "iam-user-unused-credentials-check",
        "a credential that is a day old: moto dates a key by its own clock",
        "model_conformance::iam::deactivation_of_unused_keys_conforms",
    ),
    (
        "lambda-function-public-access-prohibited",
        "RemovePermission at a revision: moto refuses every one",
        "model_conformance::policies::policy_of_a_function_conforms",
    ),
    (
        "mfa-enabled-for-iam-console-access",
        "a user that registers a device",
        "journeys::iam::mfa_policy_is_attached_and_undone",
    ),
    (
        "rds-multi-az-support",
        "RDS makes a standby in the maintenance window, moto at once, and moto knows no orderable options",
        "model_conformance::rds::pending_standby_conforms",
    ),
    (
        "ssm-automation-block-public-sharing",
        "service settings of Systems Manager",
        "model_conformance::ssm::block_of_public_sharing_conforms",
    ),
];

/// Runs a control with these rule parameters from the violation that `make` creates to its undone fix and the next
/// finding.
async fn run_lifecycle(control: &str, parameters: &str, make: impl AsyncFnOnce(&World) -> ResourceKey) {
    let logs = tempfile::tempdir().unwrap();
    let world = world_of(control, parameters, logs.path()).await;
    let rule = format!("rectify-{control}");
    let resource = make(&world).await;
    world.put_rules().unwrap();
    evaluate(&world, &rule).await;

    let target = target(&world, &resource);
    let attempts = attempts(&world, &target).await;
    let log = || world.host().logs(&format!("{rule}-fix")).join("\n");
    let [enforced] = attempts.as_slice() else { panic!("{control}: one attempt: {attempts:#?}\n{}", log()) };
    assert_eq!(enforced.outcome, Some(Outcome::Verified), "{control}: {enforced:#?}\n{}", log());
    assert_eq!(enforced.reason, "as planned", "{control}");
    assert!(enforced.has_acted() && enforced.finding.is_some(), "{control}: {enforced:#?}");
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &resource), Some(Compliance::Compliant), "{control}");

    let operations = rectify_catalogue_lambda::operations().find(|it| it.id() == control).unwrap();
    assert_eq!(undo(&world, enforced).await, "restored", "{control}");
    stored_attempts::keep(enforced);
    let sdk = &world.clients().sdk;
    let restored = operations.inspect(sdk, &enforced.target, parameters).await.unwrap().unwrap();
    assert!(matches!(restored.verdict, Verdict::NonCompliant(_)), "{control}: {restored:#?}");
    assert_eq!(restored.plan.calls().len(), enforced.actions.len(), "{control}: the same plan again: {restored:#?}");

    evaluate(&world, &rule).await;
    assert_eq!(
        world.compliance_of(&rule, &resource),
        Some(Compliance::NonCompliant),
        "{control}: held, still violating"
    );
    let after = self::attempts(&world, &target).await;
    let [_, held] = after.as_slice() else { panic!("{control}: one more attempt: {after:#?}\n{}", log()) };
    assert_eq!((held.outcome, held.actions.len()), (Some(Outcome::Planned), 0), "{control}: {held:#?}");
    assert!(held.reason.starts_with("held by test until "), "{control}: {}", held.reason);
    assert!(!matches!(held.plan, Plan::Noop), "{control}");
    assert_eq!(undo(&world, enforced).await, "already-undone", "{control}");
    assert_eq!(world.take_errors(), Vec::<String>::new(), "{control}");
    used::every_permission(&world, control);
    world.stop().await.unwrap();
}

/// A world that deploys this control alone, in mode `enforce` with its opt-in; the rule is put later.
async fn world_of(control: &str, parameters: &str, logs: &std::path::Path) -> World {
    let entry = rectify_catalogue::find(control).unwrap();
    let of_control = |key: &str| format!("controls.{control}.{key}");
    let (mode, allow_l2, own) = (of_control("mode"), of_control("allowL2"), of_control("parameters"));
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/require-mfa");
    let templates = templates(&[
        ("attribution", "false"),
        ("deployUndo", "true"),
        ("mfaPolicyArn", &policy),
        // The emulator's default resources violate too (six subnets), and the order of findings is random.
        ("maxFixesPercent", "100"),
        ("maxFixesPerHour", "1000"),
        (&mode, "enforce"),
        (&own, parameters),
        (&allow_l2, if entry.needs_opt_in() { "true" } else { "false" }),
    ]);
    let mut settings = LocalAwsConfig::new(templates, binaries::folder(), logs);
    settings.defer_rules = true;
    World::start(settings).await.unwrap()
}

/// Runs the rule on pending changes and on schedule until the world is idle.
async fn evaluate(world: &World, rule: &str) {
    world.wait_until_idle().await.unwrap();
    // A rule without a schedule returns an error.
    let _change_only = world.engine().start_schedule(rule);
    world.wait_until_idle().await.unwrap();
}

/// Undoes an attempt through the deployed function, whose role is as narrow as a remediation's, and returns its
/// outcome.
async fn undo(world: &World, attempt: &Attempt) -> String {
    let request = json!({"attempt": attempt.id, "by": "test"});
    let control = rectify_catalogue::find(&attempt.control).unwrap();
    let function = format!("rectify-undo-{}", rectify_catalogue::service(control));
    let answer = world.host().invoke(&function, &request).await;
    let log = || format!("{}\n{:?}", world.host().logs(&function).join("\n"), world.take_errors());
    let answer = answer.unwrap_or_else(|error| panic!("{error}\n{}", log()));
    answer["outcome"].as_str().unwrap_or_default().to_owned()
}

async fn attempts(world: &World, target: &Target) -> Vec<Attempt> {
    let (ledger, path) = (ledger(world), ResourcePath::of(target));
    let mut attempts = Vec::new();
    for control in rectify_catalogue::controls() {
        attempts.extend(ledger.attempts(&path, control.meta.id).await.unwrap());
    }
    attempts.sort_by(|left, right| left.id.cmp(&right.id));
    attempts
}

fn ledger(world: &World) -> Ledger {
    Ledger::new(&world.clients().sdk, world.stack().tables[0].name.clone())
}

fn target(world: &World, resource: &ResourceKey) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(world.settings().region.as_str()),
        resource: rectify_compliance::ResourceKey::new(&resource.resource_type, &resource.resource_id),
        name: None,
        arn: None,
    }
}

#[test]
fn every_control_with_calls_has_a_journey_or_a_reason() {
    let folder = binaries::root().join("tests/suite/journeys");
    let journeys: String = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().split_whitespace().collect::<String>())
        .collect();
    for control in rectify_catalogue::controls().filter(|control| control.has_calls()) {
        let id = control.meta.id;
        let has_journey = journeys.contains(&format!("run_lifecycle(\"{id}\","));
        let skipped = SKIPPED.iter().any(|(control, _, _)| *control == id);
        assert_ne!(has_journey, skipped, "{id}: expected a journey or a row in SKIPPED");
    }
}

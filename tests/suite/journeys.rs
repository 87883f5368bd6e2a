//! Every remediation with calls, all the way: a faulty resource found, fixed by the built binaries, compliant, taken back,
//! faulty again and left alone.
//!
//! A control travels alone, in a world of its own in which nothing else is deployed. What the emulator does not have is
//! named in [`SKIPPED`] with the test that stands in for it.

mod cloudtrail;
mod config;
mod ec2;
mod iam;
mod instances;
mod kms;
mod logs;
mod rds;
mod s3;
mod tags;
mod used;

use rectify_compliance::{AccountId, Plan, Region, Target, Verdict};
use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{ACCOUNT, World, WorldSettings};
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, ResourcePath};
use rectify_tests::binaries;
use serde_json::json;

use crate::images;

/// Controls with calls that cannot run_lifecycle here: the control, what the emulator lacks, and the test that stands in.
const SKIPPED: &[(&str, &str, &str)] = &[
    (
        "access-keys-rotated",
        "a key that is a day old: moto dates a key by its own clock",
        "model_and_reality::iam::keys_are_turned_off_as_expected_and_on_again",
    ),
    (
        "cloud-trail-cloud-watch-logs-enabled",
        "SimulatePrincipalPolicy, by which the role that is given is tried",
        "model_and_reality::cloudtrail::log_group_of_a_trail_is_as_expected_and_taken_away_again",
    ),
    (
        "iam-user-mfa-enabled",
        "a user that registers a device: the finding stands until then, so its journey is another one",
        "journeys::iam::policy_that_asks_for_mfa_is_attached_and_detached_again",
    ),
    (
        "mfa-enabled-for-iam-console-access",
        "the same",
        "journeys::iam::policy_that_asks_for_mfa_is_attached_and_detached_again",
    ),
    (
        "rds-multi-az-support",
        "RDS makes a standby in the maintenance window, moto at once, and moto knows no orderable options",
        "model_and_reality::rds::standby_waits_for_the_window_and_is_taken_back",
    ),
];

/// Takes a control, with these rule parameters, from a fault that `make` makes to its undone fix and one finding further.
async fn run_lifecycle(control: &str, parameters: &str, make: impl AsyncFnOnce(&World) -> ResourceKey) {
    let logs = tempfile::tempdir().unwrap();
    let world = world_of(control, parameters, logs.path()).await;
    let rule = format!("rectify-{control}");
    let resource = make(&world).await;
    world.put_rules().unwrap();
    judge(&world, &rule).await;

    let target = target(&world, &resource);
    let attempts = attempts(&world, &target).await;
    let log = || world.host().logs(&format!("{rule}-fix")).join("\n");
    let [enforced] = attempts.as_slice() else { panic!("{control}: one attempt: {attempts:#?}\n{}", log()) };
    assert_eq!(enforced.outcome, Some(Outcome::Verified), "{control}: {enforced:#?}\n{}", log());
    assert_eq!(enforced.reason, "as planned", "{control}");
    assert!(enforced.has_acted() && enforced.finding.is_some(), "{control}: {enforced:#?}");
    judge(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &resource), Some(Compliance::Compliant), "{control}");

    let operations = rectify_catalogue_lambda::operations().find(|it| it.id() == control).unwrap();
    assert_eq!(undo(&world, enforced).await, "restored", "{control}");
    images::keep(enforced);
    let sdk = &world.clients().sdk;
    let restored = operations.inspect(sdk, &enforced.target, parameters).await.unwrap().unwrap();
    assert!(matches!(restored.verdict, Verdict::NonCompliant(_)), "{control}: {restored:#?}");
    assert_eq!(restored.plan.calls().len(), enforced.actions.len(), "{control}: the same again: {restored:#?}");

    judge(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &resource), Some(Compliance::NonCompliant), "{control}: held, still found");
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

/// A world in which this control alone is deployed, enforced with all it may be allowed; its rule waits to be put.
async fn world_of(control: &str, parameters: &str, logs: &std::path::Path) -> World {
    let entry = rectify_catalogue::find(control).unwrap();
    let pascal = entry.meta.pascal_id();
    let mut settings = WorldSettings::new(&binaries::root().join("template.yaml"), binaries::folder(), logs);
    settings.others_off = true;
    settings.rules_later = true;
    settings.parameters.insert("Attribution".to_owned(), "false".to_owned());
    settings.parameters.insert("DeployUndo".to_owned(), "true".to_owned());
    settings.parameters.insert("MfaPolicyArn".to_owned(), format!("arn:aws:iam::{ACCOUNT}:policy/require-mfa"));
    // The emulator has faulty resources of its own, and which of them is met first is chance.
    settings.parameters.insert("BudgetSharePercent".to_owned(), "100".to_owned());
    settings.parameters.insert(format!("{pascal}Mode"), "enforce".to_owned());
    settings.parameters.insert(format!("{pascal}Parameters"), parameters.to_owned());
    if entry.needs_opt_in() {
        settings.parameters.insert(format!("{pascal}AllowL2"), "true".to_owned());
    }
    World::start(settings).await.unwrap()
}

/// Lets changes and the schedule run until nothing happens any more.
async fn judge(world: &World, rule: &str) {
    world.settle().await.unwrap();
    // A rule without a schedule says so.
    let _change_only = world.engine().start_schedule(rule);
    world.settle().await.unwrap();
}

/// Undoes by the deployed function, whose role is as narrow as that of a remediation; the outcome it tells.
async fn undo(world: &World, attempt: &Attempt) -> String {
    let request = json!({"attempt": attempt.id, "by": "test"});
    let answer = world.host().invoke("rectify-undo", &request).await;
    let log = || format!("{}\n{:?}", world.host().logs("rectify-undo").join("\n"), world.take_errors());
    let answer = answer.unwrap_or_else(|fault| panic!("{fault}\n{}", log()));
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
    Ledger::new(&world.clients().sdk, world.wiring().tables[0].name.clone())
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
fn every_control_with_calls_travels_or_says_what_it_lacks() {
    let folder = binaries::root().join("tests/suite/journeys");
    let journeys: String = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().split_whitespace().collect::<String>())
        .collect();
    for control in rectify_catalogue::controls().filter(|control| control.has_calls()) {
        let id = control.meta.id;
        let travels = journeys.contains(&format!("run_lifecycle(\"{id}\","));
        let excused = SKIPPED.iter().any(|(control, _, _)| *control == id);
        assert_ne!(travels, excused, "{id}: a journey, or a row that says why there is none");
    }
}

//! The built functions, as the template deploys them: the schedule fires, and lost findings are fixed.

use std::path::Path;

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::proxy::{Fault, FaultKind};
use rectify_local::world::{LocalAwsConfig, World};
use rectify_tests::binaries::folder;
use rectify_tests::deployment::templates;
use serde_json::{Value, json};

const RULE: &str = "rectify-restricted-ssh";
const FIX: &str = "rectify-restricted-ssh-fix";
const RECONCILER: &str = "rectify-reconciler";
const UNDO: &str = "rectify-undo-ec2";
const SCHEDULE: &str = "ReconcilerSchedule";

async fn world(logs: &Path, settings: &[(&str, &str)]) -> World {
    let enforce = [
        ("attribution", "false"),
        ("controls.restricted-ssh.mode", "enforce"),
        ("controls.restricted-ssh.allowL2", "true"),
    ];
    let templates = templates(&[&enforce[..], settings].concat());
    let world = World::start(LocalAwsConfig::new(templates, folder(), logs)).await.unwrap();
    // The emulator loads EC2 at its first call; on a busy machine that takes longer than the call's timeout.
    for _try in 0..10 {
        if world.clients().ec2.describe_security_groups().send().await.is_ok() {
            break;
        }
    }
    world
}

/// A security group that opens SSH to the internet.
async fn open_group(world: &World) -> ResourceKey {
    let ec2 = &world.clients().ec2;
    let made = ec2.create_security_group().group_name("open").description("open").send().await.unwrap();
    let group = made.group_id.unwrap();
    let open = ec2.authorize_security_group_ingress().group_id(&group).ip_protocol("tcp").from_port(22).to_port(22);
    open.cidr_ip("0.0.0.0/0").send().await.unwrap();
    ResourceKey::new("AWS::EC2::SecurityGroup", group.as_str())
}

fn verdict(world: &World, group: &ResourceKey) -> Option<Compliance> {
    world.compliance_of(RULE, group)
}

async fn messages(world: &World, queue: &str) -> usize {
    let sqs = &world.clients().sqs;
    let url = sqs.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap();
    let name = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
    let answer = sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await.unwrap();
    answer.attributes.unwrap()[&name].parse().unwrap()
}

fn announcements(world: &World, detail_type: &str) -> Vec<Value> {
    let all = world.bus().announcements().into_iter();
    all.filter(|it| it.detail_type == detail_type).map(|it| it.detail).collect()
}

/// AWS Config sends a compliance change with best effort: this one never reaches the bus.
#[tokio::test(flavor = "multi_thread")]
async fn finding_with_a_lost_event_is_fixed_at_the_next_run() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), &[]).await;
    world.wait_until_idle().await.unwrap();
    let lost = Fault::new("events", "PutEvents", 1, FaultKind::Http500);
    world.proxy().inject(Fault { caller: Some("rectify-local".to_owned()), ..lost });
    let group = open_group(&world).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!((verdict(&world, &group), world.take_errors().len()), (Some(Compliance::NonCompliant), 1));
    assert_eq!(world.proxy().calls_of(FIX), [""; 0]);

    world.bus().fire(SCHEDULE).unwrap();
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), Some(Compliance::Compliant), "{:#?}", world.host().logs(RECONCILER));
    assert_eq!(announcements(&world, "Rectify Remediation Requested").len(), 1);

    // The next run requests nothing.
    world.bus().fire(SCHEDULE).unwrap();
    world.wait_until_idle().await.unwrap();
    assert_eq!(announcements(&world, "Rectify Remediation Requested").len(), 1);
    assert_eq!(world.host().dead_letters(), []);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn finding_with_a_failed_remediation_is_fixed_later() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), &[]).await;
    world.wait_until_idle().await.unwrap();
    let denied = Fault::new("ec2", "DescribeSecurityGroups", 100, FaultKind::AccessDenied);
    world.proxy().inject(Fault { caller: Some(FIX.to_owned()), ..denied });
    let group = open_group(&world).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!(
        (verdict(&world, &group), messages(&world, "rectify-DeadLetters").await),
        (Some(Compliance::NonCompliant), 1)
    );

    world.proxy().clear_faults();
    world.bus().fire(SCHEDULE).unwrap();
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), Some(Compliance::Compliant), "{:#?}", world.host().logs(RECONCILER));
    let requests = announcements(&world, "Rectify Remediation Requested");
    // The dead letter and the rule report the same finding, and it is requested once.
    assert_eq!(requests.iter().map(|it| it["resourceId"].clone()).collect::<Vec<_>>(), [json!(group.resource_id)]);
    assert_eq!((messages(&world, "rectify-DeadLetters").await, messages(&world, "rectify-Unanswered").await), (0, 0));
    world.stop().await.unwrap();
}

/// The rule runs on changes and on a schedule, and the schedule evaluates the resource of a failed change.
#[tokio::test(flavor = "multi_thread")]
async fn failed_rule_evaluates_on_its_schedule() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), &[]).await;
    world.wait_until_idle().await.unwrap();
    let denied = Fault::new("config", "PutEvaluations", 3, FaultKind::AccessDenied);
    world.proxy().inject(Fault { caller: Some(RULE.to_owned()), ..denied });
    let group = open_group(&world).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), None);
    assert!(messages(&world, "rectify-DeadLetters").await > 0);

    world.proxy().clear_faults();
    world.bus().fire(SCHEDULE).unwrap();
    world.wait_until_idle().await.unwrap();
    assert_eq!((verdict(&world, &group), messages(&world, "rectify-DeadLetters").await), (None, 0));
    world.engine().evaluate(RULE).unwrap();
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), Some(Compliance::Compliant), "{:#?}", world.host().logs(RECONCILER));
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reconciler_can_be_off_and_undo_is_deployed_on_request_only() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), &[("reconcileEvery", "off")]).await;
    let deployed = world.host().functions();
    assert!(!deployed.iter().any(|it| it == RECONCILER || it == UNDO), "{deployed:?}");
    assert_eq!(world.bus().scheduled(), []);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_restores_an_attempt_and_names_its_refusals() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), &[("deployUndo", "true")]).await;
    let group = open_group(&world).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), Some(Compliance::Compliant));
    let attempt = announcements(&world, "Rectify Outcome")[0]["attempt"].as_str().unwrap().to_owned();

    let request = json!({"attempt": attempt, "by": "jane", "holdDays": 2});
    let answer = world.host().invoke(UNDO, &request).await.unwrap();
    assert_eq!((&answer["outcome"], &answer["attempt"]), (&json!("restored"), &json!(attempt)));
    assert!(answer["calls"][0].as_str().unwrap().starts_with("AuthorizeSecurityGroupIngress"), "{answer:#}");
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), Some(Compliance::NonCompliant), "open again, and held");
    assert_eq!(world.host().invoke(UNDO, &request).await.unwrap()["outcome"], "already-undone");

    // The reconciler does not request a fix while the resource is held.
    world.bus().fire(SCHEDULE).unwrap();
    world.wait_until_idle().await.unwrap();
    assert_eq!(verdict(&world, &group), Some(Compliance::NonCompliant));
    assert_eq!(announcements(&world, "Rectify Remediation Requested"), [json!(null); 0]);

    let unknown = json!({"attempt": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "by": "jane"});
    let refusal = world.host().invoke(UNDO, &unknown).await.unwrap_err();
    let text = "undo 01ARZ3NDEKTSV4RRFFQ69G5FAV: no such attempt";
    assert_eq!((refusal.error_type.as_str(), refusal.message.as_str()), ("UndoRefused", text));
    let malformed = world.host().invoke(UNDO, &json!({"attempt": attempt})).await.unwrap_err();
    assert_eq!(malformed.error_type, "UnexpectedShape");
    world.stop().await.unwrap();
}

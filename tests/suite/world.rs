//! Local AWS as a whole: the deployed template, running against violating resources.

use std::path::Path;
use std::time::Duration;

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::event_log::{EventLog, Item};
use rectify_local::proxy::{Fault, FaultKind};
use rectify_local::world::{LocalAwsConfig, LocalAwsError, World};
use rectify_tests::binaries::folder;
use rectify_tests::deployment::templates;

const RULE: &str = "rectify-restricted-ssh";
const FIX: &str = "rectify-restricted-ssh-fix";

/// Restricted SSH in mode `enforce`.
const ENFORCE: &[(&str, &str)] =
    &[("controls.restricted-ssh.mode", "enforce"), ("controls.restricted-ssh.allowL2", "true")];

fn settings(logs: &Path, settings: &[(&str, &str)]) -> LocalAwsConfig {
    let templates = templates(&[&[("attribution", "false")], settings].concat());
    LocalAwsConfig::new(templates, folder(), logs)
}

/// A security group that opens SSH to the internet.
async fn open_group(world: &World) -> ResourceKey {
    let ec2 = &world.clients().ec2;
    let group =
        ec2.create_security_group().group_name("open").description("open").send().await.unwrap().group_id.unwrap();
    let open = ec2
        .authorize_security_group_ingress()
        .group_id(&group)
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .cidr_ip("0.0.0.0/0");
    open.send().await.unwrap();
    ResourceKey::new("AWS::EC2::SecurityGroup", group.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn violation_is_found_fixed_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(settings(folder.path(), ENFORCE)).await.unwrap();
    let mut log = EventLog::default();
    let group = open_group(&world).await;
    world.wait_until_idle().await.unwrap();

    assert_eq!(world.compliance_of(RULE, &group), Some(Compliance::Compliant), "{:#?}", world.host().logs(FIX));
    let calls = world.proxy().calls_of(FIX);
    assert_eq!(calls.iter().filter(|call| *call == "ec2:RevokeSecurityGroupIngress").count(), 1, "{calls:?}");
    assert!(
        world.proxy().calls_of(RULE).contains(&"config:PutEvaluations".to_owned()),
        "the engine is called through the proxy"
    );
    let outcomes = world.bus().announcements().into_iter().filter(|it| it.detail_type == "Rectify Outcome");
    assert_eq!(outcomes.map(|it| it.detail["outcome"].clone()).collect::<Vec<_>>(), ["verified"]);
    assert_eq!(world.host().dead_letters(), []);
    let items = log.since_last(&world);
    assert!(items.iter().any(|item| matches!(item, Item::Verdict { rule, .. } if rule == RULE)), "{items:?}");
    assert!(!items.iter().any(|item| matches!(item, Item::Undelivered { .. })), "{items:?}");
    assert_eq!(log.since_last(&world), [], "no item is logged twice");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_attempts_end_as_a_dead_letter_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(settings(folder.path(), ENFORCE)).await.unwrap();
    world.wait_until_idle().await.unwrap();
    world.proxy().inject(Fault {
        caller: Some(FIX.to_owned()),
        ..Fault::new("ec2", "DescribeSecurityGroups", 100, FaultKind::AccessDenied)
    });
    let group = open_group(&world).await;
    world.wait_until_idle().await.unwrap();

    assert_eq!(world.compliance_of(RULE, &group), Some(Compliance::NonCompliant));
    let dead_letters = world.host().dead_letters();
    assert_eq!(
        dead_letters
            .iter()
            .map(|dead_letter| (dead_letter.function.as_str(), dead_letter.attempts))
            .collect::<Vec<_>>(),
        [(FIX, 3)]
    );
    let sqs = &world.clients().sqs;
    let queue = sqs.get_queue_url().queue_name("rectify-DeadLetters").send().await.unwrap().queue_url.unwrap();
    let received = sqs.receive_message().queue_url(queue).send().await.unwrap();
    let record: serde_json::Value = serde_json::from_str(received.messages()[0].body().unwrap()).unwrap();
    assert_eq!(record, dead_letters[0].record);
    assert!(!world.proxy().calls_of(FIX).contains(&"ec2:RevokeSecurityGroupIngress".to_owned()));
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn world_that_does_not_become_idle_names_its_pending_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), &[("controls.ec2-ebs-encryption-by-default", "observe")]);
    settings.patience = Duration::from_millis(300);
    let world = World::start(settings).await.unwrap();
    world.proxy().inject(Fault::new("config", "PutEvaluations", 1, FaultKind::Delay(Duration::from_secs(20))));
    world.engine().evaluate("rectify-ec2-ebs-encryption-by-default").unwrap();
    let error = world.wait_until_idle().await.unwrap_err();
    assert!(matches!(error, LocalAwsError::NotIdle { .. }), "{error}");
    assert!(error.to_string().contains("has 1 events") || error.to_string().contains("has 2 events"), "{error}");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn world_lists_the_types_it_does_not_record() {
    let folder = tempfile::tempdir().unwrap();
    let known = r#"ComplianceResourceTypes: ["AWS::EC2::SecurityGroup"]"#;
    let more = r#"ComplianceResourceTypes: ["AWS::EC2::SecurityGroup", "AWS::Made::Up"]"#;
    let mut settings = settings(folder.path(), &[("controls.restricted-ssh", "observe")]);
    let template = settings.templates.get_mut("deploy/controls/ec2.yaml").unwrap();
    assert!(template.contains(known));
    *template = template.replace(known, more);
    let world = World::start(settings).await.unwrap();
    assert_eq!(world.unrecorded(), [(RULE, vec!["AWS::Made::Up"])].into());
    world.wait_until_idle().await.unwrap();
    assert!(!world.compliance(RULE).is_empty(), "supported types are recorded");
    world.stop().await.unwrap();
}

//! The built function, as the template deploys it: announcements reach it through the bus and its queue. The local
//! proxy answers for CloudTrail, since moto has no LookupEvents.

use std::path::Path;
use std::time::Duration;

use rectify_local::proxy::{Fault, FaultKind};
use rectify_local::world::{ACCOUNT, LocalAwsConfig, World};
use rectify_tests::binaries::folder;
use rectify_tests::deployment::templates;
use serde_json::{Value, json};

const ATTRIBUTION: &str = "rectify-attribution";
const GROUP: &str = "AWS::EC2::SecurityGroup";

async fn world(logs: &Path, mode: &str, retry_seconds: &str) -> World {
    let templates = templates(&[
        ("controls.restricted-ssh.mode", mode),
        ("controls.restricted-ssh.allowL2", "true"),
        ("attributionRetrySeconds", retry_seconds),
        ("maxFixesPercent", "100"),
    ]);
    let world = World::start(LocalAwsConfig::new(templates, folder(), logs)).await.unwrap();
    // The emulator loads EC2 at its first call; on a busy machine that takes longer than the call's timeout.
    for _try in 0..10 {
        if world.clients().ec2.describe_security_groups().send().await.is_ok() {
            break;
        }
    }
    world
}

/// Creates a security group without ingress rules.
async fn group(world: &World, name: &str) -> String {
    let made = world.clients().ec2.create_security_group().group_name(name).description(name).send().await.unwrap();
    made.group_id.unwrap()
}

/// Opens a group's SSH port to the internet.
async fn open(world: &World, group: &str) {
    let open = world.clients().ec2.authorize_security_group_ingress().group_id(group).ip_protocol("tcp");
    open.from_port(22).to_port(22).cidr_ip("0.0.0.0/0").send().await.unwrap();
}

/// Adds a CloudTrail event about a group, dated now, through the proxy's public route.
async fn add_trail_event(world: &World, group: &str, id: &str, call: &str, more: &Value) {
    let mut record = json!({
        "eventVersion": "1.11", "eventID": id, "eventName": call, "eventSource": "ec2.amazonaws.com", "readOnly": false,
        "eventTime": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "sourceIPAddress": "192.0.2.1"
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let event = json!({
        "CloudTrailEvent": record, "Resources": [{"ResourceName": group, "ResourceType": GROUP}]
    });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/_rectify/trail-events", world.endpoint())).body(event.to_string());
    assert_eq!(request.send().await.unwrap().status(), 201);
}

fn session(role: &str, name: &str) -> Value {
    json!({"userIdentity": {
        "type": "AssumedRole", "accountId": ACCOUNT, "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"),
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "accountId": ACCOUNT, "userName": role, "principalId": format!("AROA{}", role.to_uppercase())
        }}
    }})
}

/// The actors named for a group so far, in order.
fn named(world: &World, group: &str) -> Vec<String> {
    let attributions = world.bus().announcements().into_iter().filter(|it| it.detail_type == "Rectify Attribution");
    let about = attributions.filter(|it| it.detail["resourceId"] == group);
    about.map(|it| it.detail["actor"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn actor_is_named_with_the_outcome_of_the_fix() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), "enforce", "2").await;
    let (by_jane, by_stack) = (group(&world, "a").await, group(&world, "b").await);
    // runtime/23: a user of IAM Identity Center.
    add_trail_event(
        &world,
        &by_jane,
        "e-1",
        "AuthorizeSecurityGroupIngress",
        &session("AWSReservedSSO_x", "jane@corp"),
    )
    .await;
    // runtime/22: the fix is in CloudTrail too, and is not the cause of the violation.
    let fix = session("rectifyEc2ControlsRestrictedSshFixRole", "rectify-restricted-ssh-fix");
    add_trail_event(&world, &by_jane, "e-2", "RevokeSecurityGroupIngress", &fix).await;
    // runtime/24: CloudFormation, which assumes a role.
    let mut stack = session("CfnRole", "AWSCloudFormation");
    stack["userIdentity"]["invokedBy"] = json!("cloudformation.amazonaws.com");
    stack["requestParameters"] = json!({"tags": [{"key": "aws:cloudformation:stack-name", "value": "web"}]});
    add_trail_event(&world, &by_stack, "e-3", "AuthorizeSecurityGroupIngress", &stack).await;
    open(&world, &by_jane).await;
    open(&world, &by_stack).await;
    world.wait_until_idle().await.unwrap();
    let logs_of = world.host().logs(ATTRIBUTION);
    assert_eq!(named(&world, &by_jane), ["jane@corp via AWSReservedSSO_x"], "{logs_of:#?}");
    assert_eq!(named(&world, &by_stack), ["CloudFormation stack web for AWSCloudFormation via CfnRole"]);
    let attribution =
        world.bus().announcements().into_iter().find(|it| it.detail_type == "Rectify Attribution").unwrap();
    assert_eq!(
        (&attribution.detail["control"], &attribution.detail["outcome"]),
        (&json!("restricted-ssh"), &json!("verified"))
    );
    assert!(world.proxy().substitutions().iter().any(|it| it.call == "cloudtrail:LookupEvents"));

    // The second lookup finds the same and announces nothing.
    tokio::time::sleep(Duration::from_secs(4)).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!((named(&world, &by_jane).len(), named(&world, &by_stack).len()), (1, 1));
    assert_eq!(world.take_errors(), Vec::<String>::new());
    world.stop().await.unwrap();
}

/// runtime/25: CloudTrail delivers the event late.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_actor_is_named_once_cloudtrail_has_the_event() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), "plan", "15").await;
    let (late, never) = (group(&world, "a").await, group(&world, "b").await);
    let jane = session("AWSReservedSSO_x", "jane@corp");
    open(&world, &late).await;
    open(&world, &never).await;
    let mut record = jane.clone();
    record["eventTime"] = json!(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    world.wait_until_idle().await.unwrap();
    assert_eq!((named(&world, &late), named(&world, &never)), (vec!["unknown".to_owned()], vec!["unknown".to_owned()]));
    add_trail_event(&world, &late, "e-1", "AuthorizeSecurityGroupIngress", &record).await;
    for _second in 0..60 {
        if named(&world, &late).len() > 1 && messages(&world, "rectify-AttributorQueue").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    world.wait_until_idle().await.unwrap();
    assert_eq!(named(&world, &late), ["unknown", "jane@corp via AWSReservedSSO_x"]);
    assert_eq!(named(&world, &never), ["unknown"]);
    assert_eq!(messages(&world, "rectify-AttributorQueue").await, 0, "no third lookup");
    world.stop().await.unwrap();
}

async fn messages(world: &World, queue: &str) -> usize {
    use aws_sdk_sqs::types::QueueAttributeName as Name;
    let sqs = &world.clients().sqs;
    let url = sqs.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap();
    let names = [Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesDelayed];
    let request = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    let attributes = request.send().await.unwrap().attributes.unwrap();
    names.iter().map(|name| attributes[name].parse::<usize>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_lookup_is_retried_and_a_denied_one_ends_in_the_dead_letter_queue() {
    let logs = tempfile::tempdir().unwrap();
    let world = world(logs.path(), "plan", "900").await;
    let (throttled, denied) = (group(&world, "a").await, group(&world, "b").await);
    let jane = session("AWSReservedSSO_x", "jane@corp");
    add_trail_event(&world, &throttled, "e-1", "AuthorizeSecurityGroupIngress", &jane).await;
    add_trail_event(&world, &denied, "e-2", "AuthorizeSecurityGroupIngress", &jane).await;
    world.proxy().inject(Fault::new("cloudtrail", "LookupEvents", 1, FaultKind::Throttle));
    open(&world, &throttled).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!(named(&world, &throttled), ["jane@corp via AWSReservedSSO_x"]);

    world.proxy().inject(Fault::new("cloudtrail", "LookupEvents", 100, FaultKind::AccessDenied));
    open(&world, &denied).await;
    world.wait_until_idle().await.unwrap();
    assert_eq!(named(&world, &denied), [""; 0], "a denied call does not announce `unknown`");
    assert!(messages(&world, "rectify-AttributorLetters").await >= 1);
    let logs = world.host().logs(ATTRIBUTION).join("\n");
    assert!(logs.contains("AccessDenied"), "{logs}");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn attribution_can_be_left_out_of_the_deployment() {
    let logs = tempfile::tempdir().unwrap();
    let templates = templates(&[("attribution", "false")]);
    let world = World::start(LocalAwsConfig::new(templates, folder(), logs.path())).await.unwrap();
    assert!(!world.host().functions().iter().any(|it| it == ATTRIBUTION), "{:?}", world.host().functions());
    assert!(
        world.stack().mappings.is_empty()
            && !world.stack().queues.iter().any(|it| it.logical_id.starts_with("Attributor"))
    );
    world.stop().await.unwrap();
}

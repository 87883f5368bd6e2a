//! Mode `plan` names the calls that mode `enforce` makes; a resource managed by a stack is planned only.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use rectify_compliance::Plan;
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;
use serde_json::{Value, json};

use super::env::{authorize, ingress, run, settings};

/// The call of each control that makes one, with names in place of ids that EC2 assigns.
fn calls() -> BTreeMap<String, Vec<Value>> {
    let block = |bucket: &str| {
        json!({"PutPublicAccessBlock": {
            "Bucket": bucket,
            "ExpectedBucketOwner": "111122223333",
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true,
                "IgnorePublicAcls": true,
                "BlockPublicPolicy": false,
                "RestrictPublicBuckets": false,
            },
        }})
    };
    let calls = [
        (
            "cloud-trail-log-file-validation-enabled",
            json!({"UpdateTrail": {
                "Name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main",
                "EnableLogFileValidation": true,
            }}),
        ),
        ("ec2-ebs-encryption-by-default", json!({"EnableEbsEncryptionByDefault": {}})),
        (
            "restricted-ssh",
            json!({"RevokeSecurityGroupIngress": {
                "GroupId": "the group",
                "SecurityGroupRuleIds": ["22-22 0.0.0.0/0", "22-22 ::/0"],
            }}),
        ),
        ("s3-bucket-public-read-prohibited", block("readable")),
        ("s3-bucket-public-write-prohibited", block("writable")),
    ];
    calls.into_iter().map(|(control, call)| (control.to_owned(), vec![call])).collect()
}

/// The announced and the made calls of one environment's remediations, by control.
#[derive(Debug, Default, PartialEq)]
struct RecordedCalls {
    planned: BTreeMap<String, Vec<Value>>,
    announced: BTreeMap<String, Vec<Value>>,
    outcomes: BTreeMap<String, String>,
    made: BTreeMap<String, Vec<String>>,
}

/// Creates one violating resource of each control with calls.
async fn make_violations(world: &World) -> BTreeMap<String, String> {
    let clients = world.clients();
    let made = clients.ec2.create_security_group().group_name("open").description("open").send().await.unwrap();
    let group = made.group_id.unwrap();
    authorize(&clients.ec2, &group, &[(22, 22, "0.0.0.0/0"), (22, 22, "::/0"), (443, 443, "0.0.0.0/0")]).await;
    let mut names: BTreeMap<String, String> = ingress(&clients.ec2, &group).await.into_iter().collect();
    names.insert(group, "the group".to_owned());
    let everyone = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";
    for bucket in ["readable", "writable", "logs"] {
        clients.s3.create_bucket().bucket(bucket).send().await.unwrap();
    }
    clients.s3.put_bucket_acl().bucket("readable").grant_read(everyone).send().await.unwrap();
    clients.s3.put_bucket_acl().bucket("writable").grant_write(everyone).send().await.unwrap();
    clients.cloudtrail.create_trail().name("main").s3_bucket_name("logs").send().await.unwrap();
    names
}

/// A call with names in place of ids.
fn named(call: &Value, names: &BTreeMap<String, String>) -> Value {
    let text = names.iter().fold(call.to_string(), |text, (id, name)| text.replace(id, name));
    serde_json::from_str(&text).unwrap()
}

/// Runs rules and remediations in this mode over the violations.
async fn recorded_calls(mode: &str) -> RecordedCalls {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(settings(folder.path(), mode)).await.unwrap();
    let names = make_violations(&world).await;
    world.wait_until_idle().await.unwrap();

    let mut recorded = RecordedCalls::default();
    for announcement in world.bus().announcements() {
        let control = announcement.detail["control"].as_str().unwrap().to_owned();
        let plan: Plan<Value> = serde_json::from_value(announcement.detail["plan"].clone()).unwrap();
        let actions = announcement.detail["actions"].as_array().unwrap();
        let planned = plan.calls().into_iter().map(|call| named(call, &names)).collect();
        let outcome = announcement.detail["outcome"].as_str().unwrap().to_owned();
        assert_eq!(recorded.planned.insert(control.clone(), planned), None, "{control}: announced twice");
        recorded.announced.insert(control.clone(), actions.iter().map(|call| named(call, &names)).collect());
        recorded.outcomes.insert(control, outcome);
    }
    for call in world.proxy().calls() {
        let own = ["dynamodb", "events", "config"].contains(&call.service.as_str());
        let reads = ["Get", "List", "Describe", "Head"].iter().any(|verb| call.operation.starts_with(verb));
        if let Some(rule) = call.caller.strip_suffix("-fix").filter(|_| !own && !reads) {
            let control = rule.strip_prefix("rectify-").unwrap().to_owned();
            recorded.made.entry(control).or_default().push(call.operation);
        }
    }
    world.stop().await.unwrap();
    recorded
}

/// `runtime/20`
#[tokio::test(flavor = "multi_thread")]
async fn plan_names_the_calls_that_enforce_makes() {
    let (plan, enforce) = tokio::join!(recorded_calls("plan"), recorded_calls("enforce"));
    let calls = calls();
    let each = |outcome: &str| calls.keys().map(|control| (control.clone(), outcome.to_owned())).collect();
    let none = calls.keys().map(|control| (control.clone(), vec![])).collect();
    let operation = |call: &Value| call.as_object().unwrap().keys().next().unwrap().clone();
    let made = calls.iter().map(|(control, calls)| (control.clone(), calls.iter().map(operation).collect())).collect();
    let planned =
        RecordedCalls { planned: calls.clone(), announced: none, outcomes: each("planned"), made: BTreeMap::new() };
    assert_eq!(plan, planned);
    assert_eq!(
        enforce,
        RecordedCalls { planned: calls.clone(), announced: calls.clone(), outcomes: each("verified"), made }
    );
}

#[test]
fn group_managed_by_a_stack_is_planned_only() {
    run(async |env| {
        let ec2 = &env.world.clients().ec2;
        let tag = Tag::builder().key("aws:cloudformation:stack-name").value("network").build();
        let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(tag).build();
        let create = ec2.create_security_group().group_name("stacked").description("d").tag_specifications(tags);
        let id = create.send().await.unwrap().group_id.unwrap();
        authorize(ec2, &id, &[(22, 22, "0.0.0.0/0")]).await;
        let group = ResourceKey::new("AWS::EC2::SecurityGroup", id);
        env.wait_until_idle().await;

        let announcements = env.announcements(&group);
        let [(detail_type, detail)] = announcements.as_slice() else { panic!("{announcements:#?}") };
        assert_eq!(detail_type, "Rectify Plan");
        assert_eq!(detail["reason"], "managed by CloudFormation stack `network`");
        assert_eq!((&detail["outcome"], &detail["actions"]), (&json!("planned"), &json!([])));
        assert!(detail["plan"]["steps"][0]["call"]["RevokeSecurityGroupIngress"].is_object(), "{detail:#}");
        assert_eq!(env.revocations(), Vec::<u16>::new());
        assert_eq!(env.ingress(&group).await, BTreeSet::from(["22-22 0.0.0.0/0".to_owned()]));
    });
}

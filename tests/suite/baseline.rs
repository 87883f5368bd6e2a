//! `deploy/baseline.yaml`: all controls, run over what it creates, find nothing.
//!
//! `tests/python/baseline.py` creates every resource of the template in the local AWS, with the calls of its services, and
//! all controls of the catalogue scan it. What an emulator does not do is evaluated over the template and its policies:
//! who may use the key, the bucket and topic policies that let services write, and the order of resources.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{AccountId, Region, Verdict};
use rectify_local::world::{ACCOUNT, LocalAwsConfig, World};
use rectify_policy::ServiceRequest;
use rectify_runtime::client::AccountRegion;
use rectify_runtime::operations::{Scanned, Unknown};
use rectify_tests::binaries::root;
use rectify_tests::deployment::templates;
use rectify_tests::emulator::REGION;
use serde::Deserialize;
use serde_json::{Value, json};

const READER: &str = "arn:aws:iam::111122223333:role/security";

/// The blocks of docs/baseline.md in this language.
fn examples(language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/baseline.md")).unwrap();
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|it| it.split("```").next().unwrap().to_owned()).collect()
}

/// The parameters of the commands in docs/baseline.md: those of the home region, and those of another region.
fn parameters() -> [Vec<String>; 2] {
    let [home, other] = &examples("sh")[..] else { panic!("docs/baseline.md: expected two commands") };
    [home, other].map(|command| {
        let (_, parameters) = command.split_once("--parameter-overrides").unwrap();
        parameters.split_whitespace().filter(|it| *it != "\\").map(str::to_owned).collect()
    })
}

fn home() -> Vec<String> {
    let [home, _] = parameters();
    home
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|it| (*it).to_owned()).collect()
}

/// What a stack created: physical ids by logical id, and outputs.
#[derive(Debug, Deserialize)]
struct Stack {
    resources: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

/// A local AWS without a control, in which there is an organization that this account manages.
async fn world(logs: &std::path::Path) -> World {
    let none = templates(&[("attribution", "false"), ("reconcileEvery", "off")]);
    let world = World::start(LocalAwsConfig::new(none, logs, logs)).await.unwrap();
    let organizations = aws_sdk_organizations::Client::new(&world.clients().sdk);
    organizations.create_organization().send().await.unwrap();
    world
}

async fn create(world: &World, parameters: &[String]) -> Result<Stack, String> {
    let output = tokio::process::Command::new(crate::config_engine::python())
        .arg(root().join("tests/python/baseline.py"))
        .arg(root().join("deploy/baseline.yaml"))
        .args([world.endpoint(), REGION])
        .args(parameters)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

/// The rows of every control, with the parameters that docs/baseline.md gives.
async fn scan(world: &World) -> Vec<(&'static str, Scanned)> {
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(REGION) };
    let settings: Value = serde_yaml_ng::from_str(&examples("yaml")[0]).unwrap();
    let mut rows = Vec::new();
    for control in rectify_catalogue_lambda::operations() {
        let parameters =
            settings["controls"].get(control.id()).map_or_else(|| json!({}), |it| it["parameters"].clone());
        let found = control.scan(&world.clients().sdk, &place, &parameters.to_string(), |_, _| true).await.unwrap();
        rows.extend(found.into_iter().map(|row| (control.id(), row)));
    }
    rows
}

/// The logical id of the resource of a row, if the stack created it.
fn of_stack<'a>(stack: &'a Stack, row: &Scanned) -> Option<&'a str> {
    let is_it = |(_, id): &(&String, &String)| *id == &row.resource.id || Some(id.as_str()) == row.name.as_deref();
    // A policy has the id of its bucket or topic, and the recorder has the name of many a resource, `default`.
    let owner = |(name, id): &(&String, &String)| !name.ends_with("Policy") && *id != "default";
    stack.resources.iter().filter(owner).find(is_it).map(|(name, _)| name.as_str())
}

fn verdict(row: &Scanned) -> String {
    match &row.result {
        Ok((verdict, _)) => match verdict {
            Verdict::Compliant(_) => "compliant".to_owned(),
            other => format!("{other:?}"),
        },
        Err(Unknown::NotListed(why)) => format!("not listed: {why}"),
        Err(Unknown::Unreadable(error)) => format!("unreadable: {error}"),
    }
}

/// The controls that a resource of the baseline must pass; each row must be there and compliant.
const EXPECTED: &[(&str, &[&str])] = &[
    ("cloud-trail-cloud-watch-logs-enabled", &["AuditTrail"]),
    ("cloud-trail-encryption-enabled", &["AuditTrail"]),
    ("cloud-trail-log-file-validation-enabled", &["AuditTrail"]),
    ("cmk-backing-key-rotation-enabled", &["Key"]),
    ("cw-loggroup-retention-period-check", &["TrailLogs"]),
    ("kms-key-policy-no-public-access", &["Key"]),
    ("s3-bucket-level-public-access-prohibited", BUCKETS),
    ("s3-bucket-logging-enabled", &["ConfigBucket", "TrailBucket"]),
    ("s3-bucket-public-read-prohibited", BUCKETS),
    ("s3-bucket-public-write-prohibited", BUCKETS),
    ("s3-bucket-server-side-encryption-enabled", BUCKETS),
    ("s3-bucket-ssl-requests-only", BUCKETS),
    ("s3-bucket-versioning-enabled", BUCKETS),
    ("s3-lifecycle-log-archive", BUCKETS),
    ("sns-encrypted-kms", TOPICS),
    ("sns-topic-no-public-access", TOPICS),
];
const BUCKETS: &[&str] = &["AccessLogBucket", "ConfigBucket", "TrailBucket"];
const TOPICS: &[&str] = &["ConfigTopic", "IncidentTopic"];

#[tokio::test(flavor = "multi_thread")]
async fn controls_find_nothing_in_what_the_baseline_creates() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let stack = create(&world, &home()).await.unwrap();
    let rows = scan(&world).await;

    let findings: Vec<_> = rows
        .iter()
        .filter(|(_, row)| of_stack(&stack, row).is_some())
        .filter(|(_, row)| row.result.as_ref().map_or(true, |(verdict, _)| verdict.is_non_compliant()))
        .collect();
    assert!(findings.is_empty(), "{findings:#?}");

    for (control, resources) in EXPECTED {
        let compliant: BTreeSet<&str> = rows
            .iter()
            .filter(|(id, row)| id == control && verdict(row) == "compliant")
            .filter_map(|(_, row)| of_stack(&stack, row))
            .collect();
        assert_eq!(compliant.into_iter().collect::<Vec<_>>(), *resources, "{control}");
    }

    // The controls of the account that the baseline is there for: each has one row.
    let mut account = 0;
    for control in rectify_catalogue::controls().map(|it| it.meta.id) {
        let alarm = control.starts_with("cloudwatch-alarm-");
        if !alarm && !["multi-region-cloudtrail-enabled", "config-recorder-healthy"].contains(&control) {
            continue;
        }
        let verdicts: Vec<String> = rows.iter().filter(|(id, _)| *id == control).map(|(_, row)| verdict(row)).collect();
        assert_eq!(verdicts, ["compliant"], "{control}");
        account += 1;
    }
    assert!(account >= 17, "{account}");
    world.stop().await.unwrap();
}

/// A lock, an organization and data events are options; a stack in another region delivers to the first one's buckets.
#[tokio::test(flavor = "multi_thread")]
async fn options_and_a_second_region_create_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let options = ["OrganizationId=o-a1b2c3d4e5", "ObjectLock=GOVERNANCE", "DataEventArns=arn:aws:s3:::orders/"];
    let first = create(&world, &[home(), texts(&options)].concat()).await.unwrap();
    let lock = world.clients().s3.get_object_lock_configuration().bucket(&first.outputs["TrailBucketName"]);
    let lock = lock.send().await.unwrap().object_lock_configuration.unwrap();
    let retention = lock.rule.unwrap().default_retention.unwrap();
    assert_eq!((retention.mode.unwrap().as_str(), retention.days), ("GOVERNANCE", Some(365)));

    let [home, other] = parameters();
    let refused = create(&world, &other[..4]).await.unwrap_err();
    assert!(refused.contains("set all three or none"), "{refused}");
    let refused = create(&world, &home[1..]).await.unwrap_err();
    assert!(refused.contains("notify IncidentEmail, set it"), "{refused}");
    world.stop().await.unwrap();

    let logs = tempfile::tempdir().unwrap();
    let elsewhere = self::world(logs.path()).await;
    let second = create(&elsewhere, &other).await.unwrap();
    let created: Vec<&str> = second.resources.keys().map(String::as_str).collect();
    assert_eq!(created, ["ConfigTopic", "ConfigTopicPolicy", "DeliveryChannel", "Key", "Recorder"]);
    elsewhere.stop().await.unwrap();
}

/// Service, action, condition keys, and whether the key's policy allows it.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], bool);

/// moto enforces no key policy: this evaluates the one that the template gives.
#[tokio::test(flavor = "multi_thread")]
async fn services_write_with_the_key_and_only_the_security_role_reads() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let stack = create(&world, &home()).await.unwrap();
    let key = &stack.resources["Key"];
    let policy =
        world.clients().kms.get_key_policy().key_id(key).policy_name("default").send().await.unwrap().policy.unwrap();
    let policy: Value = serde_json::from_str(&policy).unwrap();

    let trail = format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/baseline");
    let alarm = format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:baseline-root-usage");
    let group = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/cloudtrail/baseline");
    let own_account: [(&str, &str); 1] = [("aws:SourceAccount", ACCOUNT)];
    let by_trail = [("aws:SourceArn", trail.as_str()), ("kms:EncryptionContext:aws:cloudtrail:arn", trail.as_str())];
    let by_alarm = [own_account[0], ("aws:SourceArn", alarm.as_str())];
    let by_group = [("kms:EncryptionContext:aws:logs:arn", group.as_str())];
    let logs = format!("logs.{REGION}.amazonaws.com");
    let rows: [Row<'_>; 10] = [
        ("cloudtrail.amazonaws.com", "kms:GenerateDataKey", &by_trail, true),
        ("cloudtrail.amazonaws.com", "kms:DescribeKey", &by_trail, true),
        ("cloudtrail.amazonaws.com", "kms:GenerateDataKey", &own_account, false),
        ("cloudtrail.amazonaws.com", "kms:Decrypt", &by_trail, false),
        ("config.amazonaws.com", "kms:GenerateDataKey", &own_account, true),
        ("config.amazonaws.com", "kms:GenerateDataKey", &[("aws:SourceAccount", "444455556666")], false),
        ("cloudwatch.amazonaws.com", "kms:GenerateDataKey", &by_alarm, true),
        ("cloudwatch.amazonaws.com", "kms:Decrypt", &by_alarm, true),
        (&logs, "kms:Encrypt", &by_group, true),
        ("sns.amazonaws.com", "kms:Decrypt", &own_account, false),
    ];
    for (service, action, context, expected) in rows {
        let request = ServiceRequest { service, action, resource: Some("*"), context };
        assert_eq!(request.is_allowed_by(&policy), expected, "{service} {action} {context:?}");
    }

    let mut readers = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let actions = statement["Action"].as_array().cloned().unwrap_or_else(|| vec![statement["Action"].clone()]);
        let decrypts = |it: &Value| {
            ["kms:*", "*", "kms:Decrypt", "kms:Decrypt*", "kms:CreateGrant", "kms:Create*", "kms:ReEncrypt*"]
                .contains(&it.as_str().unwrap())
        };
        if actions.iter().any(decrypts) {
            readers.insert(statement["Principal"].to_string());
        }
    }
    let service = |name: &str| json!({ "Service": name }).to_string();
    let expected = [
        service("cloudwatch.amazonaws.com"),
        service("config.amazonaws.com"),
        service(&logs),
        json!({"AWS": READER}).to_string(),
    ];
    assert_eq!(readers, BTreeSet::from(expected));
    world.stop().await.unwrap();
}

/// CloudFormation does not create the trail or the channel before the policies that let CloudTrail and AWS Config write.
#[test]
fn what_delivers_comes_after_the_policies() {
    let text = std::fs::read_to_string(root().join("deploy/baseline.yaml")).unwrap();
    assert!(text.len() < 51_200, "a template of up to 51,200 bytes is deployed without a bucket: {}", text.len());
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    for (resource, policy) in [("AuditTrail", "TrailBucketPolicy"), ("DeliveryChannel", "ConfigBucketPolicy")] {
        let after = serde_yaml_ng::to_string(&template["Resources"][resource]["Metadata"]["After"]).unwrap();
        assert!(after.contains(&format!("!Ref {policy}")), "{resource}: {after}");
    }
    for bucket in ["TrailBucket", "ConfigBucket"] {
        assert_eq!(template["Resources"][bucket]["DependsOn"].as_str(), Some("AccessLogBucketPolicy"), "{bucket}");
    }
    assert_eq!(template["Resources"]["DeliveryChannel"]["DependsOn"].as_str(), Some("ConfigTopicPolicy"));
    assert!(template.get("Transform").is_none(), "StackSets take no transform");
}

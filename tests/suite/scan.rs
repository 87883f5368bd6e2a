//! A scan of all resources of a control: it writes nothing, and a read that fails is never a pass.

use rectify_compliance::{AccountId, Region, ResourceKey};
use rectify_runtime::client::AccountRegion;
use rectify_runtime::operations::{ALL, Operations, Scanned, Unknown};
use rectify_tests::emulator::ACCOUNT;
use rectify_tests::services::{InjectedError, Services};
use serde_json::{Value, json};

/// A region of the emulator that only these tests use.
const HERE: &str = "ap-southeast-3";
/// The name of the resources of these tests, where a service has no regions.
const NAME: &str = "scanned";

fn operations(control: &str) -> Operations {
    rectify_catalogue_lambda::operations().find(|it| it.id() == control).unwrap()
}

async fn scan(control: &str, services: &Services, mut parameters: Value) -> Vec<Scanned> {
    parameters["homeRegion"] = json!(HERE);
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(HERE) };
    // Other tests create users at the same time.
    let wanted =
        |resource: &ResourceKey, name: Option<&str>| !resource.kind.starts_with("AWS::IAM::") || name == Some(NAME);
    operations(control).scan(&services.sdk(HERE), &place, &parameters.to_string(), wanted).await.unwrap()
}

/// A group that lets the internet reach SSH, a bucket, a database, and a user with an inline policy: once per run.
async fn resources() {
    static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    MADE.get_or_init(|| async {
        let sdk = Services::default().sdk(HERE);
        let ec2 = aws_sdk_ec2::Client::new(&sdk);
        let made = ec2.create_security_group().group_name(NAME).description("d").send().await.unwrap();
        let everyone = aws_sdk_ec2::types::IpRange::builder().cidr_ip("0.0.0.0/0").build();
        let ssh = aws_sdk_ec2::types::IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
        let open = ec2.authorize_security_group_ingress().group_id(made.group_id.unwrap());
        open.ip_permissions(ssh.ip_ranges(everyone).build()).send().await.unwrap();
        let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
        let here = aws_sdk_s3::types::BucketLocationConstraint::from(HERE);
        let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(here).build();
        s3.create_bucket().bucket(NAME).create_bucket_configuration(here).send().await.unwrap();
        let rds = aws_sdk_rds::Client::new(&sdk);
        let create = rds.create_db_instance().db_instance_identifier(NAME).engine("mysql").allocated_storage(20);
        let create = create.db_instance_class("db.m6g.large").master_username("root");
        create.master_user_password("not a secret").send().await.unwrap();
        let iam = aws_sdk_iam::Client::new(&sdk);
        iam.create_user().user_name(NAME).send().await.unwrap();
        let allow =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let put = iam.put_user_policy().user_name(NAME).policy_name("inline").policy_document(allow.to_string());
        put.send().await.unwrap();
    })
    .await;
}

/// Controls with a schedule, and controls whose resources are listed by their type. None reads devices of the account,
/// which other tests register in the same emulator meanwhile.
const VIOLATED: [&str; 4] = [
    "restricted-ssh",
    "s3-bucket-logging-enabled",
    "rds-instance-deletion-protection-enabled",
    "iam-user-no-policies-check",
];

#[tokio::test]
async fn each_failed_read_takes_a_verdict_or_a_plan_and_adds_none() {
    resources().await;
    for control in VIOLATED {
        let services = Services::default();
        let all = scan(control, &services, json!({})).await;
        let planned = |it: &&Scanned| matches!(&it.result, Ok((verdict, Some(_))) if verdict.is_non_compliant());
        assert_eq!(all.iter().filter(planned).count(), 1, "{control}: {all:?}");
        let calls = services.calls();
        for (number, code) in (1..=calls.len()).flat_map(|it| [(it, "AccessDenied"), (it, "ThrottlingException")]) {
            let services = Services::refusing([InjectedError { operation: None, number, code }]);
            let some = scan(control, &services, json!({})).await;
            let failed = &calls[number - 1];
            let mut lost = false;
            for it in &some {
                match &it.result {
                    Err(Unknown::Unreadable(error)) => {
                        assert!(error.to_string().contains(code), "{control}: {failed}: {error}");
                        lost = true;
                    }
                    Ok((verdict, plan)) => {
                        let same = all.iter().find(|other| other.resource == it.resource).unwrap();
                        let (expected, planned) = same.result.as_ref().unwrap();
                        assert_eq!(verdict, expected, "{control}: {failed}");
                        lost |= plan.is_none() && planned.is_some();
                    }
                    Err(Unknown::NotListed(why)) => panic!("{control}: {failed}: {why}"),
                }
            }
            assert!(lost, "{control}: {failed} {code}: {some:?}");
        }
        let refused = Services::refusing([InjectedError { operation: None, number: 1, code: "AccessDenied" }]);
        let none = scan(control, &refused, json!({})).await;
        assert!(matches!(&none[..], [only] if only.resource.id == ALL), "{control}: without a list: {none:?}");
    }
}

#[tokio::test]
async fn an_excluded_resource_is_not_read() {
    resources().await;
    let services = Services::default();
    let all = scan("s3-bucket-logging-enabled", &services, json!({"excludeResources": "scan*"})).await;
    let [Scanned { result: Ok((verdict, None)), .. }] = &all[..] else { panic!("{all:?}") };
    assert_eq!(verdict.annotation().unwrap().to_string(), "excluded by parameter");
    assert_eq!(services.calls(), ["s3:ListBuckets"]);
}

#[tokio::test]
async fn types_that_aws_config_does_not_record_are_one_row_with_the_reason() {
    let all = scan("required-tags", &Services::default(), json!({})).await;
    let unlisted: Vec<_> = all.iter().filter(|it| it.resource.id == ALL).collect();
    let [Scanned { resource, result: Err(Unknown::NotListed(why)), .. }] = unlisted[..] else { panic!("{all:?}") };
    assert_eq!(resource.kind, ALL);
    let expected = "does not record AWS::ACM::Certificate, AWS::AutoScaling::AutoScalingGroup, AWS::CloudFormation::Stack +22 more: record";
    assert!(why.contains(expected), "{why}");
}

/// How the operations of a read begin.
const READS: [&str; 6] = ["Get", "List", "Describe", "Head", "Simulate", "BatchGet"];

#[tokio::test]
async fn a_scan_makes_no_write_call() {
    resources().await;
    let mut controls = 0;
    for operations in rectify_catalogue_lambda::operations() {
        let services = Services::default();
        scan(operations.id(), &services, json!({})).await;
        let calls = services.calls();
        let writes: Vec<_> =
            calls.iter().filter(|it| !READS.iter().any(|read| it.contains(&format!(":{read}")))).collect();
        assert!(writes.is_empty(), "{}: {writes:?}", operations.id());
        controls += 1;
    }
    assert!(controls > 50, "{controls} controls");
}

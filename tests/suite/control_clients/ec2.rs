//! Security groups: denied reads, and a group that could be closed only in part.

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, UserIdGroupPair};
use rectify_compliance::values::{Bounded, Flag, Moment};
use rectify_compliance::{AccountId, ConfigurationItem, Region, Remediation, Resource, ResourceKey, Target, Timestamp};
use rectify_ec2::controls::security_group_drift::RuleChange;
use rectify_ec2::controls::security_group_drift::parameters::{BaselineSource, SecurityGroupDriftParameters};
use rectify_ec2::resources::security_group::SecurityGroup;
use rectify_ec2::{
    RESTRICTED_COMMON_PORTS, SECURITY_GROUP_DRIFT, SecurityGroupDrift, VPC_DEFAULT_SECURITY_GROUP_CLOSED,
    VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS,
};
use rectify_ec2_lambda::Clients;
use rectify_runtime::Error;
use rectify_runtime::client::{Connect, Fix, ReadFacts};
use rectify_runtime::ledger::Outcome;
use rectify_runtime::remediation::Disposition;
use rectify_runtime::rule::on_change_and_schedule;
use rectify_tests::emulator::{ACCOUNT, REGION, Sandbox, endpoint, sdk_at};
use rectify_tests::replay::{Answer, Replay};
use rectify_tests::services::{InjectedError, Services};

use serde_json::{Value, json};

use super::{each_denied_read_is_reported, ingress_rules, remediate};

#[tokio::test]
async fn denied_read_of_security_groups_is_an_error_in_every_control() {
    const DENIED: &str = "UnauthorizedOperation";
    each_denied_read_is_reported(&on_change_and_schedule::<_, Clients>(&RESTRICTED_COMMON_PORTS), "eu-west-1", DENIED)
        .await;
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, Clients>(&VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS),
        "eu-west-1",
        DENIED,
    )
    .await;
    each_denied_read_is_reported(&on_change_and_schedule::<_, Clients>(&SECURITY_GROUP_DRIFT), "eu-west-1", DENIED)
        .await;
}

/// The default group of a new VPC, with the self-referencing rule that moto leaves out.
async fn default_group(cidr: &str) -> (aws_sdk_ec2::Client, String) {
    let ec2 = aws_sdk_ec2::Client::new(&sdk_at(endpoint()));
    let vpc = ec2.create_vpc().cidr_block(cidr).send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let in_vpc = Filter::builder().name("vpc-id").values(vpc).build();
    let groups = ec2.describe_security_groups().filters(in_vpc).send().await.unwrap().security_groups.unwrap();
    let id = groups[0].group_id().unwrap().to_owned();
    let itself = UserIdGroupPair::builder().group_id(&id).user_id(ACCOUNT).build();
    let from_itself = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(itself).build();
    ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(from_itself).send().await.unwrap();
    (ec2, id)
}

async fn rules(ec2: &aws_sdk_ec2::Client, group: &str) -> usize {
    let filter = Filter::builder().name("group-id").values(group).build();
    ec2.describe_security_group_rules().filters(filter).send().await.unwrap().security_group_rules().len()
}

/// `vpc-default-security-group-closed/6`
#[tokio::test]
async fn group_that_keeps_its_egress_is_a_failed_attempt() {
    let sandbox = Sandbox::create().await;
    let (ec2, id) = default_group("10.7.0.0/16").await;
    let operation = Some("ec2:RevokeSecurityGroupEgress");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "UnauthorizedOperation" }]);
    let error =
        remediate::<_, Clients>(&VPC_DEFAULT_SECURITY_GROUP_CLOSED, &services, &sandbox, &id).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, number: 2, total: 2, .. }), "{error:?}");
    assert_eq!((ingress_rules(&ec2, &id).await.len(), rules(&ec2, &id).await), (0, 1), "closed in part");
    let again = remediate::<_, Clients>(&VPC_DEFAULT_SECURITY_GROUP_CLOSED, &Services::default(), &sandbox, &id).await;
    let Ok(Disposition::Acknowledged(finding)) = again else { panic!("{again:?}") };
    assert_eq!(finding.outcome, Outcome::Failed);
}

#[tokio::test]
async fn deleted_default_group_ends_as_gone() {
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let gone =
        remediate::<_, Clients>(&VPC_DEFAULT_SECURITY_GROUP_CLOSED, &services, &sandbox, "sg-00000000000000000").await;
    assert!(matches!(gone, Ok(Disposition::Ended { outcome: Outcome::Gone, .. })), "{gone:?}");
    assert_eq!(services.calls(), ["ec2:DescribeSecurityGroups"]);
}

/// A group that has one extra and one missing ingress rule against its baseline.
async fn drifting_group(name: &str) -> (aws_sdk_ec2::Client, Target) {
    let sdk = sdk_at(endpoint());
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let made = ec2.create_security_group().group_name(name).description("d").send().await.unwrap();
    let id = made.group_id.unwrap();
    let port = |port: i32| {
        let range = IpRange::builder().cidr_ip("0.0.0.0/0").build();
        IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range).build()
    };
    let live = Some([443, 8080].map(port).to_vec());
    ec2.authorize_security_group_ingress().group_id(&id).set_ip_permissions(live).send().await.unwrap();
    let rule = |dir: &str, proto: &str, port: Option<i32>| json!({"dir": dir, "proto": proto, "from": port, "to": port, "peer": {"kind": "v4", "value": "0.0.0.0/0"}});
    let rules = [rule("ingress", "tcp", Some(443)), rule("ingress", "tcp", Some(22)), rule("egress", "-1", None)];
    let mut baseline = json!({"version": 1, "groupId": id, "rules": rules});
    baseline["sha256"] = json!(rectify_ec2::controls::security_group_drift::baseline::digest(baseline.clone()));
    let put = aws_sdk_ssm::Client::new(&sdk).put_parameter().name(format!("/sg-baseline/{id}"));
    put.r#type(aws_sdk_ssm::types::ParameterType::String).value(baseline.to_string()).send().await.unwrap();
    let target = Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(SECURITY_GROUP_DRIFT.meta.resource_types[0], &id),
        name: None,
        arn: None,
    };
    (ec2, target)
}

/// `security-group-drift/7`: the first call of the plan is refused, so the second is not made.
#[tokio::test]
async fn full_group_keeps_its_extra_rules() {
    let (ec2, target) = drifting_group("full").await;
    let operation = Some("ec2:AuthorizeSecurityGroupIngress");
    let code = "RulesPerSecurityGroupLimitExceeded";
    let services = Services::refusing([InjectedError { operation, number: 1, code }]);
    let clients = Clients::connect(&services.sdk(REGION));
    let params = SecurityGroupDriftParameters { approval_grace_minutes: Bounded::of(0), ..Default::default() };
    let live = SecurityGroupDrift.live(&clients, &target, &params).await.unwrap().unwrap();
    let plan = SecurityGroupDrift.plan(&live, &params, Timestamp::now());
    assert_eq!(plan.blocker(true), None, "{plan:?}");
    let calls = plan.calls();
    assert!(matches!(calls[..], [RuleChange::Authorize(_), RuleChange::Revoke(_)]), "{calls:?}");
    let error = SecurityGroupDrift.apply(&clients, &target, calls[0]).await.unwrap_err();
    assert!(error.is(code), "{error}");
    assert_eq!(ingress_rules(&ec2, &target.resource.id).await.len(), 2, "nothing is revoked");
    // A rule that was created in the meantime is not a failure; undo needs its id.
    let clients = Clients::connect(&Services::default().sdk(REGION));
    let first = SecurityGroupDrift.apply_with_response(&clients, &target, calls[0]).await.unwrap();
    assert_eq!(SecurityGroupDrift.apply_with_response(&clients, &target, calls[0]).await.unwrap(), first);
    assert_eq!(first.as_array().map(Vec::len), Some(1));
}

/// `security-group-drift/6`: an unreadable baseline is an error, and so is a missing one that is required.
#[tokio::test]
async fn corrupt_and_missing_required_baselines_are_errors() {
    let (_, target) = drifting_group("corrupt").await;
    let sdk = sdk_at(endpoint());
    let clients = Clients::connect(&sdk);
    let ssm = aws_sdk_ssm::Client::new(&sdk);
    let name = format!("/sg-baseline/{}", target.resource.id);
    ssm.put_parameter().name(&name).value("{}").overwrite(true).send().await.unwrap();
    let mut params = SecurityGroupDriftParameters::default();
    let error = SecurityGroupDrift.live(&clients, &target, &params).await.unwrap_err();
    assert!(error.to_string().starts_with("baseline: expected an approved baseline"), "{error}");
    ssm.delete_parameter().name(&name).send().await.unwrap();
    let live = SecurityGroupDrift.live(&clients, &target, &params).await.unwrap().unwrap();
    assert_eq!(live.baseline, None);
    params.require_baseline = Flag(true);
    let error = SecurityGroupDrift.live(&clients, &target, &params).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{name}: expected a baseline: received `nothing`"));
}

/// A baseline can be an S3 object; a missing object is a missing baseline.
#[tokio::test]
async fn baseline_is_read_from_a_bucket() {
    let (_, target) = drifting_group("bucket").await;
    let sdk = sdk_at(endpoint());
    let clients = Clients::connect(&sdk);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    s3.create_bucket().bucket("approved-baselines").send().await.unwrap();
    let id = &target.resource.id;
    let params = SecurityGroupDriftParameters {
        baseline_source: BaselineSource::S3,
        baseline_name: "approved-baselines/sg-baseline/{groupId}.json".to_owned(),
        ..Default::default()
    };
    assert_eq!(SecurityGroupDrift.live(&clients, &target, &params).await.unwrap().unwrap().baseline, None);
    let mut baseline = json!({"version": 1, "groupId": id, "rules": []});
    baseline["sha256"] = json!(rectify_ec2::controls::security_group_drift::baseline::digest(baseline.clone()));
    let body = baseline.to_string().into_bytes().into();
    s3.put_object().bucket("approved-baselines").key(format!("sg-baseline/{id}.json")).body(body).send().await.unwrap();
    let live = SecurityGroupDrift.live(&clients, &target, &params).await.unwrap().unwrap();
    let baseline = live.baseline.unwrap();
    assert_eq!((baseline.rules, baseline.approved_at.is_some()), (vec![], true));
}

/// moto has no history of security groups, so AWS Config's answer is replayed.
#[tokio::test]
async fn baseline_is_read_from_the_history_of_aws_config() {
    let configuration = json!({"groupId": "sg-1", "groupName": "web", "ownerId": ACCOUNT, "ipPermissionsEgress": [],
        "ipPermissions": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": ["0.0.0.0/0"]}]});
    let item = |status: &str| {
        Answer::ok(&json!({"configurationItems": [{"accountId": ACCOUNT, "awsRegion": REGION, "resourceId": "sg-1",
            "resourceType": "AWS::EC2::SecurityGroup", "configurationItemStatus": status,
            "configurationItemCaptureTime": 1_770_000_000.5, "configuration": configuration.to_string()}]}))
    };
    let nothing = Answer::refused("ResourceNotDiscoveredException");
    let replay = Replay::of([item("OK"), item("ResourceDeleted"), nothing, Answer::refused("AccessDeniedException")]);
    let clients = Clients::connect(&replay.sdk(REGION));
    let at: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let params = SecurityGroupDriftParameters {
        baseline_source: BaselineSource::Config,
        baseline_time: Some(Moment(at)),
        ..Default::default()
    };
    let group = SecurityGroup::from_item(&recorded(&configuration)).unwrap();
    let target = recorded(&configuration).target();
    let facts = async || SecurityGroupDrift.facts(&clients, &target, &group, &params).await;
    let found = facts().await.unwrap().unwrap().baseline.unwrap();
    assert_eq!((found.rules.clone(), found.approved_at), (group.rules.clone(), Some(at)));
    assert_eq!(facts().await.unwrap().unwrap().baseline, None, "deleted by then");
    assert_eq!(facts().await.unwrap().unwrap().baseline, None, "never recorded");
    assert_eq!(facts().await.unwrap_err().code(), Some("AccessDeniedException"));
    let (operation, request) = replay.requests().remove(0);
    assert_eq!(operation, "GetResourceConfigHistory");
    assert_eq!(
        (&request["resourceId"], &request["limit"], &request["laterTime"]),
        (&json!("sg-1"), &json!(1), &json!(1_772_323_200))
    );
}

/// The item of a group as AWS Config delivers it.
fn recorded(configuration: &Value) -> ConfigurationItem {
    ConfigurationItem::from_notification(&json!({"awsAccountId": ACCOUNT, "awsRegion": REGION, "resourceId": "sg-1",
        "resourceType": "AWS::EC2::SecurityGroup", "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-02-02T02:40:00.500Z", "configuration": configuration}))
    .unwrap()
}

//! The controls' clients: a denied read never becomes a verdict, and every call is permitted by the role.

mod cloudtrail;
mod config;
mod dynamodb;
mod ec2;
mod elb;
mod flow_logs;
mod functions;
mod iam;
mod instances;
mod keys;
mod kms;
mod logs;
mod messaging;
mod network;
mod policies;
mod rds;
mod s3;
mod snapshots;
mod ssm;
mod stacks;
mod tags;

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED;
use rectify_compliance::{AccountId, Control, ControlMeta, Declared, Entry, Region, Remediation};
use rectify_ec2::{EC2_EBS_ENCRYPTION_BY_DEFAULT, RESTRICTED_SSH};
use rectify_iam::controls::iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK;
use rectify_runtime::Error;
use rectify_runtime::client::{Connect, Fix};
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Outcome, State};
use rectify_runtime::remediation::{Deployed, Disposition, RemediationContext, deployed, handle as remedy};
use rectify_runtime::rule::{Rule, RuleContext, handle, on_change_and_schedule, on_schedule};
use rectify_runtime::settings::{Environment, FunctionSettings, RemediationSettings};
use rectify_s3::{S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_PUBLIC_WRITE_PROHIBITED};
use rectify_tests::emulator::{ACCOUNT, REGION, Sandbox, endpoint, sdk_at};
use rectify_tests::events::{invocation, rule_event, scheduled};
use rectify_tests::operations;
use rectify_tests::remediation::delivery;
use rectify_tests::services::{InjectedError, Services};
use serde_json::{Value, json};

/// The buckets of these tests, created before any test lists: a list must not change while its calls are counted.
async fn buckets() {
    static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    MADE.get_or_init(|| async {
        let sdk = sdk_at(endpoint());
        let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
        for bucket in ["denied-reads", "trail-logs"] {
            s3.create_bucket().bucket(bucket).send().await.unwrap();
        }
    })
    .await;
}

/// Runs a periodic rule in `region` against these services.
async fn run_scheduled(rule: &Rule, services: &Services, region: &str) -> Result<(), Error> {
    let settings = FunctionSettings { region: Region::new(region), home_region: None };
    let context = RuleContext::over(rule.clone(), &services.sdk(region), settings);
    let event = rule_event(&scheduled(), &json!({}), "token");
    let mut line = Invocation::start(rule.meta.id, "request");
    handle(&context, &event, &invocation(), &mut line).await
}

/// Every action behind these calls is among the permissions.
fn assert_permitted(permissions: &[rectify_compliance::Permission], calls: &[String]) {
    for call in calls {
        for action in operations::actions(call) {
            assert!(permissions.iter().any(|it| it.action == action), "{call}: the role does not hold {action}");
        }
    }
}

fn entry(meta: &ControlMeta) -> &'static Entry {
    rectify_catalogue::find(meta.id).unwrap()
}

/// The ids of all resources that were evaluated.
fn evaluated(services: &Services) -> BTreeSet<String> {
    let bodies = services.evaluations();
    let all = bodies.iter().flat_map(|body| body["Evaluations"].as_array().unwrap());
    all.map(|it| it["ComplianceResourceId"].as_str().unwrap().to_owned()).collect()
}

/// Denies each read of a run in turn. A read that all resources depend on fails the run with its name and stores
/// nothing; a read of a single resource leaves out the verdict of that resource alone, and the run names it.
async fn each_denied_read_is_reported(rule: &Rule, region: &str, code: &'static str) {
    let free = Services::default();
    run_scheduled(rule, &free, region).await.unwrap();
    let (calls, whole) = (free.calls(), evaluated(&free));
    assert!(!calls.is_empty() && !free.evaluations().is_empty());
    assert_permitted(&entry(rule.meta).rule_permissions(), &calls);
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code }]);
        let error = run_scheduled(rule, &services, region).await.unwrap_err();
        // Several buckets are read at the same time, so the `number`th call differs between runs.
        let denied = &services.calls()[number - 1];
        let evaluated_ids = evaluated(&services);
        match &error {
            Error::Unreadable { count: 1, first, .. } => {
                let lost = first.split(' ').nth(1).unwrap();
                assert!(first.ends_with(&format!("({denied}: {code})")), "{denied}: {error}");
                assert!(!evaluated_ids.contains(lost), "{denied}: {error}");
                assert!(whole.len() <= 1 || !evaluated_ids.is_empty(), "{denied}: {error}");
            }
            _ => assert_eq!((error.kind(), evaluated_ids), ("AccessDenied", BTreeSet::new()), "{denied}: {error}"),
        }
    }
}

/// `ec2-ebs-encryption-by-default/7`
#[tokio::test]
async fn denied_read_of_ebs_defaults_is_an_error() {
    each_denied_read_is_reported(
        &on_schedule::<_, rectify_ec2_lambda::Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT),
        "eu-west-1",
        "UnauthorizedOperation",
    )
    .await;
}

#[tokio::test]
async fn denied_read_of_security_groups_is_an_error() {
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, rectify_ec2_lambda::Clients>(&RESTRICTED_SSH),
        "eu-west-1",
        "UnauthorizedOperation",
    )
    .await;
}

/// `iam-root-access-key-check/4`
#[tokio::test]
async fn denied_read_of_the_account_summary_is_an_error() {
    each_denied_read_is_reported(
        &on_schedule::<_, rectify_iam_lambda::Clients>(&IAM_ROOT_ACCESS_KEY_CHECK),
        REGION,
        "AccessDenied",
    )
    .await;
}

#[tokio::test]
async fn denied_read_of_trails_is_an_error() {
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, rectify_cloudtrail_lambda::Clients>(&CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED),
        "eu-west-1",
        "AccessDeniedException",
    )
    .await;
}

/// `s3-bucket-public-read-prohibited/10`: the account's public access block is one of the reads.
#[tokio::test]
async fn denied_read_of_a_bucket_or_of_the_account_block_is_an_error() {
    buckets().await;
    let free = Services::default();
    run_scheduled(
        &on_change_and_schedule::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_READ_PROHIBITED),
        &free,
        REGION,
    )
    .await
    .unwrap();
    assert!(free.calls().contains(&"s3control:GetPublicAccessBlock".to_owned()), "{:?}", free.calls());
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_READ_PROHIBITED),
        REGION,
        "AccessDenied",
    )
    .await;
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED),
        REGION,
        "AccessDenied",
    )
    .await;
}

/// A control's remediation in mode `enforce`, with this SDK configuration.
fn remediation(deployed: Deployed, sandbox: &Sandbox, sdk: &SdkConfig) -> RemediationContext {
    let rule = format!("rectify-{}", deployed.meta.id);
    let environment = Environment::of([
        ("AWS_REGION", REGION),
        ("MODE", "enforce"),
        ("ALLOW_L2", "true"),
        ("EXEMPTIONS", "none"),
        ("RULE_NAMES", &rule),
        ("LEDGER_TABLE", &sandbox.name),
        ("EVENT_BUS", &sandbox.name),
    ]);
    let function = FunctionSettings::read(&environment).unwrap();
    RemediationContext::over(deployed, sdk, function, RemediationSettings::read(&environment).unwrap())
}

/// A finding: the resource violates the control.
fn finding<K: Control>(control: &'static Declared<K>, id: &str, recorded_at: &str) -> Value {
    let mut event = rectify_tests::events::finding(id, recorded_at);
    event["detail"]["configRuleName"] = json!(format!("rectify-{}", control.meta.id));
    event["detail"]["resourceType"] = json!(control.meta.resource_types[0]);
    event
}

async fn remediate<K, C>(
    control: &'static Declared<K>,
    services: &Services,
    sandbox: &Sandbox,
    id: &str,
) -> Result<Disposition, Error>
where
    K: Fix<C>,
    C: Connect,
{
    let context = remediation(deployed::<_, C>(control), sandbox, &services.sdk(REGION));
    let event = finding(control, id, "2026-03-04T05:06:08.900Z");
    let result = remedy(&context, &event, &delivery("worker"), &mut Invocation::start(control.meta.id, "r")).await;
    assert_permitted(&entry(&control.meta).remediation_permissions(), &services.calls());
    result
}

/// `iam-root-access-key-check/7`
#[tokio::test]
async fn old_finding_about_a_root_user_without_keys_ends_as_already_compliant() {
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let disposition =
        remediate::<_, rectify_iam_lambda::Clients>(&IAM_ROOT_ACCESS_KEY_CHECK, &services, &sandbox, ACCOUNT)
            .await
            .unwrap();
    assert!(matches!(disposition, Disposition::Ended { outcome: Outcome::AlreadyCompliant, .. }), "{disposition:?}");
    assert_eq!(services.calls(), ["iam:GetAccountSummary"]);
}

/// `ec2-ebs-encryption-by-default/6`
#[tokio::test]
async fn enabling_ebs_encryption_twice_does_nothing_the_second_time() {
    let sandbox = Sandbox::create().await;
    let mut outcomes = Vec::new();
    for recorded_at in ["2026-03-04T05:06:08.900Z", "2026-03-04T05:36:08.900Z"] {
        let services = Services::default();
        let context = remediation(
            deployed::<_, rectify_ec2_lambda::Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT),
            &sandbox,
            &services.sdk(REGION),
        );
        let event = finding(&EC2_EBS_ENCRYPTION_BY_DEFAULT, ACCOUNT, recorded_at);
        let mut line = Invocation::start("ec2-ebs-encryption-by-default", "r");
        let disposition = remedy(&context, &event, &delivery("worker"), &mut line).await.unwrap();
        let writes =
            services.calls().iter().filter(|call| call.contains(":Enable") || call.contains(":Modify")).count();
        assert_permitted(&entry(&EC2_EBS_ENCRYPTION_BY_DEFAULT.meta).remediation_permissions(), &services.calls());
        outcomes.push((disposition.name(), writes));
    }
    assert_eq!(outcomes, [("verified", 1), ("already-compliant", 0)]);
}

/// A security group in moto's default VPC that opens SSH to the internet over IPv4 and IPv6.
async fn open_group(name: &str) -> (aws_sdk_ec2::Client, String) {
    let ec2 = aws_sdk_ec2::Client::new(&sdk_at(endpoint()));
    let group = ec2.create_security_group().group_name(name).description("open").send().await.unwrap();
    let id = group.group_id.unwrap();
    let v4 = aws_sdk_ec2::types::IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let v6 = aws_sdk_ec2::types::Ipv6Range::builder().cidr_ipv6("::/0").build();
    let ssh = aws_sdk_ec2::types::IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .ip_ranges(v4)
        .ipv6_ranges(v6)
        .build();
    ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(ssh).send().await.unwrap();
    (ec2, id)
}

#[tokio::test]
async fn denied_revocation_fails_the_attempt_terminally() {
    let sandbox = Sandbox::create().await;
    let (ec2, id) = open_group("denied").await;
    let operation = Some("ec2:RevokeSecurityGroupIngress");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "UnauthorizedOperation" }]);
    let error =
        remediate::<_, rectify_ec2_lambda::Clients>(&RESTRICTED_SSH, &services, &sandbox, &id).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, number: 1, .. }), "{error:?}");
    let again = remediate::<_, rectify_ec2_lambda::Clients>(&RESTRICTED_SSH, &Services::default(), &sandbox, &id).await;
    let Ok(Disposition::Acknowledged(finding)) = again else { panic!("{again:?}") };
    assert_eq!((finding.outcome, ingress_rules(&ec2, &id).await.len()), (Outcome::Failed, 2));
}

/// `restricted-ssh/11`: one rule is gone, so EC2 rejects the whole first call; the second call, for the other rule, is
/// denied, and the action returns that error. `remediation_gates` tests what follows from a denied action.
#[tokio::test]
async fn action_returns_the_denial_of_its_second_revocation() {
    let (ec2, id) = open_group("second-denied").await;
    let rules = ingress_rules(&ec2, &id).await;
    let operation = Some("ec2:RevokeSecurityGroupIngress");
    let services = Services::refusing([
        InjectedError { operation, number: 1, code: "InvalidSecurityGroupRuleId.NotFound" },
        InjectedError { operation, number: 2, code: "UnauthorizedOperation" },
    ]);
    let clients = rectify_ec2_lambda::Clients::connect(&services.sdk(REGION));
    let action = rectify_ec2::families::revocation::Revoke::RevokeSecurityGroupIngress(
        rectify_ec2::families::revocation::Revocation {
            group_id: id.clone(),
            security_group_rule_ids: vec!["sgr-00000000000000000".to_owned(), rules[0].clone()],
        },
    );
    let target = rectify_compliance::Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: rectify_compliance::ResourceKey::new(RESTRICTED_SSH.meta.resource_types[0], &id),
        name: None,
        arn: None,
    };
    let error = RESTRICTED_SSH.logic.apply(&clients, &target, &action).await.unwrap_err();
    assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
    let revoke = "ec2:RevokeSecurityGroupIngress";
    assert_eq!(services.calls(), [revoke, "ec2:DescribeSecurityGroupRules", revoke]);
    assert_eq!(ingress_rules(&ec2, &id).await, rules);
}

/// The ids of a group's ingress rules.
async fn ingress_rules(ec2: &aws_sdk_ec2::Client, group: &str) -> Vec<String> {
    let filter = aws_sdk_ec2::types::Filter::builder().name("group-id").values(group).build();
    let rules = ec2.describe_security_group_rules().filters(filter).send().await.unwrap().security_group_rules.unwrap();
    let ingress = rules.into_iter().filter(|rule| rule.is_egress() == Some(false));
    ingress.map(|rule| rule.security_group_rule_id.unwrap()).collect()
}

/// `cloud-trail-log-file-validation-enabled/5`, `cloud-trail-log-file-validation-enabled/7`
#[tokio::test]
async fn trail_of_another_home_region_fails_terminally_and_a_deleted_trail_is_gone() {
    type Clients = rectify_cloudtrail_lambda::Clients;
    let sandbox = Sandbox::create().await;
    let sdk = sdk_at(endpoint());
    buckets().await;
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    trails.create_trail().name("audit").s3_bucket_name("trail-logs").send().await.unwrap();
    let operation = Some("cloudtrail:UpdateTrail");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "InvalidHomeRegionException" }]);
    let error = remediate::<_, Clients>(&CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED, &services, &sandbox, "audit")
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");
    let attempts = rectify_runtime::ledger::Ledger::new(&sdk, &sandbox.name);
    let Ok(Disposition::Acknowledged(finding)) =
        remediate::<_, Clients>(&CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED, &Services::default(), &sandbox, "audit")
            .await
    else {
        panic!("a terminal failure is acknowledged")
    };
    let attempt =
        attempts.attempt(CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED.meta.id, &finding.attempt).await.unwrap().unwrap();
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Failed)));

    let services = Services::default();
    let gone = remediate::<_, Clients>(&CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED, &services, &sandbox, "no-such-trail")
        .await
        .unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["cloudtrail:GetTrail"]);
}

//! A scan of all resources of a control: it writes nothing, and a read that fails is never a pass.

use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region, ResourceKey};
use rectify_runtime::client::AccountRegion;
use rectify_runtime::operations::{ALL, Operations, Scanned, Unknown};
use rectify_runtime::shared_reads::SharedReads;
use rectify_tests::binaries::root;
use rectify_tests::emulator::ACCOUNT;
use rectify_tests::operations::actions;
use rectify_tests::services::{InjectedError, Services};
use serde_json::{Value, json};

/// A region of the emulator that only these tests use.
const HERE: &str = "ap-southeast-3";
/// The name of the resources of these tests, where a service has no regions.
const NAME: &str = "scanned";

fn operations(control: &str) -> Operations {
    rectify_catalogue_lambda::operations().find(|it| it.id() == control).unwrap()
}

async fn scan(control: &str, services: &Services, parameters: Value) -> Vec<Scanned> {
    scan_with(control, &services.sdk(HERE), parameters).await
}

async fn scan_with(control: &str, sdk: &SdkConfig, mut parameters: Value) -> Vec<Scanned> {
    parameters["homeRegion"] = json!(HERE);
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(HERE) };
    // Other tests create users at the same time.
    let wanted =
        |resource: &ResourceKey, name: Option<&str>| !resource.kind.starts_with("AWS::IAM::") || name == Some(NAME);
    operations(control).scan(sdk, &place, &parameters.to_string(), wanted).await.unwrap()
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
    let expected = "does not record AWS::ACM::Certificate, AWS::AutoScaling::AutoScalingGroup, AWS::CloudFormation::Stack +15 more: record";
    assert!(why.contains(expected), "{why}");
}

/// EC2 lists its own resources, each page, so that a scan needs no recorder.
#[tokio::test]
async fn resources_of_every_type_of_ec2_are_listed_by_ec2() {
    const ELSEWHERE: &str = "ap-northeast-3";
    let sdk = Services::default().sdk(ELSEWHERE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let vpc = ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.9.1.0/24").send().await.unwrap().subnet.unwrap();
    let interface = ec2.create_network_interface().subnet_id(subnet.subnet_id().unwrap()).send().await.unwrap();
    let gateway = ec2.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
    let ipsec = aws_sdk_ec2::types::GatewayType::Ipsec1;
    let customer = ec2.create_customer_gateway().r#type(ipsec.clone()).bgp_asn(65000).ip_address("203.0.113.9");
    let customer = customer.send().await.unwrap().customer_gateway.unwrap().customer_gateway_id.unwrap();
    let private =
        ec2.create_vpn_gateway().r#type(ipsec).send().await.unwrap().vpn_gateway.unwrap().vpn_gateway_id.unwrap();
    let vpn = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(&customer).vpn_gateway_id(&private);
    let vpn = vpn.send().await.unwrap().vpn_connection.unwrap().vpn_connection_id.unwrap();
    let volume = ec2.create_volume().size(1).availability_zone(format!("{ELSEWHERE}a")).send().await.unwrap();
    let tables = ec2.describe_route_tables().send().await.unwrap().route_tables.unwrap();
    let table = tables.into_iter().find(|it| it.vpc_id() == Some(&*vpc)).unwrap().route_table_id.unwrap();
    let made = [
        ("AWS::EC2::CustomerGateway", customer),
        ("AWS::EC2::InternetGateway", gateway.internet_gateway_id.unwrap()),
        ("AWS::EC2::NetworkInterface", interface.network_interface.unwrap().network_interface_id.unwrap()),
        ("AWS::EC2::RouteTable", table),
        ("AWS::EC2::Subnet", subnet.subnet_id.unwrap()),
        ("AWS::EC2::VPC", vpc),
        ("AWS::EC2::VPNConnection", vpn),
        ("AWS::EC2::VPNGateway", private.clone()),
        ("AWS::EC2::Volume", volume.volume_id.unwrap()),
    ];
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(ELSEWHERE) };
    let parameters = json!({"tag1Key": "owner"}).to_string();
    let all = operations("required-tags").scan(&sdk, &place, &parameters, |_, _| true).await.unwrap();
    for (kind, id) in made {
        let found = all.iter().find(|it| it.resource == ResourceKey::new(kind, &id));
        let found = found.unwrap_or_else(|| panic!("{kind} {id}: {all:?}"));
        assert!(matches!(&found.result, Ok((verdict, _)) if verdict.is_non_compliant()), "{found:?}");
    }
    ec2.delete_vpn_gateway().vpn_gateway_id(&private).send().await.unwrap();
    let all = operations("required-tags").scan(&sdk, &place, &parameters, |_, _| true).await.unwrap();
    assert!(all.iter().all(|it| it.resource.id != private), "deleted: {all:?}");
}

/// What several controls read is requested once. IAM is left out: other tests change the same account meanwhile.
#[tokio::test]
async fn a_resource_is_read_once_for_all_controls() {
    // They read every bucket of the account, or every type.
    const OTHERS: [&str; 2] = ["s3-account-level-public-access-blocks-periodic", "required-tags"];
    resources().await;
    for (service, listing) in
        [("s3", "s3:ListBuckets"), ("rds", "rds:DescribeDBClusters"), ("ec2", "ec2:DescribeVolumes")]
    {
        let controls = rectify_catalogue_lambda::operations().filter(|it| {
            let control = rectify_catalogue::find(it.id()).unwrap();
            rectify_catalogue::service(control) == service && !OTHERS.contains(&it.id())
        });
        let (alone, together, reads) = (Services::default(), Services::default(), SharedReads::default());
        let mut resources = 0;
        for control in controls {
            let one = scan_with(control.id(), &alone.sdk(HERE), json!({})).await;
            let other = scan_with(control.id(), &reads.over(&together.sdk(HERE)), json!({})).await;
            assert_eq!(verdicts(&one), verdicts(&other), "{}", control.id());
            resources += one.len();
        }
        let (alone, together) = (alone.calls(), together.calls());
        let count = |name: &str| together.iter().filter(|call| *call == name).count();
        assert!(resources > 2 && together.len() < alone.len(), "{service}: {} of {}", together.len(), alone.len());
        assert_eq!(count(listing), 1, "{service}: {together:?}");
        // One bucket is in the region: each of its settings is read once for all controls.
        for call in together.iter().filter(|call| call.starts_with("s3:GetBucket")) {
            assert_eq!(count(call), 1, "{call}: {together:?}");
        }
    }
}

/// The resources, each with whether it is a finding.
fn verdicts(scanned: &[Scanned]) -> Vec<(String, Option<bool>)> {
    let verdict = |it: &Scanned| it.result.as_ref().ok().map(|(verdict, _)| verdict.is_non_compliant());
    scanned.iter().map(|it| (it.resource.to_string(), verdict(it))).collect()
}

/// How the operations of a read begin.
const READS: [&str; 6] = ["Get", "List", "Describe", "Head", "Simulate", "BatchGet"];

#[tokio::test]
async fn a_scan_makes_no_write_call_and_only_calls_of_its_policy() {
    resources().await;
    let policy = std::fs::read_to_string(root().join("docs/scan-policy.json")).unwrap();
    let mut controls = 0;
    for operations in rectify_catalogue_lambda::operations() {
        let services = Services::default();
        scan(operations.id(), &services, json!({})).await;
        let calls = services.calls();
        let writes: Vec<_> =
            calls.iter().filter(|it| !READS.iter().any(|read| it.contains(&format!(":{read}")))).collect();
        assert!(writes.is_empty(), "{}: {writes:?}", operations.id());
        for action in calls.iter().flat_map(|call| actions(call)) {
            assert!(
                policy.contains(&format!("\"{action}\"")),
                "{}: docs/scan-policy.json lacks {action}",
                operations.id()
            );
        }
        controls += 1;
    }
    assert!(controls > 50, "{controls} controls");
}

//! The recorder against the emulator: it reads every type and records differences only.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::types::{GatewayType, IpPermission, IpRange, Ipv6Range, ResourceType, Tag, TagSpecification};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::types::{BucketVersioningStatus, PublicAccessBlockConfiguration, VersioningConfiguration};
use aws_types::SdkConfig;
use rectify_local::backend::{Backend, BackendSettings};
use rectify_local::engine::{ConfigRule, Engine, EngineOutputs, EngineSettings, ResourceKey};
use rectify_local::recorder::{ChangeKind, Readers, Recorder, RecorderError, types};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const BUCKET_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
const USER_POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;

/// The types of the first tests; a new account has resources of most other types already.
const SOME: [&str; 4] = ["AWS::CloudTrail::Trail", "AWS::EC2::SecurityGroup", "AWS::IAM::User", "AWS::S3::Bucket"];

struct Bench {
    engine: Engine,
    outputs: EngineOutputs,
    readers: Readers,
    recorder: Recorder,
    backend: Backend,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let backend = Backend::start(&BackendSettings::new(ACCOUNT, &folder.path().join("moto.log"))).await.unwrap();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "testing", "testing", None, None, "test",
            )))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(backend.endpoint())
            .build();
        let (engine, outputs) = Engine::new(EngineSettings {
            account: ACCOUNT.to_owned(),
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
        });
        let readers = Readers::new(&config);
        let recorder = Recorder::new(engine.clone(), readers.clone(), &SOME).unwrap();
        Self { engine, outputs, readers, recorder, backend, _folder: folder }
    }

    /// The changes one tick records, without the resources every account has.
    async fn tick(&self) -> Vec<(ChangeKind, String)> {
        let changes = self.recorder.tick().await.unwrap();
        changes
            .into_iter()
            .filter(|change| {
                let item = self.engine.latest(&change.resource).unwrap();
                item["resourceName"] != "default"
            })
            .map(|change| (change.kind, change.resource.resource_id))
            .collect()
    }

    fn item(&self, resource_type: &str, id: &str) -> Value {
        self.engine.latest(&ResourceKey::new(resource_type, id)).unwrap()
    }

    /// The diffs of all invocations so far, by resource id.
    fn diffs(&mut self) -> Vec<(String, Value)> {
        let mut diffs = Vec::new();
        while let Ok(invocation) = self.outputs.invocations.try_recv() {
            let event: Value = serde_json::from_str(invocation.event["invokingEvent"].as_str().unwrap()).unwrap();
            diffs.push((invocation.resource.unwrap().resource_id, event["configurationItemDiff"].clone()));
        }
        diffs
    }
}

fn ssh() -> IpPermission {
    IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
        .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorder_writes_items_as_aws_config_does_and_only_on_change() {
    let mut bench = Bench::start().await;
    let Readers { ec2, s3, cloudtrail, iam, .. } = bench.readers.clone();
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc().unwrap().vpc_id().unwrap().to_owned();
    let group = ec2.create_security_group().group_name("web").description("web").vpc_id(&vpc).send().await.unwrap();
    let group = group.group_id().unwrap().to_owned();
    ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(ssh()).send().await.unwrap();
    s3.create_bucket().bucket("logs").send().await.unwrap();
    s3.put_bucket_policy().bucket("logs").policy(BUCKET_POLICY).send().await.unwrap();
    cloudtrail.create_trail().name("audit").s3_bucket_name("logs").send().await.unwrap();
    let user = iam.create_user().user_name("ada").send().await.unwrap().user.unwrap();
    iam.put_user_policy().user_name("ada").policy_name("inline").policy_document(USER_POLICY).send().await.unwrap();

    let created = |id: &str| (ChangeKind::Created, id.to_owned());
    let expected = [created("audit"), created(&group), created(user.user_id()), created("logs")];
    assert_eq!(bench.tick().await, expected);
    assert_eq!(bench.tick().await, [], "nothing changed");

    let item = bench.item("AWS::EC2::SecurityGroup", &group);
    assert_eq!(item["ARN"], format!("arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{group}"));
    assert_eq!(
        item["configuration"]["ipPermissions"],
        json!([{
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["0.0.0.0/0"],
            "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}], "ipv6Ranges": [{"cidrIpv6": "::/0"}], "prefixListIds": [],
            "userIdGroupPairs": []
        }])
    );
    let egress = &item["configuration"]["ipPermissionsEgress"][0];
    assert_eq!((&egress["ipProtocol"], egress.get("fromPort")), (&json!("-1"), None));
    let item = bench.item("AWS::S3::Bucket", "logs");
    let supplementary = &item["supplementaryConfiguration"];
    let list: Value = serde_json::from_str(supplementary["AccessControlList"].as_str().unwrap()).unwrap();
    assert_eq!(list["grantList"][0]["permission"], "FullControl");
    assert_eq!(supplementary["BucketPolicy"], json!({"policyText": BUCKET_POLICY}));
    assert_eq!(
        supplementary["BucketLoggingConfiguration"],
        json!({"destinationBucketName": null, "logFilePrefix": null})
    );
    assert_eq!(supplementary["BucketVersioningConfiguration"], json!({"status": "Off", "isMfaDeleteEnabled": null}));
    assert_eq!(supplementary.get("PublicAccessBlockConfiguration"), None);
    let item = bench.item("AWS::CloudTrail::Trail", "audit");
    assert_eq!(item["configuration"]["logFileValidationEnabled"], false);
    let item = bench.item("AWS::IAM::User", user.user_id());
    assert_eq!((&item["awsRegion"], &item["resourceName"]), (&json!("global"), &json!("ada")));
    let document = item["configuration"]["userPolicyList"][0]["policyDocument"].as_str().unwrap();
    assert!(document.starts_with("%7B%22Version%22%3A"), "{document}");

    let rule = json!({"ConfigRuleName": "everything", "Source": {
        "Owner": "CUSTOM_LAMBDA",
        "SourceIdentifier": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:everything"),
        "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}]
    }});
    bench.engine.put_rule(ConfigRule::from_template(&rule).unwrap()).unwrap();
    bench.diffs();

    ec2.revoke_security_group_ingress().group_id(&group).ip_permissions(ssh()).send().await.unwrap();
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
    s3.put_public_access_block().bucket("logs").public_access_block_configuration(block).send().await.unwrap();
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket("logs").versioning_configuration(versioning).send().await.unwrap();
    cloudtrail.update_trail().name("audit").enable_log_file_validation(true).send().await.unwrap();
    iam.delete_user_policy().user_name("ada").policy_name("inline").send().await.unwrap();
    iam.delete_user().user_name("ada").send().await.unwrap();

    let updated = |id: &str| (ChangeKind::Updated, id.to_owned());
    let deleted = (ChangeKind::Deleted, user.user_id().to_owned());
    assert_eq!(bench.tick().await, [updated("audit"), updated(&group), deleted, updated("logs")]);
    assert_eq!(bench.tick().await, []);
    let diffs = bench.diffs();
    let changed: Vec<(&str, &Value, Vec<&str>)> = diffs
        .iter()
        .map(|(id, diff)| {
            let properties = diff["changedProperties"].as_object().unwrap().keys().map(String::as_str);
            (id.as_str(), &diff["changeType"], properties.collect())
        })
        .collect();
    let (update, delete) = (json!("UPDATE"), json!("DELETE"));
    let bucket = [
        "SupplementaryConfiguration.BucketVersioningConfiguration.Status",
        "SupplementaryConfiguration.PublicAccessBlockConfiguration",
    ];
    assert_eq!(
        changed,
        [
            ("audit", &update, vec!["Configuration.LogFileValidationEnabled"]),
            (group.as_str(), &update, vec!["Configuration.IpPermissions.0"]),
            (user.user_id(), &delete, vec!["Configuration"]),
            ("logs", &update, bucket.to_vec()),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorder_reads_every_page() {
    let bench = Bench::start().await;
    let iam = &bench.readers.iam;
    let user = iam.create_user().user_name("ada").send().await.unwrap().user.unwrap();
    // The emulator pages attached policies by the hundred; it does not page users, buckets or security groups.
    for number in 0..105 {
        let name = format!("policy-{number:03}");
        let policy = iam.create_policy().policy_name(&name).policy_document(USER_POLICY).send().await.unwrap();
        let arn = policy.policy.unwrap().arn.unwrap();
        iam.attach_user_policy().user_name("ada").policy_arn(arn).send().await.unwrap();
    }
    assert_eq!(bench.tick().await, [(ChangeKind::Created, user.user_id().to_owned())]);
    let item = bench.item("AWS::IAM::User", user.user_id());
    assert_eq!(item["configuration"]["attachedManagedPolicies"].as_array().unwrap().len(), 105);
    assert_eq!(item["relationships"].as_array().unwrap().len(), 105);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_read_retires_nothing() {
    let bench = Bench::start().await;
    bench.readers.s3.create_bucket().bucket("logs").send().await.unwrap();
    assert_eq!(bench.tick().await, [(ChangeKind::Created, "logs".to_owned())]);
    let Bench { engine, readers, backend, .. } = bench;
    backend.stop().await.unwrap();
    let recorder = Recorder::new(engine.clone(), readers, &["AWS::S3::Bucket"]).unwrap();
    let error = recorder.tick().await.unwrap_err();
    // An emulator that stops may answer a call that it had begun.
    assert!(matches!(&error, RecorderError::Call { operation, .. } if operation.starts_with("s3:")), "{error}");
    assert_eq!(engine.recorded("AWS::S3::Bucket"), [ResourceKey::new("AWS::S3::Bucket", "logs")]);
}

/// The backend supports every type of the recorder, and items of EC2 resources have their tags.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_is_read_and_ec2_items_have_tags() {
    let bench = Bench::start().await;
    let ec2 = &bench.readers.ec2;
    let tags = |kind: &str| {
        let tag = Tag::builder().key("Owner").value("net").build();
        TagSpecification::builder().resource_type(ResourceType::from(kind)).tags(tag).build()
    };
    let run =
        ec2.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1).tag_specifications(tags("instance"));
    let made = run.send().await.unwrap();
    let instance = made.instances()[0].instance_id().unwrap();
    let volume = ec2.create_volume().availability_zone("us-east-1a").size(1).tag_specifications(tags("volume"));
    let volume = volume.send().await.unwrap().volume_id.unwrap();
    let gateway = ec2.create_vpn_gateway().r#type(GatewayType::Ipsec1).tag_specifications(tags("vpn-gateway"));
    let gateway = gateway.send().await.unwrap().vpn_gateway.unwrap().vpn_gateway_id.unwrap();
    let policy = bench.readers.iam.create_policy().policy_name("list-buckets").policy_document(USER_POLICY);
    let policy = policy.send().await.unwrap().policy.unwrap().policy_id.unwrap();
    let recorder = Recorder::new(bench.engine.clone(), bench.readers.clone(), &types()).unwrap();
    recorder.tick().await.unwrap();
    assert_eq!(recorder.tick().await.unwrap(), [], "nothing changed");
    for (kind, id) in [
        ("AWS::EC2::Instance", instance),
        ("AWS::EC2::Volume", volume.as_str()),
        ("AWS::EC2::VPNGateway", gateway.as_str()),
    ] {
        assert_eq!(bench.item(kind, id)["tags"], json!({"Owner": "net"}), "{kind}");
    }
    let version = &bench.item("AWS::IAM::Policy", &policy)["configuration"]["policyVersionList"][0];
    assert_eq!(version["isDefaultVersion"], true);
    assert!(version["document"].as_str().unwrap().starts_with("%7B%22Version%22%3A"), "{version}");
    let item = bench.item("AWS::EC2::Instance", instance);
    let configuration = &item["configuration"];
    assert_eq!(configuration["metadataOptions"]["httpTokens"], "optional");
    assert_eq!(configuration["networkInterfaces"][0]["attachment"]["deviceIndex"], 0);
    assert!(configuration["networkInterfaces"][0]["groups"][0]["groupId"].is_string(), "{configuration}");
    let attached = item["relationships"].as_array().unwrap().iter().find(|it| it["resourceType"] == "AWS::EC2::Volume");
    let volume = bench.item("AWS::EC2::Volume", attached.unwrap()["resourceId"].as_str().unwrap());
    assert_eq!(volume["configuration"]["attachments"][0]["instanceId"], instance);
    for kind in ["Subnet", "VPC", "RouteTable", "NetworkAcl", "InternetGateway", "NetworkInterface"] {
        let there = bench.engine.recorded(&format!("AWS::EC2::{kind}"));
        assert!(!there.is_empty() || kind == "InternetGateway", "{kind}");
    }

    ec2.terminate_instances().instance_ids(instance).send().await.unwrap();
    let changes = recorder.tick().await.unwrap();
    let gone = changes.iter().find(|it| it.resource.resource_id == instance).unwrap();
    assert_eq!(gone.kind, ChangeKind::Deleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_and_file_systems_are_recorded() {
    let bench = Bench::start().await;
    let Readers { iam, lambda, efs, .. } = bench.readers.clone();
    let role = iam.create_role().role_name("resize").assume_role_policy_document(BUCKET_POLICY).send().await.unwrap();
    let code = FunctionCode::builder().zip_file(Blob::new("PK")).build();
    let function = lambda.create_function().function_name("resize").role(role.role().unwrap().arn()).code(code);
    function.handler("resize.handler").runtime(Runtime::Python312).tags("team", "blue").send().await.unwrap();
    let system = efs.create_file_system().creation_token("uploads").encrypted(false).send().await.unwrap();
    let system = system.file_system_id();
    let types = ["AWS::EFS::FileSystem", "AWS::Lambda::Function"];
    let recorder = Recorder::new(bench.engine.clone(), bench.readers.clone(), &types).unwrap();
    assert_eq!(recorder.tick().await.unwrap().len(), 2);
    assert_eq!(recorder.tick().await.unwrap(), [], "nothing changed");

    let function = bench.item("AWS::Lambda::Function", "resize");
    assert_eq!(function["ARN"], format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:resize"));
    assert_eq!(function["configuration"]["functionArn"], function["ARN"]);
    assert_eq!(
        (&function["configuration"]["runtime"], &function["tags"]["team"]),
        (&json!("python3.12"), &json!("blue"))
    );
    let item = bench.item("AWS::EFS::FileSystem", system);
    assert_eq!(
        (&item["configuration"]["Encrypted"], &item["configuration"]["FileSystemId"]),
        (&json!(false), &json!(system))
    );

    efs.delete_file_system().file_system_id(system).send().await.unwrap();
    let changes = recorder.tick().await.unwrap();
    assert_eq!(
        changes.iter().map(|it| (it.kind, it.resource.resource_id.as_str())).collect::<Vec<_>>(),
        [(ChangeKind::Deleted, system)]
    );
}

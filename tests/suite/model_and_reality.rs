//! The model and the emulator agree: what a call of a plan makes of a resource is what `expect` says, and undo restores it.
//!
//! Each control reads, applies and reverts through its own client. moto 5.2.5 does not have `ModifyEbsDefaultKmsKeyId` and
//! `ResetEbsDefaultKmsKeyId`, so these two are held against replayed answers of EC2 and KMS.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, ResourceType, Tag, TagSpecification};
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use rectify_cloudtrail::cloud_trail_log_file_validation_enabled::CloudTrailLogFileValidationEnabled;
use rectify_compliance::{AccountId, Region, Remediation, ResourceKey, Target, Timestamp};
use rectify_ec2::{Ec2EbsEncryptionByDefault, RestrictedSsh};
use rectify_runtime::edge::{Apply, Connect, ReadLive, Revert};
use rectify_s3::{S3BucketPublicReadProhibited, S3BucketPublicWriteProhibited};
use rectify_tests::emulator::{ACCOUNT, sdk_over};
use rectify_tests::services::Services;
use serde_json::json;

/// A region of the emulator that no other test uses: the EBS defaults of a region are everybody's.
const ALONE: &str = "ap-southeast-2";

fn target<K: Remediation>(region: &str, id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(region),
        resource: ResourceKey::new(K::META.resource_types[0], id),
        name: None,
        arn: None,
    }
}

async fn live<K, C>(clients: &C, target: &Target, params: &K::Params) -> K::Subject
where
    K: ReadLive<C>,
{
    K::live(clients, target, params).await.unwrap().expect("the resource is there")
}

/// Plays the plan for a resource and takes it back, and holds every step against the model; says what was called.
async fn model_and_reality_agree<K, C>(sdk: &SdkConfig, target: &Target, params: &K::Params) -> Vec<String>
where
    K: ReadLive<C> + Apply<C> + Revert<C>,
    C: Connect,
{
    let clients = C::connect(sdk);
    let before = live::<K, C>(&clients, target, params).await;
    let plan = K::plan(&before, params, Timestamp::now());
    let actions: Vec<K::Action> = plan.calls().into_iter().cloned().collect();
    assert!(!actions.is_empty(), "nothing to do about {before:#?}");
    let (mut expected, mut done) = (before.clone(), Vec::new());
    for action in &actions {
        let receipt = K::apply(&clients, target, action).await.unwrap();
        let model = K::expect(expected.clone(), action);
        assert_ne!(model, expected, "{action:?} changes nothing");
        expected = model;
        assert_eq!(live::<K, C>(&clients, target, params).await, expected, "after {action:?}");
        // A retry after an answer that was lost: the same call again is a success and changes nothing.
        assert_eq!(K::apply(&clients, target, action).await.unwrap(), receipt, "{action:?} again");
        assert_eq!(live::<K, C>(&clients, target, params).await, expected, "after {action:?} again");
        done.push((action.clone(), receipt));
    }
    assert!(!K::evaluate(&expected, params, Timestamp::now()).is_non_compliant(), "{expected:#?}");
    for undo in K::undo(&before, &done).unwrap() {
        K::revert(&clients, target, &undo).await.unwrap();
        K::revert(&clients, target, &undo).await.unwrap();
    }
    let restored = live::<K, C>(&clients, target, params).await;
    assert_eq!(K::footprint(&restored, &actions), K::footprint(&before, &actions));
    assert_ne!(K::footprint(&expected, &actions), K::footprint(&before, &actions), "the footprint shows the change");
    actions.iter().map(rectify_compliance::plan::call_text).collect()
}

#[tokio::test]
async fn revoked_ingress_is_as_expected_and_made_again() {
    let sdk = Services::default().sdk(ALONE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let group =
        ec2.create_security_group().group_name("model").description("d").send().await.unwrap().group_id.unwrap();
    let port = |port| IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
    let v4 = |cidr: &str| IpRange::builder().cidr_ip(cidr).description("why it is here").build();
    let tags = TagSpecification::builder()
        .resource_type(ResourceType::SecurityGroupRule)
        .tags(Tag::builder().key("team").value("web").build());
    let everyone = Ipv6Range::builder().cidr_ipv6("::/0").build();
    let ssh = port(22).ip_ranges(v4("0.0.0.0/0")).ip_ranges(v4("10.1.23.2/32")).ipv6_ranges(everyone).build();
    let authorize = ec2.authorize_security_group_ingress().group_id(&group).tag_specifications(tags.build());
    authorize.ip_permissions(ssh).ip_permissions(port(443).ip_ranges(v4("0.0.0.0/0")).build()).send().await.unwrap();

    let target = target::<RestrictedSsh>(ALONE, &group);
    let params = Default::default();
    let calls = model_and_reality_agree::<RestrictedSsh, rectify_ec2::client::Clients>(&sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("RevokeSecurityGroupIngress {"), "{calls:?}");
    assert_eq!(calls[0].matches("sgr-").count(), 2, "{calls:?}");
}

#[tokio::test]
async fn ebs_encryption_is_as_expected_and_turned_off_again() {
    let sdk = Services::default().sdk(ALONE);
    let target = target::<Ec2EbsEncryptionByDefault>(ALONE, ACCOUNT);
    type Clients = rectify_ec2::client::Clients;
    let params = Default::default();
    let calls = model_and_reality_agree::<Ec2EbsEncryptionByDefault, Clients>(&sdk, &target, &params).await;
    assert_eq!(calls, ["EnableEbsEncryptionByDefault {}"]);
}

/// A bucket of everyone, by policy for reading or by ACL for writing, with these flags of its own block, or none.
async fn public_bucket(sdk: &SdkConfig, name: &str, block: Option<PublicAccessBlockConfiguration>) {
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(true).build());
    s3.create_bucket().bucket(name).send().await.unwrap();
    if name.contains("write") {
        let everyone = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";
        s3.put_bucket_acl().bucket(name).grant_write(everyone).send().await.unwrap();
    } else {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
            "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/*")}]});
        s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send().await.unwrap();
    }
    if let Some(block) = block {
        let put = s3.put_public_access_block().bucket(name).public_access_block_configuration(block);
        put.send().await.unwrap();
    }
}

/// Judges a bucket by one of the two controls, which act alike.
async fn blocked<K>(name: &str, block: Option<PublicAccessBlockConfiguration>)
where
    K: ReadLive<rectify_s3::client::Clients> + Apply<rectify_s3::client::Clients> + Revert<rectify_s3::client::Clients>,
{
    let sdk = Services::default().sdk("us-east-1");
    public_bucket(&sdk, name, block).await;
    let target = target::<K>("us-east-1", name);
    let params = Default::default();
    let calls = model_and_reality_agree::<K, rectify_s3::client::Clients>(&sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("PutPublicAccessBlock {"), "{calls:?}");
}

#[tokio::test]
async fn block_of_a_bucket_without_one_is_as_expected_and_removed_again() {
    blocked::<S3BucketPublicReadProhibited>("model-read", None).await;
    blocked::<S3BucketPublicWriteProhibited>("model-write", None).await;
}

#[tokio::test]
async fn flags_of_a_block_are_added_as_expected_and_taken_back_alone() {
    let some = |acls, policy| {
        PublicAccessBlockConfiguration::builder().block_public_acls(acls).block_public_policy(policy).build()
    };
    blocked::<S3BucketPublicReadProhibited>("model-read-flags", Some(some(true, false))).await;
    blocked::<S3BucketPublicWriteProhibited>("model-write-flags", Some(some(false, true))).await;
}

#[tokio::test]
async fn validation_of_a_trail_is_as_expected_and_turned_off_again() {
    let sdk = Services::default().sdk(ALONE);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(ALONE.into()).build();
    s3.create_bucket().bucket("model-logs").create_bucket_configuration(here).send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    let create = trails.create_trail().name("model").s3_bucket_name("model-logs").s3_key_prefix("audit");
    create.is_multi_region_trail(true).send().await.unwrap();

    type Trails = CloudTrailLogFileValidationEnabled;
    let (target, params) = (target::<Trails>(ALONE, "model"), Default::default());
    let calls = model_and_reality_agree::<Trails, rectify_cloudtrail::client::Clients>(&sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("UpdateTrail {") && !calls[0].contains("S3"), "{calls:?}");
}

const OLD: &str = "arn:aws:kms:ap-southeast-2:111122223333:key/00000000-0000-0000-0000-00000000001d";
const NEW: &str = "arn:aws:kms:ap-southeast-2:111122223333:key/00000000-0000-0000-0000-00000000002e";

/// EC2's answer to an operation about one value.
fn ec2_answer(operation: &str, field: &str, value: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
         <{field}>{value}</{field}></{operation}Response>"
    )
}

/// KMS's answer about a key.
fn key_answer(arn: &str) -> String {
    let id = arn.rsplit('/').next();
    json!({"KeyMetadata": {"KeyId": id, "Arn": arn, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyManager": "CUSTOMER"}})
    .to_string()
}

/// What a live read is answered while `default` is the key: the setting, the wanted key, the default, and its key.
fn read_while(default: &str) -> [String; 4] {
    [
        ec2_answer("GetEbsEncryptionByDefault", "ebsEncryptionByDefault", "true"),
        key_answer(NEW),
        ec2_answer("GetEbsDefaultKmsKeyId", "kmsKeyId", default),
        key_answer(default),
    ]
}

#[tokio::test]
async fn default_key_is_as_expected_and_made_the_old_one_again() {
    let modified = |key: &str| [ec2_answer("ModifyEbsDefaultKmsKeyId", "kmsKeyId", key)];
    let mut answers = read_while(OLD).to_vec();
    for _again in 0..2 {
        answers.extend(modified(NEW));
        answers.extend(read_while(NEW));
    }
    answers.extend([modified(OLD), modified(OLD)].into_iter().flatten());
    answers.extend(read_while(OLD));
    let event = |body: String| {
        let request = http::Request::builder().uri("https://localhost/").body(SdkBody::empty()).unwrap();
        ReplayEvent::new(request, http::Response::builder().status(200).body(SdkBody::from(body)).unwrap())
    };
    let replay = StaticReplayClient::new(answers.into_iter().map(event).collect());
    let sdk = sdk_over("https://localhost", SharedHttpClient::new(replay.clone()));

    let target = target::<Ec2EbsEncryptionByDefault>(ALONE, ACCOUNT);
    let params = serde_json::from_value(json!({"kmsKeyId": NEW, "allowKeyChange": "true"})).unwrap();
    type Clients = rectify_ec2::client::Clients;
    let calls = model_and_reality_agree::<Ec2EbsEncryptionByDefault, Clients>(&sdk, &target, &params).await;
    assert_eq!(calls, [format!("ModifyEbsDefaultKmsKeyId {{\"KmsKeyId\":\"{NEW}\"}}")]);

    let body = |request: &aws_smithy_runtime_api::client::orchestrator::HttpRequest| {
        String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap()
    };
    let sent: Vec<String> = replay.actual_requests().map(body).filter(|it| it.contains("Action=Modify")).collect();
    let modify = |key: &str| {
        let key = key.replace(':', "%3A").replace('/', "%2F");
        format!("Action=ModifyEbsDefaultKmsKeyId&Version=2016-11-15&KmsKeyId={key}")
    };
    assert_eq!(sent, [modify(NEW), modify(NEW), modify(OLD), modify(OLD)]);
}

//! EC2. moto 5.2.5 lacks `ModifyEbsDefaultKmsKeyId` and `ResetEbsDefaultKmsKeyId`, so these two run against replayed
//! answers of EC2 and KMS.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, ResourceType, Tag, TagSpecification};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use rectify_ec2::{EC2_EBS_ENCRYPTION_BY_DEFAULT, RESTRICTED_SSH};
use rectify_tests::emulator::{ACCOUNT, sdk_over};
use rectify_tests::services::Services;
use serde_json::json;

use super::{SEPARATE, assert_model_conforms, target};

#[tokio::test]
async fn revocation_of_ingress_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
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

    let target = target(&RESTRICTED_SSH, SEPARATE, &group);
    let params = Default::default();
    let calls = assert_model_conforms::<_, rectify_ec2_lambda::Clients>(&RESTRICTED_SSH, &sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("RevokeSecurityGroupIngress {"), "{calls:?}");
    assert_eq!(calls[0].matches("sgr-").count(), 2, "{calls:?}");
}

#[tokio::test]
async fn ebs_encryption_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let target = target(&EC2_EBS_ENCRYPTION_BY_DEFAULT, SEPARATE, ACCOUNT);
    type Clients = rectify_ec2_lambda::Clients;
    let params = Default::default();
    let calls = assert_model_conforms::<_, Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT, &sdk, &target, &params).await;
    assert_eq!(calls, ["EnableEbsEncryptionByDefault {}"]);
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

/// The answers to a live read while `default` is the key: the setting, the required key, the default, and its key.
fn read_while(default: &str) -> [String; 4] {
    [
        ec2_answer("GetEbsEncryptionByDefault", "ebsEncryptionByDefault", "true"),
        key_answer(NEW),
        ec2_answer("GetEbsDefaultKmsKeyId", "kmsKeyId", default),
        key_answer(default),
    ]
}

#[tokio::test]
async fn change_of_the_default_key_conforms() {
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

    let target = target(&EC2_EBS_ENCRYPTION_BY_DEFAULT, SEPARATE, ACCOUNT);
    let params = serde_json::from_value(json!({"kmsKeyId": NEW, "allowKeyChange": "true"})).unwrap();
    type Clients = rectify_ec2_lambda::Clients;
    let calls = assert_model_conforms::<_, Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT, &sdk, &target, &params).await;
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

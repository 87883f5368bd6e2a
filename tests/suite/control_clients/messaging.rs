//! Topics and queues: a denied read is an error, and a deleted resource is gone.

use aws_sdk_sqs::types::QueueAttributeName;
use rectify_runtime::rule::on_change;
use rectify_sns::{SNS_ENCRYPTED_KMS, SNS_TOPIC_NO_PUBLIC_ACCESS};
use rectify_sqs::{SQS_QUEUE_ENCRYPTED, SQS_QUEUE_NO_PUBLIC_ACCESS};

use super::instances::{each_denied_fact_is_an_error, each_denied_live_read_is_an_error};
use super::*;

type Sns = rectify_sns_lambda::Clients;
type Sqs = rectify_sqs_lambda::Clients;

const TOPIC_READS: [&str; 2] = ["sns:GetTopicAttributes", "sns:ListTagsForResource"];
const QUEUE_READS: [&str; 2] = ["sqs:GetQueueAttributes", "sqs:ListQueueTags"];

/// A policy that lets everyone call every action of a service.
fn public(service: &str, arn: &str) -> String {
    let statement =
        json!({"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": format!("{service}:*"), "Resource": arn});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Creates a public topic and returns its ARN.
async fn topic(name: &str) -> String {
    let sns = aws_sdk_sns::Client::new(&sdk_at(endpoint()));
    let arn = sns.create_topic().name(name).send().await.unwrap().topic_arn.unwrap();
    let set = sns.set_topic_attributes().topic_arn(&arn).attribute_name("Policy").attribute_value(public("SNS", &arn));
    set.send().await.unwrap();
    arn
}

/// Creates a public queue and returns its URL.
async fn queue(name: &str) -> String {
    let sqs = aws_sdk_sqs::Client::new(&sdk_at(endpoint()));
    let url = sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let policy = public("SQS", &format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"));
    sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::Policy, policy).send().await.unwrap();
    url
}

#[tokio::test]
async fn denied_read_of_a_topic_or_queue_is_an_error() {
    let arn = topic("denied").await;
    let rule = on_change::<_, Sns>(&SNS_TOPIC_NO_PUBLIC_ACCESS);
    each_denied_fact_is_an_error(&rule, "AWS::SNS::Topic", &arn, &json!({"TopicArn": arn}), &json!({})).await;
    let write = "sns:SetTopicAttributes";
    each_denied_live_read_is_an_error::<_, Sns>(&SNS_TOPIC_NO_PUBLIC_ACCESS, &arn, &TOPIC_READS, write).await;
    let url = queue("denied").await;
    let write = "sqs:SetQueueAttributes";
    each_denied_live_read_is_an_error::<_, Sqs>(&SQS_QUEUE_NO_PUBLIC_ACCESS, &url, &QUEUE_READS, write).await;
}

#[tokio::test]
async fn denied_write_fails_terminally() {
    let sandbox = Sandbox::create().await;
    let arn = topic("not-written").await;
    let refuse = |operation, code| Services::refusing([InjectedError { operation: Some(operation), number: 1, code }]);
    let services = refuse("sns:SetTopicAttributes", "AuthorizationError");
    let error = remediate::<_, Sns>(&SNS_TOPIC_NO_PUBLIC_ACCESS, &services, &sandbox, &arn).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");
    let url = queue("not-written").await;
    let services = refuse("sqs:SetQueueAttributes", "AccessDeniedException");
    let error = remediate::<_, Sqs>(&SQS_QUEUE_NO_PUBLIC_ACCESS, &services, &sandbox, &url).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");
}

/// `sqs-queue-no-public-access/6`
#[tokio::test]
async fn deleted_topic_or_queue_ends_as_gone() {
    let sandbox = Sandbox::create().await;
    let services = Services::default();
    let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:no-such-topic");
    let gone = remediate::<_, Sns>(&SNS_TOPIC_NO_PUBLIC_ACCESS, &services, &sandbox, &arn).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), TOPIC_READS[..1]);
    let services = Services::default();
    let url = format!("{}/{ACCOUNT}/no-such-queue", endpoint());
    let gone = remediate::<_, Sqs>(&SQS_QUEUE_NO_PUBLIC_ACCESS, &services, &sandbox, &url).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), QUEUE_READS[..1]);
}

/// Each denied read of a key is an error of the rule and of the live read; the topic exists.
#[tokio::test]
async fn denied_read_of_a_topics_key_is_an_error() {
    let arn = topic("denied-key").await;
    let kms = aws_sdk_kms::Client::new(&sdk_at(endpoint()));
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let rule = on_change::<_, Sns>(&SNS_ENCRYPTED_KMS);
    let item = json!({"TopicArn": arn, "KmsMasterKeyId": key});
    let parameters = json!({"acceptManagedKey": "false"});
    each_denied_fact_is_an_error(&rule, "AWS::SNS::Topic", &arn, &item, &parameters).await;

    let target = rectify_compliance::Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: rectify_compliance::ResourceKey::new("AWS::SNS::Topic", &arn),
        name: None,
        arn: None,
    };
    let params = serde_json::from_value(json!({"kmsKeyId": key})).unwrap();
    let free = Services::default();
    let live = SNS_ENCRYPTED_KMS.logic.live(&Sns::connect(&free.sdk(REGION)), &target, &params).await.unwrap();
    assert!(live.unwrap().candidate.is_some());
    let calls = free.calls();
    assert_permitted(&entry(&SNS_ENCRYPTED_KMS.meta).remediation_permissions(), &calls);
    assert_eq!(calls, [TOPIC_READS[0], TOPIC_READS[1], "kms:DescribeKey", "kms:GetKeyPolicy"]);
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDeniedException" }]);
        let clients = Sns::connect(&services.sdk(REGION));
        let error = SNS_ENCRYPTED_KMS.logic.live(&clients, &target, &params).await.unwrap_err();
        assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
    }
}

#[tokio::test]
async fn throttled_read_of_a_queue_is_an_error() {
    let (sandbox, url) = (Sandbox::create().await, queue("throttled").await);
    let operation = Some("sqs:GetQueueAttributes");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "RequestThrottled" }]);
    let error = remediate::<_, Sqs>(&SQS_QUEUE_ENCRYPTED, &services, &sandbox, &url).await.unwrap_err();
    assert_eq!(error.kind(), "Throttled", "{error}");
}

//! Topics and queues: encryption at rest.

use aws_sdk_sqs::types::QueueAttributeName;
use rectify_sns::SNS_ENCRYPTED_KMS;
use rectify_sqs::SQS_QUEUE_ENCRYPTED;
use rectify_tests::services::Services;
use serde_json::json;

use super::{SEPARATE, assert_model_conforms, target};

#[tokio::test]
async fn key_of_a_topic_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let (sns, kms) = (aws_sdk_sns::Client::new(&sdk), aws_sdk_kms::Client::new(&sdk));
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let arn = sns.create_topic().name("plain").send().await.unwrap().topic_arn.unwrap();
    let target = target(&SNS_ENCRYPTED_KMS, SEPARATE, &arn);
    let params = serde_json::from_value(json!({"kmsKeyId": key, "acceptManagedKey": "false"})).unwrap();
    type Clients = rectify_sns_lambda::Clients;
    let calls = assert_model_conforms::<_, Clients>(&SNS_ENCRYPTED_KMS, &sdk, &target, &params).await;
    let input = json!({"KmsMasterKeyId": key, "TopicArn": arn});
    assert_eq!(calls, [format!("SetTopicAttributes {input}")]);
}

#[tokio::test]
async fn encryption_of_a_queue_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let create = aws_sdk_sqs::Client::new(&sdk).create_queue().queue_name("plain");
    let create = create.attributes(QueueAttributeName::SqsManagedSseEnabled, "false");
    let url = create.send().await.unwrap().queue_url.unwrap();
    let target = target(&SQS_QUEUE_ENCRYPTED, SEPARATE, &url);
    type Clients = rectify_sqs_lambda::Clients;
    let calls = assert_model_conforms::<_, Clients>(&SQS_QUEUE_ENCRYPTED, &sdk, &target, &Default::default()).await;
    let input = json!({"QueueUrl": url, "SqsManagedSseEnabled": true});
    assert_eq!(calls, [format!("SetQueueAttributes {input}")]);
}

//! Resources whose policy grants access to everyone.

use aws_sdk_sqs::types::QueueAttributeName;
use rectify_local::engine::ResourceKey;
use rectify_local::world::{ACCOUNT, World};
use serde_json::{Value, json};

use super::run_lifecycle;

/// A policy that lets everyone call this action on the resource, beside a statement for the account.
fn public(action: &str, resource: &str) -> String {
    let allow = |sid: &str, principal: Value| json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource});
    let own = allow("Own", json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}));
    json!({"Version": "2012-10-17", "Statement": [own, allow("Anyone", json!("*"))]}).to_string()
}

async fn topic(world: &World) -> ResourceKey {
    let sns = &world.clients().sns;
    let arn = sns.create_topic().name("alarms").send().await.unwrap().topic_arn.unwrap();
    let policy = public("SNS:Publish", &arn);
    let set = sns.set_topic_attributes().topic_arn(&arn).attribute_name("Policy").attribute_value(policy);
    set.send().await.unwrap();
    ResourceKey::new("AWS::SNS::Topic", arn.as_str())
}

async fn queue(world: &World) -> ResourceKey {
    let sqs = &world.clients().sqs;
    let url = sqs.create_queue().queue_name("jobs").send().await.unwrap().queue_url.unwrap();
    let arn = format!("arn:aws:sqs:{}:{ACCOUNT}:jobs", world.settings().region);
    let policy = public("SQS:SendMessage", &arn);
    let set = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::Policy, policy);
    set.send().await.unwrap();
    ResourceKey::new("AWS::SQS::Queue", url.as_str())
}

async fn key(world: &World) -> ResourceKey {
    let kms = &world.clients().kms;
    let id = kms.create_key().policy(public("kms:*", "*")).send().await.unwrap().key_metadata.unwrap().key_id;
    ResourceKey::new("AWS::KMS::Key", id.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn public_statement_of_a_key_is_removed_and_undone() {
    run_lifecycle("kms-key-policy-no-public-access", "{}", key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_statement_of_a_topic_is_removed_and_undone() {
    run_lifecycle("sns-topic-no-public-access", "{}", topic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_statement_of_a_queue_is_removed_and_undone() {
    run_lifecycle("sqs-queue-no-public-access", "{}", queue).await;
}

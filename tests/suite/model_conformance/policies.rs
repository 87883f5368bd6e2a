//! Resources whose policy grants access to everyone.

use aws_sdk_sqs::types::QueueAttributeName;
use rectify_awslambda::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED;
use rectify_kms::KMS_KEY_POLICY_NO_PUBLIC_ACCESS;
use rectify_sns::SNS_TOPIC_NO_PUBLIC_ACCESS;
use rectify_sqs::SQS_QUEUE_NO_PUBLIC_ACCESS;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::functions::{self, Functions, NAME};
use rectify_tests::services::Services;
use serde_json::{Value, json};

use super::{SEPARATE, assert_model_conforms, target};

fn allow(sid: &str, principal: &Value, action: &str, resource: &str) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource})
}

#[tokio::test]
async fn policy_of_a_topic_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let sns = aws_sdk_sns::Client::new(&sdk);
    let tag = aws_sdk_sns::types::Tag::builder().key("team").value("pay").build().unwrap();
    let arn = sns.create_topic().name("public").tags(tag).send().await.unwrap().topic_arn.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [allow("A", &json!("*"), "SNS:Publish", &arn)]});
    let set = sns.set_topic_attributes().topic_arn(&arn).attribute_name("Policy").attribute_value(policy.to_string());
    set.send().await.unwrap();
    let target = target(&SNS_TOPIC_NO_PUBLIC_ACCESS, SEPARATE, &arn);
    type Clients = rectify_sns_lambda::Clients;
    let calls =
        assert_model_conforms::<_, Clients>(&SNS_TOPIC_NO_PUBLIC_ACCESS, &sdk, &target, &Default::default()).await;
    assert!(calls[0].starts_with("SetTopicAttributes ") && calls[0].contains("__default_statement_ID"), "{calls:?}");
}

#[tokio::test]
async fn policy_of_a_queue_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let url = sqs.create_queue().queue_name("public").send().await.unwrap().queue_url.unwrap();
    let arn = format!("arn:aws:sqs:{SEPARATE}:{ACCOUNT}:public");
    let own = allow("Own", &json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}), "SQS:*", &arn);
    let policy = json!({"Version": "2012-10-17", "Statement": [own, allow("A", &json!("*"), "SQS:*", &arn)]});
    let set = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::Policy, policy.to_string());
    set.send().await.unwrap();
    let target = target(&SQS_QUEUE_NO_PUBLIC_ACCESS, SEPARATE, &url);
    type Clients = rectify_sqs_lambda::Clients;
    let calls =
        assert_model_conforms::<_, Clients>(&SQS_QUEUE_NO_PUBLIC_ACCESS, &sdk, &target, &Default::default()).await;
    assert!(calls[0].starts_with("SetQueueAttributes ") && !calls[0].contains("Sid\\\":\\\"A"), "{calls:?}");
}

#[tokio::test]
async fn policy_of_a_function_conforms() {
    let arn = functions::arn(NAME);
    let own = allow("Own", &json!({"Service": "events.amazonaws.com"}), "lambda:InvokeFunction", &arn);
    let functions = Functions::with(vec![own, allow("A", &json!("*"), "lambda:InvokeFunction", &arn)]);
    let (control, sdk) = (&LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED, functions.sdk());
    let target = target(control, REGION, NAME);
    type Clients = rectify_awslambda_lambda::Clients;
    let calls = assert_model_conforms::<_, Clients>(control, &sdk, &target, &Default::default()).await;
    assert_eq!(calls, [format!("RemovePermission {{\"FunctionName\":\"{NAME}\",\"StatementId\":\"A\"}}")]);
}

#[tokio::test]
async fn policy_of_a_key_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let own = allow("Own", &json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}), "kms:*", "*");
    let policy = json!({"Version": "2012-10-17", "Statement": [own, allow("A", &json!("*"), "kms:Decrypt", "*")]});
    let create = aws_sdk_kms::Client::new(&sdk).create_key().policy(policy.to_string());
    let id = create.send().await.unwrap().key_metadata.unwrap().key_id;
    let (control, target) = (&KMS_KEY_POLICY_NO_PUBLIC_ACCESS, target(&KMS_KEY_POLICY_NO_PUBLIC_ACCESS, SEPARATE, &id));
    let calls =
        assert_model_conforms::<_, rectify_kms_lambda::Clients>(control, &sdk, &target, &Default::default()).await;
    assert!(calls[0].starts_with("PutKeyPolicy ") && !calls[0].contains("kms:Decrypt"), "{calls:?}");
}

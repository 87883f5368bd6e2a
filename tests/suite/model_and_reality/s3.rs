//! Buckets.

use aws_sdk_s3::types::{self, PublicAccessBlockConfiguration};
use aws_types::SdkConfig;
use rectify_compliance::Declared;
use rectify_runtime::client::Fix;
use rectify_s3::{
    S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_PUBLIC_WRITE_PROHIBITED,
    S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, S3_BUCKET_SSL_REQUESTS_ONLY,
};
use rectify_s3_lambda::Clients;
use rectify_tests::services::Services;
use serde_json::json;

use super::{model_and_reality_agree, target};

/// A client, with which this bucket was made.
async fn made(sdk: &SdkConfig, name: &str) -> aws_sdk_s3::Client {
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(true).build());
    s3.create_bucket().bucket(name).send().await.unwrap();
    s3
}

/// A bucket of everyone, by policy for reading or by ACL for writing, with these flags of its own block, or none.
async fn public_bucket(sdk: &SdkConfig, name: &str, block: Option<PublicAccessBlockConfiguration>) {
    let s3 = made(sdk, name).await;
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

/// Judges a bucket by one of the controls that set its block.
async fn blocked<K>(control: &'static Declared<K>, name: &str, block: Option<PublicAccessBlockConfiguration>)
where
    K: Fix<Clients>,
{
    let sdk = Services::default().sdk("us-east-1");
    public_bucket(&sdk, name, block).await;
    let target = target(control, "us-east-1", name);
    let params = Default::default();
    let calls = model_and_reality_agree::<_, Clients>(control, &sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("PutPublicAccessBlock {"), "{calls:?}");
}

#[tokio::test]
async fn block_of_a_bucket_without_one_is_as_expected_and_removed_again() {
    blocked(&S3_BUCKET_PUBLIC_READ_PROHIBITED, "model-read", None).await;
    blocked(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED, "model-write", None).await;
    blocked(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, "model-level", None).await;
}

#[tokio::test]
async fn flags_of_a_block_are_added_as_expected_and_taken_back_alone() {
    let some = |acls, policy| {
        PublicAccessBlockConfiguration::builder().block_public_acls(acls).block_public_policy(policy).build()
    };
    blocked(&S3_BUCKET_PUBLIC_READ_PROHIBITED, "model-read-flags", Some(some(true, false))).await;
    blocked(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED, "model-write-flags", Some(some(false, true))).await;
    blocked(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, "model-level-flags", Some(some(true, true))).await;
}

#[tokio::test]
async fn policy_of_a_bucket_without_one_is_as_expected_and_removed_again() {
    let sdk = Services::default().sdk("us-east-1");
    made(&sdk, "model-no-policy").await;
    let target = target(&S3_BUCKET_SSL_REQUESTS_ONLY, "us-east-1", "model-no-policy");
    let calls =
        model_and_reality_agree::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &sdk, &target, &Default::default()).await;
    assert!(calls.len() == 1 && calls[0].starts_with("PutBucketPolicy {"), "{calls:?}");
}

#[tokio::test]
async fn statement_is_added_to_the_very_text_of_a_policy_which_comes_back() {
    let sdk = Services::default().sdk("us-east-1");
    let s3 = made(&sdk, "model-policy").await;
    let statement = r#"{ "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::model-policy/*" }"#;
    let text = format!(r#"{{ "Id": "x", "Statement": [ {statement} ], "Version": "2012-10-17" }}"#);
    s3.put_bucket_policy().bucket("model-policy").policy(&text).send().await.unwrap();
    let target = target(&S3_BUCKET_SSL_REQUESTS_ONLY, "us-east-1", "model-policy");
    model_and_reality_agree::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &sdk, &target, &Default::default()).await;
    let after = s3.get_bucket_policy().bucket("model-policy").send().await.unwrap();
    assert_eq!(after.policy(), Some(text.as_str()));
}

async fn encrypted(name: &str, rule: Option<types::ServerSideEncryptionRule>, params: serde_json::Value) {
    let sdk = Services::default().sdk("us-east-1");
    let s3 = made(&sdk, name).await;
    if let Some(rule) = rule {
        let rules = types::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        s3.put_bucket_encryption().bucket(name).server_side_encryption_configuration(rules).send().await.unwrap();
    }
    let target = target(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, "us-east-1", name);
    let params = serde_json::from_value(params).unwrap();
    let calls =
        model_and_reality_agree::<_, Clients>(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, &sdk, &target, &params).await;
    assert!(calls.len() == 1 && calls[0].starts_with("PutBucketEncryption {"), "{calls:?}");
}

#[tokio::test]
async fn default_encryption_is_as_expected_and_taken_back() {
    encrypted("model-unencrypted", None, json!({})).await;
    let aes = types::ServerSideEncryptionByDefault::builder().sse_algorithm(types::ServerSideEncryption::Aes256);
    let rule = types::ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(aes.build().unwrap())
        .bucket_key_enabled(true)
        .build();
    encrypted("model-aes", Some(rule.clone()), json!({"requiredAlgorithm": "aws:kms"})).await;

    let kms = aws_sdk_kms::Client::new(&Services::default().sdk("us-east-1"));
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    encrypted("model-key", Some(rule), json!({"kmsKeyArns": key, "requireCmk": "true"})).await;
}

//! Buckets.

use aws_sdk_s3::types::{self, PublicAccessBlockConfiguration};
use aws_types::SdkConfig;
use rectify_compliance::Declared;
use rectify_runtime::client::Fix;
use rectify_s3::{
    S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, S3_BUCKET_LOGGING_ENABLED, S3_BUCKET_PUBLIC_READ_PROHIBITED,
    S3_BUCKET_PUBLIC_WRITE_PROHIBITED, S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, S3_BUCKET_SSL_REQUESTS_ONLY,
    S3_BUCKET_VERSIONING_ENABLED,
};
use rectify_s3_lambda::Clients;
use rectify_tests::services::Services;
use serde_json::json;

use super::{assert_model_conforms, target};

/// Creates a bucket and returns the client.
async fn create_bucket(sdk: &SdkConfig, name: &str) -> aws_sdk_s3::Client {
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(true).build());
    s3.create_bucket().bucket(name).send().await.unwrap();
    s3
}

/// Creates a bucket that is public by policy (read) or by ACL (write), with this public access block, if any.
async fn public_bucket(sdk: &SdkConfig, name: &str, block: Option<PublicAccessBlockConfiguration>) {
    let s3 = create_bucket(sdk, name).await;
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

/// Checks one of the controls that set a bucket's block.
async fn assert_block_conforms<K>(
    control: &'static Declared<K>,
    name: &str,
    block: Option<PublicAccessBlockConfiguration>,
) where
    K: Fix<Clients>,
{
    let sdk = Services::default().sdk("us-east-1");
    public_bucket(&sdk, name, block).await;
    let target = target(control, "us-east-1", name);
    let params = Default::default();
    let calls = assert_model_conforms::<_, Clients>(control, &sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("PutPublicAccessBlock {"), "{calls:?}");
}

#[tokio::test]
async fn block_of_a_bucket_without_one_conforms() {
    assert_block_conforms(&S3_BUCKET_PUBLIC_READ_PROHIBITED, "model-read", None).await;
    assert_block_conforms(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED, "model-write", None).await;
    assert_block_conforms(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, "model-level", None).await;
}

#[tokio::test]
async fn flags_added_to_a_block_conform() {
    let some = |acls, policy| {
        PublicAccessBlockConfiguration::builder().block_public_acls(acls).block_public_policy(policy).build()
    };
    assert_block_conforms(&S3_BUCKET_PUBLIC_READ_PROHIBITED, "model-read-flags", Some(some(true, false))).await;
    assert_block_conforms(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED, "model-write-flags", Some(some(false, true))).await;
    assert_block_conforms(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, "model-level-flags", Some(some(true, true))).await;
}

#[tokio::test]
async fn policy_of_a_bucket_without_one_conforms() {
    let sdk = Services::default().sdk("us-east-1");
    create_bucket(&sdk, "model-no-policy").await;
    let target = target(&S3_BUCKET_SSL_REQUESTS_ONLY, "us-east-1", "model-no-policy");
    let calls =
        assert_model_conforms::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &sdk, &target, &Default::default()).await;
    assert!(calls.len() == 1 && calls[0].starts_with("PutBucketPolicy {"), "{calls:?}");
}

#[tokio::test]
async fn undo_restores_the_exact_text_of_a_policy() {
    let sdk = Services::default().sdk("us-east-1");
    let s3 = create_bucket(&sdk, "model-policy").await;
    let statement = r#"{ "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::model-policy/*" }"#;
    let text = format!(r#"{{ "Id": "x", "Statement": [ {statement} ], "Version": "2012-10-17" }}"#);
    s3.put_bucket_policy().bucket("model-policy").policy(&text).send().await.unwrap();
    let target = target(&S3_BUCKET_SSL_REQUESTS_ONLY, "us-east-1", "model-policy");
    assert_model_conforms::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &sdk, &target, &Default::default()).await;
    let after = s3.get_bucket_policy().bucket("model-policy").send().await.unwrap();
    assert_eq!(after.policy(), Some(text.as_str()));
}

/// Versioning that was never enabled is suspended by the undo: a second fix begins there.
#[tokio::test]
async fn versioning_conforms() {
    let sdk = Services::default().sdk("us-east-1");
    let s3 = create_bucket(&sdk, "model-versions").await;
    let target = target(&S3_BUCKET_VERSIONING_ENABLED, "us-east-1", "model-versions");
    for _ in 0..2 {
        let calls =
            assert_model_conforms::<_, Clients>(&S3_BUCKET_VERSIONING_ENABLED, &sdk, &target, &Default::default())
                .await;
        assert!(calls.len() == 1 && calls[0].starts_with("PutBucketVersioning {"), "{calls:?}");
        let after = s3.get_bucket_versioning().bucket("model-versions").send().await.unwrap();
        assert_eq!(after.status(), Some(&types::BucketVersioningStatus::Suspended));
    }
}

#[tokio::test]
async fn access_logging_conforms() {
    let sdk = Services::default().sdk("us-east-1");
    create_bucket(&sdk, "model-unlogged").await;
    let s3 = create_bucket(&sdk, "model-access-logs").await;
    let statement = json!({"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::model-access-logs/*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    s3.put_bucket_policy().bucket("model-access-logs").policy(policy).send().await.unwrap();
    let target = target(&S3_BUCKET_LOGGING_ENABLED, "us-east-1", "model-unlogged");
    let params = serde_json::from_value(json!({"targetBucket": "model-access-logs"})).unwrap();
    let calls = assert_model_conforms::<_, Clients>(&S3_BUCKET_LOGGING_ENABLED, &sdk, &target, &params).await;
    assert!(calls.len() == 1 && calls[0].starts_with("PutBucketLogging {"), "{calls:?}");
}

async fn assert_encryption_conforms(
    name: &str,
    rule: Option<types::ServerSideEncryptionRule>,
    params: serde_json::Value,
) {
    let sdk = Services::default().sdk("us-east-1");
    let s3 = create_bucket(&sdk, name).await;
    if let Some(rule) = rule {
        let rules = types::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        s3.put_bucket_encryption().bucket(name).server_side_encryption_configuration(rules).send().await.unwrap();
    }
    let target = target(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, "us-east-1", name);
    let params = serde_json::from_value(params).unwrap();
    let calls =
        assert_model_conforms::<_, Clients>(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, &sdk, &target, &params).await;
    assert!(calls.len() == 1 && calls[0].starts_with("PutBucketEncryption {"), "{calls:?}");
}

#[tokio::test]
async fn default_encryption_conforms() {
    assert_encryption_conforms("model-unencrypted", None, json!({})).await;
    let aes = types::ServerSideEncryptionByDefault::builder().sse_algorithm(types::ServerSideEncryption::Aes256);
    let rule = types::ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(aes.build().unwrap())
        .bucket_key_enabled(true)
        .build();
    assert_encryption_conforms("model-aes", Some(rule.clone()), json!({"requiredAlgorithm": "aws:kms"})).await;

    let kms = aws_sdk_kms::Client::new(&Services::default().sdk("us-east-1"));
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    assert_encryption_conforms("model-key", Some(rule), json!({"kmsKeyArns": key, "requireCmk": "true"})).await;
}

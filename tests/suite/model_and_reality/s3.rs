//! Buckets.

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use aws_types::SdkConfig;
use rectify_runtime::edge::{Apply, ReadLive, Revert};
use rectify_s3::{S3BucketPublicReadProhibited, S3BucketPublicWriteProhibited};
use rectify_tests::services::Services;
use serde_json::json;

use super::{model_and_reality_agree, target};

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

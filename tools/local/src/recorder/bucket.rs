//! `AWS::S3::Bucket`, which is nearly all in `supplementaryConfiguration`.
//!
//! Whether a missing setting has no key or a null value differs by setting, as in captured notifications: a missing
//! access block has no key, a missing policy has a null text, and the ACL is JSON inside a string.
//!
//! Not recorded: replication, website, CORS and object lock, which no control reads, and notifications, since moto
//! answers with an XML root that the Rust SDK rejects.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Bucket, BucketLocationConstraint, LoggingEnabled, ServerSideEncryptionRule};
use serde_json::{Map, Value, json};

use super::observation::{Observation, REGIONAL, iso, timestamp};
use super::wrong_xml_root::WrongXmlRoot;
use super::{RecorderError, acl, failed, lifecycle, required, unless};
use crate::engine::EngineSettings;

pub(super) async fn read(s3: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut pages = s3.list_buckets().into_paginator().send();
    let mut observations = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("s3:ListBuckets", "all buckets"))?;
        for bucket in page.buckets() {
            match observe(s3, bucket, settings).await {
                Ok(observation) => observations.extend(observation),
                // Deleted since it was listed; the recorder then records the deletion.
                Err(RecorderError::Call { code, .. }) if code == "NoSuchBucket" => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(observations)
}

/// Reads one bucket; none if it is in another region, where that region's recorder records it.
async fn observe(
    s3: &Client,
    bucket: &Bucket,
    settings: &EngineSettings,
) -> Result<Option<Observation>, RecorderError> {
    let name = required("a bucket", "name", bucket.name())?;
    let location = s3.get_bucket_location().bucket(name).send().await;
    let location = location.map_err(failed("s3:GetBucketLocation", name))?;
    if region(location.location_constraint()) != settings.region {
        return Ok(None);
    }
    let access = s3.get_bucket_acl().bucket(name).send().await.map_err(failed("s3:GetBucketAcl", name))?;
    let owner = acl::owner(access.owner());
    let tags = tags(s3, name).await?;
    let mut supplementary = supplementary(s3, name).await?;
    let mut put = |key: &str, value: Value| supplementary.insert(key.to_owned(), value);
    put("AccessControlList", acl::text(name, access.owner(), access.grants())?.into());
    if !tags.is_empty() {
        put("BucketTaggingConfiguration", json!({ "tagSets": [{ "tags": tags }] }));
    }
    let created = bucket.creation_date().and_then(timestamp);
    Ok(Some(Observation {
        resource_id: name.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: format!("arn:{}:s3:::{name}", settings.partition),
        region: settings.region.clone(),
        availability_zone: REGIONAL,
        created,
        tags,
        relationships: Vec::new(),
        configuration: json!({ "name": name, "owner": owner, "creationDate": created.map(iso) }),
        supplementary,
    }))
}

/// A bucket's region from its location constraint: without one `us-east-1`; `EU` is the old name of `eu-west-1`.
fn region(constraint: Option<&BucketLocationConstraint>) -> &str {
    match constraint.map(BucketLocationConstraint::as_str) {
        None | Some("") => "us-east-1",
        Some("EU") => "eu-west-1",
        Some(region) => region,
    }
}

async fn tags(s3: &Client, name: &str) -> Result<BTreeMap<String, String>, RecorderError> {
    let answer = s3.get_bucket_tagging().bucket(name).send().await;
    let answer = unless(&["NoSuchTagSet"], answer).map_err(failed("s3:GetBucketTagging", name))?;
    let set = answer.map(|answer| answer.tag_set).unwrap_or_default();
    Ok(set.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Everything except the ACL and the tags.
async fn supplementary(s3: &Client, name: &str) -> Result<Map<String, Value>, RecorderError> {
    let mut parts = Map::new();
    let mut put = |key: &str, value: Value| parts.insert(key.to_owned(), value);

    let logging = s3.get_bucket_logging().bucket(name).send().await.map_err(failed("s3:GetBucketLogging", name))?;
    let target = logging.logging_enabled();
    put(
        "BucketLoggingConfiguration",
        json!({
            "destinationBucketName": target.map(LoggingEnabled::target_bucket),
            "logFilePrefix": target.map(LoggingEnabled::target_prefix)
        }),
    );

    let policy = s3.get_bucket_policy().bucket(name).send().await;
    let policy = unless(&["NoSuchBucketPolicy"], policy).map_err(failed("s3:GetBucketPolicy", name))?;
    put("BucketPolicy", json!({ "policyText": policy.and_then(|answer| answer.policy) }));

    if let Some(rules) = lifecycle::read(s3, name).await? {
        put("BucketLifecycleConfiguration", rules);
    }
    put("BucketAccelerateConfiguration", accelerate(s3, name).await?);
    put("BucketVersioningConfiguration", versioning(s3, name).await?);

    // moto does not support requester pays: it implements neither the call that sets it nor the one that reads it.
    // A backend that supports it needs GetBucketRequestPayment here.
    put("IsRequesterPaysEnabled", false.into());

    let block = s3.get_public_access_block().bucket(name).send().await;
    let block = unless(&["NoSuchPublicAccessBlockConfiguration"], block);
    let block = block.map_err(failed("s3:GetPublicAccessBlock", name))?;
    if let Some(block) = block.and_then(|answer| answer.public_access_block_configuration) {
        put(
            "PublicAccessBlockConfiguration",
            json!({
                "blockPublicAcls": block.block_public_acls().unwrap_or_default(),
                "ignorePublicAcls": block.ignore_public_acls().unwrap_or_default(),
                "blockPublicPolicy": block.block_public_policy().unwrap_or_default(),
                "restrictPublicBuckets": block.restrict_public_buckets().unwrap_or_default()
            }),
        );
    }

    let encryption = s3.get_bucket_encryption().bucket(name).send().await;
    let encryption = unless(&["ServerSideEncryptionConfigurationNotFoundError"], encryption);
    let encryption = encryption.map_err(failed("s3:GetBucketEncryption", name))?;
    if let Some(encryption) = encryption.and_then(|answer| answer.server_side_encryption_configuration) {
        let rules: Vec<Value> = encryption.rules().iter().map(encryption_rule).collect();
        put("ServerSideEncryptionConfiguration", json!({ "rules": rules }));
    }
    Ok(parts)
}

async fn accelerate(s3: &Client, name: &str) -> Result<Value, RecorderError> {
    let status = match s3.get_bucket_accelerate_configuration().bucket(name).send().await {
        Ok(answer) => answer.status().map(|status| status.as_str().to_owned()),
        Err(error) => match WrongXmlRoot::inside(&error, "GetBucketAccelerateConfiguration") {
            Some(answer) => answer.leaf("Status").map(str::to_owned),
            None => return Err(failed("s3:GetBucketAccelerateConfiguration", name)(error)),
        },
    };
    Ok(json!({ "status": status }))
}

/// A bucket that was never versioned has no status; its item has `Off`.
async fn versioning(s3: &Client, name: &str) -> Result<Value, RecorderError> {
    let (status, mfa_delete) = match s3.get_bucket_versioning().bucket(name).send().await {
        Ok(answer) => (
            answer.status().map(|status| status.as_str().to_owned()),
            answer.mfa_delete().map(|status| status.as_str().to_owned()),
        ),
        Err(error) => match WrongXmlRoot::inside(&error, "GetBucketVersioning") {
            Some(answer) => (answer.leaf("Status").map(str::to_owned), answer.leaf("MfaDelete").map(str::to_owned)),
            None => return Err(failed("s3:GetBucketVersioning", name)(error)),
        },
    };
    Ok(json!({
        "status": status.as_deref().unwrap_or("Off"),
        "isMfaDeleteEnabled": mfa_delete.map(|status| status == "Enabled")
    }))
}

fn encryption_rule(rule: &ServerSideEncryptionRule) -> Value {
    let default = rule.apply_server_side_encryption_by_default().map(|default| {
        json!({ "sseAlgorithm": default.sse_algorithm().as_str(), "kmsMasterKeyID": default.kms_master_key_id() })
    });
    json!({
        "applyServerSideEncryptionByDefault": default,
        "bucketKeyEnabled": rule.bucket_key_enabled().unwrap_or_default()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_s3::types::{ServerSideEncryption, ServerSideEncryptionByDefault};

    use super::*;

    #[test]
    fn location_constraint_gives_the_region() {
        let rows = [
            (None, "us-east-1"),
            (Some(BucketLocationConstraint::from("")), "us-east-1"),
            (Some(BucketLocationConstraint::Eu), "eu-west-1"),
            (Some(BucketLocationConstraint::EuCentral1), "eu-central-1"),
        ];
        for (constraint, expected) in rows {
            assert_eq!(region(constraint.as_ref()), expected);
        }
    }

    #[test]
    fn encryption_rule_without_a_key_has_null() {
        let default =
            ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build().unwrap();
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
        assert_eq!(
            encryption_rule(&rule),
            json!({
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256", "kmsMasterKeyID": null},
                "bucketKeyEnabled": false
            })
        );
    }
}

//! `AWS::KMS::Key`, with its policy, tags and rotation status; the rotation period is not in the item but a live read.
//!
//! Source: aws-config-resource-schema, and a captured notification.

use std::collections::BTreeMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::{
    EncryptionAlgorithmSpec, KeyManagerType, KeyMetadata, KeySpec, KeyState, KeyUsageType, MacAlgorithmSpec,
    MultiRegionKey, MultiRegionKeyType, OriginType, SigningAlgorithmSpec, Tag,
};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, object, timestamp};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// KMS's error code for a key deleted since it was listed.
const DELETED: [&str; 1] = ["NotFoundException"];
/// KMS's error codes for a key without the requested setting.
const UNSET: [&str; 2] = ["NotFoundException", "UnsupportedOperationException"];

pub(super) async fn read(kms: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut keys = kms.list_keys().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(key) = keys.next().await {
        let key = key.map_err(failed("kms:ListKeys", "all keys"))?;
        observations.extend(observe(kms, required("a key", "keyId", key.key_id())?, settings).await?);
    }
    Ok(observations)
}

/// Reads one key; none if it was deleted since it was listed.
async fn observe(kms: &Client, id: &str, settings: &EngineSettings) -> Result<Option<Observation>, RecorderError> {
    let answer = unless(&DELETED, kms.describe_key().key_id(id).send().await).map_err(failed("kms:DescribeKey", id))?;
    let Some(key) = answer.and_then(|answer| answer.key_metadata) else { return Ok(None) };
    let rotation = kms.get_key_rotation_status().key_id(id).send().await;
    let rotation = unless(&UNSET, rotation).map_err(failed("kms:GetKeyRotationStatus", id))?;
    let policy =
        unless(&UNSET, kms.get_key_policy().key_id(id).send().await).map_err(failed("kms:GetKeyPolicy", id))?;
    let tags = kms.list_resource_tags().key_id(id).into_paginator().items().send().collect::<Result<Vec<_>, _>>();
    let tags = unless(&UNSET, tags.await).map_err(failed("kms:ListResourceTags", id))?.unwrap_or_default();
    let supplementary = supplementary(
        rotation.map(|answer| answer.key_rotation_enabled()),
        policy.as_ref().and_then(|answer| answer.policy()),
        &tags,
    );
    Ok(Some(item(&key, supplementary, &tags, settings)?))
}

/// The policy is text, as in KMS; a rotation status that KMS does not return is left out.
fn supplementary(rotation: Option<bool>, policy: Option<&str>, tags: &[Tag]) -> Map<String, Value> {
    let tags = tags.iter().map(|tag| json!({ "tagKey": tag.tag_key(), "tagValue": tag.tag_value() }));
    let mut fields = Map::new();
    fields.extend(rotation.map(|it| ("KeyRotationStatus".to_owned(), it.into())));
    fields.extend(policy.map(|it| ("Policy".to_owned(), it.into())));
    fields.insert("Tags".to_owned(), tags.collect());
    fields
}

fn item(
    key: &KeyMetadata,
    supplementary: Map<String, Value>,
    tags: &[Tag],
    settings: &EngineSettings,
) -> Result<Observation, RecorderError> {
    let id = key.key_id();
    let arn = required(id, "arn", key.arn())?;
    let spec = key.key_spec().map(KeySpec::as_str);
    let text = |value: Option<&str>| value.map(Value::from);
    let names = |names: Vec<&str>| Some(Value::from(names));
    let millis = |time: Option<&DateTime>| time.and_then(timestamp).map(|time| Value::from(time.as_millisecond()));
    let regions = key.multi_region_configuration().map(|it| {
        let part = |part: &MultiRegionKey| json!({ "arn": part.arn(), "region": part.region() });
        json!({
            "multiRegionKeyType": it.multi_region_key_type().map(MultiRegionKeyType::as_str),
            "primaryKey": it.primary_key().map(part),
            "replicaKeys": it.replica_keys().iter().map(part).collect::<Vec<_>>()
        })
    });
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: None,
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: NOT_APPLICABLE,
        created: key.creation_date().and_then(timestamp),
        tags: tags.iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())).collect::<BTreeMap<_, _>>(),
        relationships: Vec::new(),
        configuration: object([
            ("keyId", text(Some(id))),
            ("arn", text(Some(arn))),
            ("creationDate", millis(key.creation_date())),
            ("deletionDate", millis(key.deletion_date())),
            ("enabled", Some(key.enabled().into())),
            ("description", text(key.description())),
            ("keyUsage", text(key.key_usage().map(KeyUsageType::as_str))),
            ("keyState", text(key.key_state().map(KeyState::as_str))),
            ("origin", text(key.origin().map(OriginType::as_str))),
            ("keyManager", text(key.key_manager().map(KeyManagerType::as_str))),
            ("customKeyStoreId", text(key.custom_key_store_id())),
            ("customerMasterKeySpec", text(spec)),
            ("keySpec", text(spec)),
            (
                "encryptionAlgorithms",
                names(key.encryption_algorithms().iter().map(EncryptionAlgorithmSpec::as_str).collect()),
            ),
            ("signingAlgorithms", names(key.signing_algorithms().iter().map(SigningAlgorithmSpec::as_str).collect())),
            ("macAlgorithms", names(key.mac_algorithms().iter().map(MacAlgorithmSpec::as_str).collect())),
            ("multiRegion", key.multi_region().map(Value::from)),
            ("multiRegionConfiguration", regions),
            ("awsaccountId", text(Some(key.aws_account_id().unwrap_or(&settings.account)))),
        ]),
        supplementary,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn key_becomes_an_aws_config_item() {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/0f1e";
        let key = KeyMetadata::builder()
            .aws_account_id("111122223333")
            .key_id("0f1e")
            .arn(arn)
            .creation_date(DateTime::from_secs(1_767_323_045))
            .enabled(true)
            .description("invoices")
            .key_usage(KeyUsageType::EncryptDecrypt)
            .key_state(KeyState::Enabled)
            .origin(OriginType::AwsKms)
            .key_manager(KeyManagerType::Customer)
            .key_spec(KeySpec::SymmetricDefault)
            .multi_region(false)
            .build()
            .unwrap();
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let tags = [Tag::builder().tag_key("team").tag_value("blue").build().unwrap()];
        let observation = item(&key, supplementary(Some(false), Some("{}"), &tags), &tags, &settings).unwrap();
        assert_eq!(
            (observation.resource_id.as_str(), observation.resource_name.as_deref(), observation.arn.as_str()),
            ("0f1e", None, arn)
        );
        assert_eq!(observation.tags, [(text("team"), text("blue"))].into());
        assert_eq!(
            observation.configuration,
            json!({
                "keyId": "0f1e", "arn": arn, "creationDate": 1_767_323_045_000_i64, "enabled": true,
                "description": "invoices", "keyUsage": "ENCRYPT_DECRYPT", "keyState": "Enabled", "origin": "AWS_KMS",
                "keyManager": "CUSTOMER", "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "keySpec": "SYMMETRIC_DEFAULT",
                "encryptionAlgorithms": [], "signingAlgorithms": [], "macAlgorithms": [], "multiRegion": false,
                "awsaccountId": "111122223333"
            })
        );
        assert_eq!(
            Value::Object(observation.supplementary),
            json!({"KeyRotationStatus": false, "Policy": "{}", "Tags": [{"tagKey": "team", "tagValue": "blue"}]})
        );
        assert!(!supplementary(None, None, &[]).contains_key("KeyRotationStatus"));
    }
}

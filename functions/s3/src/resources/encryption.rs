//! Default encryption of a bucket: how S3 encrypts new objects unless the request specifies another encryption.
//!
//! Depends on no control and no SDK. An unknown algorithm is rejected, since it could mean no encryption.

use rectify_compliance::{ConfigurationItem, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::bucket;

/// `SSEAlgorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// S3 managed keys.
    #[serde(rename = "AES256")]
    Aes256,
    /// A KMS key.
    #[serde(rename = "aws:kms")]
    Kms,
    /// A KMS key, dual-layer encryption.
    #[serde(rename = "aws:kms:dsse")]
    Dsse,
    /// Keys of an FSx file system behind the bucket.
    #[serde(rename = "aws:fsx")]
    Fsx,
}

/// `ApplyServerSideEncryptionByDefault`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ByDefault {
    /// `SSEAlgorithm`.
    #[serde(rename = "SSEAlgorithm")]
    pub algorithm: Algorithm,
    /// `KMSMasterKeyID`: ARN, id or alias of the key; `None` means the AWS managed key `aws/s3`.
    #[serde(rename = "KMSMasterKeyID", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The one rule of a bucket's encryption configuration, in the API's spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    /// `ApplyServerSideEncryptionByDefault`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_server_side_encryption_by_default: Option<ByDefault>,
    /// `BucketKeyEnabled`: a bucket-level key instead of one KMS call per object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_key_enabled: Option<bool>,
    /// `BlockedEncryptionTypes`: the encryption types that S3 rejects for new objects, e.g. `SSE-C`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_encryption_types: Option<BlockedEncryptionTypes>,
}

/// `BlockedEncryptionTypes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BlockedEncryptionTypes {
    /// `EncryptionType`.
    pub encryption_type: Vec<String>,
}

impl Algorithm {
    /// Parses the spelling of the API, which items use as well.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown algorithm.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        let known = [Self::Aes256, Self::Kms, Self::Dsse, Self::Fsx].into_iter().find(|it| it.name() == text);
        known.ok_or_else(|| ShapeError::new(path, "a known algorithm", text))
    }

    /// The API's spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "aws:kms",
            Self::Dsse => "aws:kms:dsse",
            Self::Fsx => "aws:fsx",
        }
    }

    /// Whether the algorithm uses a KMS key.
    pub const fn uses_kms(self) -> bool {
        match self {
            Self::Kms | Self::Dsse => true,
            Self::Aes256 | Self::Fsx => false,
        }
    }

    /// Its rank among the comparable algorithms; `aws:fsx` is not comparable.
    pub const fn strength(self) -> Option<u8> {
        match self {
            Self::Aes256 => Some(1),
            Self::Kms => Some(2),
            Self::Dsse => Some(3),
            Self::Fsx => None,
        }
    }
}

impl Rule {
    /// The algorithm, where one is set.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.apply_server_side_encryption_by_default.as_ref().map(|default| default.algorithm)
    }

    /// The key, where one is named.
    pub fn key(&self) -> Option<&str> {
        self.apply_server_side_encryption_by_default.as_ref()?.key.as_deref()
    }

    /// Parses `ServerSideEncryptionConfiguration` of a configuration item; `None` where it is absent, as in old items,
    /// or has no rule. Items do not record blocked encryption types.
    ///
    /// # Errors
    /// [`ShapeError`] when it is malformed, has more than one rule, or has an unknown algorithm.
    pub fn from_item(item: &ConfigurationItem) -> Result<Option<Self>, ShapeError> {
        let path = bucket::path("ServerSideEncryptionConfiguration.rules");
        let Some(value) = item.supplement("ServerSideEncryptionConfiguration") else { return Ok(None) };
        let rules = value.get("rules").and_then(Value::as_array);
        let rules = rules.ok_or_else(|| ShapeError::new(&*path, "a list of rules", value))?;
        let rule = match rules.as_slice() {
            [] => return Ok(None),
            [rule] => rule,
            _ => return Err(ShapeError::new(path, "one rule", rules.len())),
        };
        let part = |value: &Value, key: &str| value.get(key).filter(|it| !it.is_null()).cloned();
        let by_default = match part(rule, "applyServerSideEncryptionByDefault") {
            None => None,
            Some(default) => {
                let key = part(&default, "kmsMasterKeyID").map(|key| text(&path, key)).transpose()?;
                let key = key.filter(|it| !it.is_empty());
                let algorithm = part(&default, "sseAlgorithm").map(|it| text(&path, it)).transpose()?;
                let algorithm = algorithm.map(|it| Algorithm::parse(&path, &it)).transpose()?;
                algorithm.map(|algorithm| ByDefault { algorithm, key })
            }
        };
        let bucket_key_enabled = match part(rule, "bucketKeyEnabled") {
            None => None,
            Some(Value::Bool(enabled)) => Some(enabled),
            Some(other) => return Err(ShapeError::new(format!("{path}.bucketKeyEnabled"), "true or false", other)),
        };
        Ok(Some(Self {
            apply_server_side_encryption_by_default: by_default,
            bucket_key_enabled,
            blocked_encryption_types: None,
        }))
    }
}

fn text(path: &str, value: Value) -> Result<String, ShapeError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(ShapeError::new(path, "a string", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::item;
    use serde_json::json;

    fn read(configuration: &Value) -> Result<Option<Rule>, ShapeError> {
        Rule::from_item(&item(json!({ "ServerSideEncryptionConfiguration": configuration })))
    }

    #[test]
    fn a_rule_of_an_item_is_parsed_and_a_missing_one_is_none() {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
        let rule = json!({"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyID": key},
                          "bucketKeyEnabled": true});
        let expected = Rule {
            apply_server_side_encryption_by_default: Some(ByDefault {
                algorithm: Algorithm::Kms,
                key: Some(key.into()),
            }),
            bucket_key_enabled: Some(true),
            blocked_encryption_types: None,
        };
        assert_eq!(read(&json!({ "rules": [rule] })), Ok(Some(expected)));
        for none in [json!(null), json!({"rules": []})] {
            assert_eq!(read(&none), Ok(None), "{none}");
        }
        for default in [json!(null), json!({}), json!({"sseAlgorithm": null, "kmsMasterKeyID": key})] {
            let unset = json!({"rules": [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": null}]});
            assert_eq!(read(&unset), Ok(Some(Rule::default())), "missing fields are read live");
        }
        assert_eq!(Rule::from_item(&item(json!({}))), Ok(None));
    }

    #[test]
    fn a_rule_that_could_mean_no_encryption_is_rejected() {
        let rule = |algorithm: Value| json!({"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}});
        for (configuration, expected) in [
            (json!("on"), "a list of rules"),
            (json!({"rules": [rule(json!("AES256")), rule(json!("AES256"))]}), "one rule"),
            (json!({"rules": [rule(json!("ROT13"))]}), "a known algorithm"),
            (json!({"rules": [rule(json!(""))]}), "a known algorithm"),
            (json!({"rules": [rule(json!(7))]}), "a string"),
            (json!({"rules": [{"bucketKeyEnabled": "true"}]}), "true or false"),
        ] {
            assert_eq!(read(&configuration).unwrap_err().expected, expected, "{configuration}");
        }
    }

    #[test]
    fn names_round_trip_and_strengths_are_ordered() {
        for algorithm in [Algorithm::Aes256, Algorithm::Kms, Algorithm::Dsse, Algorithm::Fsx] {
            assert_eq!(Algorithm::parse("p", algorithm.name()), Ok(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), json!(algorithm.name()));
        }
        assert!(Algorithm::Dsse.strength() > Algorithm::Kms.strength());
        assert!(Algorithm::Kms.strength() > Algorithm::Aes256.strength());
    }
}

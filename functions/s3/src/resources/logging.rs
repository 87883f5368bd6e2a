//! Server access logging of a bucket, in configuration items and in the API.

use rectify_compliance::{ConfigurationItem, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::bucket;

/// `LoggingEnabled`, without the key format and the grants: no control reads or sets them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoggingEnabled {
    /// `TargetBucket`: the bucket that S3 delivers the logs to.
    pub target_bucket: String,
    /// `TargetPrefix`: the prefix of their keys; may be empty.
    pub target_prefix: String,
}

impl LoggingEnabled {
    /// Parses `BucketLoggingConfiguration` of a configuration item; `None` where it is absent or names no bucket, which
    /// means that logging is off.
    ///
    /// # Errors
    /// [`ShapeError`] when a value is not a string.
    pub fn from_item(item: &ConfigurationItem) -> Result<Option<Self>, ShapeError> {
        let Some(value) = item.supplement("BucketLoggingConfiguration") else { return Ok(None) };
        let text = |key: &str| match value.get(key) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => {
                Err(ShapeError::new(bucket::path(&format!("BucketLoggingConfiguration.{key}")), "a string", other))
            }
        };
        let (target_bucket, target_prefix) = (text("destinationBucketName")?, text("logFilePrefix")?);
        Ok((!target_bucket.is_empty()).then_some(Self { target_bucket, target_prefix }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::item;
    use serde_json::json;

    fn read(logging: &Value) -> Result<Option<LoggingEnabled>, ShapeError> {
        LoggingEnabled::from_item(&item(json!({ "BucketLoggingConfiguration": logging })))
    }

    #[test]
    fn logging_without_a_target_is_off() {
        assert_eq!(LoggingEnabled::from_item(&item(json!({}))), Ok(None));
        for off in [json!(null), json!({}), json!({"destinationBucketName": null, "logFilePrefix": null})] {
            assert_eq!(read(&off), Ok(None), "{off}");
        }
        let to = |prefix: &str| LoggingEnabled { target_bucket: "logs".to_owned(), target_prefix: prefix.to_owned() };
        assert_eq!(read(&json!({"destinationBucketName": "logs", "logFilePrefix": null})), Ok(Some(to(""))));
        assert_eq!(read(&json!({"destinationBucketName": "logs", "logFilePrefix": "a/"})), Ok(Some(to("a/"))));
        for (logging, key) in [
            (json!({"destinationBucketName": 7}), "destinationBucketName"),
            (json!({"destinationBucketName": "logs", "logFilePrefix": []}), "logFilePrefix"),
        ] {
            let path = format!("supplementaryConfiguration.BucketLoggingConfiguration.{key}");
            assert_eq!(read(&logging).unwrap_err().path, path);
        }
    }
}

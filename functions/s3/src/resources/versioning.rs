//! Versioning of a bucket, in configuration items and in the API.
//!
//! An unknown status is rejected, since it could mean that no versions are kept.

use rectify_compliance::{ConfigurationItem, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::bucket;

/// `Status` of a bucket's versioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled: each object has one version.
    Off,
    /// Every version is kept.
    Enabled,
    /// Existing versions are kept; new objects overwrite each other.
    Suspended,
}

/// `VersioningConfiguration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersioningConfiguration {
    /// The status.
    pub status: Versioning,
    /// Whether deleting a version, or changing the status, needs the MFA device of the root user.
    pub mfa_delete: bool,
}

impl Versioning {
    /// Parses the spelling of the API, which items use as well.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown status.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        match text {
            "Off" => Ok(Self::Off),
            "Enabled" => Ok(Self::Enabled),
            "Suspended" => Ok(Self::Suspended),
            other => Err(ShapeError::new(path, "Off, Enabled or Suspended", other)),
        }
    }

    /// The API's spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

impl VersioningConfiguration {
    /// Parses `BucketVersioningConfiguration` of a configuration item; `None` where it has no status, or is absent.
    ///
    /// # Errors
    /// [`ShapeError`] when the status is unknown, or a value has another type.
    pub fn from_item(item: &ConfigurationItem) -> Result<Option<Self>, ShapeError> {
        let path = |key: &str| bucket::path(&format!("BucketVersioningConfiguration.{key}"));
        let Some(value) = item.supplement("BucketVersioningConfiguration") else { return Ok(None) };
        let status = match value.get("status") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(status)) => Versioning::parse(&path("status"), status)?,
            Some(other) => return Err(ShapeError::new(path("status"), "a status", other)),
        };
        let mfa_delete = match value.get("isMfaDeleteEnabled") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(enabled)) => *enabled,
            Some(other) => return Err(ShapeError::new(path("isMfaDeleteEnabled"), "true or false", other)),
        };
        Ok(Some(Self { status, mfa_delete }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::item;
    use serde_json::json;

    fn read(versioning: &Value) -> Result<Option<VersioningConfiguration>, ShapeError> {
        VersioningConfiguration::from_item(&item(json!({ "BucketVersioningConfiguration": versioning })))
    }

    #[test]
    fn a_missing_status_is_none_and_an_unknown_value_an_error() {
        let off = VersioningConfiguration { status: Versioning::Off, mfa_delete: false };
        let enabled = VersioningConfiguration { status: Versioning::Enabled, mfa_delete: true };
        assert_eq!(VersioningConfiguration::from_item(&item(json!({}))), Ok(None));
        for (versioning, expected) in [
            (json!({"status": null, "isMfaDeleteEnabled": null}), None),
            (json!({"status": "Off", "isMfaDeleteEnabled": null}), Some(off)),
            (json!({"status": "Suspended"}), Some(VersioningConfiguration { status: Versioning::Suspended, ..off })),
            (json!({"status": "Enabled", "isMfaDeleteEnabled": true}), Some(enabled)),
        ] {
            assert_eq!(read(&versioning), Ok(expected));
        }
        for (versioning, key) in [
            (json!({"status": "Paused"}), "status"),
            (json!({"status": ""}), "status"),
            (json!({"status": true}), "status"),
            (json!({"status": "Enabled", "isMfaDeleteEnabled": "false"}), "isMfaDeleteEnabled"),
        ] {
            let path = format!("supplementaryConfiguration.BucketVersioningConfiguration.{key}");
            assert_eq!(read(&versioning).unwrap_err().path, path);
        }
    }
}

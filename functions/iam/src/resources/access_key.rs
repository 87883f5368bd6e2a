//! Access keys of a user. Key ids are not secrets, but widely read texts show only their last characters.

use std::collections::BTreeMap;
use std::fmt;

use rectify_compliance::{ShapeError, Timestamp};
use serde::{Deserialize, Serialize};

/// How many characters of a key id are shown.
const SHOWN: usize = 4;

/// `AccessKeyId`, e.g. `AKIA…`. Displayed as its last four characters; serialized in full.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Wraps the id as IAM returns it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The full id, for API calls.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.chars().count().saturating_sub(SHOWN);
        write!(out, "…{}", self.0.chars().skip(hidden).collect::<String>())
    }
}

/// `Status` of a key. Only an active key authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    /// The key authenticates.
    Active,
    /// Turned off; can be turned on again.
    Inactive,
    /// The key has expired.
    Expired,
}

impl KeyStatus {
    /// Parses the status in IAM's spelling.
    ///
    /// # Errors
    /// [`ShapeError`] for any other value: an unknown status may be one that authenticates.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        match text {
            "Active" => Ok(Self::Active),
            "Inactive" => Ok(Self::Inactive),
            "Expired" => Ok(Self::Expired),
            other => Err(ShapeError::new("AccessKeyMetadata.Status", "Active, Inactive or Expired", other)),
        }
    }

    /// The API's spelling.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Expired => "Expired",
        }
    }
}

/// `LastUsedDate` of `GetAccessKeyLastUsed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LastUse {
    /// Never since April 2015, when IAM began to record it.
    Never,
    /// At this time.
    At(Timestamp),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessKey {
    /// Its status.
    pub status: KeyStatus,
    /// `CreateDate`.
    pub created: Timestamp,
    /// When it was last used; `None` where not read.
    pub last_use: Option<LastUse>,
}

impl AccessKey {
    /// Whether the key authenticates.
    pub fn is_active(&self) -> bool {
        self.status == KeyStatus::Active
    }
}

/// The keys of one user by id; IAM allows two.
pub type AccessKeys = BTreeMap<KeyId, AccessKey>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_displays_its_last_four_characters_and_serializes_in_full() {
        let id = KeyId::new("AKIAEXAMPLEEXAMPABCD");
        assert_eq!(id.to_string(), "…ABCD");
        assert_eq!(KeyId::new("ab").to_string(), "…ab");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"AKIAEXAMPLEEXAMPABCD\"");
    }

    #[test]
    fn only_the_spelling_of_iam_is_a_valid_status() {
        for status in [KeyStatus::Active, KeyStatus::Inactive, KeyStatus::Expired] {
            assert_eq!(KeyStatus::parse(status.api_name()), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.api_name());
        }
        assert_eq!(KeyStatus::parse("active").unwrap_err().received, "active");
    }
}

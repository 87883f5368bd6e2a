//! Access keys of a user. Ids are no secrets, but whole ones are kept out of texts that many people read.

use std::collections::BTreeMap;
use std::fmt;

use rectify_compliance::{ShapeError, Timestamp};
use serde::{Deserialize, Serialize};

/// How many characters of an id are shown.
const SHOWN: usize = 4;

/// `AccessKeyId`, e.g. `AKIA…`. Shown by its last four characters; serialized whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Takes the id as IAM wrote it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The whole id, for calls.
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

/// `Status` of a key. Only an active one opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    /// The key works.
    Active,
    /// It was turned off and can be turned on again.
    Inactive,
    /// It ran out.
    Expired,
}

impl KeyStatus {
    /// Reads the status as IAM spells it.
    ///
    /// # Errors
    /// [`ShapeError`] for another word: a status nobody knows may be one that works.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        match text {
            "Active" => Ok(Self::Active),
            "Inactive" => Ok(Self::Inactive),
            "Expired" => Ok(Self::Expired),
            other => Err(ShapeError::new("AccessKeyMetadata.Status", "Active, Inactive or Expired", other)),
        }
    }

    /// The word in the API.
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
    /// Not since IAM began to keep it, in April 2015.
    Never,
    /// At this time.
    At(Timestamp),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessKey {
    /// Whether it works.
    pub status: KeyStatus,
    /// `CreateDate`.
    pub created: Timestamp,
    /// When it was last used; `None` where that was not read.
    pub last_use: Option<LastUse>,
}

impl AccessKey {
    /// Whether it opens anything.
    pub fn is_active(&self) -> bool {
        self.status == KeyStatus::Active
    }
}

/// The keys of one user, by id; IAM allows two.
pub type AccessKeys = BTreeMap<KeyId, AccessKey>;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_by_its_last_four_characters_and_stored_whole() {
        let id = KeyId::new("AKIAEXAMPLEEXAMPABCD");
        assert_eq!(id.to_string(), "…ABCD");
        assert_eq!(KeyId::new("ab").to_string(), "…ab");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"AKIAEXAMPLEEXAMPABCD\"");
    }

    #[test]
    fn a_status_is_read_and_written_as_iam_spells_it_and_no_other() {
        for status in [KeyStatus::Active, KeyStatus::Inactive, KeyStatus::Expired] {
            assert_eq!(KeyStatus::parse(status.api_name()), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.api_name());
        }
        assert_eq!(KeyStatus::parse("active").unwrap_err().received, "active");
    }
}

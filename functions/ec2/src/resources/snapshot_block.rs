//! The setting "block public access for snapshots" of an account in a region.

use std::fmt;

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};

/// `State` of `GetSnapshotBlockPublicAccessState`, from the weakest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotBlock {
    /// Snapshots can be shared with everyone.
    Unblocked,
    /// No snapshot can be made public; those that are public stay so.
    BlockNewSharing,
    /// No snapshot can be made public, and those that were are treated as private.
    BlockAllSharing,
}

impl SnapshotBlock {
    const ALL: [Self; 3] = [Self::Unblocked, Self::BlockNewSharing, Self::BlockAllSharing];

    /// The name in the EC2 API.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Unblocked => "unblocked",
            Self::BlockNewSharing => "block-new-sharing",
            Self::BlockAllSharing => "block-all-sharing",
        }
    }

    /// Reads the name in the EC2 API.
    ///
    /// # Errors
    /// [`ShapeError`] if the name is unknown: whether such a state blocks anything is not known.
    pub fn read(name: &str) -> Result<Self, ShapeError> {
        let known = Self::ALL.into_iter().find(|it| it.api_name() == name);
        known.ok_or_else(|| ShapeError::new("State", "unblocked, block-new-sharing or block-all-sharing", name))
    }
}

impl fmt::Display for SnapshotBlock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.api_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_stored_by_its_name_in_the_api() {
        for state in SnapshotBlock::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.api_name());
            assert_eq!(SnapshotBlock::read(state.api_name()), Ok(state));
        }
        assert!(SnapshotBlock::Unblocked < SnapshotBlock::BlockNewSharing);
        assert!(SnapshotBlock::BlockNewSharing < SnapshotBlock::BlockAllSharing);
    }

    /// `ebs-snapshot-block-public-access/9`
    #[test]
    fn an_unknown_state_is_an_error() {
        let error = SnapshotBlock::read("block-some-sharing").unwrap_err().to_string();
        assert!(error.contains("`block-some-sharing`"), "{error}");
    }
}

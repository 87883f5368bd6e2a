//! Storage classes of transitions, and the transitions between them that S3 supports.

use serde::{Deserialize, Serialize};

/// `TransitionStorageClass`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum StorageClass {
    /// `STANDARD_IA`.
    StandardIa,
    /// `INTELLIGENT_TIERING`.
    IntelligentTiering,
    /// `ONEZONE_IA`.
    OnezoneIa,
    /// `GLACIER_IR`: instant retrieval.
    GlacierIr,
    /// `GLACIER`: flexible retrieval, minutes to hours.
    Glacier,
    /// `DEEP_ARCHIVE`: hours to days.
    DeepArchive,
    /// An unknown class; sent back as it was read.
    Other(String),
}

impl StorageClass {
    /// The API's spelling.
    pub fn name(&self) -> &str {
        match self {
            Self::StandardIa => "STANDARD_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::GlacierIr => "GLACIER_IR",
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
            Self::Other(name) => name,
        }
    }

    /// Whether S3 supports the transition from this class to `other`, by the waterfall of the S3 User Guide
    /// ("Transitioning objects using Amazon S3 Lifecycle"). False for an unknown class.
    pub fn can_transition_to(&self, other: &Self) -> bool {
        match (self.step(), other.step()) {
            (Some(from), Some(to)) => from < to,
            (None, _) | (_, None) => false,
        }
    }

    /// The minimum days before S3 transitions objects to this class, and the minimum days they stay in it.
    pub const fn min_days(&self) -> i32 {
        match self {
            Self::StandardIa | Self::OnezoneIa => 30,
            Self::IntelligentTiering | Self::GlacierIr | Self::Glacier | Self::DeepArchive | Self::Other(_) => 0,
        }
    }

    /// Its place in the waterfall. `ONEZONE_IA` can transition only to `GLACIER` and `DEEP_ARCHIVE`, not to
    /// `GLACIER_IR`, so both share a step.
    const fn step(&self) -> Option<u8> {
        match self {
            Self::StandardIa => Some(1),
            Self::IntelligentTiering => Some(2),
            Self::OnezoneIa | Self::GlacierIr => Some(3),
            Self::Glacier => Some(4),
            Self::DeepArchive => Some(5),
            Self::Other(_) => None,
        }
    }
}

impl From<String> for StorageClass {
    fn from(name: String) -> Self {
        let known = [
            Self::StandardIa,
            Self::IntelligentTiering,
            Self::OnezoneIa,
            Self::GlacierIr,
            Self::Glacier,
            Self::DeepArchive,
        ];
        known.into_iter().find(|it| it.name() == name).unwrap_or(Self::Other(name))
    }
}

impl From<StorageClass> for String {
    fn from(class: StorageClass) -> Self {
        class.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str) -> StorageClass {
        StorageClass::from(name.to_owned())
    }

    #[test]
    fn transitions_go_down_the_waterfall_and_never_up() {
        let allowed = |from: &str, to: &str| class(from).can_transition_to(&class(to));
        assert!(allowed("STANDARD_IA", "INTELLIGENT_TIERING") && allowed("STANDARD_IA", "GLACIER_IR"));
        assert!(allowed("INTELLIGENT_TIERING", "ONEZONE_IA") && allowed("GLACIER_IR", "GLACIER"));
        assert!(allowed("ONEZONE_IA", "DEEP_ARCHIVE") && allowed("GLACIER", "DEEP_ARCHIVE"));
        assert!(!allowed("ONEZONE_IA", "GLACIER_IR") && !allowed("GLACIER_IR", "ONEZONE_IA"));
        assert!(!allowed("DEEP_ARCHIVE", "GLACIER") && !allowed("GLACIER", "GLACIER"));
        assert!(!allowed("COLDEST", "DEEP_ARCHIVE") && !allowed("GLACIER", "COLDEST"));
    }

    #[test]
    fn known_and_unknown_names_round_trip() {
        for name in
            ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "COLDEST"]
        {
            assert_eq!(String::from(class(name)), name);
            assert_eq!(matches!(class(name), StorageClass::Other(_)), name == "COLDEST", "{name}");
        }
    }
}

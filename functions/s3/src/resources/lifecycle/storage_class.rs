//! Where a transition moves objects, and from where to where S3 moves them at all.

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
    /// One that is not known here; sent again as it was read.
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

    /// Whether S3 moves objects of this class on to `other`, by the waterfall of the S3 User Guide ("Transitioning objects
    /// using Amazon S3 Lifecycle"). Nothing is known of an unknown class.
    pub fn leads_to(&self, other: &Self) -> bool {
        match (self.step(), other.step()) {
            (Some(from), Some(to)) => from < to,
            (None, _) | (_, None) => false,
        }
    }

    /// The least days after which S3 takes objects into this class, and for which they stay in it before they move on.
    pub const fn least_days(&self) -> i32 {
        match self {
            Self::StandardIa | Self::OnezoneIa => 30,
            Self::IntelligentTiering | Self::GlacierIr | Self::Glacier | Self::DeepArchive | Self::Other(_) => 0,
        }
    }

    /// Its place in the waterfall. `ONEZONE_IA` leads to `GLACIER` and `DEEP_ARCHIVE` only, not to `GLACIER_IR`, which is
    /// why both share a step.
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
    fn objects_go_down_the_waterfall_and_never_up() {
        let leads = |from: &str, to: &str| class(from).leads_to(&class(to));
        assert!(leads("STANDARD_IA", "INTELLIGENT_TIERING") && leads("STANDARD_IA", "GLACIER_IR"));
        assert!(leads("INTELLIGENT_TIERING", "ONEZONE_IA") && leads("GLACIER_IR", "GLACIER"));
        assert!(leads("ONEZONE_IA", "DEEP_ARCHIVE") && leads("GLACIER", "DEEP_ARCHIVE"));
        assert!(!leads("ONEZONE_IA", "GLACIER_IR") && !leads("GLACIER_IR", "ONEZONE_IA"));
        assert!(!leads("DEEP_ARCHIVE", "GLACIER") && !leads("GLACIER", "GLACIER"));
        assert!(!leads("COLDEST", "DEEP_ARCHIVE") && !leads("GLACIER", "COLDEST"));
    }

    #[test]
    fn names_are_read_back_be_they_known_or_not() {
        for name in
            ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "COLDEST"]
        {
            assert_eq!(String::from(class(name)), name);
            assert_eq!(matches!(class(name), StorageClass::Other(_)), name == "COLDEST", "{name}");
        }
    }
}

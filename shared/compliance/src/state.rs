//! A subject as it is stored before and after a remediation.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ResourceKey, ShapeError};

/// The tags of a resource, by key.
pub type Tags = BTreeMap<String, String>;

/// Everything a control judges about one resource, whole and storable.
///
/// What is judged, what is shown and what is undone are the same value, so they cannot disagree.
pub trait ResourceState: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Raised whenever the stored form changes in a way an older reader would misread.
    const VERSION: u16;

    /// The resource as AWS Config identifies it.
    fn key(&self) -> ResourceKey;

    /// The ARN, where the resource has one and it is known.
    fn arn(&self) -> Option<&str> {
        None
    }

    /// The name AWS Config knows the resource by (`resourceName`), where that is another than its id and it is known.
    fn name(&self) -> Option<&str> {
        None
    }

    /// The tags of the resource, empty where it has none. What CloudFormation manages is told by them.
    fn tags(&self) -> &Tags;

    /// Brings an image of an older version to this one's form.
    ///
    /// # Errors
    /// [`ShapeError`] when the version is unknown: an image that cannot be read is never undone by guess.
    fn upgrade(version: u16, _image: Value) -> Result<Value, ShapeError> {
        Err(ShapeError::new("image.version", "a known version", version))
    }
}

/// An image as it lies in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredState {
    /// [`ResourceState::VERSION`] when it was written.
    pub version: u16,
    /// The subject.
    pub subject: Value,
}

impl StoredState {
    /// Freezes a subject.
    ///
    /// # Errors
    /// [`ShapeError`] when the subject has no JSON form (a map with keys that are no strings).
    pub fn of<S: ResourceState>(subject: &S) -> Result<Self, ShapeError> {
        let subject =
            serde_json::to_value(subject).map_err(|error| ShapeError::new("image.subject", "a JSON form", error))?;
        Ok(Self { version: S::VERSION, subject })
    }

    /// Reads the subject back, through [`ResourceState::upgrade`] if it is of another version.
    ///
    /// # Errors
    /// [`ShapeError`] when the version is unknown or the content does not fit.
    pub fn read<S: ResourceState>(&self) -> Result<S, ShapeError> {
        let current = if self.version == S::VERSION {
            self.subject.clone()
        } else {
            S::upgrade(self.version, self.subject.clone())?
        };
        serde_json::from_value(current).map_err(|error| ShapeError::new("image.subject", "the stored form", error))
    }
}

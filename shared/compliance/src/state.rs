//! The stored state of a subject, before and after a remediation.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AccountId, ResourceKey, ShapeError};

/// The tags of a resource, by key.
pub type Tags = BTreeMap<String, String>;

/// A value that the ledger stores as JSON and a test compares.
pub trait Stored: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static> Stored for T {}

/// A resource as AWS Config identifies it, with its ARN and tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceIdentity<'a> {
    /// Its type and id.
    pub key: ResourceKey,
    /// The ARN, if the resource has one and it is known.
    pub arn: Option<&'a str>,
    /// AWS Config's `resourceName`, if it is known and differs from the id.
    pub name: Option<&'a str>,
    /// Its tags; empty if it has none. They show whether CloudFormation manages it.
    pub tags: &'a Tags,
}

impl ResourceIdentity<'_> {
    /// An account, which has no tags.
    pub fn account(account: &AccountId) -> Self {
        Self { key: ResourceKey::account(account), arn: None, name: None, tags: const { &Tags::new() } }
    }
}

/// Everything a control evaluates about one resource, in a form that can be stored.
///
/// Evaluation, plan and undo use the same value, so they cannot disagree.
pub trait ResourceState: Stored {
    /// Increment it whenever the stored form changes so that an older reader would misread it.
    const VERSION: u16 = 1;

    /// The resource.
    fn identity(&self) -> ResourceIdentity<'_>;

    /// Converts a state of an older version to the current form.
    ///
    /// # Errors
    /// [`ShapeError`] if the version is unknown: an undo never guesses a state that it cannot read.
    fn upgrade(version: u16, _state: Value) -> Result<Value, ShapeError> {
        Err(ShapeError::new("state.version", "a known version", version))
    }
}

/// A state as the ledger stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredState {
    /// [`ResourceState::VERSION`] at the time of writing.
    pub version: u16,
    /// The subject.
    pub subject: Value,
}

impl StoredState {
    /// Converts a subject to its stored form.
    ///
    /// # Errors
    /// [`ShapeError`] if the subject has no JSON form (a map with keys that are not strings).
    pub fn of<S: ResourceState>(subject: &S) -> Result<Self, ShapeError> {
        let subject =
            serde_json::to_value(subject).map_err(|error| ShapeError::new("state.subject", "a JSON form", error))?;
        Ok(Self { version: S::VERSION, subject })
    }

    /// Reads the subject, through [`ResourceState::upgrade`] if the version differs.
    ///
    /// # Errors
    /// [`ShapeError`] if the version is unknown or the content does not have the expected form.
    pub fn read<S: ResourceState>(&self) -> Result<S, ShapeError> {
        let current = if self.version == S::VERSION {
            self.subject.clone()
        } else {
            S::upgrade(self.version, self.subject.clone())?
        };
        serde_json::from_value(current).map_err(|error| ShapeError::new("state.subject", "the stored form", error))
    }
}

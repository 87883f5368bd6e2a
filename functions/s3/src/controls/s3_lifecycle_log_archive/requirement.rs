//! What the lifecycle of a log bucket is compared with: parameters, the bucket, and the call that sets a configuration.

mod addition;
mod findings;

use rectify_compliance::values::{Bounded, Flag, Globs, KeyValue, StringList};
use rectify_compliance::{ConfigurationItem, Resource, ShapeError, parameters};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::resources::bucket::{self, Identity, TYPES, state_of_bucket};
use crate::resources::lifecycle::{Configuration, Rule, StorageClass};

pub use addition::Addition;
pub use findings::Findings;

parameters! {
    /// Which buckets are log buckets, and what their lifecycle must do.
    pub Params, check: Params::moves_before_expiring {
        /// Names of the log buckets, or patterns with `*` and `?`. Default: none.
        bucket_names: Option<Globs> = None,
        /// A tag that makes a bucket a log bucket, `key=value`. Default: none.
        bucket_tag: Option<KeyValue> = None,
        /// Where in the bucket the logs are, a prefix of their keys. Default: the whole bucket.
        log_prefix: String = String::new(),
        /// Days before which no log may expire, 1..=36500. Default 365.
        min_retention_days: Bounded<1, 36500> = Bounded::of(365),
        /// Days after which logs must have moved to one of `storageClasses`, 0..=36500; 0 where they need not move. Default 90.
        transition_days: Bounded<0, 36500> = Bounded::of(90),
        /// The storage classes that logs may move to, a comma list; the fix takes the first. Default `GLACIER,DEEP_ARCHIVE,GLACIER_IR`.
        #[schemars(with = "StringList")]
        storage_classes: StorageClasses = StorageClasses::default(),
        /// Days after which partial uploads must be aborted, 0..=365; 0 where they need not be. Default 7.
        abort_multipart_days: Bounded<0, 365> = Bounded::of(7),
        /// Whether a bucket with versions needs a rule for the former ones. Default `true`.
        require_noncurrent: Flag = Flag(true),
    }
}

impl Params {
    fn moves_before_expiring(&self) -> Result<(), String> {
        let (transition, retention) = (self.transition_days, self.min_retention_days);
        if transition.get() < retention.get() {
            return Ok(());
        }
        Err(format!("transitionDays: expected less than minRetentionDays `{retention}`: received `{transition}`"))
    }

    /// Whether the bucket is a log bucket, by its name or by its tag.
    pub fn selects(&self, bucket: &Identity) -> bool {
        let named = self.bucket_names.as_ref().is_some_and(|names| names.matches(&bucket.name));
        named || self.bucket_tag.as_ref().is_some_and(|tag| bucket.tags.get(&tag.key) == Some(&tag.value))
    }
}

/// `storageClasses`: at least one, each known, in the order written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StringList")]
pub struct StorageClasses(Vec<StorageClass>);

impl StorageClasses {
    /// Whether logs may lie there.
    pub fn accept(&self, class: Option<&StorageClass>) -> bool {
        class.is_some_and(|class| self.0.contains(class))
    }

    /// The one that the fix moves logs to.
    pub fn first(&self) -> Option<&StorageClass> {
        self.0.first()
    }
}

impl Default for StorageClasses {
    fn default() -> Self {
        Self(vec![StorageClass::Glacier, StorageClass::DeepArchive, StorageClass::GlacierIr])
    }
}

impl TryFrom<StringList> for StorageClasses {
    type Error = String;

    fn try_from(words: StringList) -> Result<Self, String> {
        let classes: Vec<StorageClass> = words.list().iter().cloned().map(StorageClass::from).collect();
        if let Some(StorageClass::Other(name)) = classes.iter().find(|it| matches!(it, StorageClass::Other(_))) {
            return Err(format!("expected storage classes that objects can move to: received `{name}`"));
        }
        // A list that becomes empty is absent.
        if classes.is_empty() { Ok(Self::default()) } else { Ok(Self(classes)) }
    }
}

impl Serialize for StorageClasses {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

impl std::fmt::Display for StorageClasses {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.0.iter().map(StorageClass::name).collect();
        out.write_str(&names.join(", "))
    }
}

/// `Status` of a bucket's versioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never turned on: there is one version of an object.
    Off,
    /// Every version stays.
    Enabled,
    /// Versions that were made stay, new ones replace each other.
    Suspended,
}

impl Versioning {
    /// Reads the API's spelling, which is the item's as well.
    ///
    /// # Errors
    /// [`ShapeError`] for a status that is not known.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        match text {
            "Off" => Ok(Self::Off),
            "Enabled" => Ok(Self::Enabled),
            "Suspended" => Ok(Self::Suspended),
            other => Err(ShapeError::new(path, "Off, Enabled or Suspended", other)),
        }
    }
}

/// A bucket with its lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its lifecycle configuration, where it has one.
    pub lifecycle: Option<Configuration>,
    /// Whether it keeps versions; `None` where an item does not say, which is judged as if it did.
    pub versioning: Option<Versioning>,
    /// Elements of the configuration that are not known here, and so could not be sent again.
    #[serde(default)]
    pub unknown: Vec<String>,
}

state_of_bucket!(Subject);

impl Resource for Subject {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self {
            bucket: Identity::of_item(item),
            lifecycle: Configuration::from_item(item)?,
            versioning: versioning(item)?,
            unknown: Vec::new(),
        })
    }
}

/// `supplementaryConfiguration.BucketVersioningConfiguration.status`; null, as absent, says nothing.
fn versioning(item: &ConfigurationItem) -> Result<Option<Versioning>, ShapeError> {
    let path = bucket::path("BucketVersioningConfiguration.status");
    let Some(value) = item.supplement("BucketVersioningConfiguration") else { return Ok(None) };
    match value.get("status") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(status)) => Versioning::parse(&path, status).map(Some),
        Some(other) => Err(ShapeError::new(path, "a status", other)),
    }
}

impl Subject {
    /// Its rules; none where it has no configuration.
    pub fn rules(&self) -> &[Rule] {
        self.lifecycle.as_ref().map_or(&[], |lifecycle| &lifecycle.rules)
    }

    /// Whether there can be former versions.
    pub fn keeps_versions(&self) -> bool {
        self.versioning != Some(Versioning::Off)
    }
}

/// Input of `PutBucketLifecycleConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutLifecycle {
    /// `Bucket`.
    pub bucket: String,
    /// `ExpectedBucketOwner`: the call fails if another account owns the bucket by now.
    pub expected_bucket_owner: String,
    /// `LifecycleConfiguration` and, beside it, `TransitionDefaultMinimumObjectSize`, both whole: the API replaces them.
    pub lifecycle_configuration: Configuration,
}

impl PutLifecycle {
    /// The call that gives this bucket this configuration.
    pub fn of(bucket: &Identity, lifecycle_configuration: Configuration) -> Self {
        Self { bucket: bucket.name.clone(), expected_bucket_owner: bucket.account.to_string(), lifecycle_configuration }
    }
}

/// The calls of the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Puts the configuration with a rule more.
    PutBucketLifecycleConfiguration(PutLifecycle),
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// Puts the configuration that was there.
    PutBucketLifecycleConfiguration(PutLifecycle),
    /// Removes the configuration, where there was none.
    DeleteBucketLifecycle {
        /// `Bucket`.
        bucket: String,
        /// `ExpectedBucketOwner`.
        expected_bucket_owner: String,
    },
}

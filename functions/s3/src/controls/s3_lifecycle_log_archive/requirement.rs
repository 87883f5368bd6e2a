//! The requirements for the lifecycle of a log bucket: parameters, the bucket, and the call that sets a configuration.

mod addition;
mod findings;

use rectify_compliance::values::{Bounded, Flag, Globs, KeyValue, StringList};
use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceState, ShapeError, parameters};
use serde::{Deserialize, Serialize, Serializer};

use crate::resources::bucket::{Identity, OwnedBucket, TYPES};
use crate::resources::lifecycle::{Configuration, Rule, StorageClass};
use crate::resources::versioning::{Versioning, VersioningConfiguration};

pub use addition::Addition;
pub use findings::Findings;

parameters! {
    /// The log buckets, and the requirements for their lifecycle.
    pub Params, check: Params::moves_before_expiring {
        /// Names of the log buckets, or patterns with `*` and `?`. Default: none.
        bucket_names: Option<Globs> = None,
        /// A tag that makes a bucket a log bucket, `key=value`. Default: none.
        bucket_tag: Option<KeyValue> = None,
        /// The key prefix of the logs. Default: the whole bucket.
        log_prefix: String = String::new(),
        /// The minimum days before logs expire, 1..=36500. Default 365.
        min_retention_days: Bounded<1, 36500> = Bounded::of(365),
        /// The maximum days before logs transition to one of `storageClasses`, 0..=36500; 0 requires no transition.
        /// Default 90.
        transition_days: Bounded<0, 36500> = Bounded::of(90),
        /// The accepted storage classes, a comma-separated list; the fix uses the first. Default
        /// `GLACIER,DEEP_ARCHIVE,GLACIER_IR`.
        #[schemars(with = "StringList")]
        storage_classes: StorageClasses = StorageClasses::default(),
        /// The maximum days before incomplete multipart uploads are aborted, 0..=365; 0 requires no abort. Default 7.
        abort_multipart_days: Bounded<0, 365> = Bounded::of(7),
        /// Whether a versioned bucket needs a rule for noncurrent versions. Default `true`.
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

/// `storageClasses`: at least one, each known, in the given order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StringList")]
pub struct StorageClasses(Vec<StorageClass>);

impl StorageClasses {
    /// Whether the class is accepted.
    pub fn accept(&self, class: Option<&StorageClass>) -> bool {
        class.is_some_and(|class| self.0.contains(class))
    }

    /// The class that the fix transitions logs to.
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

    fn try_from(names: StringList) -> Result<Self, String> {
        let classes: Vec<StorageClass> = names.list().iter().cloned().map(StorageClass::from).collect();
        if let Some(StorageClass::Other(name)) = classes.iter().find(|it| matches!(it, StorageClass::Other(_))) {
            return Err(format!("expected storage classes that objects can transition to: received `{name}`"));
        }
        // An empty list counts as absent.
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

/// A bucket and its lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its lifecycle configuration; `None` where it has none.
    pub lifecycle: Option<Configuration>,
    /// Its versioning status; `None` where the item lacks it, which counts as enabled.
    pub versioning: Option<Versioning>,
    /// Unknown elements of the configuration, which could not be sent back.
    #[serde(default)]
    pub unknown: Vec<String>,
}

impl ResourceState for Subject {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.bucket.identity()
    }
}

impl Resource for Subject {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self {
            bucket: Identity::of_item(item),
            lifecycle: Configuration::from_item(item)?,
            versioning: VersioningConfiguration::from_item(item)?.map(|it| it.status),
            unknown: Vec::new(),
        })
    }
}

impl Subject {
    /// Its rules; empty where it has no configuration.
    pub fn rules(&self) -> &[Rule] {
        self.lifecycle.as_ref().map_or(&[], |lifecycle| &lifecycle.rules)
    }

    /// Whether there can be noncurrent versions.
    pub fn keeps_versions(&self) -> bool {
        self.versioning != Some(Versioning::Off)
    }
}

/// Input of `PutBucketLifecycleConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutLifecycle {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: OwnedBucket,
    /// `LifecycleConfiguration` and `TransitionDefaultMinimumObjectSize`, both complete: the API replaces them.
    pub lifecycle_configuration: Configuration,
}

impl PutLifecycle {
    /// The call that sets this configuration on this bucket.
    pub fn of(bucket: &Identity, lifecycle_configuration: Configuration) -> Self {
        Self { bucket: bucket.owned(), lifecycle_configuration }
    }
}

/// The calls of the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Puts the configuration with one more rule.
    PutBucketLifecycleConfiguration(PutLifecycle),
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// Restores the previous configuration.
    PutBucketLifecycleConfiguration(PutLifecycle),
    /// Removes the configuration, where there was none.
    DeleteBucketLifecycle(OwnedBucket),
}

//! A KMS key with its rotation status, from a configuration item or from the API.
//!
//! Knows no control and no SDK. Knows which keys support automatic rotation.

use rectify_compliance::values::Flag;
use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type in AWS Config. The resource id is the key id.
pub const TYPE: &str = "AWS::KMS::Key";

/// The keys of the function's own region and account.
pub const KEYS: &str = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*";

/// The default rotation period, days ([EnableKeyRotation], November 2026).
///
/// [EnableKeyRotation]: https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
pub const DEFAULT_PERIOD: u32 = 365;

/// The only key spec that supports automatic rotation; all others are asymmetric or HMAC.
const ROTATED_SPEC: &str = "SYMMETRIC_DEFAULT";
/// The only origin that supports automatic rotation. Keys in a custom key store have `AWS_CLOUDHSM` or
/// `EXTERNAL_KEY_STORE`.
const ROTATED_ORIGIN: &str = "AWS_KMS";
/// The prefix of multi-Region key ids; no other key id has it.
const MULTI_REGION_PREFIX: &str = "mrk-";

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// `KeyId`, which is also the resource id in AWS Config.
    pub id: String,
    /// `Arn`.
    pub arn: String,
    /// `KeyManager`.
    pub manager: Manager,
    /// `KeySpec`, or `CustomerMasterKeySpec` in older items.
    pub spec: String,
    /// `Origin`.
    pub origin: String,
    /// Its role among the keys that share its key material.
    pub part: Part,
    /// `KeyState`.
    pub state: KeyState,
    /// The rotation status; `None` if it was not read, as for keys without automatic rotation.
    pub rotation: Option<Rotation>,
    /// The tags, if they were read.
    pub tags: Tags,
}

/// `KeyManager`: who manages the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Manager {
    /// AWS: an AWS managed key.
    Aws,
    /// The account: a customer managed key.
    Customer,
}

/// `KeyState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// Being created in a custom key store.
    Creating,
    /// Usable.
    Enabled,
    /// Not usable, and not rotated in the meantime.
    Disabled,
    /// Scheduled for deletion after a waiting period.
    PendingDeletion,
    /// Without key material.
    PendingImport,
    /// A primary key that is deleted after its replicas.
    PendingReplicaDeletion,
    /// Its custom key store is disconnected.
    Unavailable,
    /// Its primary region is being changed.
    Updating,
}

/// The role of a key among the keys that share its key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// A single-Region key.
    Single,
    /// The multi-Region primary key, whose rotation setting applies to all replicas.
    Primary,
    /// A multi-Region replica key.
    Replica,
    /// A multi-Region key whose item does not state whether it is primary or replica.
    #[serde(rename = "untold")]
    Unknown,
}

/// Automatic rotation: whether and how often KMS rotates the key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Rotation {
    /// Off.
    Off,
    /// On.
    On {
        /// `RotationPeriodInDays`, 90..=2560; `None` from a configuration item, which does not include it.
        period_in_days: Option<u32>,
    },
    /// The key does not support rotation (`UnsupportedOperationException`).
    Unsupported,
}

/// A key as AWS Config or KMS describes it; every field may be missing. Reads the `configuration` of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    /// `KeyId`.
    pub key_id: Option<String>,
    /// `Arn`.
    pub arn: Option<String>,
    /// `KeyManager`.
    pub key_manager: Option<String>,
    /// `KeySpec`.
    pub key_spec: Option<String>,
    /// `CustomerMasterKeySpec`, its former name.
    pub customer_master_key_spec: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `KeyState`.
    pub key_state: Option<String>,
    /// `MultiRegion`.
    pub multi_region: Option<bool>,
    /// `MultiRegionConfiguration`.
    pub multi_region_configuration: Option<MultiRegionConfiguration>,
}

/// The required part of `MultiRegionConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MultiRegionConfiguration {
    /// `MultiRegionKeyType`: `PRIMARY` or `REPLICA`.
    pub multi_region_key_type: Option<String>,
}

impl Key {
    /// Why this key has no automatic rotation, if so. A disabled key is not exempt.
    pub fn exemption(&self) -> Option<String> {
        let Self { id, spec, origin, state, .. } = self;
        if self.manager == Manager::Aws {
            return Some(format!("Key {id} is managed by AWS"));
        }
        if spec != ROTATED_SPEC {
            return Some(format!("Key {id} ({spec}) has no automatic rotation"));
        }
        if origin != ROTATED_ORIGIN {
            return Some(format!("Key {id} (origin {origin}) has no automatic rotation"));
        }
        if self.part == Part::Replica {
            return Some(format!("Key {id} is a replica; evaluated where its primary key is"));
        }
        match state {
            KeyState::Creating
            | KeyState::PendingDeletion
            | KeyState::PendingImport
            | KeyState::PendingReplicaDeletion
            | KeyState::Unavailable => Some(format!("Key {id} is in state {state:?}")),
            KeyState::Enabled | KeyState::Disabled | KeyState::Updating => None,
        }
    }
}

impl ResourceState for Key {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.id), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

impl Rotation {
    /// The result of `GetKeyRotationStatus`. A missing period means the default one: there was no other before KMS had the
    /// field.
    ///
    /// # Errors
    /// [`ShapeError`] for a period that is not a positive number of days.
    pub fn answered(enabled: bool, period_in_days: Option<i32>) -> Result<Self, ShapeError> {
        if !enabled {
            return Ok(Self::Off); // no period while rotation is off
        }
        let period = match period_in_days {
            None => DEFAULT_PERIOD,
            Some(days) => u32::try_from(days)
                .ok()
                .filter(|it| *it > 0)
                .ok_or_else(|| ShapeError::new("RotationPeriodInDays", "a number of days", days))?,
        };
        Ok(Self::On { period_in_days: Some(period) })
    }
}

impl Description {
    /// The key from the API, before its rotation is read.
    ///
    /// # Errors
    /// [`ShapeError`] if a field that a verdict needs is missing or has an unknown value.
    pub fn live(self) -> Result<Key, ShapeError> {
        let key = self.key()?;
        if key.part == Part::Unknown {
            return Err(ShapeError::missing("MultiRegionConfiguration.MultiRegionKeyType", "PRIMARY or REPLICA"));
        }
        Ok(key)
    }

    /// The described part of the key.
    fn key(self) -> Result<Key, ShapeError> {
        let id = required(self.key_id, "KeyId", "a key id")?;
        let is_multi_region = self.multi_region.unwrap_or(false) || id.starts_with(MULTI_REGION_PREFIX);
        let kind = self.multi_region_configuration.and_then(|it| it.multi_region_key_type);
        Ok(Key {
            arn: required(self.arn, "Arn", "an ARN")?,
            manager: known(self.key_manager, "KeyManager", "AWS or CUSTOMER")?,
            spec: required(self.key_spec.or(self.customer_master_key_spec), "KeySpec", "a key specification")?,
            origin: required(self.origin, "Origin", "an origin")?,
            part: match (is_multi_region, kind.as_deref()) {
                (false, _) => Part::Single,
                (true, None) => Part::Unknown,
                (true, Some("PRIMARY")) => Part::Primary,
                (true, Some("REPLICA")) => Part::Replica,
                (true, Some(other)) => return Err(ShapeError::new("MultiRegionKeyType", "PRIMARY or REPLICA", other)),
            },
            state: known(self.key_state, "KeyState", "a known state")?,
            rotation: None,
            tags: Tags::new(),
            id,
        })
    }
}

/// A key as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedKey(Key);

impl Resource for RecordedKey {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let description = Description::deserialize(&item.configuration)
            .map_err(|error| ShapeError::new("configuration", "a key", error))?;
        let key = description.key().map_err(|error| error.within("configuration"))?;
        let rotation = item.supplement("KeyRotationStatus").map(recorded_rotation).transpose()?;
        Ok(Self(Key { rotation, tags: item.tags.clone(), ..key }))
    }
}

impl RecordedKey {
    /// The key as recorded in the item.
    pub fn key(&self) -> &Key {
        &self.0
    }

    /// Whether the item is enough for a verdict; `with_period` if the rotation period is needed too.
    pub fn is_sufficient(&self, with_period: bool) -> bool {
        if self.0.exemption().is_some() {
            return true;
        }
        let is_known = match self.0.rotation {
            None => false,
            Some(Rotation::Off | Rotation::Unsupported) => true,
            Some(Rotation::On { period_in_days }) => !with_period || period_in_days.is_some(),
        };
        is_known && self.0.part != Part::Unknown
    }

    /// The subject: the live key if it was read.
    pub fn or_live(self, live: Option<Key>) -> Key {
        live.unwrap_or(self.0)
    }
}

/// `supplementaryConfiguration.KeyRotationStatus`: true or false, as JSON or as text. It does not include the period.
fn recorded_rotation(status: &Value) -> Result<Rotation, ShapeError> {
    let flag: Flag = serde_json::from_value(status.clone())
        .map_err(|_| ShapeError::new("supplementaryConfiguration.KeyRotationStatus", "true or false", status))?;
    Ok(if flag.0 { Rotation::On { period_in_days: None } } else { Rotation::Off })
}

fn required(value: Option<String>, path: &str, expected: &str) -> Result<String, ShapeError> {
    value.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing(path, expected))
}

/// One of the documented values; an unknown one is an error.
fn known<T: DeserializeOwned>(value: Option<String>, path: &str, expected: &str) -> Result<T, ShapeError> {
    let text = required(value, path, expected)?;
    serde_json::from_value(Value::String(text.clone())).map_err(|_| ShapeError::new(path, expected, text))
}

#[cfg(test)]
pub(crate) mod tests;

//! `cmk-backing-key-rotation-enabled`: a customer managed key is not rotated.
//!
//! Knows keys as [`Key`], from any source, and no API.

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::key::{DEFAULT_PERIOD, KEYS, Key, KeyState, RecordedKey, Rotation, TYPE};

control! {
    /// ## What it checks
    /// That automatic rotation is on for every customer managed key, with a period of at most `maxRotationPeriodInDays` if that is given.
    /// Keys without automatic rotation are NOT_APPLICABLE: AWS managed keys, asymmetric and HMAC keys, keys with imported material, and keys in a custom key store.
    /// So are multi-Region replicas, which follow the rotation of their primary key, and keys that are being created, await import or deletion, or are unavailable.
    /// A disabled key keeps its setting and is not rotated; it is evaluated only with `includeDisabled`.
    /// If the item does not state the rotation status, or if a maximum period is set, `kms:GetKeyRotationStatus` is called.
    ///
    /// ## Why it matters
    /// Anyone who obtains key material can decrypt the data that was encrypted with it.
    /// Rotation limits that amount: later data is encrypted with other material, and earlier data stays readable to principals that may use the key.
    ///
    /// ## Compliant example
    /// ```json
    /// {"keyManager": "CUSTOMER", "keySpec": "SYMMETRIC_DEFAULT", "keyState": "Enabled", "KeyRotationStatus": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"keyManager": "CUSTOMER", "keySpec": "SYMMETRIC_DEFAULT", "keyState": "Enabled", "KeyRotationStatus": false}
    /// ```
    ///
    /// ## Parameters
    /// `maxRotationPeriodInDays` and `includeDisabled` determine the findings.
    ///
    /// ## Remediation
    /// L1: `kms:EnableKeyRotation` with the key id.
    /// The call names a period only if it would otherwise be longer than `maxRotationPeriodInDays`; without one KMS rotates every 365 days.
    /// A period is shortened, never lengthened.
    /// What changes: KMS creates new material at the end of each period, for a monthly price each; id, ARN, aliases and policy stay, and all replicas of a multi-Region key follow.
    /// What may break: nothing; KMS keeps previous material to decrypt older data.
    /// Nothing is changed unless the key is in state `Enabled`; if the key policy does not allow the remediation, the attempt fails permanently.
    /// KMS has no revision check, so another change can fall into the milliseconds between the last read and the write.
    /// Undo calls `kms:DisableKeyRotation`, or `kms:EnableKeyRotation` with the previous period; material created in between stays.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/cmk-backing-key-rotation-enabled.html)
    /// - [Security Hub KMS.4](https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-4)
    /// - [Rotate AWS KMS keys](https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html)
    /// - [EnableKeyRotation](https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html)
    /// - [GetKeyRotationStatus](https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html)
    pub CMK_BACKING_KEY_ROTATION_ENABLED: CmkBackingKeyRotationEnabled {
        id: "cmk-backing-key-rotation-enabled",
        title: "Customer managed key is not rotated",
        severity: Medium,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L1,
        frameworks: {
            Cis30: ["3.6"],
            Cis50: ["3.6"],
            Fsbp: ["KMS.4"],
            Nist80053r5: ["SC-12", "SC-12(2)", "SC-28(3)"],
            Pci40: ["3.7.4", "3.7.5"],
        },
    }
}

parameters! {
    /// The parameters of [`CmkBackingKeyRotationEnabled`]; the managed rule has none.
    pub KeyRotationParameters {
        /// The maximum rotation period, days, 90..=2560. Default: any.
        max_rotation_period_in_days: Option<Bounded<90, 2560>> = None,
        /// Whether disabled keys are evaluated. Default false.
        include_disabled: Flag = Flag(false),
    }
}

impl KeyRotationParameters {
    /// Why a key is not evaluated, if so; its rotation is then not needed.
    pub fn exemption(&self, key: &Key) -> Option<String> {
        let ignored = key.state == KeyState::Disabled && !self.include_disabled.0;
        key.exemption().or_else(|| ignored.then(|| format!("Key {} is disabled", key.id)))
    }

    /// Whether the rotation period is needed.
    pub fn needs_period(&self) -> bool {
        self.max_rotation_period_in_days.is_some()
    }

    fn max(&self) -> Option<u32> {
        self.max_rotation_period_in_days.map(Bounded::get)
    }
}

const LIST_KEYS: Permission = Permission::unscoped("kms:ListKeys");
const DESCRIBE_KEY: Permission = Permission::on("kms:DescribeKey", KEYS);
const ROTATION_STATUS: Permission = Permission::on("kms:GetKeyRotationStatus", KEYS);
const LIST_TAGS: Permission = Permission::on("kms:ListResourceTags", KEYS);
const ENABLE: Permission = Permission::on("kms:EnableKeyRotation", KEYS);
const DISABLE: Permission = Permission::on("kms:DisableKeyRotation", KEYS);

impl Control for CmkBackingKeyRotationEnabled {
    type Params = KeyRotationParameters;
    type Subject = Key;

    fn evaluate(&self, key: &Key, params: &KeyRotationParameters, _now: Timestamp) -> Verdict {
        if let Some(reason) = params.exemption(key) {
            return Verdict::not_applicable(reason);
        }
        let disabled = key.state == KeyState::Disabled;
        let name = format!("Key {}{}", key.id, if disabled { " (disabled)" } else { "" });
        match (key.rotation, params.max()) {
            // A missing rotation status counts as off.
            (None | Some(Rotation::Off), _) => Verdict::non_compliant(format!("{name} rotation is off")),
            (Some(Rotation::Unsupported), _) => Verdict::not_applicable(format!("{name} has no automatic rotation")),
            (Some(Rotation::On { period_in_days: None }), Some(max)) => {
                Verdict::non_compliant(format!("{name} rotates in an unknown period (maximum {max} d)"))
            }
            (Some(Rotation::On { period_in_days: Some(days) }), Some(max)) if days > max => {
                Verdict::non_compliant(format!("{name} rotates every {days} d (maximum {max} d)"))
            }
            (Some(Rotation::On { .. }), _) if disabled => {
                Verdict::Compliant(Some(format!("{name} rotates once it is enabled again").into()))
            }
            (Some(Rotation::On { .. }), _) => Verdict::COMPLIANT,
        }
    }
}

impl FromItem for CmkBackingKeyRotationEnabled {
    type Resource = RecordedKey;
    /// The key read live, if the item is not enough for a verdict.
    type Facts = Option<Key>;
    fn fact_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE_KEY, ROTATION_STATUS]
    }

    fn subject(&self, recorded: RecordedKey, live: Option<Key>) -> Key {
        recorded.or_live(live)
    }
}

impl Periodic for CmkBackingKeyRotationEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        &[LIST_KEYS, DESCRIBE_KEY, ROTATION_STATUS]
    }
}

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `EnableKeyRotation`: turns rotation on, or changes the period if it is on.
    EnableKeyRotation {
        /// `KeyId`.
        key_id: String,
        /// `RotationPeriodInDays`; 365 days if omitted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rotation_period_in_days: Option<u32>,
    },
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// `DisableKeyRotation`.
    DisableKeyRotation {
        /// `KeyId`.
        key_id: String,
    },
    /// `EnableKeyRotation` with the previous period.
    EnableKeyRotation {
        /// `KeyId`.
        key_id: String,
        /// `RotationPeriodInDays`.
        rotation_period_in_days: u32,
    },
}

impl Remediation for CmkBackingKeyRotationEnabled {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[DESCRIBE_KEY, ROTATION_STATUS, LIST_TAGS],
            fix: &[ENABLE],
            // One API action turns rotation on and sets the period: only `plan` keeps the remediation from lengthening it.
            undo: &[DISABLE, ENABLE],
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the id of the key")
    }

    fn stack_resources(&self, live: &Key, _action: &Action) -> Vec<PhysicalId> {
        vec![PhysicalId::here(&live.id)]
    }

    fn fix(&self, live: &Key, params: &KeyRotationParameters, _now: Timestamp) -> Plan<Action> {
        let is_on = matches!(live.rotation, Some(Rotation::On { .. }));
        let enable = Action::EnableKeyRotation {
            key_id: live.id.clone(),
            rotation_period_in_days: params.max().filter(|max| is_on || *max < DEFAULT_PERIOD),
        };
        let steps = vec![Step::call(Level::L1, enable)];
        let blocker = (live.state != KeyState::Enabled)
            .then(|| format!("KeyState is `{:?}`: rotation can be set while it is `Enabled`", live.state));
        Plan::unless(blocker, steps)
    }

    fn predict(&self, mut live: Key, action: &Action) -> Key {
        let Action::EnableKeyRotation { key_id, rotation_period_in_days } = action;
        if *key_id == live.id {
            let period = rotation_period_in_days.unwrap_or(DEFAULT_PERIOD);
            live.rotation = Some(Rotation::On { period_in_days: Some(period) });
        }
        live
    }

    /// Only the rotation, so that a later change to a description or a tag does not block an undo.
    fn touched_fields(&self, subject: &Key, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "rotation": subject.rotation }) }
    }

    fn undo(&self, before: &Key, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        let restore = |Action::EnableKeyRotation { key_id, .. }: &Action| {
            let key_id = key_id.clone();
            match before.rotation {
                Some(Rotation::On { period_in_days: Some(rotation_period_in_days) }) => {
                    Ok(Undo::EnableKeyRotation { key_id, rotation_period_in_days })
                }
                Some(Rotation::Off) => Ok(Undo::DisableKeyRotation { key_id }),
                None | Some(Rotation::On { period_in_days: None } | Rotation::Unsupported) => Err(Irreversible {
                    action: "EnableKeyRotation".to_owned(),
                    reason: "the previous rotation setting is unknown".to_owned(),
                }),
            }
        };
        done.iter().rev().map(restore).collect()
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;

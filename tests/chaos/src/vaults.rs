//! A fake resource with six controls, one for each kind of plan.
//!
//! | control | its plan |
//! |---|---|
//! | [`BOLTS`] | several calls, each for another part |
//! | [`LOCK`] | one call that replaces a whole object |
//! | [`PRIVATE`] | the same object, replaced by another control |
//! | [`RETENTION`] | one call that is accepted and pending for a while |
//! | [`KEYS`] | several calls with receipts that undo requires |
//! | [`LOGGING`] | one call that sets a flag |

pub mod service;

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{
    Control, ControlMeta, Declared, Irreversible, Level, Parameters, Permission, Plan, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceKey, ResourceState, Scope, Severity, Step, Tags, Timestamp,
    Trigger, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The type of the fake resource.
pub const VAULT: &str = "Rectify::Test::Vault";
/// Every bolt must be shut.
pub const BOLTS: u8 = 0;
/// The policy must have the statement [`LOCKED`].
pub const LOCK: u8 = 1;
/// The policy must not have the statement [`OPEN`].
pub const PRIVATE: u8 = 2;
/// Records must be kept for at least [`DAYS`].
pub const RETENTION: u8 = 3;
/// Keys whose name begins with `old` must not be active.
pub const KEYS: u8 = 4;
/// Logging must be on.
pub const LOGGING: u8 = 5;
/// The number of controls.
pub const CONTROLS: u8 = 6;

/// The statement that [`LOCK`] requires.
pub const LOCKED: &str = "deny-plain-http";
/// The statement that [`PRIVATE`] forbids.
pub const OPEN: &str = "allow-everyone";
/// The minimum of [`RETENTION`], in days.
pub const DAYS: u32 = 7;

/// The state of a vault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vault {
    /// Its id.
    pub id: String,
    /// Its bolts, and whether each is drawn.
    pub bolts: BTreeMap<String, bool>,
    /// The statements of its policy.
    pub policy: BTreeSet<String>,
    /// How long records are kept, days.
    pub retention: u32,
    /// Whether a change of the retention is pending; its value is visible once it is done.
    pub busy: bool,
    /// Its keys, and whether each is active.
    pub keys: BTreeMap<String, bool>,
    /// Whether it logs.
    pub logging: bool,
    /// Its tags.
    pub tags: Tags,
}

impl ResourceState for Vault {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(VAULT, &self.id), arn: None, name: None, tags: &self.tags }
    }
}

/// A modifying call; undo uses the same calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Call {
    /// Draws or shuts a bolt.
    SetBolt {
        /// Which.
        bolt: String,
        /// Whether it is drawn afterwards.
        drawn: bool,
    },
    /// Replaces the policy.
    PutPolicy {
        /// All statements.
        statements: BTreeSet<String>,
    },
    /// Requests another retention.
    ModifyRetention {
        /// Days.
        days: u32,
    },
    /// Deactivates a key, and returns a token.
    DeactivateKey {
        /// Which.
        key: String,
    },
    /// Activates a key again; the service requires the token.
    ActivateKey {
        /// Which.
        key: String,
        /// The token of the deactivation.
        token: u32,
    },
    /// Enables or disables logging.
    SetLogging {
        /// Whether logging is enabled.
        on: bool,
    },
}

/// The answer of a call: the token of a deactivated key.
pub type Token = Option<u32>;

/// One of the six controls.
#[derive(Debug, Clone, Copy)]
pub struct VaultControl<const CONTROL: u8>;

/// No parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {}

impl Parameters for Params {}

/// The declarations.
pub static METAS: [ControlMeta; CONTROLS as usize] = [
    meta("vault-bolt-drawn"),
    meta("vault-unlocked"),
    meta("vault-public"),
    meta("vault-retention-short"),
    meta("vault-old-key"),
    meta("vault-silent"),
];

const fn meta(id: &'static str) -> ControlMeta {
    ControlMeta {
        id,
        title: "Vault violates a control",
        severity: Severity::Low,
        triggers: &[Trigger::Change],
        scope: Scope::Regional,
        resource_types: &[VAULT],
        frameworks: &[],
        level: Level::L1,
        docs: "",
        source: file!(),
    }
}

/// The control's id.
pub fn id_of(control: u8) -> &'static str {
    METAS[usize::from(control)].id
}

/// One of the six controls, declared.
pub fn vault_control<const CONTROL: u8>() -> &'static Declared<VaultControl<CONTROL>> {
    const { &Declared { meta: METAS[CONTROL as usize], logic: VaultControl } }
}

/// Whether the vault complies with the control.
pub fn complies(control: u8, vault: &Vault) -> bool {
    match control {
        BOLTS => vault.bolts.values().all(|drawn| !drawn),
        LOCK => vault.policy.contains(LOCKED),
        PRIVATE => !vault.policy.contains(OPEN),
        RETENTION => vault.retention >= DAYS,
        KEYS => vault.keys.iter().all(|(key, active)| !active || !key.starts_with("old")),
        _ => vault.logging,
    }
}

fn fixes(control: u8, vault: &Vault) -> Vec<Call> {
    let mut statements = vault.policy.clone();
    match control {
        BOLTS => {
            let drawn = vault.bolts.iter().filter(|(_, drawn)| **drawn);
            drawn.map(|(bolt, _)| Call::SetBolt { bolt: bolt.clone(), drawn: false }).collect()
        }
        LOCK => {
            statements.insert(LOCKED.to_owned());
            vec![Call::PutPolicy { statements }]
        }
        PRIVATE => {
            statements.remove(OPEN);
            vec![Call::PutPolicy { statements }]
        }
        RETENTION => vec![Call::ModifyRetention { days: DAYS }],
        KEYS => {
            let old = vault.keys.iter().filter(|(key, active)| **active && key.starts_with("old"));
            old.map(|(key, _)| Call::DeactivateKey { key: key.clone() }).collect()
        }
        _ => vec![Call::SetLogging { on: true }],
    }
}

/// The vault after a call has taken full effect.
pub fn predict(mut vault: Vault, call: &Call) -> Vault {
    match call.clone() {
        Call::SetBolt { bolt, drawn } => drop(vault.bolts.insert(bolt, drawn)),
        Call::PutPolicy { statements } => vault.policy = statements,
        Call::ModifyRetention { days } => vault.retention = days,
        Call::DeactivateKey { key } => drop(vault.keys.insert(key, false)),
        Call::ActivateKey { key, .. } => drop(vault.keys.insert(key, true)),
        Call::SetLogging { on } => vault.logging = on,
    }
    vault
}

/// The fields of a vault that these calls change.
pub fn touched_fields(vault: &Vault, calls: &[Call]) -> Value {
    let part = |call: &Call| match call {
        Call::SetBolt { bolt, .. } => (format!("bolt {bolt}"), json!(vault.bolts.get(bolt))),
        Call::PutPolicy { .. } => ("policy".to_owned(), json!(vault.policy)),
        Call::ModifyRetention { .. } => ("retention".to_owned(), json!(vault.retention)),
        Call::DeactivateKey { key } | Call::ActivateKey { key, .. } => {
            (format!("key {key}"), json!(vault.keys.get(key)))
        }
        Call::SetLogging { .. } => ("logging".to_owned(), json!(vault.logging)),
    };
    Value::Object(calls.iter().map(part).collect())
}

fn undo_call(before: &Vault, call: &Call, answer: &Value) -> Result<Call, Irreversible> {
    Ok(match call {
        Call::SetBolt { bolt, drawn } => Call::SetBolt { bolt: bolt.clone(), drawn: !drawn },
        Call::PutPolicy { .. } => Call::PutPolicy { statements: before.policy.clone() },
        Call::ModifyRetention { .. } => Call::ModifyRetention { days: before.retention },
        Call::DeactivateKey { key } | Call::ActivateKey { key, .. } => {
            let token = u32::deserialize(answer).map_err(|error| Irreversible {
                action: "DeactivateKey".to_owned(),
                reason: format!("its token is not on record: {error}"),
            })?;
            Call::ActivateKey { key: key.clone(), token }
        }
        Call::SetLogging { on } => Call::SetLogging { on: !on },
    })
}

impl<const CONTROL: u8> Control for VaultControl<CONTROL> {
    type Params = Params;
    type Subject = Vault;

    fn evaluate(&self, vault: &Vault, _params: &Params, _now: Timestamp) -> Verdict {
        match complies(CONTROL, vault) {
            true => Verdict::COMPLIANT,
            false => Verdict::non_compliant(format!("{}: {}", vault.id, id_of(CONTROL))),
        }
    }
}

const READ: &[Permission] = &[Permission::unscoped("vaults:DescribeVault")];
const WRITE: &[Permission] = &[Permission::unscoped("vaults:ModifyVault")];

impl<const CONTROL: u8> Remediation for VaultControl<CONTROL> {
    type Action = Call;
    type Undo = Call;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: READ, fix: WRITE, undo: WRITE }
    }

    fn fix(&self, live: &Vault, _params: &Params, _now: Timestamp) -> Plan<Call> {
        let steps = fixes(CONTROL, live).into_iter().map(|call| Step::call(Level::L1, call)).collect();
        match live.busy && CONTROL == RETENTION {
            true => Plan::blocked("the vault is being modified", steps),
            false => Plan::steps_in_order(steps),
        }
    }

    fn predict(&self, live: Vault, action: &Call) -> Vault {
        predict(live, action)
    }

    fn is_in_progress(&self, after: &Vault, done: &[Call]) -> bool {
        CONTROL == RETENTION && !done.is_empty() && after.busy
    }

    fn touched_fields(&self, subject: &Vault, done: &[Call]) -> Value {
        touched_fields(subject, done)
    }

    fn needs_responses(&self) -> bool {
        CONTROL == KEYS
    }

    fn undo(&self, before: &Vault, done: &[Call]) -> Result<Vec<Call>, Irreversible> {
        self.undo_with_responses(before, done, &vec![Value::Null; done.len()])
    }

    fn undo_with_responses(&self, before: &Vault, done: &[Call], answers: &[Value]) -> Result<Vec<Call>, Irreversible> {
        done.iter().zip(answers).rev().map(|(call, answer)| undo_call(before, call, answer)).collect()
    }
}

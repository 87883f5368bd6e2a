//! The call that turns an access key off or on, for the controls that turn keys off; each decides which.
//!
//! Keys are never deleted, so the undo is the same call with the other status.

use rectify_compliance::{Irreversible, Permission, PhysicalId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::resources::access_key::{AccessKeys, KeyId, KeyStatus};
use crate::resources::user::{USERS, User};

/// The permission to turn keys off. IAM cannot restrict the status: only the plan keeps a remediation from turning a
/// key on.
pub(crate) const UPDATE: &[Permission] = &[Permission::on("iam:UpdateAccessKey", USERS)];

/// One call to IAM. The fix and its undo are the same call with the other status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum KeyAction {
    /// Turns a key off or on.
    UpdateAccessKey {
        /// `UserName`.
        user_name: String,
        /// `AccessKeyId`, in full.
        access_key_id: KeyId,
        /// `Status`.
        status: KeyStatus,
    },
}

/// The call that gives a key of `user` this status.
pub(crate) fn set(user: &User, id: &KeyId, status: KeyStatus) -> KeyAction {
    KeyAction::UpdateAccessKey { user_name: user.name.clone(), access_key_id: id.clone(), status }
}

/// The user and the key, which a stack can declare separately.
pub(crate) fn stack_resources(action: &KeyAction) -> Vec<PhysicalId> {
    let KeyAction::UpdateAccessKey { user_name, access_key_id, .. } = action;
    vec![PhysicalId::here(user_name), PhysicalId::here(access_key_id.expose())]
}

pub(crate) fn predict(keys: &mut AccessKeys, action: &KeyAction) {
    let KeyAction::UpdateAccessKey { access_key_id, status, .. } = action;
    if let Some(key) = keys.get_mut(access_key_id) {
        key.status = *status;
    }
}

/// The status of each key that was turned off. A new key or a later use does not block an undo.
pub(crate) fn touched_fields(keys: &AccessKeys, done: &[KeyAction]) -> Value {
    let status = |KeyAction::UpdateAccessKey { access_key_id, .. }: &KeyAction| {
        let status = keys.get(access_key_id).map(|key| key.status);
        (access_key_id.expose().to_owned(), json!(status))
    };
    Value::Object(done.iter().map(status).collect::<Map<_, _>>())
}

/// Restores the status of each key, last first.
///
/// # Errors
/// None: the signature is that of [`rectify_compliance::Remediation::undo`].
pub(crate) fn undo(user: &User, before: &AccessKeys, done: &[KeyAction]) -> Result<Vec<KeyAction>, Irreversible> {
    let restore = |KeyAction::UpdateAccessKey { access_key_id, .. }: &KeyAction| {
        before.get(access_key_id).map(|key| set(user, access_key_id, key.status))
    };
    Ok(done.iter().rev().filter_map(restore).collect())
}

//! `access-keys-rotated`: an active access key is older than allowed.
//!
//! Works on a user and its keys; makes no API calls. Displays a key as the last four characters of its id.

use rectify_compliance::values::Bounded;
use rectify_compliance::{
    Control, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::families::key_status::{self, KeyAction, UPDATE, set};
use crate::resources::access_key::{AccessKey, AccessKeys, KeyId, KeyStatus, LastUse};
use crate::resources::age::Age;
use crate::resources::user::{GET_LAST_USE, GET_USER, LIST_ACCESS_KEYS, LIST_USERS, TYPE, User};

control! {
    /// ## What it checks
    /// That no active access key of an IAM user is more than `maxAccessKeyAge` days old.
    /// The age is exact, from the key's `CreateDate` to the time of the AWS Config event; a key exactly as old as allowed is compliant.
    /// `Inactive` and `Expired` keys cannot authenticate and do not count; a user without active keys is compliant.
    /// Keys are listed live: the managed rule reads the credential report, which may be four hours old.
    /// A key with an unknown status fails the invocation.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// A key stays valid until it is turned off, wherever it was copied meanwhile: a laptop, a build log, a repository.
    ///
    /// ## Compliant example
    /// ```json
    /// {"UserName": "alice", "AccessKeyMetadata": [{"Status": "Active", "CreateDate": "a week ago"}, {"Status": "Inactive", "CreateDate": "a year ago"}]}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"UserName": "alice", "AccessKeyMetadata": [{"Status": "Active", "CreateDate": "a year ago"}]}
    /// ```
    ///
    /// ## Parameters
    /// `maxAccessKeyAge` is the managed rule's; `deactivateUnusedDays` is an addition and affects only the remediation.
    ///
    /// ## Remediation
    /// L0 by default: the owner of the key must replace it, and the plan names the key and its user.
    /// L2 with `deactivateUnusedDays`: a key that is too old and unused for longer than that is turned off with `iam:UpdateAccessKey`.
    /// What changes: the key's status; keys are never deleted.
    /// What may break: a workload that uses the key less often than the parameter allows; its next call is denied.
    /// IAM reports the last use with a delay, so a use within the last hours may be missed.
    /// While another old key of the user is still in use, nothing is turned off: an operator decides on both.
    /// How to undo: the same call with `Active`; the key works again immediately.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/access-keys-rotated.html)
    /// * [Rotating access keys](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html)
    /// * [GetAccessKeyLastUsed](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html)
    pub ACCESS_KEYS_ROTATED: AccessKeysRotated {
        id: "access-keys-rotated",
        title: "Active access key is older than allowed",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["1.14"],
            Cis50: ["1.13"],
            Fsbp: ["IAM.3"],
            Nist80053r5: ["AC-2(1)", "AC-2(3)", "AC-3(15)"],
            Pci40: ["8.3.9", "8.6.3", "8.3.10.1"],
        },
    }
}

parameters! {
    /// The parameters of [`AccessKeysRotated`].
    pub AccessKeysRotatedParameters {
        /// The maximum age of an active key, days, 1..=3650. Default 90.
        max_access_key_age: Bounded<1, 3650> = Bounded::of(90),
        /// The remediation turns off keys that are too old and unused for longer than this, days, 30..=3650. Default:
        /// none.
        deactivate_unused_days: Option<Bounded<30, 3650>> = None,
    }
}

/// A user and its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserKeys {
    /// The user.
    pub user: User,
    /// All its keys.
    pub keys: AccessKeys,
}

impl UserKeys {
    /// The active keys that are too old, by id.
    fn overdue(&self, params: &AccessKeysRotatedParameters, now: Timestamp) -> Vec<(&KeyId, &AccessKey)> {
        let max = params.max_access_key_age.get();
        let is_overdue = |key: &AccessKey| key.is_active() && Age::of(key.created, now).exceeds_days(max);
        self.keys.iter().filter(|(_, key)| is_overdue(key)).collect()
    }
}

impl ResourceState for UserKeys {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.user.identity()
    }
}

impl Control for AccessKeysRotated {
    type Params = AccessKeysRotatedParameters;
    type Subject = UserKeys;

    fn evaluate(&self, subject: &UserKeys, params: &Self::Params, now: Timestamp) -> Verdict {
        let (name, max) = (&subject.user.name, params.max_access_key_age);
        let days = |key: &AccessKey| Age::of(key.created, now).days();
        match subject.overdue(params, now).as_slice() {
            [] => Verdict::COMPLIANT,
            [(id, key)] => Verdict::non_compliant(format!("Key {id} of {name} is {} d old (max {max})", days(key))),
            keys => {
                let all: Vec<String> = keys.iter().map(|(id, key)| format!("{id} ({} d)", days(key))).collect();
                Verdict::non_compliant(format!("Keys of {name} are too old: {} (max {max} d)", all.join(", ")))
            }
        }
    }
}

impl Periodic for AccessKeysRotated {
    fn list_permissions(&self) -> &'static [Permission] {
        &[LIST_USERS, LIST_ACCESS_KEYS]
    }
}

impl Remediation for AccessKeysRotated {
    type Action = KeyAction;
    type Undo = KeyAction;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[LIST_USERS, GET_USER, LIST_ACCESS_KEYS, GET_LAST_USE],
                fix: UPDATE,
                undo: UPDATE,
            }
        }
    }

    fn needs_name(&self) -> bool {
        true
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the name of the user and the id of each key")
    }

    fn stack_resources(&self, _live: &UserKeys, action: &KeyAction) -> Vec<PhysicalId> {
        key_status::stack_resources(action)
    }

    fn fix(&self, live: &UserKeys, params: &Self::Params, now: Timestamp) -> Plan<KeyAction> {
        let step = |(id, key): (&KeyId, &AccessKey)| {
            if params.deactivate_unused_days.is_some_and(|days| key.is_unused_for(days.get(), now)) {
                Step::call(Level::L2, set(&live.user, id, KeyStatus::Inactive))
            } else {
                Step::manual(Level::L0, rotate(&live.user, id, key, now))
            }
        };
        Plan::steps_in_order(live.overdue(params, now).into_iter().map(step).collect())
    }

    fn predict(&self, mut live: UserKeys, action: &KeyAction) -> UserKeys {
        key_status::predict(&mut live.keys, action);
        live
    }

    fn touched_fields(&self, subject: &UserKeys, done: &[KeyAction]) -> Value {
        key_status::touched_fields(&subject.keys, done)
    }

    fn undo(&self, before: &UserKeys, done: &[KeyAction]) -> Result<Vec<KeyAction>, Irreversible> {
        key_status::undo(&before.user, &before.keys, done)
    }
}

impl AccessKey {
    /// Whether the key is known to be unused for more than this many days.
    fn is_unused_for(&self, days: u32, now: Timestamp) -> bool {
        match self.last_use {
            None => false,
            Some(LastUse::Never) => Age::of(self.created, now).exceeds_days(days),
            Some(LastUse::At(then)) => Age::of(then, now).exceeds_days(days),
        }
    }
}

fn rotate(user: &User, id: &KeyId, key: &AccessKey, now: Timestamp) -> String {
    let used = match key.last_use {
        None => String::new(),
        Some(LastUse::Never) => ", never used".to_owned(),
        Some(LastUse::At(then)) => format!(", last used {then}"),
    };
    format!(
        "user {} or its owner: create a new access key, move the workloads that sign with {id} ({} old{used}) to it, \
         then deactivate and delete the old one",
        user.name,
        Age::of(key.created, now)
    )
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;

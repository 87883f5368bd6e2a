//! `iam-user-unused-credentials-check`: an IAM user has unused credentials.
//!
//! Works on a user with its credentials; makes no API calls. Displays a key as the last four characters of its id.

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
use crate::resources::user::{GET_LAST_USE, GET_LOGIN_PROFILE, GET_USER, LIST_ACCESS_KEYS, LIST_USERS, TYPE, User};

/// IAM can report a use this many hours late.
const REPORTING_DELAY: u32 = 4;

control! {
    /// ## What it checks
    /// That an IAM user has used its console password and each active access key within `maxCredentialUsageAge` days.
    /// A credential that was never used counts from its creation; `Inactive` and `Expired` keys do not count.
    /// A last use of the password before its creation was that of a former password and does not count.
    /// IAM reports a use up to four hours late, so a credential is a finding four hours after the limit.
    /// Everything is read live: the managed rule reads the credential report, which may be four hours old.
    /// A user without a password and active keys is compliant.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// When an unused credential leaks, no one notices: no work depends on it, and no one expects its events in the log.
    ///
    /// ## Compliant example
    /// ```json
    /// {"UserName": "bob", "PasswordLastUsed": "a week ago", "AccessKeyMetadata": [{"Status": "Inactive"}]}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"UserName": "bob", "PasswordLastUsed": "a year ago", "AccessKeyMetadata": []}
    /// ```
    ///
    /// ## Parameters
    /// `maxCredentialUsageAge` is the managed rule's; CIS and Security Hub IAM.22 require 45.
    ///
    /// ## Remediation
    /// L2 for access keys: each unused key is turned off with `iam:UpdateAccessKey`; keys are never deleted.
    /// L3 for the password: deleting it cannot be undone, so an operator decides; until then the keys of the user are not turned off, either.
    /// What may break: a workload that uses the key less often than the limit; its next call is denied.
    /// How to undo: the same call with `Active`; the key works again immediately.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-user-unused-credentials-check.html)
    /// * [Security Hub IAM.8 and IAM.22](https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-8)
    /// * [Finding unused credentials](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html)
    /// * [GetAccessKeyLastUsed](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html)
    pub IAM_USER_UNUSED_CREDENTIALS_CHECK: IamUserUnusedCredentialsCheck {
        id: "iam-user-unused-credentials-check",
        title: "IAM user has unused credentials",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["1.12"],
            Cis50: ["1.11"],
            Fsbp: ["IAM.8"],
            Nist80053r5: ["AC-2", "AC-2(1)", "AC-2(3)", "AC-6"],
            Pci40: ["8.2.6", "7.2.4"],
        },
    }
}

parameters! {
    /// The parameters of [`IamUserUnusedCredentialsCheck`].
    pub IamUserUnusedCredentialsCheckParameters {
        /// How long a credential may be unused, days, 1..=3650. Default 90.
        max_credential_usage_age: Bounded<1, 3650> = Bounded::of(90),
    }
}

/// A user and its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserCredentials {
    /// The user.
    pub user: User,
    /// Its console password, if it has one.
    pub password: Option<Password>,
    /// All its keys, with their last use.
    pub keys: AccessKeys,
}

/// A console password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Password {
    /// `CreateDate` of the login profile.
    pub created: Timestamp,
    /// `PasswordLastUsed` of the user; it may be the last use of a former password.
    pub last_use: LastUse,
}

impl UserCredentials {
    /// The active keys that are unused for too long, and for how long.
    fn unused_keys(
        &self,
        params: &IamUserUnusedCredentialsCheckParameters,
        now: Timestamp,
    ) -> impl Iterator<Item = (&KeyId, String)> {
        let active = self.keys.iter().filter(|(_, key)| key.is_active());
        // A key whose last use was not read may be unused.
        let last_use = |key: &AccessKey| key.last_use.unwrap_or(LastUse::Never);
        active.filter_map(move |(id, key)| Some((id, unused(key.created, last_use(key), params, now)?)))
    }

    fn unused_password(&self, params: &IamUserUnusedCredentialsCheckParameters, now: Timestamp) -> Option<String> {
        self.password.and_then(|it| unused(it.created, it.last_use, params, now))
    }
}

/// For how long a credential is unused, if that is too long.
fn unused(
    created: Timestamp,
    last_use: LastUse,
    params: &IamUserUnusedCredentialsCheckParameters,
    now: Timestamp,
) -> Option<String> {
    let since = match last_use {
        LastUse::At(then) => then.max(created),
        LastUse::Never => created,
    };
    let age = Age::of(since, now);
    age.exceeds(params.max_credential_usage_age.get(), REPORTING_DELAY).then(|| {
        if since == created {
            format!("never used (created {} d ago)", age.days())
        } else {
            format!("unused {} d", age.days())
        }
    })
}

impl ResourceState for UserCredentials {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.user.identity()
    }
}

impl Control for IamUserUnusedCredentialsCheck {
    type Params = IamUserUnusedCredentialsCheckParameters;
    type Subject = UserCredentials;

    fn evaluate(&self, subject: &UserCredentials, params: &Self::Params, now: Timestamp) -> Verdict {
        let password = subject.unused_password(params, now).map(|how| format!("password {how}"));
        let keys = subject.unused_keys(params, now).map(|(id, how)| format!("key {id} {how}"));
        let found: Vec<String> = password.into_iter().chain(keys).collect();
        if found.is_empty() {
            return Verdict::COMPLIANT;
        }
        let (name, max) = (&subject.user.name, params.max_credential_usage_age);
        Verdict::non_compliant(format!("{name}: {}; max {max}", found.join(", ")))
    }
}

impl Periodic for IamUserUnusedCredentialsCheck {
    fn list_permissions(&self) -> &'static [Permission] {
        &[LIST_USERS, GET_USER, GET_LOGIN_PROFILE, LIST_ACCESS_KEYS, GET_LAST_USE]
    }
}

impl Remediation for IamUserUnusedCredentialsCheck {
    type Action = KeyAction;
    type Undo = KeyAction;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: self.list_permissions(), fix: UPDATE, undo: UPDATE }
    }

    fn needs_name(&self) -> bool {
        true
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the name of the user and the id of each key")
    }

    fn stack_resources(&self, _live: &UserCredentials, action: &KeyAction) -> Vec<PhysicalId> {
        key_status::stack_resources(action)
    }

    fn fix(&self, live: &UserCredentials, params: &Self::Params, now: Timestamp) -> Plan<KeyAction> {
        let name = &live.user.name;
        let password = live.unused_password(params, now).map(|how| {
            let delete = "delete it (iam:DeleteLoginProfile) unless the user needs it; it cannot be restored";
            Step::manual(Level::L3, format!("owner of user {name}: the console password is {how}: {delete}"))
        });
        let off = |(id, _)| Step::call(Level::L2, set(&live.user, id, KeyStatus::Inactive));
        let steps = password.into_iter().chain(live.unused_keys(params, now).map(off)).collect();
        let is_unread = live.keys.values().any(|key| key.is_active() && key.last_use.is_none());
        Plan::unless(is_unread.then_some("the last use of a key was not read"), steps)
    }

    fn predict(&self, mut live: UserCredentials, action: &KeyAction) -> UserCredentials {
        key_status::predict(&mut live.keys, action);
        live
    }

    fn touched_fields(&self, subject: &UserCredentials, done: &[KeyAction]) -> Value {
        key_status::touched_fields(&subject.keys, done)
    }

    fn undo(&self, before: &UserCredentials, done: &[KeyAction]) -> Result<Vec<KeyAction>, Irreversible> {
        key_status::undo(&before.user, &before.keys, done)
    }
}

#[cfg(test)]
mod tests;

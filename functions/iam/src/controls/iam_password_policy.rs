//! `iam-password-policy`: the password policy of the account is weaker than required.
//!
//! Works on the nine settings of the policy, named as in the API; makes no API calls.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, Plan, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Step, Timestamp, Verdict, control, parameters,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::resources::password_policy::{PasswordPolicy, Requirements};

control! {
    /// ## What it checks
    /// That the account's custom password policy requires passwords at least as strong as the parameters.
    /// The policy is read live with `iam:GetAccountPasswordPolicy`: AWS Config records no item for it.
    /// An account without a custom policy is a finding, whatever the parameters: AWS's default policy remembers no previous passwords and never expires them.
    /// Security Hub's IAM.16 requires that exactly 24 passwords are remembered; IAM remembers at most 24, so a minimum of 24 is the same.
    /// A stricter policy is compliant; a parameter that is `false` or `none` requires nothing and forbids nothing.
    /// A blank parameter means its default, so use `none` for "not required".
    /// Unlike the managed rule, which treats every value but `true` as false, a boolean that is neither `true` nor `false` fails the rule.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// A short or reused password can be guessed or found in a leak, and the console of the account is reachable from the internet.
    ///
    /// ## Compliant example
    /// ```json
    /// {"MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true, "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true, "MaxPasswordAge": 90, "PasswordReusePrevention": 24}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"MinimumPasswordLength": 8, "RequireSymbols": true, "RequireNumbers": true, "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true}
    /// ```
    ///
    /// ## Parameters
    /// Names and defaults are those of the managed rule; `none` is an addition.
    ///
    /// ## Remediation
    /// One `iam:UpdateAccountPasswordPolicy` with all nine settings, because IAM resets omitted settings to their defaults.
    /// What changes: each setting becomes the stricter of its current and its required value; `AllowUsersToChangePassword` and `HardExpiry` stay unchanged, or are set to true and false where there was no policy.
    /// L1 while the password age stays unchanged: IAM enforces the other requirements only at the next password change.
    /// L2 where passwords start to expire or expire sooner, since IAM enforces that immediately: users with an older password must change it at the next sign-in, and with `HardExpiry` they are locked out until an administrator resets it.
    /// Blocked where users may not change their own passwords and passwords would start to expire: users could no longer sign in.
    /// Blocked where there is no policy and the parameters require fewer than three character types: AWS's default policy requires eight characters of three types, and the fix must not require less.
    /// IAM offers no conditional write, so milliseconds pass between the last read and the write.
    /// How to undo: the complete previous policy is restored, or the policy is deleted where there was none; passwords changed meanwhile stay changed.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-password-policy.html)
    /// * [Setting an account password policy](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html)
    /// * [UpdateAccountPasswordPolicy](https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html)
    pub IAM_PASSWORD_POLICY: IamPasswordPolicy {
        id: "iam-password-policy",
        title: "Account password policy is weaker than required",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Cis30: ["1.8", "1.9"],
            Cis50: ["1.7", "1.8"],
            Fsbp: ["IAM.7", "IAM.10", "IAM.15", "IAM.16"],
            Nist80053r5: ["AC-2(1)", "AC-2(3)", "IA-5(1)"],
            Pci40: ["8.3.6", "8.6.3"],
        },
    }
}

parameters! {
    /// The parameters of [`IamPasswordPolicy`], named as those of the managed rule.
    pub IamPasswordPolicyParameters {
        /// Whether a password must have an uppercase letter. Default true.
        #[serde(rename = "RequireUppercaseCharacters")]
        require_uppercase_characters: Flag = Flag(true),
        /// Whether a password must have a lowercase letter. Default true.
        #[serde(rename = "RequireLowercaseCharacters")]
        require_lowercase_characters: Flag = Flag(true),
        /// Whether a password must have a symbol. Default true.
        #[serde(rename = "RequireSymbols")]
        require_symbols: Flag = Flag(true),
        /// Whether a password must have a digit. Default true.
        #[serde(rename = "RequireNumbers")]
        require_numbers: Flag = Flag(true),
        /// The minimum length of a password, characters, 6..=128. Default 14.
        #[serde(rename = "MinimumPasswordLength")]
        minimum_password_length: Bounded<6, 128> = Bounded::of(14),
        /// The number of previous passwords that may not be reused, 1..=24, or `none`. Default 24.
        #[serde(rename = "PasswordReusePrevention")]
        password_reuse_prevention: OrNone<1, 24> = OrNone(Some(Bounded::of(24))),
        /// The maximum age of a password, days, 1..=1095, or `none`. Default 90.
        #[serde(rename = "MaxPasswordAge")]
        max_password_age: OrNone<1, 1095> = OrNone(Some(Bounded::of(90))),
    }
}

/// A whole number in `MIN..=MAX`, or `none`: nothing is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrNone<const MIN: u32, const MAX: u32>(pub Option<Bounded<MIN, MAX>>);

impl<const MIN: u32, const MAX: u32> OrNone<MIN, MAX> {
    /// The number, where one is required.
    pub fn get(self) -> Option<u32> {
        self.0.map(Bounded::get)
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for OrNone<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(input)?;
        if value.as_str().is_some_and(|text| text.trim() == "none") {
            return Ok(Self(None));
        }
        let number = Bounded::deserialize(value).map_err(|error| D::Error::custom(format!("{error}, nor `none`")))?;
        Ok(Self(Some(number)))
    }
}

impl<const MIN: u32, const MAX: u32> Serialize for OrNone<MIN, MAX> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(number) => number.serialize(output),
            None => output.serialize_str("none"),
        }
    }
}

rectify_compliance::inline_schema!([const MIN: u32, const MAX: u32] OrNone<MIN, MAX>, format!("OrNone_{MIN}_{MAX}"), {
    "type": "string", "format": format!("whole number, {MIN} to {MAX}, or `none`")
});

/// The password policy of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Passwords {
    /// The account.
    pub account: AccountId,
    /// The custom policy; `None` where AWS's default policy applies.
    pub policy: Option<PasswordPolicy>,
}

impl ResourceState for Passwords {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity::account(&self.account)
    }
}

impl Control for IamPasswordPolicy {
    type Params = IamPasswordPolicyParameters;
    type Subject = Passwords;

    fn evaluate(&self, subject: &Passwords, params: &Self::Params, _now: Timestamp) -> Verdict {
        let Some(policy) = &subject.policy else {
            return Verdict::non_compliant("Account has no custom password policy");
        };
        let violations = policy.violations(&params.requirements());
        if violations.is_empty() {
            return Verdict::COMPLIANT;
        }
        Verdict::non_compliant(format!("Password policy: {}", violations.join(", ")))
    }
}

impl Periodic for IamPasswordPolicy {
    fn list_permissions(&self) -> &'static [Permission] {
        READ
    }
}

const READ: &[Permission] = &[Permission::unscoped("iam:GetAccountPasswordPolicy")];

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PasswordAction {
    /// Sets the complete policy.
    UpdateAccountPasswordPolicy(PasswordPolicy),
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PasswordUndo {
    /// Restores the complete previous policy.
    UpdateAccountPasswordPolicy(PasswordPolicy),
    /// Deletes the custom policy.
    DeleteAccountPasswordPolicy {},
}

impl Remediation for IamPasswordPolicy {
    type Action = PasswordAction;
    type Undo = PasswordUndo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: READ,
                fix: &[Permission::unscoped("iam:UpdateAccountPasswordPolicy")],
                // IAM cannot restrict the settings: only `fix` keeps the remediation from weakening the policy.
                undo: &[
                    Permission::unscoped("iam:UpdateAccountPasswordPolicy"),
                    Permission::unscoped("iam:DeleteAccountPasswordPolicy"),
                ],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("CloudFormation has no resource type for the password policy of an account")
    }

    fn fix(&self, live: &Passwords, params: &Self::Params, _now: Timestamp) -> Plan<PasswordAction> {
        let required = params.requirements();
        let before = live.policy.as_ref();
        let after = before.map_or_else(|| PasswordPolicy::initial(&required), |policy| policy.merged(&required));
        let age = before.and_then(|policy| policy.max_password_age);
        let level = if after.max_password_age == age { Level::L1 } else { Level::L2 };
        let starts_to_expire = age.is_none() && after.max_password_age.is_some();
        let blocker = if starts_to_expire && !after.allow_users_to_change_password {
            Some("AllowUsersToChangePassword is false: users whose password expires could not set a new one")
        } else if before.is_none() && !after.is_at_least_default() {
            Some("the parameters require fewer character types than the three of AWS's default policy")
        } else {
            None
        };
        let steps = vec![Step::call(level, PasswordAction::UpdateAccountPasswordPolicy(after))];
        Plan::unless(blocker, steps)
    }

    fn predict(&self, live: Passwords, action: &PasswordAction) -> Passwords {
        let PasswordAction::UpdateAccountPasswordPolicy(policy) = action;
        Passwords { policy: Some(policy.clone()), ..live }
    }

    /// The complete policy: both the call and its undo replace it.
    fn touched_fields(&self, subject: &Passwords, done: &[PasswordAction]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "policy": subject.policy }) }
    }

    fn undo(&self, before: &Passwords, done: &[PasswordAction]) -> Result<Vec<PasswordUndo>, Irreversible> {
        // However often the policy was set, there is one previous policy.
        Ok(done
            .first()
            .map(|_| match &before.policy {
                Some(policy) => PasswordUndo::UpdateAccountPasswordPolicy(policy.clone()),
                None => PasswordUndo::DeleteAccountPasswordPolicy {},
            })
            .into_iter()
            .collect())
    }
}

impl IamPasswordPolicyParameters {
    /// The requirements, in the terms of the policy.
    fn requirements(&self) -> Requirements {
        Requirements {
            uppercase: self.require_uppercase_characters.0,
            lowercase: self.require_lowercase_characters.0,
            symbols: self.require_symbols.0,
            numbers: self.require_numbers.0,
            length: self.minimum_password_length.get(),
            reuse: self.password_reuse_prevention.get(),
            age: self.max_password_age.get(),
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;

//! `iam-password-policy`: the password policy of the account asks for less than it must.
//!
//! Knows the policy as its nine settings, each as the API has it, and no API.

use std::borrow::Cow;

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, Plan, Remediation, ResourceKey,
    ResourceState, Step, Tags, Timestamp, Verdict, control, parameters,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::resources::password_policy::{PasswordPolicy, Requirements};

control! {
    /// ## What it checks
    /// That the account's own password policy asks IAM users for passwords at least as strong as the parameters say.
    /// It is read live with `iam:GetAccountPasswordPolicy`: AWS Config records no item for it.
    /// An account without a policy of its own is a finding, whatever the parameters: what AWS applies then keeps no history of passwords and lets them live forever.
    /// A stricter policy is compliant; a parameter that is `false` or `none` asks for nothing and forbids nothing.
    /// A blank parameter means its default, so "not required" is said as `none`.
    /// Unlike the managed rule, which reads every text but `true` as false, a boolean that is neither `true` nor `false` fails the rule.
    /// IAM is global, so the control is evaluated in the home region only; elsewhere it answers NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// A short or often used password is guessed or found in a leak, and the console of the account is open to everybody.
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
    /// Named and defaulted as those of the managed rule; `none` is an addition.
    ///
    /// ## Remediation
    /// One `iam:UpdateAccountPasswordPolicy` with all nine settings, because IAM sets back to its default what is left out.
    /// What changes: each setting becomes the stricter of what it is and what is required; `AllowUsersToChangePassword` and `HardExpiry` stay as they are, or are true and false where there was no policy.
    /// L1 while passwords live as long as before: IAM asks for more only when a password is next changed.
    /// L2 where passwords begin to expire or expire sooner, since IAM enforces that at once: whoever has an older password must change it at the next sign-in, and with `HardExpiry` is shut out until an administrator resets it.
    /// Held back where users may not change their own passwords and would now have to: nobody could sign in any more.
    /// Held back where there is no policy and the parameters ask for fewer than three kinds of characters: what AWS applies without a policy asks for eight characters of three kinds, and the fix must not ask for less.
    /// The call has no revision to compare, so milliseconds lie between the last read and the write.
    /// How to undo: the previous policy is set again, whole, or the policy is deleted where there was none; passwords that were changed meanwhile stay changed.
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
        /// The least length of a password, characters, 6..=128. Default 14.
        #[serde(rename = "MinimumPasswordLength")]
        minimum_password_length: Bounded<6, 128> = Bounded::of(14),
        /// How many previous passwords may not be used again, 1..=24, or `none`. Default 24.
        #[serde(rename = "PasswordReusePrevention")]
        password_reuse_prevention: OrNone<1, 24> = OrNone(Some(Bounded::of(24))),
        /// The longest life of a password, days, 1..=1095, or `none`. Default 90.
        #[serde(rename = "MaxPasswordAge")]
        max_password_age: OrNone<1, 1095> = OrNone(Some(Bounded::of(90))),
    }
}

/// A whole number in `MIN..=MAX`, or the word `none`: nothing is required.
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

impl<const MIN: u32, const MAX: u32> JsonSchema for OrNone<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("OrNone_{MIN}_{MAX}"))
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": format!("whole number, {MIN} to {MAX}, or `none`") })
    }
}

/// The password policy of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Passwords {
    /// Whose.
    pub account: AccountId,
    /// The account's own policy; `None` where AWS's default applies.
    pub policy: Option<PasswordPolicy>,
}

impl ResourceState for Passwords {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        const { &Tags::new() }
    }
}

impl Control for IamPasswordPolicy {
    type Params = IamPasswordPolicyParameters;
    type Subject = Passwords;

    fn evaluate(&self, subject: &Passwords, params: &Self::Params, _now: Timestamp) -> Verdict {
        let Some(policy) = &subject.policy else {
            return Verdict::non_compliant("Account has no password policy of its own");
        };
        let faults = policy.faults(&params.requirements());
        if faults.is_empty() {
            return Verdict::COMPLIANT;
        }
        Verdict::non_compliant(format!("Password policy: {}", faults.join(", ")))
    }
}

impl Periodic for IamPasswordPolicy {
    fn list_permissions(&self) -> &'static [Permission] {
        READ
    }
}

const READ: &[Permission] = &[Permission::unscoped("iam:GetAccountPasswordPolicy")];

/// What the remediation may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PasswordAction {
    /// Sets the policy, whole.
    UpdateAccountPasswordPolicy(PasswordPolicy),
}

/// What undo may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PasswordUndo {
    /// Sets the previous policy again, whole.
    UpdateAccountPasswordPolicy(PasswordPolicy),
    /// Leaves the account without a policy of its own.
    DeleteAccountPasswordPolicy {},
}

impl Remediation for IamPasswordPolicy {
    type Action = PasswordAction;
    type Undo = PasswordUndo;
    fn read_permissions(&self) -> &'static [Permission] {
        READ
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("iam:UpdateAccountPasswordPolicy")] }
    }
    // IAM cannot tell a stricter policy from a weaker one: what keeps the remediation from weakening is `plan` alone.
    fn undo_permissions(&self) -> &'static [Permission] {
        const {
            &[
                Permission::unscoped("iam:UpdateAccountPasswordPolicy"),
                Permission::unscoped("iam:DeleteAccountPasswordPolicy"),
            ]
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Nobody("CloudFormation has no type for the password policy of an account")
    }

    fn fix(&self, live: &Passwords, params: &Self::Params, _now: Timestamp) -> Plan<PasswordAction> {
        let required = params.requirements();
        let before = live.policy.as_ref();
        let after = before.map_or_else(|| PasswordPolicy::first(&required), |policy| policy.merged(&required));
        let age = before.and_then(|policy| policy.max_password_age);
        let level = if after.max_password_age == age { Level::L1 } else { Level::L2 };
        let begins_to_expire = age.is_none() && after.max_password_age.is_some();
        let blocker = if begins_to_expire && !after.allow_users_to_change_password {
            Some("AllowUsersToChangePassword is false: users whose password expires could not set a new one")
        } else if before.is_none() && !after.replaces_the_default() {
            Some("the parameters ask for fewer than three kinds of characters, which AWS's default policy asks for")
        } else {
            None
        };
        let steps = vec![Step::call(level, PasswordAction::UpdateAccountPasswordPolicy(after))];
        match blocker {
            Some(reason) => Plan::blocked(reason, steps),
            None => Plan::steps_in_order(steps),
        }
    }

    fn predict(&self, live: Passwords, action: &PasswordAction) -> Passwords {
        let PasswordAction::UpdateAccountPasswordPolicy(policy) = action;
        Passwords { policy: Some(policy.clone()), ..live }
    }

    /// The whole policy: the call replaces it whole, and so does its undo.
    fn touched_fields(&self, subject: &Passwords, done: &[PasswordAction]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "policy": subject.policy }) }
    }

    fn undo(&self, before: &Passwords, done: &[PasswordAction]) -> Result<Vec<PasswordUndo>, Irreversible> {
        // However often it was set, there is one policy to go back to.
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
    /// The weakest policy that is compliant, in the policy's own words.
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

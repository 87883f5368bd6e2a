//! The password policy of an account: its settings, what they lack, and how they are made stricter.
//!
//! Knows no control and no SDK.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};

/// What AWS requires of passwords in an account without a policy of its own: eight characters, of three of four kinds.
/// IAM User Guide, "Setting an account password policy", default policy.
const DEFAULT_LENGTH: u32 = 8;
const DEFAULT_KINDS: usize = 3;

/// A policy, as `UpdateAccountPasswordPolicy` takes it. A limit that is off is left out: the API does not take 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PasswordPolicy {
    /// `MinimumPasswordLength`, characters.
    pub minimum_password_length: u32,
    /// `RequireSymbols`.
    pub require_symbols: bool,
    /// `RequireNumbers`.
    pub require_numbers: bool,
    /// `RequireUppercaseCharacters`.
    pub require_uppercase_characters: bool,
    /// `RequireLowercaseCharacters`.
    pub require_lowercase_characters: bool,
    /// `AllowUsersToChangePassword`: whether users may change their own.
    pub allow_users_to_change_password: bool,
    /// `MaxPasswordAge`, days; `None` where passwords do not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_password_age: Option<u32>,
    /// `PasswordReusePrevention`, passwords; `None` where none is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_reuse_prevention: Option<u32>,
    /// `HardExpiry`: whether an expired password shuts its user out until an administrator resets it.
    pub hard_expiry: bool,
}

/// A policy as the API answers it, before anything is known to be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answer {
    /// `MinimumPasswordLength`.
    pub minimum_password_length: Option<i32>,
    /// `RequireSymbols`; as the other booleans false where it is missing, which is what IAM means by it.
    pub require_symbols: bool,
    /// `RequireNumbers`.
    pub require_numbers: bool,
    /// `RequireUppercaseCharacters`.
    pub require_uppercase_characters: bool,
    /// `RequireLowercaseCharacters`.
    pub require_lowercase_characters: bool,
    /// `AllowUsersToChangePassword`.
    pub allow_users_to_change_password: bool,
    /// `ExpirePasswords`.
    pub expire_passwords: bool,
    /// `MaxPasswordAge`.
    pub max_password_age: Option<i32>,
    /// `PasswordReusePrevention`.
    pub password_reuse_prevention: Option<i32>,
    /// `HardExpiry`.
    pub hard_expiry: Option<bool>,
}

/// The weakest policy that is strong enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// Whether an uppercase letter is required.
    pub uppercase: bool,
    /// Whether a lowercase letter is required.
    pub lowercase: bool,
    /// Whether a symbol is required.
    pub symbols: bool,
    /// Whether a digit is required.
    pub numbers: bool,
    /// The least length, characters.
    pub length: u32,
    /// The least number of passwords remembered, where any must be.
    pub reuse: Option<u32>,
    /// The longest life, days, where passwords must expire.
    pub age: Option<u32>,
}

impl Answer {
    /// The policy.
    ///
    /// # Errors
    /// [`ShapeError`] without a length, and for a number below zero.
    pub fn read(self) -> Result<PasswordPolicy, ShapeError> {
        let length = count("MinimumPasswordLength", self.minimum_password_length)?
            .ok_or_else(|| ShapeError::missing("PasswordPolicy.MinimumPasswordLength", "a number of characters"))?;
        let age = count("MaxPasswordAge", self.max_password_age)?;
        Ok(PasswordPolicy {
            minimum_password_length: length,
            require_symbols: self.require_symbols,
            require_numbers: self.require_numbers,
            require_uppercase_characters: self.require_uppercase_characters,
            require_lowercase_characters: self.require_lowercase_characters,
            allow_users_to_change_password: self.allow_users_to_change_password,
            max_password_age: age.filter(|_| self.expire_passwords),
            password_reuse_prevention: count("PasswordReusePrevention", self.password_reuse_prevention)?,
            hard_expiry: self.hard_expiry.unwrap_or(false),
        })
    }
}

/// A number as the API has it, where 0 and absent both say "off".
fn count(field: &str, number: Option<i32>) -> Result<Option<u32>, ShapeError> {
    let Some(number) = number else { return Ok(None) };
    u32::try_from(number)
        .map(|it| Some(it).filter(|it| *it > 0))
        .map_err(|_| ShapeError::new(format!("PasswordPolicy.{field}"), "a whole number from 0", number))
}

impl PasswordPolicy {
    /// What it lacks, each with what it has and what is required; in the order of the settings.
    pub fn faults(&self, required: &Requirements) -> Vec<String> {
        let mut faults = Vec::new();
        if self.minimum_password_length < required.length {
            faults.push(format!("length {} (<{})", self.minimum_password_length, required.length));
        }
        let kinds = self.kinds().into_iter().zip(required.kinds());
        faults.extend(
            kinds.filter(|((_, has), required)| *required && !has).map(|((name, _), _)| format!("no {name} required")),
        );
        let reuse = self.password_reuse_prevention.unwrap_or(0);
        if let Some(required) = required.reuse.filter(|required| reuse < *required) {
            faults.push(format!("reuse {reuse} (<{required})"));
        }
        match (self.max_password_age, required.age) {
            (None, Some(longest)) => faults.push(format!("no expiry (<={longest} d)")),
            (Some(age), Some(longest)) if age > longest => faults.push(format!("expiry {age} d (>{longest} d)")),
            _ => {}
        }
        faults
    }

    /// Each setting as strict as it is and as it must be.
    #[must_use]
    pub fn merged(&self, required: &Requirements) -> Self {
        Self {
            minimum_password_length: self.minimum_password_length.max(required.length),
            require_symbols: self.require_symbols || required.symbols,
            require_numbers: self.require_numbers || required.numbers,
            require_uppercase_characters: self.require_uppercase_characters || required.uppercase,
            require_lowercase_characters: self.require_lowercase_characters || required.lowercase,
            allow_users_to_change_password: self.allow_users_to_change_password,
            max_password_age: [self.max_password_age, required.age].into_iter().flatten().min(),
            password_reuse_prevention: self.password_reuse_prevention.max(required.reuse),
            hard_expiry: self.hard_expiry,
        }
    }

    /// The policy of an account that had none: as required, not shorter than AWS's default, and users can change their own.
    #[must_use]
    pub fn first(required: &Requirements) -> Self {
        let nothing = Self {
            minimum_password_length: DEFAULT_LENGTH,
            require_symbols: false,
            require_numbers: false,
            require_uppercase_characters: false,
            require_lowercase_characters: false,
            allow_users_to_change_password: true,
            max_password_age: None,
            password_reuse_prevention: None,
            hard_expiry: false,
        };
        nothing.merged(required)
    }

    /// Whether it asks for all that AWS's default asks for.
    pub fn replaces_the_default(&self) -> bool {
        let kinds = self.kinds().into_iter().filter(|(_, required)| *required).count();
        self.minimum_password_length >= DEFAULT_LENGTH && kinds >= DEFAULT_KINDS
    }

    /// The kinds of characters, and whether each is required; in the order of [`Requirements::kinds`].
    fn kinds(&self) -> [(&'static str, bool); 4] {
        [
            ("uppercase letter", self.require_uppercase_characters),
            ("lowercase letter", self.require_lowercase_characters),
            ("symbol", self.require_symbols),
            ("digit", self.require_numbers),
        ]
    }
}

impl Requirements {
    const fn kinds(&self) -> [bool; 4] {
        [self.uppercase, self.lowercase, self.symbols, self.numbers]
    }
}

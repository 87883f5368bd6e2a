//! The password policy of an account: its settings, their violations, and how to make them stricter.
//!
//! Depends on no control and no SDK.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};

/// AWS's default policy for an account without a custom one: eight characters, of three of the four character types.
/// IAM User Guide, "Setting an account password policy", default policy.
const DEFAULT_LENGTH: u32 = 8;
const DEFAULT_TYPES: usize = 3;

/// A policy as the input of `UpdateAccountPasswordPolicy`. A limit that is off is left out: the API rejects 0.
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
    /// `AllowUsersToChangePassword`: whether users may change their own passwords.
    pub allow_users_to_change_password: bool,
    /// `MaxPasswordAge`, days; `None` where passwords do not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_password_age: Option<u32>,
    /// `PasswordReusePrevention`, number of previous passwords; `None` where reuse is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_reuse_prevention: Option<u32>,
    /// `HardExpiry`: whether a user with an expired password is locked out until an administrator resets it.
    pub hard_expiry: bool,
}

/// The policy in a `GetAccountPasswordPolicy` response; every number may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answer {
    /// `MinimumPasswordLength`.
    pub minimum_password_length: Option<i32>,
    /// `RequireSymbols`; false where missing, as IAM defines it. The same holds for the other booleans.
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

/// The minimum requirements for a policy.
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
    /// The minimum length, characters.
    pub length: u32,
    /// The minimum number of previous passwords to remember, where required.
    pub reuse: Option<u32>,
    /// The maximum password age, days, where passwords must expire.
    pub age: Option<u32>,
}

impl Answer {
    /// Parses the policy.
    ///
    /// # Errors
    /// [`ShapeError`] without a length, and for a negative number.
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

/// A number of the API, where both 0 and absent mean "off".
fn count(field: &str, number: Option<i32>) -> Result<Option<u32>, ShapeError> {
    let Some(number) = number else { return Ok(None) };
    u32::try_from(number)
        .map(|it| Some(it).filter(|it| *it > 0))
        .map_err(|_| ShapeError::new(format!("PasswordPolicy.{field}"), "a whole number from 0", number))
}

impl PasswordPolicy {
    /// The violated requirements, each with the actual and the required value, in the order of the settings.
    pub fn violations(&self, required: &Requirements) -> Vec<String> {
        let mut violations = Vec::new();
        if self.minimum_password_length < required.length {
            violations.push(format!("length {} (<{})", self.minimum_password_length, required.length));
        }
        let types = self.character_types().into_iter().zip(required.character_types());
        violations.extend(
            types.filter(|((_, has), required)| *required && !has).map(|((name, _), _)| format!("no {name} required")),
        );
        let reuse = self.password_reuse_prevention.unwrap_or(0);
        if let Some(required) = required.reuse.filter(|required| reuse < *required) {
            violations.push(format!("reuse {reuse} (<{required})"));
        }
        match (self.max_password_age, required.age) {
            (None, Some(max)) => violations.push(format!("no expiry (<={max} d)")),
            (Some(age), Some(max)) if age > max => violations.push(format!("expiry {age} d (>{max} d)")),
            _ => {}
        }
        violations
    }

    /// Each setting at the stricter of its current and its required value.
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

    /// The policy for an account that had none: as required, with at least AWS's default length, and users may change
    /// their own passwords.
    #[must_use]
    pub fn initial(required: &Requirements) -> Self {
        let base = Self {
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
        base.merged(required)
    }

    /// Whether it requires the length and the number of character types that AWS's default policy requires.
    pub fn is_at_least_default(&self) -> bool {
        let types = self.character_types().into_iter().filter(|(_, required)| *required).count();
        self.minimum_password_length >= DEFAULT_LENGTH && types >= DEFAULT_TYPES
    }

    /// The character types, and whether each is required, in the order of [`Requirements::character_types`].
    fn character_types(&self) -> [(&'static str, bool); 4] {
        [
            ("uppercase letter", self.require_uppercase_characters),
            ("lowercase letter", self.require_lowercase_characters),
            ("symbol", self.require_symbols),
            ("digit", self.require_numbers),
        ]
    }
}

impl Requirements {
    const fn character_types(&self) -> [bool; 4] {
        [self.uppercase, self.lowercase, self.symbols, self.numbers]
    }
}

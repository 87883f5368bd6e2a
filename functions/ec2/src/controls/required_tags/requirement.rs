//! Which tags a resource must have, and how its tags violate that.
//!
//! Keys, values, and their comparison. Knows no resource type and no control.

use std::collections::BTreeMap;

use rectify_compliance::{Tags, offenders};
use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// The maximum key length in EC2 and most services, in characters.
const MAX_KEY_LENGTH: usize = 128;
/// The prefix that AWS reserves for its own keys, in any case; users cannot write it.
const AWS_PREFIX: &str = "aws:";
/// The prefix of keys that control Rectify: a remediation that wrote one could exempt a resource.
const RECTIFY_PREFIX: &str = "rectify:";
/// The maximum length of a value or of allowed values in an annotation, in characters.
const MAX_SHOWN: usize = 60;

/// A tag key that users can write and a remediation may write: 1 to 128 characters, without the prefixes `aws:` and
/// `rectify:`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagKey(String);

/// A regular expression that the whole value of a tag must match.
#[derive(Debug, Clone)]
pub struct Pattern(Regex, String);

/// The allowed values of a required tag; any value if neither field is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    /// One of these, compared in full and case-sensitive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// The whole value must match this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

/// Required tags by key, as in the parameter `required`.
pub type RequiredTags = BTreeMap<TagKey, Allowed>;

/// Values to write by key, as in the parameter `defaults`.
pub type DefaultValues = BTreeMap<TagKey, String>;

/// Required tags and how they are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirements {
    required: RequiredTags,
    ignore_case: bool,
    allow_empty: bool,
}

/// How the tags of a resource violate the requirement for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagViolation {
    /// The key is missing; there may be one that differs only in case.
    Missing {
        /// The required key.
        key: TagKey,
        /// The existing key that differs only in case.
        lookalike: Option<String>,
    },
    /// The value is empty.
    Empty {
        /// The required key.
        key: TagKey,
    },
    /// The value is not allowed.
    Wrong {
        /// The required key.
        key: TagKey,
        /// The value it has.
        value: String,
        /// The allowed values as text.
        allowed: String,
    },
}

impl TagKey {
    /// A key known at compile time.
    pub fn literal(key: &'static str) -> Self {
        Self(key.to_owned())
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, other: &str, ignore_case: bool) -> bool {
        self.0 == other || (ignore_case && self.0.to_lowercase() == other.to_lowercase())
    }
}

impl TryFrom<String> for TagKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let key = text.trim();
        if key.is_empty() || key.chars().count() > MAX_KEY_LENGTH {
            return Err(format!("expected a tag key of 1 to {MAX_KEY_LENGTH} characters: received `{}`", shown(key)));
        }
        let begins_with = |prefix: &str| key.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
        if begins_with(AWS_PREFIX) {
            return Err(format!("expected a tag key without the reserved prefix `aws:`: received `{}`", shown(key)));
        }
        if begins_with(RECTIFY_PREFIX) {
            let key = shown(key);
            return Err(format!("expected a tag key without Rectify's own prefix `rectify:`: received `{key}`"));
        }
        Ok(Self(key.to_owned()))
    }
}

impl From<TagKey> for String {
    fn from(key: TagKey) -> Self {
        key.0
    }
}

rectify_compliance::inline_schema!([] TagKey, "TagKey", { "type": "string", "format": "tag key" });

impl Pattern {
    /// Whether it matches the whole of `value`.
    pub fn matches(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.1 == other.1
    }
}

impl Eq for Pattern {}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.1)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        // Compiled twice: alone, so that `a)(b` is rejected, then anchored to the whole value.
        let whole = Regex::new(&text).and_then(|_| Regex::new(&format!(r"\A(?:{text})\z")));
        let regex = whole.map_err(|error| {
            serde::de::Error::custom(format!("expected a regular expression: received `{}`: {error}", shown(&text)))
        })?;
        Ok(Self(regex, text))
    }
}

impl Allowed {
    /// One of these values.
    pub fn values(values: Vec<String>) -> Self {
        Self { values: Some(values).filter(|values| !values.is_empty()), pattern: None }
    }

    fn is_any(&self) -> bool {
        *self == Self::default()
    }

    fn allows(&self, value: &str) -> bool {
        self.values.as_ref().is_none_or(|values| values.iter().any(|it| it == value))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(value))
    }

    fn to_text(&self) -> String {
        let values = self.values.as_ref().map(|values| values.join(","));
        let pattern = self.pattern.as_ref().map(|pattern| format!("pattern {}", pattern.1));
        shown(&values.into_iter().chain(pattern).collect::<Vec<_>>().join(" and "))
    }
}

impl Requirements {
    /// Requires each of these keys once: of two requirements for a key, the one that restricts its values wins.
    ///
    /// # Errors
    /// Two different restrictions for one key.
    pub fn merged(
        given: impl IntoIterator<Item = (TagKey, Allowed)>,
        ignore_case: bool,
        allow_empty: bool,
    ) -> Result<Self, String> {
        let mut required = RequiredTags::new();
        for (key, allowed) in given {
            let known = required.iter_mut().find(|(other, _)| other.is(key.as_str(), ignore_case));
            match known {
                None => {
                    required.insert(key, allowed);
                }
                Some((_, known)) if known.is_any() => *known = allowed,
                Some((_, known)) if allowed.is_any() || *known == allowed => {}
                Some(_) => return Err(format!("the tag `{}` is required twice, with different values", key.as_str())),
            }
        }
        Ok(Self { required, ignore_case, allow_empty })
    }

    /// The violations in these tags, by key.
    pub fn violations(&self, tags: &Tags) -> Vec<TagViolation> {
        self.required.iter().filter_map(|(key, allowed)| self.violation(key, allowed, tags)).collect()
    }

    fn violation(&self, key: &TagKey, allowed: &Allowed, tags: &Tags) -> Option<TagViolation> {
        let values: Vec<&String> =
            tags.iter().filter(|(other, _)| key.is(other, self.ignore_case)).map(|(_, value)| value).collect();
        let Some(first) = values.first() else {
            let lookalike = tags.keys().find(|other| key.is(other, true)).cloned();
            return Some(TagViolation::Missing { key: key.clone(), lookalike });
        };
        if values.iter().any(|value| self.is_allowed(allowed, value)) {
            return None;
        }
        if first.is_empty() && !self.allow_empty {
            return Some(TagViolation::Empty { key: key.clone() });
        }
        Some(TagViolation::Wrong { key: key.clone(), value: (*first).clone(), allowed: allowed.to_text() })
    }

    fn is_allowed(&self, allowed: &Allowed, value: &str) -> bool {
        (self.allow_empty || !value.is_empty()) && allowed.allows(value)
    }

    /// Rejects default values that would not satisfy their requirement.
    ///
    /// # Errors
    /// A key that is not required, or a value that is not allowed.
    pub fn check_defaults(&self, defaults: &DefaultValues) -> Result<(), String> {
        for (key, value) in defaults {
            let found = self.required.iter().find(|(other, _)| other.is(key.as_str(), self.ignore_case));
            let Some((_, allowed)) = found else {
                return Err(format!("defaults: the tag `{}` is not required", key.as_str()));
            };
            if !self.is_allowed(allowed, value) {
                let (key, value) = (key.as_str(), shown(value));
                return Err(format!("defaults: `{value}` is not an allowed value of the tag `{key}`"));
            }
        }
        Ok(())
    }
}

/// The default value for a key; `ignore_case` as in the requirements.
pub fn default_for<'a>(defaults: &'a DefaultValues, key: &TagKey, ignore_case: bool) -> Option<&'a str> {
    defaults.iter().find(|(other, _)| other.is(key.as_str(), ignore_case)).map(|(_, value)| value.as_str())
}

/// Violations as an annotation: `Tags missing: Owner; empty: Env; wrong value: …`.
pub fn annotation(violations: &[TagViolation]) -> String {
    let named = |pick: fn(&TagViolation) -> Option<String>| offenders(violations.iter().filter_map(pick));
    let missing = named(|violation| match violation {
        TagViolation::Missing { key, .. } => Some(key.0.clone()),
        TagViolation::Empty { .. } | TagViolation::Wrong { .. } => None,
    });
    let empty = named(|violation| match violation {
        TagViolation::Empty { key } => Some(key.0.clone()),
        TagViolation::Missing { .. } | TagViolation::Wrong { .. } => None,
    });
    let wrong = named(|violation| match violation {
        TagViolation::Wrong { key, value, allowed } => {
            Some(format!("{}=\"{}\" (allowed {allowed})", key.0, shown(value)))
        }
        TagViolation::Missing { .. } | TagViolation::Empty { .. } => None,
    });
    let parts = [("missing", missing), ("empty", empty), ("wrong value", wrong)];
    let texts: Vec<String> =
        parts.into_iter().filter(|(_, keys)| !keys.is_empty()).map(|(kind, keys)| format!("{kind}: {keys}")).collect();
    format!("Tags {}", texts.join("; "))
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

#[cfg(test)]
mod tests;

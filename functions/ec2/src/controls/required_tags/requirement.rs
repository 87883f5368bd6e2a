//! Which tags a resource must have, and what is wrong with those it has.
//!
//! Knows no resource type and no control: keys, values, and how both are compared.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rectify_compliance::{Tags, offenders};
use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest key EC2 and most services take, in characters.
const LONGEST_KEY: usize = 128;
/// What the keys of AWS itself begin with, in any letter case; nobody else can write them.
const OF_AWS: &str = "aws:";
/// What the keys of people's decisions about Rectify begin with: a remediation that wrote one could exempt a resource.
const OF_RECTIFY: &str = "rectify:";
/// How much of a value or of allowed values an annotation repeats, in characters.
const SHOWN: usize = 60;

/// A tag key that a person can write and a remediation may: 1 to 128 characters, neither one of AWS itself nor `rectify:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagKey(String);

/// A regular expression that the whole value of a tag must match.
#[derive(Debug, Clone)]
pub struct Pattern(Regex, String);

/// What the value of a required tag must be; nothing of it given is any value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    /// One of these, compared whole and with regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// Matched whole by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

/// Required tags by key, as the parameter `required` has them.
pub type RequiredTags = BTreeMap<TagKey, Allowed>;

/// Values to be written by key, as the parameter `defaults` has them.
pub type DefaultValues = BTreeMap<TagKey, String>;

/// Required tags with the way they are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirements {
    required: RequiredTags,
    ignore_case: bool,
    allow_empty: bool,
}

/// What is wrong with the tags of a resource, about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagFault {
    /// There is no such key; there may be one that differs in letter case alone.
    Missing {
        /// The required key.
        key: TagKey,
        /// The key that looks like it.
        lookalike: Option<String>,
    },
    /// The key is there, without a value.
    Empty {
        /// The required key.
        key: TagKey,
    },
    /// The value is none of the allowed ones.
    Wrong {
        /// The required key.
        key: TagKey,
        /// The value it has.
        value: String,
        /// What is allowed, in words.
        allowed: String,
    },
}

impl TagKey {
    /// A key known when it was compiled.
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
        if key.is_empty() || key.chars().count() > LONGEST_KEY {
            return Err(format!("expected a tag key of 1 to {LONGEST_KEY} characters: received `{}`", shown(key)));
        }
        let begins_with = |prefix: &str| key.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
        if begins_with(OF_AWS) {
            return Err(format!("expected a tag key that people can write: received `{}`", shown(key)));
        }
        if begins_with(OF_RECTIFY) {
            let key = shown(key);
            return Err(format!("expected a tag key that does not decide about Rectify itself: received `{key}`"));
        }
        Ok(Self(key.to_owned()))
    }
}

impl From<TagKey> for String {
    fn from(key: TagKey) -> Self {
        key.0
    }
}

impl JsonSchema for TagKey {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("TagKey")
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "tag key" })
    }
}

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
        // Twice: alone, so that `a)(b` is refused, then as the whole of a value.
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

    fn words(&self) -> String {
        let values = self.values.as_ref().map(|values| values.join(","));
        let pattern = self.pattern.as_ref().map(|pattern| format!("pattern {}", pattern.1));
        shown(&values.into_iter().chain(pattern).collect::<Vec<_>>().join(" and "))
    }
}

impl Requirements {
    /// These tags, each required once: a key that is given twice keeps the one of its two that says more.
    ///
    /// # Errors
    /// Two different ideas of the values of one key.
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

    /// What is wrong with these tags, by key.
    pub fn faults(&self, tags: &Tags) -> Vec<TagFault> {
        self.required.iter().filter_map(|(key, allowed)| self.fault(key, allowed, tags)).collect()
    }

    fn fault(&self, key: &TagKey, allowed: &Allowed, tags: &Tags) -> Option<TagFault> {
        let values: Vec<&String> =
            tags.iter().filter(|(other, _)| key.is(other, self.ignore_case)).map(|(_, value)| value).collect();
        let Some(first) = values.first() else {
            let lookalike = tags.keys().find(|other| key.is(other, true)).cloned();
            return Some(TagFault::Missing { key: key.clone(), lookalike });
        };
        if values.iter().any(|value| self.is_right(allowed, value)) {
            return None;
        }
        if first.is_empty() && !self.allow_empty {
            return Some(TagFault::Empty { key: key.clone() });
        }
        Some(TagFault::Wrong { key: key.clone(), value: (*first).clone(), allowed: allowed.words() })
    }

    fn is_right(&self, allowed: &Allowed, value: &str) -> bool {
        (self.allow_empty || !value.is_empty()) && allowed.allows(value)
    }

    /// Refuses values that would not mend what they are written for.
    ///
    /// # Errors
    /// The key that nobody requires, or whose value is not one of those allowed.
    pub fn check_defaults(&self, defaults: &DefaultValues) -> Result<(), String> {
        for (key, value) in defaults {
            let found = self.required.iter().find(|(other, _)| other.is(key.as_str(), self.ignore_case));
            let Some((_, allowed)) = found else {
                return Err(format!("defaults: the tag `{}` is not required", key.as_str()));
            };
            if !self.is_right(allowed, value) {
                let (key, value) = (key.as_str(), shown(value));
                return Err(format!("defaults: `{value}` is no value that the tag `{key}` may have"));
            }
        }
        Ok(())
    }
}

/// The default value for a key, however it is written where letter case does not matter.
pub fn default_for<'a>(defaults: &'a DefaultValues, key: &TagKey, ignore_case: bool) -> Option<&'a str> {
    defaults.iter().find(|(other, _)| other.is(key.as_str(), ignore_case)).map(|(_, value)| value.as_str())
}

/// Faults as a finding: `Tags missing: Owner; empty: Env; wrong value: …`.
pub fn words(faults: &[TagFault]) -> String {
    let named = |pick: fn(&TagFault) -> Option<String>| offenders(faults.iter().filter_map(pick));
    let missing = named(|fault| match fault {
        TagFault::Missing { key, .. } => Some(key.0.clone()),
        TagFault::Empty { .. } | TagFault::Wrong { .. } => None,
    });
    let empty = named(|fault| match fault {
        TagFault::Empty { key } => Some(key.0.clone()),
        TagFault::Missing { .. } | TagFault::Wrong { .. } => None,
    });
    let wrong = named(|fault| match fault {
        TagFault::Wrong { key, value, allowed } => Some(format!("{}=\"{}\" (allowed {allowed})", key.0, shown(value))),
        TagFault::Missing { .. } | TagFault::Empty { .. } => None,
    });
    let parts = [("missing", missing), ("empty", empty), ("wrong value", wrong)];
    let told: Vec<String> =
        parts.into_iter().filter(|(_, keys)| !keys.is_empty()).map(|(what, keys)| format!("{what}: {keys}")).collect();
    format!("Tags {}", told.join("; "))
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests;

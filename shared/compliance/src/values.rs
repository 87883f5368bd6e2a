//! Values of rule parameters. AWS Config sends strings; operators also write numbers and booleans. Each is parsed once,
//! here.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use wildmatch::WildMatch;

/// `true` or `false`, as JSON boolean or as case-insensitive string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flag(pub bool);

/// A whole number in `MIN..=MAX`, as JSON number or string of decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

/// A comma-separated list of patterns with the wildcards `*` and `?`. Each matches whole strings and is case-sensitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globs(Vec<String>);

/// A comma-separated list of strings. The order is kept, duplicates are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringList(Vec<String>);

/// A `key=value` pair, e.g. a tag. The value may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValue {
    /// The part before the first `=`.
    pub key: String,
    /// The part after it.
    pub value: String,
}

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// A value known at compile time, clamped to the range. Received values are never clamped: they are parsed by
    /// `FromStr`.
    pub const fn of(value: u32) -> Self {
        Self(if value < MIN {
            MIN
        } else if value > MAX {
            MAX
        } else {
            value
        })
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Globs {
    /// One pattern, which may contain commas.
    pub fn single(pattern: impl Into<String>) -> Self {
        Self(vec![pattern.into()])
    }

    /// Whether one of the patterns matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| WildMatch::new(pattern).matches(text))
    }

    /// The patterns as written.
    pub fn patterns(&self) -> &[String] {
        &self.0
    }
}

impl StringList {
    /// The strings.
    pub fn list(&self) -> &[String] {
        &self.0
    }
}

/// Marks the schema of a comma-separated list. An empty list counts as absent.
pub const LIST: &str = "x-comma-list";

/// Whether this is the schema of a comma-separated list, required or optional.
pub fn is_list(schema: &Value) -> bool {
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    schema.get(LIST) == Some(&Value::Bool(true)) || alternatives.is_some_and(|all| all.iter().any(is_list))
}

/// The trimmed, non-empty members of a comma-separated list.
pub fn members(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|member| !member.is_empty())
}

impl FromStr for Flag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            it if it.eq_ignore_ascii_case("true") => Ok(Self(true)),
            it if it.eq_ignore_ascii_case("false") => Ok(Self(false)),
            other => Err(format!("expected true or false: received `{other}`")),
        }
    }
}

impl<const MIN: u32, const MAX: u32> FromStr for Bounded<MIN, MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|value| (MIN..=MAX).contains(value))
            .map(Self)
            .ok_or_else(|| format!("expected a whole number in {MIN}..={MAX}: received `{text}`"))
    }
}

impl FromStr for Globs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let patterns: Vec<String> = members(text).map(str::to_owned).collect();
        if patterns.is_empty() {
            return Err(format!("expected at least one pattern: received `{text}`"));
        }
        Ok(Self(patterns))
    }
}

impl FromStr for StringList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut strings: Vec<String> = Vec::new();
        for member in members(text) {
            if !strings.iter().any(|it| it == member) {
                strings.push(member.to_owned());
            }
        }
        Ok(Self(strings))
    }
}

impl FromStr for KeyValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err(format!("expected key=value: received `{text}`")),
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Bounded<MIN, MAX> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl fmt::Display for Globs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join(","))
    }
}

impl fmt::Display for StringList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join(","))
    }
}

impl fmt::Display for KeyValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.key, self.value)
    }
}

/// A scalar of `ruleParameters` as the string that AWS Config would send.
struct ScalarText;

impl Visitor<'_> for ScalarText {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string, number or boolean")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_bool<E>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }
}

fn from_scalar<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    input.deserialize_any(ScalarText)?.parse().map_err(D::Error::custom)
}

/// Implements `JsonSchema` for the type of a parameter: its name, and a schema that is shown in place.
#[macro_export]
macro_rules! inline_schema {
    ([$($generics:tt)*] $type:ty, $name:expr, $schema:tt) => {
        impl<$($generics)*> ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Owned($name.to_string())
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!($schema)
            }
        }
    };
}

/// Implements the conversions of a parameter value: deserialized from any scalar, serialized as a string, with a
/// schema.
macro_rules! parameter_value {
    ([$($generics:tt)*] $type:ty, $name:expr, $schema:tt) => {
        impl<'de, $($generics)*> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                from_scalar(input)
            }
        }

        impl<$($generics)*> Serialize for $type {
            fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                output.collect_str(self)
            }
        }

        inline_schema!([$($generics)*] $type, $name, $schema);
    };
}

parameter_value!([] Flag, "Flag", { "type": "boolean" });
parameter_value!([const MIN: u32, const MAX: u32] Bounded<MIN, MAX>, format!("Bounded_{MIN}_{MAX}"), { "type": "integer", "minimum": MIN, "maximum": MAX });
parameter_value!([] Globs, "Globs", { "type": "string", "format": "globs", LIST: true });
parameter_value!([] StringList, "StringList", { "type": "string", "format": "comma list", LIST: true });
parameter_value!([] KeyValue, "KeyValue", { "type": "string", "format": "key=value" });

// Below the macro, because they use it.
mod moment;
mod ports;

pub use moment::Moment;
pub use ports::{PortList, PortOrNone, PortSet};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_pattern_keeps_its_commas() {
        let pattern = Globs::single("user/a,b*");
        assert!(pattern.matches("user/a,bc") && !pattern.matches("user/a"));
    }

    #[test]
    fn a_string_list_is_trimmed_deduplicated_and_may_be_empty() {
        let strings: StringList = "a, b ,,a".parse().unwrap();
        assert_eq!((strings.list(), strings.to_string().as_str()), (&["a".to_owned(), "b".to_owned()][..], "a,b"));
        assert_eq!(" , ".parse::<StringList>().unwrap().list(), [""; 0]);
    }

    #[test]
    fn key_and_value_are_split_at_the_first_equals_sign() {
        assert_eq!("a=b=c".parse::<KeyValue>().unwrap().to_string(), "a=b=c");
        assert!("=b".parse::<KeyValue>().is_err() && "ab".parse::<KeyValue>().is_err());
    }

    #[test]
    fn a_nested_value_is_rejected() {
        let error = serde_json::from_str::<Flag>("[true]").unwrap_err();
        assert!(error.to_string().contains("expected a string, number or boolean"), "{error}");
    }
}

//! A JSON rule parameter: given inline, or stored in Systems Manager, where it may be longer than AWS Config allows.
//!
//! AWS Config limits all parameters of a rule together to 1,024 characters. A long one is given by reference:
//! `ssm:/rectify/…` names the Systems Manager parameter that has its text. The Lambda crate reads it once per run and
//! passes it to the control with the subject.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::ShapeError;

/// Prefix of a reference.
const SCHEME: &str = "ssm:";

/// Prefix of the names of stored parameters. Roles may read only these: an account may store other parameters there.
pub const PREFIX: &str = "/rectify/";

/// A JSON value, or a reference to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonParameter<T> {
    /// The value.
    Given(T),
    /// The name of the Systems Manager parameter that has its text.
    Stored(String),
}

impl<T> JsonParameter<T> {
    /// The value: the given one or, for a stored one, `read`.
    pub fn value<'a>(&'a self, read: Option<&'a T>) -> Option<&'a T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Stored(_) => read,
        }
    }

    /// The value, if it is given inline.
    pub fn given(&self) -> Option<&T> {
        self.value(None)
    }

    /// The name of the Systems Manager parameter, if the value is stored.
    pub fn stored(&self) -> Option<&str> {
        match self {
            Self::Given(_) => None,
            Self::Stored(name) => Some(name),
        }
    }
}

/// Parses the text of the parameter `name`.
///
/// # Errors
/// [`ShapeError`] if it is not JSON of this form. The error does not repeat the text, which is not meant for logs.
pub fn read_stored<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ShapeError> {
    serde_json::from_str(text).map_err(|error| {
        ShapeError::new(
            format!("{SCHEME}{name}"),
            "JSON of the parameter's form",
            format!("{} characters, {error}", text.chars().count()),
        )
    })
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for JsonParameter<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(input)? {
            Value::String(text) => text,
            value => return serde_json::from_value(value).map(Self::Given).map_err(D::Error::custom),
        };
        let Some(name) = text.trim().strip_prefix(SCHEME) else {
            return serde_json::from_str(&text)
                .map(Self::Given)
                .map_err(|error| D::Error::custom(format!("expected JSON or `{SCHEME}{PREFIX}…`: {error}")));
        };
        let known = |it: char| it.is_ascii_alphanumeric() || "_.-/".contains(it);
        if name.len() > PREFIX.len() && name.starts_with(PREFIX) && name.chars().all(known) {
            Ok(Self::Stored(name.to_owned()))
        } else {
            Err(D::Error::custom(format!("expected a parameter name below `{PREFIX}`: received `{name}`")))
        }
    }
}

impl<T: Serialize> Serialize for JsonParameter<T> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Given(value) => {
                let text = serde_json::to_string(value).map_err(serde::ser::Error::custom)?;
                output.serialize_str(&text)
            }
            Self::Stored(name) => output.collect_str(&format_args!("{SCHEME}{name}")),
        }
    }
}

crate::inline_schema!([T] JsonParameter<T>, "JsonParameter", {
    "type": "string", "format": "JSON text, or `ssm:/rectify/…`"
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    type Map = JsonParameter<BTreeMap<String, u32>>;

    fn read(value: Value) -> Result<Map, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_may_be_text_or_json_or_a_reference() {
        let given = JsonParameter::Given(BTreeMap::from([("a".to_owned(), 1)]));
        assert_eq!(read(json!("{\"a\": 1}")), Ok(given.clone()));
        assert_eq!(read(json!({"a": 1})), Ok(given.clone()));
        let stored = read(json!(" ssm:/rectify/tags ")).unwrap();
        assert_eq!(stored, JsonParameter::Stored("/rectify/tags".to_owned()));
        for parameter in [given, stored] {
            assert_eq!(read(serde_json::to_value(&parameter).unwrap()), Ok(parameter));
        }
    }

    #[test]
    fn other_values_are_rejected() {
        for (value, expected) in [
            (json!("{\"a\": \"b\"}"), "expected JSON or `ssm:/rectify/…`: invalid type"),
            (json!("a=1"), "expected JSON or `ssm:/rectify/…`: expected value"),
            (json!(["a"]), "invalid type"),
            (json!("ssm:tags"), "expected a parameter name below `/rectify/`: received `tags`"),
            (json!("ssm:/rectify/"), "expected a parameter name below `/rectify/`: received `/rectify/`"),
            (json!("ssm:/other/tags"), "expected a parameter name below `/rectify/`"),
            (json!("ssm:/rectify/a b"), "expected a parameter name below `/rectify/`"),
        ] {
            let error = read(value).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn the_read_value_is_used_only_for_a_stored_parameter() {
        let (one, two) = (BTreeMap::from([("a".to_owned(), 1)]), BTreeMap::from([("a".to_owned(), 2)]));
        assert_eq!(JsonParameter::Given(one.clone()).value(Some(&two)), Some(&one));
        let stored = Map::Stored("/rectify/a".to_owned());
        assert_eq!((stored.value(Some(&two)), stored.given(), stored.stored()), (Some(&two), None, Some("/rectify/a")));
        let error = read_stored::<u32>("/rectify/a", "secret words").unwrap_err().to_string();
        assert!(error.starts_with("ssm:/rectify/a: expected JSON") && !error.contains("secret"), "{error}");
    }
}

//! Rule parameters: parses the strings that AWS Config sends into a control's parameters, or returns an error with the
//! key.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::{self, Globs};
use crate::{ParameterError, Region, ResourceKey};

/// Keys that every rule accepts beside its control's. The last three keep rules from rdklib deployable.
pub const RESERVED: [&str; 5] =
    ["homeRegion", "excludeResources", "ExecutionRoleName", "ExecutionRoleRegion", "AssumeRoleMode"];

/// The reserved key that is a list.
const EXCLUDE: &str = "excludeResources";

/// Minimum Jaro-Winkler similarity of an unknown key to a known one that is suggested.
const NEAR: f64 = 0.75;

/// The parameters of one control.
///
/// Declared with `#[serde(deny_unknown_fields, rename_all = "camelCase", default)]`; every field documents its unit,
/// range and default, which the docs page and the template repeat.
pub trait Parameters:
    DeserializeOwned + Serialize + JsonSchema + Default + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static
{
    /// Rejects combinations that no resource can satisfy.
    ///
    /// # Errors
    /// A sentence that names the keys and their values.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A control without parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoParameters {}

impl Parameters for NoParameters {}

/// The parameters that every rule has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommonParameters {
    /// `homeRegion`: where global controls are evaluated.
    pub home_region: Option<Region>,
    /// `excludeResources`: ids, names or patterns of resources that are NOT_APPLICABLE.
    pub exclude: Option<Globs>,
}

impl CommonParameters {
    /// Whether `excludeResources` matches the resource's id or name.
    pub(crate) fn excludes(&self, resource: &ResourceKey, name: Option<&str>) -> bool {
        let Some(globs) = &self.exclude else { return false };
        globs.matches(&resource.id) || name.is_some_and(|name| globs.matches(name))
    }
}

/// `ruleParameters`, parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleParameters<P> {
    /// The control's parameters.
    pub control: P,
    /// The parameters that every rule has.
    pub shell: CommonParameters,
}

impl<P: Parameters> RuleParameters<P> {
    /// Parses `ruleParameters`. If the text is absent, empty or `{}`, every parameter has its default. So does a
    /// parameter that is null, blank or an empty list.
    ///
    /// # Errors
    /// [`ParameterError`] if the text is not a JSON object, a key is unknown, or a value has the wrong type or is out
    /// of range. Values are never clamped or guessed.
    pub fn parse(text: Option<&str>) -> Result<Self, ParameterError> {
        let received = object(text)?;
        if received.is_empty() {
            // The usual case, and the only one that needs no schema: deriving it costs more than most evaluations.
            let control = P::default();
            control.check().map_err(ParameterError::Contradiction)?;
            return Ok(Self { control, shell: CommonParameters::default() });
        }
        let properties = properties::<P>();
        let is_list = |key: &str| key == EXCLUDE || properties.get(key).is_some_and(values::is_list);
        let mut given = Map::new();
        let mut common = Map::new();
        for (key, value) in received {
            if is_absent(&value, is_list(&key)) {
                continue;
            }
            let target = if RESERVED.contains(&key.as_str()) { &mut common } else { &mut given };
            target.insert(key, value);
        }
        let known: Vec<String> = properties.keys().cloned().collect();
        if let Some(key) = given.keys().find(|key| !known.contains(key)) {
            let nearest = nearest(key, known.iter().map(String::as_str).chain(RESERVED)).map(str::to_owned);
            return Err(ParameterError::Unknown { key: key.clone(), nearest });
        }
        let control: P = deserialize(given.clone()).map_err(|error| {
            let path = error.path().to_string();
            let key = if path == "." { invalid::<P>(&given).unwrap_or(path) } else { path };
            ParameterError::Invalid { key, reason: error.into_inner().to_string() }
        })?;
        control.check().map_err(ParameterError::Contradiction)?;
        Ok(Self { control, shell: CommonParameters::read(&common)? })
    }
}

impl CommonParameters {
    /// Parses only these parameters from `ruleParameters` and ignores the control's.
    ///
    /// # Errors
    /// [`ParameterError`], as for [`RuleParameters::parse`].
    pub fn parse(text: &str) -> Result<Self, ParameterError> {
        let mut values = object(Some(text))?;
        values.retain(|key, value| RESERVED.contains(&key.as_str()) && !is_absent(value, key == EXCLUDE));
        Self::read(&values)
    }

    fn read(values: &Map<String, Value>) -> Result<Self, ParameterError> {
        let text = |key: &str| match values.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(other) => Err(ParameterError::Invalid {
                key: key.to_owned(),
                reason: format!("expected a string: received `{other}`"),
            }),
        };
        let exclude = match text(EXCLUDE)? {
            None => None,
            Some(list) => {
                Some(list.parse().map_err(|reason| ParameterError::Invalid { key: EXCLUDE.to_owned(), reason })?)
            }
        };
        Ok(Self { home_region: text("homeRegion")?.map(Region::new), exclude })
    }
}

/// The JSON Schema of `P`, for docs and template.
pub fn schema<P: JsonSchema>() -> Value {
    crate::canonical::sorted(schemars::schema_for!(P).to_value())
}

fn deserialize<P: Parameters>(given: Map<String, Value>) -> Result<P, serde_path_to_error::Error<serde_json::Error>> {
    serde_path_to_error::deserialize(Value::Object(given))
}

/// The key of the first invalid parameter. Serde does not report it for a shared parameter, but each parameter has a
/// default, so that each can be parsed alone.
fn invalid<P: Parameters>(given: &Map<String, Value>) -> Option<String> {
    let is_invalid = |(key, value): &(&String, &Value)| {
        deserialize::<P>(Map::from_iter([((*key).clone(), (*value).clone())])).is_err()
    };
    given.iter().find(is_invalid).map(|(key, _)| key.clone())
}

fn object(text: Option<&str>) -> Result<Map<String, Value>, ParameterError> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text).map_err(|error| ParameterError::NotJson(error.to_string()))? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        other => Err(ParameterError::NotAnObject(crate::error::shorten(&other.to_string()))),
    }
}

fn is_absent(value: &Value, is_list: bool) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) if is_list => values::members(text).next().is_none(),
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// The schema of each parameter, by its key.
fn properties<P: JsonSchema>() -> Map<String, Value> {
    match schema::<P>().get_mut("properties").map(Value::take) {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

/// The known name that is most like `name`, if one is close: what a misspelled key was meant to be.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub)] // `parameters!` declares public structs.

    use super::*;
    use crate::values::{Bounded, Flag, PortSet};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "camelCase", default)]
    struct Sample {
        max_age: Bounded<1, 365>,
        require_symbols: Flag,
        ports: PortSet,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self { max_age: Bounded::of(90), require_symbols: Flag(false), ports: PortSet::single(22) }
        }
    }

    impl Parameters for Sample {
        fn check(&self) -> Result<(), String> {
            if self.require_symbols.0 && self.max_age.get() == 365 {
                Err("requireSymbols excludes maxAge `365`".into())
            } else {
                Ok(())
            }
        }
    }

    fn parse(text: &str) -> Result<Sample, String> {
        RuleParameters::<Sample>::parse(Some(text)).map(|it| it.control).map_err(|error| error.to_string())
    }

    #[test]
    fn absent_empty_null_and_blank_values_have_the_default() {
        assert_eq!(RuleParameters::<Sample>::parse(None).unwrap(), RuleParameters::default());
        for text in ["", " ", "{}", "null", r#"{"maxAge":null}"#, r#"{"maxAge":"","ports":"  "}"#] {
            assert_eq!(parse(text).unwrap(), Sample::default(), "{text}");
        }
    }

    #[test]
    fn an_empty_list_counts_as_absent() {
        for text in [r#"{"ports":" ,"}"#, r#"{"ports":", ,,"}"#, r#"{"excludeResources":" , "}"#] {
            assert_eq!(RuleParameters::<Sample>::parse(Some(text)).unwrap(), RuleParameters::default(), "{text}");
        }
        assert!(parse(r#"{"maxAge":" ,"}"#).is_err() && parse(r#"{"requireSymbols":","}"#).is_err());
    }

    #[test]
    fn values_may_be_strings_or_json() {
        let expected = Sample { max_age: Bounded::of(30), require_symbols: Flag(true), ports: PortSet::single(2222) };
        for text in [
            r#"{"maxAge":"30","requireSymbols":"TRUE","ports":" 2222, "}"#,
            r#"{"maxAge":30,"requireSymbols":true,"ports":2222}"#,
            r#"{"maxAge":" 30 ","requireSymbols":"True","ports":"2222"}"#,
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn an_invalid_parameter_is_reported_with_key_and_value() {
        for (text, expected) in [
            (r#"{"maxAge":"0"}"#, "ruleParameters.maxAge: expected a whole number in 1..=365: received `0`"),
            (r#"{"maxAge":"-5"}"#, "ruleParameters.maxAge: expected a whole number in 1..=365: received `-5`"),
            (r#"{"maxAge":1.5}"#, "ruleParameters.maxAge: expected a whole number in 1..=365: received `1.5`"),
            (r#"{"requireSymbols":"yes"}"#, "ruleParameters.requireSymbols: expected true or false: received `yes`"),
            (r#"{"requireSymbols":1}"#, "ruleParameters.requireSymbols: expected true or false: received `1`"),
            (r#"{"maxAgee":1}"#, "ruleParameters.maxAgee: unknown parameter: did you mean `maxAge`"),
            (r#"{"MaxAge":1}"#, "ruleParameters.MaxAge: unknown parameter: did you mean `maxAge`"),
            (r#"{"zzz":1}"#, "ruleParameters.zzz: unknown parameter"),
            ("[1]", "ruleParameters: expected an object: received `[1]`"),
            (r#"{"requireSymbols":true,"maxAge":365}"#, "ruleParameters: requireSymbols excludes maxAge `365`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
        assert!(parse("{nope").unwrap_err().starts_with("ruleParameters: not JSON: "));
    }

    crate::parameters! {
        /// Parameters of several controls.
        pub Shared {
            /// Ports. Default 22.
            ports: PortSet = PortSet::single(22),
            /// Days, 1..=365. Default 90.
            max_age: Bounded<1, 365> = Bounded::of(90),
        }
    }

    crate::parameters! {
        /// One control's own parameter, and the shared ones.
        pub Own {
            /// Whether symbols are required. Default false.
            require_symbols: Flag = Flag(false),
            ..shared: Shared,
        }
    }

    #[test]
    fn shared_parameters_are_parsed_reported_and_described_like_own_ones() {
        let parse = |text: &str| RuleParameters::<Own>::parse(Some(text)).map(|it| it.control);
        let given = parse(r#"{"maxAge":" 30 ","requireSymbols":"TRUE"}"#).unwrap();
        assert_eq!((given.require_symbols.0, given.shared.max_age.get()), (true, 30));
        assert_eq!(given.shared.ports, Shared::default().ports);
        for (text, expected) in [
            (r#"{"maxAge":"0"}"#, "ruleParameters.maxAge: expected a whole number in 1..=365: received `0`"),
            (
                r#"{"maxAge":"9","ports":"x","requireSymbols":true}"#,
                "ruleParameters.ports: expected a whole number in 0..=65535: received `x`",
            ),
            (r#"{"requireSymbols":"yes"}"#, "ruleParameters.requireSymbols: expected true or false: received `yes`"),
            (r#"{"maxAgee":1}"#, "ruleParameters.maxAgee: unknown parameter: did you mean `maxAge`"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
        let mut own = schema::<Own>();
        assert_eq!(own["properties"].as_object().unwrap().len(), 3);
        let flag = own["properties"].as_object_mut().unwrap().remove("requireSymbols");
        assert!(flag.is_some());
        (own["title"], own["description"]) = ("Shared".into(), schema::<Shared>()["description"].clone());
        assert_eq!(own, schema::<Shared>(), "the schema is that of its own fields");
    }

    #[test]
    fn reserved_keys_are_not_parameters_of_the_control() {
        let text = r#"{"homeRegion":"eu-west-1","excludeResources":"sg-1, bastion-*","ExecutionRoleName":"r","AssumeRoleMode":"false","maxAge":"7"}"#;
        let parsed = RuleParameters::<Sample>::parse(Some(text)).unwrap();
        assert_eq!(parsed.shell.home_region, Some(Region::new("eu-west-1")));
        let exclude = parsed.shell.exclude.clone().unwrap();
        assert!(exclude.matches("sg-1") && exclude.matches("bastion-a") && !exclude.matches("sg-10"));
        assert_eq!(parsed.control.max_age.get(), 7);
    }
}

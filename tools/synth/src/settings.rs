//! `rectify.yaml`: each control's mode and parameters, and the values of the stack.
//!
//! ```yaml
//! prefix: rectify-
//! maxFixesPerHour: 10
//! profile: cis-5.0
//! mode: plan
//! controls:
//!   required-tags: "off"
//!   restricted-ssh:
//!     mode: enforce
//!     allowL2: true
//!     parameters: { ports: [22, 2222] }
//! ```

use std::collections::BTreeMap;

use rectify_catalogue::profiles::{PROFILES, Profile, profile};
use rectify_compliance::canonical::sorted;
use rectify_compliance::{Entry, Frequency, Mode, nearest};
use serde_yaml_ng::{Mapping, Value};

use crate::declaration::{Declaration, declarations, scalar};

/// The maximum length of a rule's parameters, characters: AWS Config's limit.
const MAX_PARAMETERS: usize = 1_024;
/// The keys of `rectify.yaml` that are not values of the stack.
const MODE: &str = "mode";
const PROFILE: &str = "profile";
const CONTROLS: &str = "controls";
/// The profile with every control.
const ALL: &str = "all";
/// The keys of one control.
const ALLOW_L2: &str = "allowL2";
const PARAMETERS: &str = "parameters";
const EVERY: &str = "every";
/// The frequencies of a schedule that AWS Config knows.
const FREQUENCIES: [(&str, Frequency); 5] = [
    ("1h", Frequency::OneHour),
    ("3h", Frequency::ThreeHours),
    ("6h", Frequency::SixHours),
    ("12h", Frequency::TwelveHours),
    ("24h", Frequency::TwentyFourHours),
];

/// Why `rectify.yaml` is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rectify.yaml: {}{why}", if .path.is_empty() { String::new() } else { format!("{}: ", .path) })]
pub struct SettingsError {
    /// The path of the value, e.g. `controls.restricted-ssh.mode`; empty for the file as a whole.
    pub path: String,
    /// The expected and the received value, and the nearest name.
    pub why: String,
}

/// A control as it is deployed.
#[derive(Clone)]
pub struct Selected {
    /// The control.
    pub control: &'static Entry,
    /// Its mode; never above `observe` without a remediation.
    pub mode: Mode,
    /// Whether steps of level L2 may be applied.
    pub allow_l2: bool,
    /// The rule's parameters: a JSON object with string values.
    pub parameters: String,
    /// How often the rule evaluates on a schedule; `None` for a rule without one.
    pub every: Option<Frequency>,
}

/// What is deployed.
#[derive(Clone)]
pub struct Settings {
    /// The values of the stack that differ from their defaults, by their name in the template.
    values: BTreeMap<&'static str, String>,
    /// Every control, in the order of the catalogue.
    controls: Vec<Selected>,
}

impl Settings {
    /// Reads `rectify.yaml`; an empty text is the default: every control in mode `plan`, without a remediation in
    /// `observe`.
    ///
    /// # Errors
    /// [`SettingsError`] with the path and the received value.
    pub fn read(text: &str, controls: &[&'static Entry]) -> Result<Self, SettingsError> {
        Self::read_with(text, &[], controls)
    }

    /// The same with values that override the file's, by their path: `controls.restricted-ssh.mode`, `enforce`.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn read_with(
        text: &str,
        overrides: &[(String, String)],
        controls: &[&'static Entry],
    ) -> Result<Self, SettingsError> {
        let whole = |why: String| SettingsError { path: String::new(), why };
        let mut file: Value = serde_yaml_ng::from_str(text).map_err(|error| whole(error.to_string()))?;
        for (path, value) in overrides {
            set(&mut file, path, value)?;
        }
        let file = match file {
            Value::Null => Mapping::new(),
            Value::Mapping(file) => file,
            other => return Err(whole(format!("expected a mapping: received {}", shown(&other)))),
        };
        let mut settings = Self { values: BTreeMap::new(), controls: Vec::new() };
        let (mut default, mut chosen) = (Mode::Plan, None);
        let mut own = BTreeMap::new();
        for (key, value) in &file {
            match text_of(key, "")? {
                MODE => default = mode(value, MODE)?,
                PROFILE => chosen = profile_of(value)?,
                CONTROLS => own = of_controls(value, controls)?,
                key => settings.set_value(key, value)?,
            }
        }
        for control in controls {
            let id = control.meta.id;
            let is_in = chosen.is_none_or(|it: &Profile| it.controls().any(|it| it.meta.id == id));
            let mode = if is_in { default } else { Mode::Off };
            settings.controls.push(select(control, own.get(id), mode, chosen)?);
        }
        settings.check_together()?;
        Ok(settings)
    }

    fn set_value(&mut self, key: &str, value: &Value) -> Result<(), SettingsError> {
        let refuse = |why| SettingsError { path: key.to_owned(), why };
        let Some(declaration) = declarations().get(key) else {
            let known = declarations().keys().map(String::as_str).chain([MODE, PROFILE, CONTROLS]);
            return Err(refuse(format!("unknown setting{}", suggestion(key, known))));
        };
        // JSON may be written as YAML.
        let text = match value {
            Value::Mapping(_) => serde_json::to_string(value).map_err(|error| refuse(error.to_string()))?,
            Value::Sequence(all) => all.iter().filter_map(scalar).collect::<Vec<_>>().join(","),
            other => scalar(other).ok_or_else(|| refuse(format!("expected a value: received {}", shown(other))))?,
        };
        declaration.check(&text).map_err(refuse)?;
        self.values.insert(declaration.name.as_str(), text);
        Ok(())
    }

    /// Every control with its mode, in the order of the catalogue.
    #[must_use]
    pub fn controls(&self) -> &[Selected] {
        &self.controls
    }

    /// The controls that are deployed: their mode is not `off`.
    pub fn deployed(&self) -> impl Iterator<Item = &Selected> {
        self.controls.iter().filter(|it| it.mode != Mode::Off)
    }

    /// The deployed controls with a remediation: their mode is `plan` or `enforce`.
    pub fn remediated(&self) -> impl Iterator<Item = &Selected> {
        self.controls.iter().filter(|it| it.mode >= Mode::Plan)
    }

    /// The value of a declaration, its default unless the file sets it.
    #[must_use]
    pub fn value(&self, declaration: &Declaration) -> String {
        self.values.get(declaration.name.as_str()).cloned().unwrap_or_else(|| declaration.default())
    }
}

/// The keys of one control, checked for their names.
type Own<'a> = BTreeMap<&'a str, &'a Value>;

fn of_controls<'a>(value: &'a Value, controls: &[&Entry]) -> Result<BTreeMap<&'a str, Own<'a>>, SettingsError> {
    let Value::Mapping(all) = value else {
        return Err(refused(CONTROLS, format!("expected controls by their ids: received {}", shown(value))));
    };
    let mut own = BTreeMap::new();
    for (id, value) in all {
        let id = text_of(id, CONTROLS)?;
        let path = format!("{CONTROLS}.{id}");
        if !controls.iter().any(|it| it.meta.id == id) {
            let near = suggestion(id, controls.iter().map(|it| it.meta.id));
            return Err(refused(&path, format!("unknown control{near}")));
        }
        let keys = match value {
            Value::Mapping(keys) => {
                let mut found = Own::new();
                for (key, value) in keys {
                    let key = text_of(key, &path)?;
                    let known = [MODE, ALLOW_L2, PARAMETERS, EVERY];
                    if !known.contains(&key) {
                        return Err(refused(&format!("{path}.{key}"), format!("unknown{}", suggestion(key, known))));
                    }
                    found.insert(key, value);
                }
                found
            }
            // `restricted-ssh: enforce` sets the mode alone.
            short => Own::from([(MODE, short)]),
        };
        own.insert(id, keys);
    }
    Ok(own)
}

/// The profile of this name; `all` is no profile.
fn profile_of(value: &Value) -> Result<Option<&'static Profile>, SettingsError> {
    let name = scalar(value).unwrap_or_default();
    if name == ALL {
        return Ok(None);
    }
    profile(&name).map(Some).map_err(|_| {
        let known = PROFILES.iter().map(|it| it.name).chain([ALL]);
        let names = known.clone().collect::<Vec<_>>().join(", ");
        refused(PROFILE, format!("expected one of {names}: received {}{}", shown(value), suggestion(&name, known)))
    })
}

fn select(
    control: &'static Entry,
    own: Option<&Own<'_>>,
    default: Mode,
    profile: Option<&Profile>,
) -> Result<Selected, SettingsError> {
    let nothing = Own::new();
    let own = own.unwrap_or(&nothing);
    let path = |key: &str| format!("{CONTROLS}.{}.{key}", control.meta.id);
    let highest = highest(control);
    let mode = match own.get(MODE) {
        Some(value) => match mode(value, &path(MODE))? {
            above if above > highest => {
                let why = format!("expected off or observe, since it has no remediation: received `{}`", above.name());
                return Err(refused(&path(MODE), why));
            }
            mode => mode,
        },
        None => default.min(highest),
    };
    let allow_l2 = match own.get(ALLOW_L2) {
        None => false,
        Some(Value::Bool(true)) if !control.needs_opt_in() => {
            let why = "expected false, since it has no step of level L2 that can be applied: received `true`";
            return Err(refused(&path(ALLOW_L2), why));
        }
        Some(Value::Bool(allowed)) => *allowed,
        Some(other) => {
            return Err(refused(&path(ALLOW_L2), format!("expected true or false: received {}", shown(other))));
        }
    };
    // A control's own parameters take precedence over the profile's.
    let preset = profile.map(|it| it.rule_parameters(control.meta.id)).unwrap_or_default();
    let preset = serde_json::from_str(&preset).unwrap_or_default();
    let parameters = parameters(control, own.get(PARAMETERS).copied(), preset, &path(PARAMETERS))?;
    let every = match (own.get(EVERY), control.meta.frequency()) {
        (None, frequency) => frequency,
        (Some(_), None) => {
            return Err(refused(&path(EVERY), "not allowed: the rule evaluates changes only, and has no schedule"));
        }
        (Some(value), Some(_)) => Some(frequency(value, &path(EVERY))?),
    };
    Ok(Selected { control, mode, allow_l2, parameters, every })
}

/// The highest mode of a control.
pub(crate) fn highest(control: &Entry) -> Mode {
    if control.remediation.is_some() { Mode::Enforce } else { Mode::Observe }
}

/// The parameters as JSON with string values, as AWS Config has them, over those of the profile; a list becomes a
/// comma-separated string.
fn parameters(
    control: &Entry,
    own: Option<&Value>,
    mut all: serde_json::Map<String, serde_json::Value>,
    path: &str,
) -> Result<String, SettingsError> {
    let given = match own {
        None => &Mapping::new(),
        Some(Value::Mapping(given)) => given,
        Some(other) => {
            return Err(refused(path, format!("expected parameters by their names: received {}", shown(other))));
        }
    };
    for (name, value) in given {
        let name = text_of(name, path)?;
        let text = match value {
            Value::Sequence(members) => members.iter().map(scalar).collect::<Option<Vec<_>>>().map(|it| it.join(",")),
            other => scalar(other),
        };
        let received = || format!("expected a value or a list of values: received {}", shown(value));
        let text = text.ok_or_else(|| refused(&format!("{path}.{name}"), received()))?;
        all.insert(name.to_owned(), text.into());
    }
    let text = sorted(serde_json::Value::Object(all)).to_string();
    control.check_parameters(&text).map_err(|error| {
        let why = error.to_string();
        refused(path, why.strip_prefix("ruleParameters.").unwrap_or(&why))
    })?;
    match text.chars().count() {
        length if length > MAX_PARAMETERS => {
            Err(refused(path, format!("expected at most {MAX_PARAMETERS} characters as JSON: received {length}")))
        }
        _ => Ok(text),
    }
}

fn mode(value: &Value, path: &str) -> Result<Mode, SettingsError> {
    // A YAML 1.1 editor may write `off` as false.
    let text = match value {
        Value::Bool(false) => Some("off".to_owned()),
        other => scalar(other),
    };
    let text = text.ok_or_else(|| refused(path, format!("expected a mode: received {}", shown(value))))?;
    text.parse().map_err(|why: String| {
        refused(path, format!("{why}{}", suggestion(&text, Mode::ALL.iter().map(|mode| mode.name()))))
    })
}

fn frequency(value: &Value, path: &str) -> Result<Frequency, SettingsError> {
    let text = scalar(value).unwrap_or_default();
    let found = FREQUENCIES.iter().find(|(name, _)| *name == text).map(|(_, frequency)| *frequency);
    let names = || FREQUENCIES.map(|(name, _)| name).join(", ");
    found.ok_or_else(|| refused(path, format!("expected one of {}: received {}", names(), shown(value))))
}

/// Sets the value at a dotted path, which need not exist.
fn set(file: &mut Value, path: &str, value: &str) -> Result<(), SettingsError> {
    let value: Value = serde_yaml_ng::from_str(value).map_err(|error| refused(path, error.to_string()))?;
    let mut at = file;
    for step in path.split('.') {
        if !at.is_mapping() {
            *at = match std::mem::take(at) {
                Value::Null => Value::Mapping(Mapping::new()),
                // `restricted-ssh: enforce` with another key set.
                short => Value::Mapping(Mapping::from_iter([(Value::from(MODE), short)])),
            };
        }
        let Value::Mapping(members) = at else { return Ok(()) };
        at = members.entry(Value::from(step)).or_insert(Value::Null);
    }
    *at = value;
    Ok(())
}

fn refused(path: &str, why: impl Into<String>) -> SettingsError {
    SettingsError { path: path.to_owned(), why: why.into() }
}

fn text_of<'a>(key: &'a Value, path: &str) -> Result<&'a str, SettingsError> {
    key.as_str().ok_or_else(|| refused(path, format!("expected a name: received {}", shown(key))))
}

fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map(|it| format!(": did you mean `{it}`")).unwrap_or_default()
}

/// A value as it is written.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        other => format!("`{}`", serde_yaml_ng::to_string(other).unwrap_or_default().trim_end().replace('\n', "; ")),
    }
}

#[path = "settings_together.rs"]
mod together;

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;

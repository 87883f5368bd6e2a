//! Law: every parameter of every control, set by itself, changes some verdict or some plan.
//!
//! A parameter without effect misleads the operator who sets it. Each parameter is tried on the stored subjects of the
//! repository, then on variants that differ in one place, until the compliance type or the calls of the plan change.
//! Texts of annotations and plans do not count. For a parameter with enumerated values, each value must have an effect.
//!
//! | module | noun |
//! |---|---|
//! | `subjects` | the stored subjects of a control |
//! | `changes` | variants that differ in one place |
//! | `values` | the values of a parameter |
//! | `trial` | a control with its subjects, and whether a setting has an effect |
//! | `table` | values and changes that the files lack; exceptions, each checked and with its reason |

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

// Each module is marked `cfg(test)`: the laws over sources recognize test-only files by it.
#[cfg(test)]
mod changes;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod table;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod values;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change;
use rectify_compliance::values::{Globs, members};
use rectify_compliance::{Control, Declared, FromItem, Timestamp, Verdict};
use rectify_kms::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_kms::controls::cmk_backing_key_rotation_enabled::{CmkBackingKeyRotationEnabled, KeyRotationParameters};
use rectify_kms::resources::key::{Key, RecordedKey};
use serde_json::{Map, Value};

use crate::controls;
use table::{CHANGES, COMBINED, NO_EFFECT, VALUES};
use trial::{Effect, Trial};
use values::Setting;

#[test]
fn every_parameter_changes_a_verdict_or_a_plan() {
    let violations: Vec<String> = controls().flat_map(violations).collect();
    assert!(violations.is_empty(), "{} parameters:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn every_table_row_applies_to_a_setting_or_a_subject() {
    let combined = COMBINED.iter().map(|row| (row.control, row.parameters));
    let others = VALUES.iter().chain(NO_EFFECT).map(|row| (row.0, row.1));
    for (control, parameters) in combined.chain(others) {
        let all: Vec<Setting> = named(control).flat_map(|it| settings(it, &[])).collect();
        for parameter in parameters {
            assert!(all.iter().any(|setting| setting.is_named(&[parameter])), "{control}: no parameter `{parameter}`");
        }
    }
    for (control, places) in CHANGES {
        let mut stored = named(control).flat_map(|it| subjects::stored(it).0);
        assert!(stored.any(|subject| subject.with(places).is_some()), "{control}: no subject has {places:?}");
    }
}

/// A control that ignores its parameters is detected.
#[test]
fn ignored_parameter_is_reported() {
    const ID: &str = "cmk-backing-key-rotation-enabled";
    struct IgnoresParameters;

    impl Control for IgnoresParameters {
        type Params = KeyRotationParameters;
        type Subject = Key;

        fn evaluate(&self, key: &Key, _params: &KeyRotationParameters, now: Timestamp) -> Verdict {
            CmkBackingKeyRotationEnabled.evaluate(key, &KeyRotationParameters::default(), now)
        }
    }

    impl FromItem for IgnoresParameters {
        type Resource = RecordedKey;
        type Facts = Option<Key>;

        fn subject(&self, recorded: RecordedKey, live: Option<Key>) -> Key {
            CmkBackingKeyRotationEnabled.subject(recorded, live)
        }
    }

    static IGNORES_PARAMETERS: Declared<IgnoresParameters> =
        Declared { meta: CMK_BACKING_KEY_ROTATION_ENABLED.meta, logic: IgnoresParameters };
    let violations = violations(&on_change(&IGNORES_PARAMETERS).reported());
    assert!(
        violations.iter().any(|it| it.starts_with(&format!("{ID}: includeDisabled=true: changes nothing"))),
        "{violations:?}"
    );
    assert!(
        violations.iter().any(|it| it.starts_with(&format!("{ID}: maxRotationPeriodInDays: changes nothing"))),
        "{violations:?}"
    );
}

/// The controls of a row.
fn named(ids: &str) -> impl Iterator<Item = &'static Entry> {
    controls().filter(move |control| applies_to(ids, control))
}

/// The violations of the law by the parameters of a control, one line each.
fn violations(control: &Entry) -> Vec<String> {
    let (stored, given) = subjects::stored(control);
    let changes = CHANGES.iter().filter(|row| applies_to(row.0, control)).map(|row| row.1);
    let trial = Trial::of(control, stored, changes);
    let settings = settings(control, &given).into_iter();
    settings.filter_map(|it| Some(format!("{}: {it}: {}", control.meta.id, violation(&trial, &it)?))).collect()
}

/// The settings to try for each parameter of a control.
fn settings(control: &Entry, given: &[Value]) -> Vec<Setting> {
    let schema = control.parameters();
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let of_parameter = |name: &str| {
        let rows = VALUES.iter().filter(|row| applies_to(row.0, control) && row.1.contains(&name));
        values::of(&schema, name, given, rows.map(|row| serde_json::from_str(row.2).unwrap()))
    };
    names.flat_map(of_parameter).collect()
}

/// The violation by one setting of a parameter.
fn violation(trial: &Trial<'_>, setting: &Setting) -> Option<String> {
    let exempt = NO_EFFECT.iter().find(|row| applies_to(row.0, trial.control) && setting.is_named(row.1));
    let combined =
        COMBINED.iter().find(|row| applies_to(row.control, trial.control) && setting.is_named(row.parameters));
    let others = combined.map_or_else(Map::new, |row| serde_json::from_str(row.others).unwrap());
    let alone = trial.run(&Map::new(), setting);
    if let (Effect::Change(change), Some(row)) = (&alone, combined) {
        return Some(format!("changes {change} even without {}: `{}`", row.others, row.reason));
    }
    let effect = if combined.is_some() { trial.run(&others, setting) } else { alone };
    match (effect, exempt) {
        (Effect::None { tried: 0 }, _) => Some("no value is accepted: add one to the table".to_owned()),
        (Effect::Change(change), Some((_, _, reason))) => {
            Some(format!("changes {change}, although the table lists it as without effect: `{reason}`"))
        }
        (Effect::Change(_), None) if !trial.accepts(&others) => {
            Some("the parameters it is combined with are rejected".to_owned())
        }
        (Effect::None { tried }, None) => Some(format!("changes nothing on {tried} subjects")),
        (Effect::Change(_), None) | (Effect::None { .. }, Some(_)) => None,
    }
}

/// Whether one of these ids is that of the control; `*` matches any text.
fn applies_to(ids: &str, control: &Entry) -> bool {
    members(ids).any(|id| Globs::single(id).matches(control.meta.id))
}

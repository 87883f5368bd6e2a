//! Law: each parameter of each control, set alone, changes some verdict or some plan.
//!
//! A parameter that changes nothing misleads the operator who sets it. Each is tried on the subjects that the repository stores, then
//! on subjects that differ from those in one place, until the compliance type or the calls of the plan differ. The words of an
//! annotation or a plan do not count. Of a parameter that takes one of a few words, each word must change something.
//!
//! | module | noun |
//! |---|---|
//! | `subjects` | what a control is tried on |
//! | `changes` | subjects that differ in one place |
//! | `values` | what a parameter is set to |
//! | `trial` | a control with its subjects, and whether a setting changes what it says |
//! | `table` | values and changes that the files lack; exceptions, each checked and with its reason |

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

// Each is marked: that is how the laws over sources know files that only tests compile.
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
use rectify_compliance::values::Globs;
use rectify_compliance::{Control, Declared, FromItem, Timestamp, Verdict};
use rectify_kms::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_kms::controls::cmk_backing_key_rotation_enabled::{CmkBackingKeyRotationEnabled, KeyRotationParameters};
use rectify_kms::resources::key::{Key, RecordedKey};
use serde_json::{Map, Value};

use crate::controls;
use table::{BESIDE, CHANGES, UNSEEN, VALUES};
use trial::{Found, Trial};
use values::Setting;

#[test]
fn every_parameter_changes_a_verdict_or_a_plan() {
    let faults: Vec<String> = controls().flat_map(faults).collect();
    assert!(faults.is_empty(), "{} parameters:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_row_of_the_table_is_about_a_setting_or_a_subject() {
    let beside = BESIDE.iter().map(|row| (row.control, row.parameters));
    let others = VALUES.iter().chain(UNSEEN).map(|row| (row.0, row.1));
    for (control, parameters) in beside.chain(others) {
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

/// A control that ignores its parameters is found.
#[test]
fn an_ignored_parameter_is_named() {
    const ID: &str = "cmk-backing-key-rotation-enabled";
    struct Deaf;

    impl Control for Deaf {
        type Params = KeyRotationParameters;
        type Subject = Key;

        fn evaluate(&self, key: &Key, _params: &KeyRotationParameters, now: Timestamp) -> Verdict {
            CmkBackingKeyRotationEnabled.evaluate(key, &KeyRotationParameters::default(), now)
        }
    }

    impl FromItem for Deaf {
        type Resource = RecordedKey;
        type Facts = Option<Key>;

        fn subject(&self, recorded: RecordedKey, live: Option<Key>) -> Key {
            CmkBackingKeyRotationEnabled.subject(recorded, live)
        }
    }

    static DEAF: Declared<Deaf> = Declared { meta: CMK_BACKING_KEY_ROTATION_ENABLED.meta, logic: Deaf };
    let faults = faults(&on_change(&DEAF).reported());
    assert!(
        faults.iter().any(|it| it.starts_with(&format!("{ID}: includeDisabled=true: changes nothing"))),
        "{faults:?}"
    );
    assert!(
        faults.iter().any(|it| it.starts_with(&format!("{ID}: maxRotationPeriodInDays: changes nothing"))),
        "{faults:?}"
    );
}

/// The controls that an id with `*` in it names.
fn named(id: &str) -> impl Iterator<Item = &'static Entry> {
    let id = Globs::single(id);
    controls().filter(move |control| id.matches(control.meta.id))
}

/// What is wrong with the parameters of a control, a line each.
fn faults(control: &Entry) -> Vec<String> {
    let (stored, given) = subjects::stored(control);
    let changes = CHANGES.iter().filter(|row| is_about(row.0, control)).map(|row| row.1);
    let trial = Trial::of(control, stored, changes);
    let settings = settings(control, &given).into_iter();
    settings.filter_map(|it| Some(format!("{}: {it}: {}", control.meta.id, fault(&trial, &it)?))).collect()
}

/// What each parameter of a control is set to.
fn settings(control: &Entry, given: &[Value]) -> Vec<Setting> {
    let schema = control.parameters();
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let of_parameter = |name: &str| {
        let rows = VALUES.iter().filter(|row| is_about(row.0, control) && row.1.contains(&name));
        values::of(&schema, name, given, rows.map(|row| serde_json::from_str(row.2).unwrap()))
    };
    names.flat_map(of_parameter).collect()
}

/// What is wrong with one setting of a parameter.
fn fault(trial: &Trial<'_>, setting: &Setting) -> Option<String> {
    let unseen = UNSEEN.iter().find(|row| is_about(row.0, trial.control) && setting.is_named(row.1));
    let beside = BESIDE.iter().find(|row| is_about(row.control, trial.control) && setting.is_named(row.parameters));
    let others = beside.map_or_else(Map::new, |row| serde_json::from_str(row.others).unwrap());
    let alone = trial.run(&Map::new(), setting);
    if let (Found::Change(how), Some(row)) = (&alone, beside) {
        return Some(format!("changes {how}, and not only beside {}: `{}`", row.others, row.reason));
    }
    let found = if beside.is_some() { trial.run(&others, setting) } else { alone };
    match (found, unseen) {
        (Found::Nothing { tried: 0 }, _) => Some("no value is accepted: name one in the table".to_owned()),
        (Found::Change(how), Some((_, _, reason))) => {
            Some(format!("changes {how}, which the table denies: `{reason}`"))
        }
        (Found::Change(_), None) if !trial.takes(&others) => Some("what it stands beside is refused".to_owned()),
        (Found::Nothing { tried }, None) => Some(format!("changes nothing on {tried} subjects")),
        (Found::Change(_), None) | (Found::Nothing { .. }, Some(_)) => None,
    }
}

fn is_about(id: &str, control: &Entry) -> bool {
    Globs::single(id).matches(control.meta.id)
}

//! A made-up control that keeps every law, and one that breaks each of them.

use proptest::prelude::*;
use rectify_compliance::{
    Control, Image, Irreversible, Level, NoParameters, Permission, Remediation, ResourceKey, Step, Tags, Verdict,
};
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lamp {
    on: bool,
    dimmed: bool,
    #[serde(skip_serializing, default)]
    forgotten: bool,
    tags: Tags,
}

impl Image for Lamp {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::new("Test::Lamp", "desk")
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    PlansNothing,
    FixesNothing,
    ChangesMore,
    Toggles,
    HidesTheChange,
    RestoresNothing,
    CannotUndo,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Call {
    SetLamp { on: bool },
}

struct LampOn(Broken);

impl Control for LampOn {
    type Params = NoParameters;
    type Subject = Lamp;

    fn evaluate(&self, lamp: &Lamp, _: &NoParameters, _: Timestamp) -> Verdict {
        if lamp.on { Verdict::COMPLIANT } else { Verdict::non_compliant("off") }
    }
}

impl Remediation for LampOn {
    type Action = Call;
    type Undo = Call;

    fn read_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn fix_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn undo_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn fix(&self, _: &Lamp, _: &NoParameters, _: Timestamp) -> Plan<Call> {
        match self.0 {
            Broken::PlansNothing => Plan::Nothing,
            _ => Plan::steps_in_order(vec![Step::call(Level::L1, Call::SetLamp { on: true })]),
        }
    }

    fn expect(&self, mut lamp: Lamp, Call::SetLamp { on }: &Call) -> Lamp {
        match self.0 {
            Broken::FixesNothing => lamp.tags.insert("tried".into(), "yes".into()).map_or((), drop),
            Broken::Toggles => lamp.on = !lamp.on,
            _ => lamp.on = *on,
        }
        lamp.dimmed |= self.0 == Broken::ChangesMore;
        lamp
    }

    fn footprint(&self, lamp: &Lamp, _: &[Call]) -> Value {
        if self.0 == Broken::HidesTheChange { json!({}) } else { json!({ "on": lamp.on }) }
    }

    fn undo(&self, before: &Lamp, done: &[Call]) -> Result<Vec<Call>, Irreversible> {
        let on = before.on || self.0 == Broken::RestoresNothing;
        match self.0 {
            Broken::CannotUndo => Err(Irreversible { action: "SetLamp".into(), reason: "burnt".into() }),
            _ => Ok(done.iter().map(|_| Call::SetLamp { on }).collect()),
        }
    }
}

fn laws(control: &LampOn) -> Laws<'_, LampOn> {
    Laws::of(control, &["/on", "/tags"], |_, lamp, Call::SetLamp { on }| Lamp { on: *on, ..lamp })
}

fn lamps(forgotten: bool) -> impl Strategy<Value = (Lamp, NoParameters)> {
    let lamp = move |on| (Lamp { on, dimmed: false, forgotten, tags: Tags::new() }, NoParameters {});
    any::<bool>().prop_map(lamp)
}

/// The text with which a run fails, or "holds".
fn outcome(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let error = match std::panic::catch_unwind(run) {
        Ok(()) => return "holds".to_owned(),
        Err(error) => error,
    };
    error.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn each_law_fails_for_a_control_that_breaks_it() {
    for (broken, text) in [
        (Broken::Nothing, "holds"),
        (Broken::PlansNothing, "a finding has a plan"),
        (Broken::FixesNothing, "the fix ends the finding"),
        (Broken::ChangesMore, "the calls change /dimmed besides"),
        (Broken::Toggles, "twice is once"),
        (Broken::HidesTheChange, "the touched fields show the change"),
        (Broken::RestoresNothing, "undo restores what was touched"),
        (Broken::CannotUndo, "cannot be undone: burnt"),
    ] {
        let outcome = outcome(|| laws(&LampOn(broken)).hold(lamps(false)));
        assert!(outcome.contains(text), "{broken:?}: {outcome}");
    }
}

#[test]
fn a_subject_that_does_not_read_back_fails() {
    assert!(outcome(|| laws(&LampOn(Broken::Nothing)).hold(lamps(true))).contains("the stored subject reads back"));
}

#[test]
fn a_control_says_what_is_never_weakened_and_what_is_irreversible() {
    let control = LampOn(Broken::Nothing);
    let weakens = outcome(|| laws(&control).never(|before, after| after.on && !before.on).hold(lamps(false)));
    assert!(weakens.contains("the fix weakens something"), "{weakens}");
    laws(&LampOn(Broken::CannotUndo)).irreversible(|lamp| !lamp.on).hold(lamps(false));
}

#[test]
fn a_generator_that_makes_one_kind_proves_nothing() {
    for on in [true, false] {
        let one_kind = lamps(false).prop_map(move |(lamp, none)| (Lamp { on, ..lamp }, none));
        let outcome = outcome(|| laws(&LampOn(Broken::Nothing)).hold(one_kind));
        assert!(outcome.contains("too few of a kind"), "{outcome}");
    }
}

#[test]
fn differences_are_paths_and_a_list_is_one_value() {
    let before = json!({ "a": { "b": 1, "c": [1, 2] }, "d": 1 });
    let after = json!({ "a": { "b": 2, "c": [1, 3] }, "d": 1, "e": null });
    assert_eq!(changed("", &before, &after), ["/a/b", "/a/c"]);
    assert_eq!(changed("", &before, &before), Vec::<String>::new());
}

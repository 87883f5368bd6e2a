//! An example control that satisfies every law, and variants that each break one.

use proptest::prelude::*;
use rectify_compliance::{
    Control, Irreversible, NoParameters, Remediation, RemediationPermissions, ResourceIdentity, ResourceKey,
    ResourceState, Step, Tags, Verdict,
};
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lamp {
    on: bool,
    dimmed: bool,
    #[serde(skip_serializing, default)]
    not_stored: bool,
    tags: Tags,
}

impl ResourceState for Lamp {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new("Test::Lamp", "desk"), arn: None, name: None, tags: &self.tags }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    PlansNothing,
    FixesNothing,
    BlocksUselessPlan,
    IsInProgress,
    ChangesOtherField,
    Toggles,
    HidesTheChange,
    RestoresNothing,
    CannotUndo,
    CallsAgain,
    RequiresOperator,
    HasNoCall,
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
        if lamp.on && !lamp.tags.contains_key("broken") { Verdict::COMPLIANT } else { Verdict::non_compliant("off") }
    }
}

impl Remediation for LampOn {
    type Action = Call;
    type Undo = Call;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: &[], fix: &[], undo: &[] }
    }

    fn fix(&self, lamp: &Lamp, _: &NoParameters, _: Timestamp) -> Plan<Call> {
        let call = Step::call(Level::L1, Call::SetLamp { on: true });
        let by_hand = Step::manual(Level::L0, "turn it on");
        if self.0 == Broken::BlocksUselessPlan && lamp.dimmed {
            return Plan::blocked("no bulb", vec![call]);
        }
        Plan::steps_in_order(match self.0 {
            Broken::PlansNothing => vec![],
            Broken::CallsAgain => vec![call, by_hand],
            Broken::HasNoCall => vec![by_hand],
            Broken::RequiresOperator if !lamp.tags.is_empty() => vec![by_hand],
            _ => vec![call],
        })
    }

    fn predict(&self, mut lamp: Lamp, Call::SetLamp { on }: &Call) -> Lamp {
        match self.0 {
            Broken::FixesNothing | Broken::CallsAgain | Broken::RequiresOperator => {
                lamp.tags.insert("tried".into(), "yes".into());
            }
            Broken::Toggles => lamp.on = !lamp.on,
            _ => lamp.on = *on,
        }
        if self.0 == Broken::IsInProgress || self.0 == Broken::BlocksUselessPlan && lamp.dimmed {
            lamp.tags.insert("broken".into(), "yes".into());
        }
        lamp.dimmed |= self.0 == Broken::ChangesOtherField;
        lamp
    }

    fn is_in_progress(&self, _: &Lamp, _: &[Call]) -> bool {
        self.0 == Broken::IsInProgress
    }

    fn touched_fields(&self, lamp: &Lamp, _: &[Call]) -> Value {
        match self.0 {
            Broken::HidesTheChange => json!({}),
            Broken::RequiresOperator => json!(lamp.tags),
            _ => json!({ "on": lamp.on }),
        }
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

fn lamps(not_stored: bool) -> impl Strategy<Value = (Lamp, NoParameters)> {
    let lamp = move |(on, dimmed)| (Lamp { on, dimmed, not_stored, tags: Tags::new() }, NoParameters {});
    any::<(bool, bool)>().prop_map(lamp)
}

/// The panic text of a run, or "holds".
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
        (Broken::BlocksUselessPlan, "the fix ends the finding"),
        (Broken::IsInProgress, "holds"),
        (Broken::ChangesOtherField, "the calls must not change /dimmed"),
        (Broken::Toggles, "an action is idempotent"),
        (Broken::HidesTheChange, "the touched fields show the change"),
        (Broken::RestoresNothing, "undo restores the touched fields"),
        (Broken::CannotUndo, "cannot be undone: burnt"),
        (Broken::CallsAgain, "no call is left after the calls"),
        (Broken::RequiresOperator, "the fix ends the finding"),
        (Broken::HasNoCall, "too few of a kind"),
    ] {
        let outcome = outcome(|| laws(&LampOn(broken)).hold(lamps(false)));
        assert!(outcome.contains(text), "{broken:?}: {outcome}");
    }
}

#[test]
fn a_subject_that_does_not_round_trip_fails() {
    assert!(outcome(|| laws(&LampOn(Broken::Nothing)).hold(lamps(true))).contains("the stored subject round-trips"));
}

#[test]
fn a_control_may_declare_weakening_and_irreversible_changes() {
    let control = LampOn(Broken::Nothing);
    let weakens = outcome(|| laws(&control).never(|before, after| after.on && !before.on).hold(lamps(false)));
    assert!(weakens.contains("the fix weakens something"), "{weakens}");
    laws(&LampOn(Broken::CannotUndo)).irreversible(|lamp| !lamp.on).hold(lamps(false));
}

#[test]
fn a_plan_blocked_by_a_lack_need_not_fix_and_must_occur() {
    laws(&LampOn(Broken::BlocksUselessPlan)).blocked_by_lack().hold(lamps(false));
    let none = outcome(|| laws(&LampOn(Broken::Nothing)).blocked_by_lack().hold(lamps(false)));
    assert!(none.contains("too few of a kind") && none.contains("0 blocked"), "{none}");
}

#[test]
fn an_incomplete_undo_fails_if_the_whole_subject_must_be_restored() {
    let dims = |_: &LampOn, lamp, Call::SetLamp { on }: &Call| Lamp { on: *on, dimmed: true, ..lamp };
    let laws = Laws::of(&LampOn(Broken::Nothing), &["/on"], dims);
    laws.hold(lamps(false));
    let outcome = outcome(|| laws.restores_full_state().hold(lamps(false)));
    assert!(outcome.contains("undo restores only Lamp { on: false, dimmed: true"), "{outcome}");
}

#[test]
fn a_finding_may_end_after_the_calls_or_by_manual_steps_alone() {
    let untagged = |_: &LampOn, lamp, _: &Call| Lamp { tags: Tags::new(), ..lamp };
    let laws_of = Laws::of(&LampOn(Broken::RequiresOperator), &["/tags"], untagged);
    laws_of.then(|lamp| Lamp { on: true, ..lamp }).hold(lamps(false));
    laws(&LampOn(Broken::HasNoCall)).by_hand().hold(lamps(false));
    let outcome = outcome(|| laws(&LampOn(Broken::Nothing)).by_hand().hold(lamps(false)));
    assert!(outcome.contains("every step is manual"), "{outcome}");
}

#[test]
fn a_missing_kind_of_plan_fails() {
    laws(&LampOn(Broken::Nothing)).meeting(&[("applied", |plan| !plan.calls().is_empty())]).hold(lamps(false));
    let blocked = |plan: &Plan<Call>| matches!(plan, Plan::Blocked { .. });
    let outcome = outcome(|| laws(&LampOn(Broken::Nothing)).meeting(&[("blocked", blocked)]).hold(lamps(false)));
    assert!(outcome.contains("too few of a kind: 0 blocked of "), "{outcome}");
}

#[test]
fn a_generator_of_only_findings_or_none_fails() {
    for on in [true, false] {
        let one_kind = lamps(false).prop_map(move |(lamp, none)| (Lamp { on, ..lamp }, none));
        let outcome = outcome(|| laws(&LampOn(Broken::Nothing)).hold(one_kind));
        assert!(outcome.contains("too few of a kind"), "{outcome}");
    }
}

#[test]
fn changed_returns_paths_and_treats_a_list_as_one_value() {
    let before = json!({ "a": { "b": 1, "c": [1, 2] }, "d": 1 });
    let after = json!({ "a": { "b": 2, "c": [1, 3] }, "d": 1, "e": null });
    assert_eq!(changed("", &before, &after), ["/a/b", "/a/c"]);
    assert_eq!(changed("", &before, &before), Vec::<String>::new());
}

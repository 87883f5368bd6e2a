//! What every `Setting` shares, on an example resource: its evaluation, plan, call, model, undo and permissions.

#![allow(clippy::unwrap_used)]

use rectify_compliance::{
    Control, FromItem, Level, NoParameters, Operation, Periodic, Plan, Remediation, RemediationPermissions, SetCall,
    Step, StoredState, Tags, Verdict, View,
};
use rectify_testing::NOW;
use rectify_testing::lamp::{LAMP_ON, Lamp, MODIFY_LAMP, lamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

fn set(on: bool) -> SetCall {
    MODIFY_LAMP.member("On").of("desk", &on)
}

#[test]
fn the_member_is_evaluated_unless_the_resource_is_not_judged() {
    let evaluate = |lamp: &Lamp| LAMP_ON.evaluate(lamp, &NoParameters {}, NOW);
    assert_eq!(evaluate(&lamp("desk", false)), Verdict::non_compliant("desk is off"));
    assert_eq!(evaluate(&lamp("desk", true)), Verdict::COMPLIANT);
    assert_eq!(evaluate(&lamp("spare", false)), Verdict::not_applicable("spare is not used"));
}

#[test]
fn a_finding_is_planned_as_one_call_unless_blocked() {
    let plan = |lamp: &Lamp| LAMP_ON.plan(lamp, &NoParameters {}, NOW);
    let steps = || vec![Step::call(Level::L1, set(true))];
    assert_eq!(plan(&lamp("desk", false)), Plan::steps_in_order(steps()));
    assert_eq!(plan(&lamp("desk", true)), Plan::Noop);
    assert_eq!(plan(&lamp("spare", false)), Plan::Noop);
    let locked = Lamp { locked: true, ..lamp("desk", false) };
    assert_eq!(plan(&locked), Plan::blocked("desk is locked", steps()));
    let tagged = Lamp { tags: Tags::from([("off".to_owned(), String::new())]), ..lamp("desk", false) };
    assert_eq!(plan(&tagged), Plan::blocked("tagged off", steps()));
}

#[test]
fn a_call_round_trips_in_the_spelling_of_the_api() {
    let stored = json!({ "ModifyLamp": { "LampName": "desk", "On": true } });
    assert_eq!(serde_json::to_value(set(true)).unwrap(), stored);
    assert_eq!(SetCall::deserialize(&stored).unwrap(), set(true));
    for other in [json!({}), json!({ "A": {}, "B": {} }), json!({ "ModifyLamp": 1 }), json!("ModifyLamp")] {
        assert!(SetCall::deserialize(&other).is_err(), "{other}");
    }
}

#[test]
fn parts_returns_resource_and_member_and_rejects_other_inputs() {
    assert_eq!(set(true).parts("LampName"), Ok(("desk", "On", &json!(true))));
    let call = |input: Value| SetCall { operation: "ModifyLamp".into(), input: input.as_object().unwrap().clone() };
    for input in
        [json!({ "On": true }), json!({ "LampName": "desk" }), json!({ "LampName": "desk", "On": 1, "Dim": 2 })]
    {
        assert!(call(input.clone()).parts("LampName").is_err(), "{input}");
    }
}

#[test]
fn predict_ignores_calls_about_other_resources_members_and_operations() {
    let off = || lamp("desk", false);
    assert_eq!(LAMP_ON.predict(off(), &set(true)), lamp("desk", true));
    for other in [
        MODIFY_LAMP.member("On").of("hall", &true),
        MODIFY_LAMP.member("Dim").of("desk", &true),
        Operation { name: "ReplaceLamp", ..MODIFY_LAMP }.member("On").of("desk", &true),
        MODIFY_LAMP.member("On").of("desk", &"very"),
    ] {
        assert_eq!(LAMP_ON.predict(off(), &other), off(), "{other:?}");
    }
}

#[test]
fn undo_is_the_same_call_with_the_old_value_for_each_call() {
    assert_eq!(LAMP_ON.undo(&lamp("desk", false), &[set(true)]), Ok(vec![set(false)]));
    assert_eq!(LAMP_ON.undo(&lamp("desk", false), &[]), Ok(vec![]));
    let nameless = SetCall { input: Map::new(), ..set(true) };
    assert!(LAMP_ON.undo(&lamp("desk", false), &[nameless]).is_err());
}

#[test]
fn the_touched_field_is_the_member_if_it_was_set() {
    assert_eq!(LAMP_ON.touched_fields(&lamp("desk", true), &[set(true)]), json!({ "on": true }));
    assert_eq!(LAMP_ON.touched_fields(&lamp("desk", true), &[]), json!({}));
    let busy = Lamp { busy: true, ..lamp("desk", false) };
    assert!(LAMP_ON.is_in_progress(&busy, &[set(true)]));
    assert!(!LAMP_ON.is_in_progress(&busy, &[]) && !LAMP_ON.is_in_progress(&lamp("desk", false), &[set(true)]));
}

#[test]
fn permissions_come_from_the_view_and_the_operation() {
    assert_eq!(
        LAMP_ON.permissions(),
        RemediationPermissions { read: Lamp::READ, fix: MODIFY_LAMP.permissions, undo: MODIFY_LAMP.permissions }
    );
    assert_eq!((LAMP_ON.fact_permissions(), LAMP_ON.list_permissions()), (Lamp::FACTS, Lamp::LIST));
    assert!(!LAMP_ON.needs_name());
}

#[test]
fn the_whole_resource_is_stored() {
    let subject = LAMP_ON.subject(lamp("desk", true), ());
    assert_eq!(StoredState::of(&subject).unwrap().read::<Lamp>(), Ok(lamp("desk", true)));
}

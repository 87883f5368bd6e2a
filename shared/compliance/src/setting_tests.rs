//! A setting of an example resource: its evaluation, plan, call, model, undo and permissions.

use super::*;
use crate::{ConfigurationItem, NoParameters, ResourceIdentity, ResourceKey, StoredState, Tags};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lamp {
    name: String,
    on: bool,
    busy: bool,
    locked: bool,
    tags: Tags,
}

impl ResourceState for Lamp {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new("Test::Lamp", &self.name), arn: None, name: None, tags: &self.tags }
    }
}

impl Resource for Lamp {
    const TYPES: &'static [&'static str] = &["Test::Lamp"];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Self::deserialize(&item.configuration).map_err(|error| ShapeError::new("configuration", "a lamp", error))
    }
}

const WRITE: &[Permission] = &[Permission::unscoped("lamps:ModifyLamp")];
const MODIFY_LAMP: Operation = Operation { name: "ModifyLamp", resource: "LampName", permissions: WRITE };

impl View for Lamp {
    type Resource = Self;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] = &[Permission::unscoped("lamps:DescribeLamp")];
    const LIST: &'static [Permission] = &[Permission::unscoped("lamps:DescribeLamps")];

    fn of(lamp: Self, (): ()) -> Self {
        lamp
    }

    fn call_id(&self) -> &str {
        &self.name
    }

    fn blocked(&self) -> Option<String> {
        self.locked.then(|| format!("{} is locked", self.name))
    }

    fn is_in_progress(&self) -> bool {
        self.busy
    }
}

const LAMP_ON: Setting<Lamp, bool, NoParameters> = Setting {
    field: "on",
    get: |lamp| lamp.on,
    set: |lamp, on| lamp.on = on,
    not_judged: |lamp, _| (lamp.name == "spare").then(|| Verdict::not_applicable("spare is not used")),
    violation: |lamp, _| (!lamp.on).then(|| (format!("{} is off", lamp.name), true)),
    call: MODIFY_LAMP.member("On"),
    level: Level::L1,
    blocked: |lamp| lamp.tags.contains_key("off").then(|| "tagged off".to_owned()),
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn lamp(name: &str, on: bool) -> Lamp {
    Lamp { name: name.to_owned(), on, busy: false, locked: false, tags: Tags::new() }
}

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
    let lists = [LAMP_ON.read_permissions(), LAMP_ON.fix_permissions(), LAMP_ON.undo_permissions()];
    assert_eq!(lists, [Lamp::READ, WRITE, WRITE]);
    assert_eq!((LAMP_ON.fact_permissions(), LAMP_ON.list_permissions()), (Lamp::FACTS, Lamp::LIST));
    assert!(!LAMP_ON.needs_name());
}

#[test]
fn the_whole_resource_is_stored() {
    let subject = LAMP_ON.subject(lamp("desk", true), ());
    assert_eq!(StoredState::of(&subject).unwrap().read::<Lamp>(), Ok(lamp("desk", true)));
}

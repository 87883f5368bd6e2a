//! A made-up resource and the controls over it: a door whose bolts must be shut.
//!
//! It has everything a control can have and no service behind it but [`crate::doors`], so that what is tested is the shell.

use std::collections::BTreeMap;

use rectify_compliance::values::Bounded;
use rectify_compliance::{
    ConfigurationItem, Control, FromItem, Image, Inventory, Irreversible, Level, Parameters, Permission, Plan,
    Remediation, Resource, ResourceKey, ShapeError, Step, Tags, Timestamp, Verdict, control, offenders,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The type of the made-up resource.
pub const DOOR: &str = "Rectify::Test::Door";

/// Parameters: how much is tolerated, and which kind of plan to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Params {
    /// Bolts that may be drawn, a number, 0..=10. Default 0.
    pub tolerated: Tolerated,
    /// What the plan consists of. Default `shut`.
    pub plan: PlanKind,
}

/// A number of bolts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Tolerated(pub Bounded<0, 10>);

impl Default for Tolerated {
    fn default() -> Self {
        Self(Bounded::of(0))
    }
}

/// The kinds of plan a gate can meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlanKind {
    /// Shut every drawn bolt, level L1.
    #[default]
    Shut,
    /// The same, level L2.
    Risky,
    /// The same, level L3.
    Destructive,
    /// Words for a person.
    Person,
    /// The same calls, held back.
    Held,
    /// A finding without a plan against it.
    Nothing,
}

impl Parameters for Params {}

/// A door, whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// Its id.
    pub id: String,
    /// What people call it, where that is something else.
    pub name: Option<String>,
    /// Its ARN, where it has one.
    #[serde(default)]
    pub arn: Option<String>,
    /// Its bolts by name, and whether each is drawn, which is the fault.
    pub bolts: BTreeMap<String, bool>,
    /// Something no action touches.
    pub colour: String,
    /// Whether the service still works on what it accepted.
    pub settling: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Door {
    /// A door with these bolts drawn.
    pub fn drawn(id: &str, bolts: &[&str]) -> Self {
        let bolt = |name: &&str| ((*name).to_owned(), true);
        Self { id: id.to_owned(), bolts: bolts.iter().map(bolt).collect(), ..Self::default() }
    }

    /// Draws a bolt or shuts it; it is there from now on if it was not before.
    pub fn set(&mut self, bolt: &str, drawn: bool) {
        self.bolts.insert(bolt.to_owned(), drawn);
    }

    /// The names of the bolts that are drawn.
    pub fn open_bolts(&self) -> Vec<&str> {
        self.bolts.iter().filter(|(_, drawn)| **drawn).map(|(name, _)| name.as_str()).collect()
    }
}

impl Image for Door {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::new(DOOR, &self.id)
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

/// What an item says of a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorItem {
    id: String,
    drawn: Vec<String>,
}

impl Resource for DoorItem {
    const TYPES: &'static [&'static str] = &[DOOR];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let drawn = item
            .configuration
            .get("drawn")
            .ok_or_else(|| ShapeError::missing("configuration.drawn", "a list of bolts"))?;
        let drawn = Vec::<String>::deserialize(drawn)
            .map_err(|error| ShapeError::new("configuration.drawn", "a list of bolts", error))?;
        Ok(Self { id: item.resource.id.clone(), drawn })
    }
}

/// What an item does not say: the colour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The colour of the door.
    pub colour: String,
}

/// One call to the made-up service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// Shuts a bolt; one that is shut stays so.
    ShutBolt {
        /// Its name.
        bolt: String,
    },
}

/// What shutting a bolt answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Receipt {
    /// The seal the service put on it: shown nowhere else, and undo needs it.
    pub seal: u32,
}

/// The way back of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// Draws a bolt again; the service wants to see its seal.
    DrawBolt {
        /// Its name.
        bolt: String,
        /// Its seal.
        seal: u32,
    },
}

fn evaluate(door: &Door, params: &Params) -> Verdict {
    if door.colour == "invisible" {
        return Verdict::not_applicable("invisible doors have no bolts");
    }
    let open = door.open_bolts();
    if open.len() <= params.tolerated.0.get() as usize {
        return Verdict::COMPLIANT;
    }
    Verdict::non_compliant(format!("{}: bolts {} are drawn; expected none", door.id, offenders(open)))
}

fn plan(live: &Door, params: &Params) -> Plan<Action> {
    if !evaluate(live, params).is_non_compliant() {
        return Plan::Nothing;
    }
    let steps = |level| {
        let shut = |bolt: &str| Step::call(level, Action::ShutBolt { bolt: bolt.to_owned() });
        live.open_bolts().into_iter().map(shut).collect()
    };
    match params.plan {
        PlanKind::Shut => Plan::steps_in_order(steps(Level::L1)),
        PlanKind::Risky => Plan::steps_in_order(steps(Level::L2)),
        PlanKind::Destructive => Plan::steps_in_order(steps(Level::L3)),
        PlanKind::Person => Plan::steps_in_order(vec![Step::person(Level::L0, "lean against the door")]),
        PlanKind::Held => Plan::hold("somebody is in the room", steps(Level::L1)),
        PlanKind::Nothing => Plan::Nothing,
    }
}

fn expect(mut live: Door, action: &Action) -> Door {
    let Action::ShutBolt { bolt } = action;
    if let Some(drawn) = live.bolts.get_mut(bolt) {
        *drawn = false;
    }
    live
}

fn footprint(door: &Door, done: &[Action]) -> Value {
    let drawn = |Action::ShutBolt { bolt }: &Action| (bolt.clone(), json!(door.bolts.get(bolt)));
    Value::Object(done.iter().map(drawn).collect())
}

fn undo(done: &[Action], answers: &[Value]) -> Result<Vec<Undo>, Irreversible> {
    let cannot = |reason: &str| Irreversible { action: "ShutBolt".to_owned(), reason: reason.to_owned() };
    (0..done.len())
        .rev()
        .filter_map(|index| Some((done.get(index)?, answers.get(index).unwrap_or(&Value::Null))))
        .map(|(Action::ShutBolt { bolt }, answer)| match bolt.as_str() {
            "welded" => Err(cannot("the bolt is welded")),
            _ => {
                let receipt = Receipt::deserialize(answer).map_err(|_| cannot("its seal is not on record"))?;
                Ok(Undo::DrawBolt { bolt: bolt.clone(), seal: receipt.seal })
            }
        })
        .collect()
}

const READ: &[Permission] = &[Permission::unscoped("doors:DescribeDoor")];
const SHUT: &[Permission] = &[Permission::unscoped("doors:ShutBolt")];
const DRAW: &[Permission] = &[Permission::unscoped("doors:DrawBolt")];

control! {
    /// ## What it checks
    /// That no bolt of a door is drawn.
    pub DOOR_AJAR: DoorAjar {
        id: "door-ajar", title: "Door is ajar", severity: Low, triggers: [Change, Periodic(OneHour)], scope: Regional,
        resource_types: &[DOOR], level: L3, frameworks: {},
    }
}

control! {
    /// ## What it checks
    /// The same, of doors whose id is not their name.
    pub NAMED_DOOR_AJAR: NamedDoorAjar {
        id: "named-door-ajar", title: "Door is ajar", severity: Low, triggers: [Change, Periodic(OneHour)], scope: Regional,
        resource_types: &[DOOR], level: L3, frameworks: {},
    }
}

control! {
    /// ## What it checks
    /// The same, of doors there is one list of, in the home region.
    pub GLOBAL_DOOR_AJAR: GlobalDoorAjar {
        id: "global-door-ajar", title: "Door is ajar", severity: Low, triggers: [Change, Periodic(OneHour)], scope: Global,
        resource_types: &[DOOR], level: L3, frameworks: {},
    }
}

macro_rules! door_control {
    ($name:ident, needs_name: $needs_name:literal) => {
        impl Control for $name {
            type Params = Params;
            type Subject = Door;

            fn evaluate(&self, subject: &Door, params: &Params, _now: Timestamp) -> Verdict {
                evaluate(subject, params)
            }
        }

        impl FromItem for $name {
            type Resource = DoorItem;
            type Facts = Facts;
            fn fact_permissions(&self) -> &'static [Permission] {
                READ
            }

            fn subject(&self, resource: DoorItem, facts: Facts) -> Door {
                let bolts: Vec<&str> = resource.drawn.iter().map(String::as_str).collect();
                Door { colour: facts.colour, ..Door::drawn(&resource.id, &bolts) }
            }
        }

        impl Inventory for $name {
            fn list_permissions(&self) -> &'static [Permission] {
                READ
            }
        }

        impl Remediation for $name {
            type Action = Action;
            type Undo = Undo;
            fn read_permissions(&self) -> &'static [Permission] {
                READ
            }
            fn fix_permissions(&self) -> &'static [Permission] {
                SHUT
            }
            fn undo_permissions(&self) -> &'static [Permission] {
                DRAW
            }
            fn needs_name(&self) -> bool {
                $needs_name
            }

            fn plan(&self, live: &Door, params: &Params, _now: Timestamp) -> Plan<Action> {
                plan(live, params)
            }

            fn expect(&self, live: Door, action: &Action) -> Door {
                expect(live, action)
            }

            fn is_settling(&self, after: &Door, _done: &[Action]) -> bool {
                after.settling
            }

            fn footprint(&self, subject: &Door, done: &[Action]) -> Value {
                footprint(subject, done)
            }

            fn needs_answers(&self) -> bool {
                true
            }

            fn undo(&self, before: &Door, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
                self.undo_answered(before, done, &[])
            }

            fn undo_answered(
                &self,
                _before: &Door,
                done: &[Action],
                answers: &[Value],
            ) -> Result<Vec<Undo>, Irreversible> {
                undo(done, answers)
            }
        }
    };
}

door_control!(DoorAjar, needs_name: false);
door_control!(NamedDoorAjar, needs_name: true);
door_control!(GlobalDoorAjar, needs_name: false);

//! A fake resource and its controls: a widget whose flags must be enabled.
//!
//! They have everything a control can have, and [`crate::fake_service`] as their service: the tests are about the
//! runtime.

use std::collections::BTreeMap;

use rectify_compliance::values::Bounded;
use rectify_compliance::{
    ConfigurationItem, Control, FromItem, Irreversible, Level, Parameters, Periodic, Permission, Plan, Remediation,
    RemediationPermissions, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Step, Tags, Timestamp,
    Verdict, control, offenders,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The type of the fake resource.
pub const WIDGET: &str = "Rectify::Test::Widget";

/// Parameters: the number of tolerated flags and the kind of plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Params {
    /// Flags that may be disabled, a number, 0..=10. Default 0.
    pub tolerated: Tolerated,
    /// The kind of plan. Default `enable`.
    pub plan: PlanKind,
}

/// A number of flags.
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
    /// Enable every disabled flag, level L1.
    #[default]
    Enable,
    /// The same, level L2.
    Risky,
    /// The same, level L3.
    Destructive,
    /// A manual step.
    Manual,
    /// The same calls as `Enable`, blocked.
    Blocked,
    /// A finding without a plan.
    Nothing,
}

impl Parameters for Params {}

/// The state of a widget.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Widget {
    /// Its id.
    pub id: String,
    /// Its name, if it differs from the id.
    pub name: Option<String>,
    /// Its ARN, if it has one.
    #[serde(default)]
    pub arn: Option<String>,
    /// Its flags by name, and whether each is disabled, which is the violation.
    pub flags: BTreeMap<String, bool>,
    /// A field that no action changes.
    pub color: String,
    /// Whether an accepted change is still pending.
    pub is_pending: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Widget {
    /// A widget with these flags disabled.
    pub fn disabled(id: &str, flags: &[&str]) -> Self {
        let flag = |name: &&str| ((*name).to_owned(), true);
        Self { id: id.to_owned(), flags: flags.iter().map(flag).collect(), ..Self::default() }
    }

    /// Disables or enables a flag, which is created if it does not exist.
    pub fn set(&mut self, flag: &str, disabled: bool) {
        self.flags.insert(flag.to_owned(), disabled);
    }

    /// The names of the flags that are disabled.
    pub fn disabled_flags(&self) -> Vec<&str> {
        self.flags.iter().filter(|(_, disabled)| **disabled).map(|(name, _)| name.as_str()).collect()
    }
}

impl ResourceState for Widget {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity {
            key: ResourceKey::new(WIDGET, &self.id),
            arn: self.arn.as_deref(),
            name: self.name.as_deref(),
            tags: &self.tags,
        }
    }
}

/// A widget as a configuration item has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidgetItem {
    id: String,
    disabled: Vec<String>,
}

impl Resource for WidgetItem {
    const TYPES: &'static [&'static str] = &[WIDGET];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let disabled = item
            .configuration
            .get("disabled")
            .ok_or_else(|| ShapeError::missing("configuration.disabled", "a list of flags"))?;
        let disabled = Vec::<String>::deserialize(disabled)
            .map_err(|error| ShapeError::new("configuration.disabled", "a list of flags", error))?;
        Ok(Self { id: item.resource.id.clone(), disabled })
    }
}

/// The facts that an item lacks: the color.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The color of the widget.
    pub color: String,
}

/// One call to the fake service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// Enables a flag; an enabled one stays enabled.
    EnableFlag {
        /// Its name.
        flag: String,
    },
}

/// The answer of `EnableFlag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Receipt {
    /// The token of the change: returned nowhere else, and required by undo.
    pub token: u32,
}

/// The call that undoes an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// Disables a flag again; the service requires its token.
    DisableFlag {
        /// Its name.
        flag: String,
        /// Its token.
        token: u32,
    },
}

fn evaluate(widget: &Widget, params: &Params) -> Verdict {
    if widget.color == "invisible" {
        return Verdict::not_applicable("invisible widgets have no flags");
    }
    let disabled = widget.disabled_flags();
    if disabled.len() <= params.tolerated.0.get() as usize {
        return Verdict::COMPLIANT;
    }
    Verdict::non_compliant(format!("{}: flags {} are disabled; expected none", widget.id, offenders(disabled)))
}

fn fix(live: &Widget, params: &Params) -> Plan<Action> {
    let steps = |level| {
        let enable = |flag: &str| Step::call(level, Action::EnableFlag { flag: flag.to_owned() });
        live.disabled_flags().into_iter().map(enable).collect()
    };
    match params.plan {
        PlanKind::Enable => Plan::steps_in_order(steps(Level::L1)),
        PlanKind::Risky => Plan::steps_in_order(steps(Level::L2)),
        PlanKind::Destructive => Plan::steps_in_order(steps(Level::L3)),
        PlanKind::Manual => Plan::steps_in_order(vec![Step::manual(Level::L0, "enable the flags by hand")]),
        PlanKind::Blocked => Plan::blocked("the widget is in use", steps(Level::L1)),
        PlanKind::Nothing => Plan::Noop,
    }
}

fn predict(mut live: Widget, action: &Action) -> Widget {
    let Action::EnableFlag { flag } = action;
    if let Some(disabled) = live.flags.get_mut(flag) {
        *disabled = false;
    }
    live
}

fn touched_fields(widget: &Widget, done: &[Action]) -> Value {
    let disabled = |Action::EnableFlag { flag }: &Action| (flag.clone(), json!(widget.flags.get(flag)));
    Value::Object(done.iter().map(disabled).collect())
}

fn undo(done: &[Action], answers: &[Value]) -> Result<Vec<Undo>, Irreversible> {
    let cannot = |reason: &str| Irreversible { action: "EnableFlag".to_owned(), reason: reason.to_owned() };
    (0..done.len())
        .rev()
        .filter_map(|index| Some((done.get(index)?, answers.get(index).unwrap_or(&Value::Null))))
        .map(|(Action::EnableFlag { flag }, answer)| match flag.as_str() {
            "welded" => Err(cannot("the flag is welded")),
            _ => {
                let receipt = Receipt::deserialize(answer).map_err(|_| cannot("its token is not on record"))?;
                Ok(Undo::DisableFlag { flag: flag.clone(), token: receipt.token })
            }
        })
        .collect()
}

const READ: &[Permission] = &[Permission::unscoped("widgets:DescribeWidget")];
const ENABLE: &[Permission] = &[Permission::unscoped("widgets:EnableFlag")];
const DISABLE: &[Permission] = &[Permission::unscoped("widgets:DisableFlag")];

control! {
    /// ## What it checks
    /// That no flag of a widget is disabled.
    pub WIDGET_DISABLED: WidgetDisabled {
        id: "widget-disabled", title: "Widget is disabled", severity: Low, triggers: [Change, Periodic(OneHour)], scope: Regional,
        resource_types: &[WIDGET], level: L3, frameworks: {},
    }
}

control! {
    /// ## What it checks
    /// The same, for widgets whose id is not their name.
    pub NAMED_WIDGET_DISABLED: NamedWidgetDisabled {
        id: "named-widget-disabled", title: "Widget is disabled", severity: Low, triggers: [Change, Periodic(OneHour)], scope: Regional,
        resource_types: &[WIDGET], level: L3, frameworks: {},
    }
}

control! {
    /// ## What it checks
    /// The same, for widgets of a global service, in the home region.
    pub GLOBAL_WIDGET_DISABLED: GlobalWidgetDisabled {
        id: "global-widget-disabled", title: "Widget is disabled", severity: Low, triggers: [Change, Periodic(OneHour)], scope: Global,
        resource_types: &[WIDGET], level: L3, frameworks: {},
    }
}

macro_rules! widget_control {
    ($name:ident, needs_name: $needs_name:literal) => {
        impl Control for $name {
            type Params = Params;
            type Subject = Widget;

            fn evaluate(&self, subject: &Widget, params: &Params, _now: Timestamp) -> Verdict {
                evaluate(subject, params)
            }
        }

        impl FromItem for $name {
            type Resource = WidgetItem;
            type Facts = Facts;
            fn fact_permissions(&self) -> &'static [Permission] {
                READ
            }

            fn subject(&self, resource: WidgetItem, facts: Facts) -> Widget {
                let flags: Vec<&str> = resource.disabled.iter().map(String::as_str).collect();
                Widget { color: facts.color, ..Widget::disabled(&resource.id, &flags) }
            }
        }

        impl Periodic for $name {
            fn list_permissions(&self) -> &'static [Permission] {
                READ
            }
        }

        impl Remediation for $name {
            type Action = Action;
            type Undo = Undo;

            fn permissions(&self) -> RemediationPermissions {
                RemediationPermissions { read: READ, fix: ENABLE, undo: DISABLE }
            }

            fn needs_name(&self) -> bool {
                $needs_name
            }

            fn fix(&self, finding: &Widget, params: &Params, _now: Timestamp) -> Plan<Action> {
                fix(finding, params)
            }

            fn predict(&self, live: Widget, action: &Action) -> Widget {
                predict(live, action)
            }

            fn is_in_progress(&self, after: &Widget, _done: &[Action]) -> bool {
                after.is_pending
            }

            fn touched_fields(&self, subject: &Widget, done: &[Action]) -> Value {
                touched_fields(subject, done)
            }

            fn needs_responses(&self) -> bool {
                true
            }

            fn undo(&self, before: &Widget, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
                self.undo_with_responses(before, done, &[])
            }

            fn undo_with_responses(
                &self,
                _before: &Widget,
                done: &[Action],
                answers: &[Value],
            ) -> Result<Vec<Undo>, Irreversible> {
                undo(done, answers)
            }
        }
    };
}

widget_control!(WidgetDisabled, needs_name: false);
widget_control!(NamedWidgetDisabled, needs_name: true);
widget_control!(GlobalWidgetDisabled, needs_name: false);

//! A control with its types erased, for catalogues, generators, property tests and the command line.

mod erased;

use serde_json::Value;

use crate::{
    ConfigurationItem, Control, ControlMeta, Declared, FromItem, Irreversible, Level, ParameterError, Periodic,
    Permission, Plan, Remediation, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Step,
    StoredState, Tags, Timestamp, Verdict, Work,
};
use erased::{ErasedFromItem, ErasedOnItem, ErasedPeriodic, json};

pub use erased::{ErasedControl, ErasedRemediation};

/// One control, as a row of a table. Constructed by [`on_item`], [`on_change`], [`on_schedule`] and their combinations.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its declaration.
    pub meta: &'static ControlMeta,
    control: &'static dyn ErasedControl,
    /// The change trigger, if the control has one.
    pub change: Option<ChangeTrigger>,
    periodic: Option<&'static dyn ErasedPeriodic>,
    /// The remediation, if the control has one.
    pub remediation: Option<&'static dyn ErasedRemediation>,
}

/// The change trigger of a control: how it evaluates configuration changes.
#[derive(Clone, Copy)]
pub struct ChangeTrigger(Change);

#[derive(Clone, Copy)]
enum Change {
    /// The subject is built from the item.
    Item(&'static dyn ErasedOnItem),
    /// The subject is built from the item and facts.
    ItemAndFacts(&'static dyn ErasedFromItem),
}

/// Sample events that several controls have, since they differ in values only: `xtask generate` writes those of the
/// others from those of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedEvents {
    /// The control whose events are written by hand.
    pub of: &'static str,
    /// The controls that get them, by id, in which `*` matches any text.
    pub controls: &'static str,
    /// The names of the files, without the extension; one violates.
    pub events: &'static [&'static str],
}

/// A control with its parameters, ready to evaluate many items: the verdict for an item at a time and, if it is
/// NON_COMPLIANT, the subject to plan from.
pub type ItemJudge =
    Box<dyn Fn(&ConfigurationItem, Timestamp) -> Result<(Verdict, Option<StoredState>), EntryError> + Send + Sync>;

/// The calls that undo actions, or why there are none.
pub type UndoCalls = Result<Vec<Value>, Irreversible>;

/// A row with its triggers, before [`Row::reported`] or [`Row::remediated`] completes it.
pub struct Row<K: 'static> {
    entry: Entry,
    logic: &'static K,
}

/// A control that evaluates changes by the item alone: its subject is the item's view.
pub const fn on_item<K>(control: &'static Declared<K>) -> Row<K>
where
    K: Control<Subject: Resource>,
{
    Row::of(control, Some(ChangeTrigger(Change::Item(&control.logic))), None)
}

/// The same for a control that also lists its subjects on a schedule.
pub const fn on_item_and_schedule<K>(control: &'static Declared<K>) -> Row<K>
where
    K: Periodic<Subject: Resource>,
{
    Row::of(control, Some(ChangeTrigger(Change::Item(&control.logic))), Some(&control.logic))
}

/// A control that evaluates changes by the item and facts.
pub const fn on_change<K: FromItem>(control: &'static Declared<K>) -> Row<K> {
    Row::of(control, Some(ChangeTrigger(Change::ItemAndFacts(&control.logic))), None)
}

/// A control that lists its subjects on a schedule.
pub const fn on_schedule<K: Periodic>(control: &'static Declared<K>) -> Row<K> {
    Row::of(control, None, Some(&control.logic))
}

/// A control that does both.
pub const fn on_change_and_schedule<K: FromItem + Periodic>(control: &'static Declared<K>) -> Row<K> {
    Row::of(control, Some(ChangeTrigger(Change::ItemAndFacts(&control.logic))), Some(&control.logic))
}

impl<K: Control> Row<K> {
    const fn of(
        control: &'static Declared<K>,
        change: Option<ChangeTrigger>,
        periodic: Option<&'static dyn ErasedPeriodic>,
    ) -> Self {
        let entry = Entry { meta: &control.meta, control: &control.logic, change, periodic, remediation: None };
        Self { entry, logic: &control.logic }
    }

    /// Its findings are only reported; an operator decides.
    #[must_use]
    pub const fn reported(self) -> Entry {
        self.entry
    }

    /// Its findings have a remediation.
    #[must_use]
    pub const fn remediated(self) -> Entry
    where
        K: Remediation,
    {
        Entry { remediation: Some(self.logic), ..self.entry }
    }
}

/// An error of an erased control.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The parameters are invalid.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The item, facts, subject or action cannot be read.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// A subject in stored form, with the identity and tags that every subject has.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentifiedState {
    /// The resource.
    pub resource: ResourceKey,
    /// Its name, if it differs from the id.
    pub name: Option<String>,
    /// Its ARN, if it has one and it is known.
    pub arn: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The subject.
    pub image: StoredState,
}

impl IdentifiedState {
    /// Converts a subject to its stored form.
    ///
    /// # Errors
    /// [`ShapeError`] if it has no JSON form.
    pub fn of<S: ResourceState>(subject: &S) -> Result<Self, ShapeError> {
        let ResourceIdentity { key, arn, name, tags } = subject.identity();
        Ok(Self {
            resource: key,
            name: name.map(str::to_owned),
            arn: arn.map(str::to_owned),
            tags: tags.clone(),
            image: StoredState::of(subject)?,
        })
    }
}

impl Entry {
    /// JSON Schema of its parameters.
    pub fn parameters(&self) -> Value {
        self.control.parameters()
    }

    /// Validates the text of `ruleParameters`.
    ///
    /// # Errors
    /// The parameter, the expected value and the received one.
    pub fn check_parameters(&self, text: &str) -> Result<(), ParameterError> {
        self.control.common_parameters(text).map(drop)
    }

    /// Converts a subject, given as JSON, to its stored form.
    ///
    /// # Errors
    /// [`EntryError::Shape`] if it is not a subject of the control.
    pub fn image(&self, subject: Value) -> Result<IdentifiedState, EntryError> {
        self.control.image(subject)
    }

    /// [`ResourceState::VERSION`] of its subject.
    pub fn state_version(&self) -> u16 {
        self.control.state_version()
    }

    /// Evaluates a subject in stored form.
    ///
    /// # Errors
    /// [`EntryError`] if the state or the parameters cannot be read.
    pub fn evaluate(&self, state: &StoredState, parameters: &str, now: Timestamp) -> Result<Verdict, EntryError> {
        self.control.evaluate(state, parameters, now)
    }

    /// Permissions to list the subjects; `None` for a control without a periodic trigger.
    pub fn list_permissions(&self) -> Option<&'static [Permission]> {
        self.periodic.map(ErasedPeriodic::permissions)
    }

    /// The permissions of the rule's role beyond those of every rule, sorted, without duplicates.
    pub fn rule_permissions(&self) -> Vec<Permission> {
        let facts = self.change.map_or(&[][..], |trigger| trigger.fact_permissions());
        sorted([facts, self.list_permissions().unwrap_or_default()])
    }

    /// The permissions of the remediation's role beyond those of every remediation, sorted, without duplicates.
    pub fn remediation_permissions(&self) -> Vec<Permission> {
        self.remediation.map_or_else(Vec::new, |it| {
            sorted([it.read_permissions(), it.fix_permissions(), it.managed_by().permissions()])
        })
    }

    /// Whether Rectify can apply any step: false if every plan is manual.
    pub fn has_calls(&self) -> bool {
        self.remediation.is_some_and(|it| !it.fix_permissions().is_empty())
    }

    /// Whether the control has a step that requires an opt-in.
    pub fn needs_opt_in(&self) -> bool {
        self.has_calls() && self.meta.level >= Level::L2
    }
}

impl ChangeTrigger {
    /// Whether the subject is built from the item alone.
    pub fn needs_item_only(&self) -> bool {
        matches!(self.0, Change::Item(_))
    }

    /// Prepares the evaluation of many items; `None` if the subject also needs facts.
    ///
    /// The verdict is that of [`subject`](Self::subject) and [`Entry::evaluate`], without parsing the parameters and
    /// the subject again for each item.
    ///
    /// # Errors
    /// The parameter, the expected value and the received one.
    pub fn item_judge(&self, parameters: &str) -> Result<Option<ItemJudge>, ParameterError> {
        match self.0 {
            Change::Item(control) => control.judge(parameters).map(Some),
            Change::ItemAndFacts(_) => Ok(None),
        }
    }

    /// Permissions to read the facts; empty if the item is enough.
    pub fn fact_permissions(&self) -> &'static [Permission] {
        match self.0 {
            Change::Item(_) => &[],
            Change::ItemAndFacts(control) => control.permissions(),
        }
    }

    /// Builds the subject from an item and the facts, given as JSON.
    ///
    /// # Errors
    /// [`EntryError::Shape`] if the item or the facts do not have the form that the control reads.
    pub fn subject(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredState, EntryError> {
        match self.0 {
            Change::Item(control) if facts.is_null() => control.subject(item),
            Change::Item(_) => Err(ShapeError::new("facts", "none: the item is enough", facts).into()),
            Change::ItemAndFacts(control) => control.subject(item, facts),
        }
    }
}

fn sorted<const N: usize>(lists: [&'static [Permission]; N]) -> Vec<Permission> {
    let set: std::collections::BTreeSet<Permission> = lists.into_iter().flatten().copied().collect();
    set.into_iter().collect()
}

/// The same plan with its actions as JSON.
///
/// # Errors
/// [`EntryError::Shape`] if an action has no JSON form.
fn erase<A: serde::Serialize>(plan: Plan<A>) -> Result<Plan<Value>, EntryError> {
    let erase_steps = |steps: Vec<Step<A>>| {
        let erase_step = |Step { level, work }| {
            let work = match work {
                Work::Api(action) => Work::Api(json("action", &action)?),
                Work::Manual(instruction) => Work::Manual(instruction),
            };
            Ok(Step { level, work })
        };
        steps.into_iter().map(erase_step).collect::<Result<Vec<_>, ShapeError>>()
    };
    Ok(match plan {
        Plan::Noop => Plan::Noop,
        Plan::Blocked { reason, steps } => Plan::Blocked { reason, steps: erase_steps(steps)? },
        Plan::Apply { steps } => Plan::Apply { steps: erase_steps(steps)? },
    })
}

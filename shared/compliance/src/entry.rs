//! A control with its types erased: what catalogues, generators, laws and the command line walk over.

mod erased;

use serde_json::Value;

use crate::{
    ConfigurationItem, Control, ControlMeta, Declared, FromItem, Irreversible, Level, ParameterError, Periodic,
    Permission, Plan, Remediation, Resource, ResourceKey, ResourceState, ShapeError, Step, StoredState, Tags,
    Timestamp, Verdict, Work,
};
use erased::{JudgeChange, Listed, json};

pub use erased::{ErasedControl, ErasedRemediation};

/// One control, as a row of a table. Made by [`on_item`], [`on_change`], [`on_schedule`] and those that do both.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its declaration.
    pub meta: &'static ControlMeta,
    control: &'static dyn ErasedControl,
    /// The half that judges changes, where there is one.
    pub change: Option<ChangeTrigger>,
    inventory: Option<&'static dyn Listed>,
    /// The remediation, where there is one.
    pub remediation: Option<&'static dyn ErasedRemediation>,
}

/// The half of a control that judges changes.
#[derive(Clone, Copy)]
pub struct ChangeTrigger(Change);

#[derive(Clone, Copy)]
enum Change {
    /// The subject is what the item says.
    Item(fn(&ConfigurationItem) -> Result<StoredState, EntryError>),
    /// The subject is made of the item and of facts.
    ItemAndFacts(&'static dyn JudgeChange),
}

/// The calls that take actions back, or why there are none.
pub type UndoCalls = Result<Vec<Value>, Irreversible>;

/// A row that says how its control is triggered, and not yet whether it is remediated.
pub struct Row<K: 'static> {
    entry: Entry,
    logic: &'static K,
}

/// A control that judges changes by the item alone: its subject is the item's view.
pub const fn on_item<K>(control: &'static Declared<K>) -> Row<K>
where
    K: Control<Subject: Resource>,
{
    Row::of(control, Some(ChangeTrigger(Change::Item(subject_of::<K::Subject>))), None)
}

/// The same for a control that also lists its subjects on a schedule.
pub const fn on_item_and_schedule<K>(control: &'static Declared<K>) -> Row<K>
where
    K: Periodic<Subject: Resource>,
{
    Row::of(control, Some(ChangeTrigger(Change::Item(subject_of::<K::Subject>))), Some(&control.logic))
}

/// A control that judges changes by the item and by facts.
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
        inventory: Option<&'static dyn Listed>,
    ) -> Self {
        let entry = Entry { meta: &control.meta, control: &control.logic, change, inventory, remediation: None };
        Self { entry, logic: &control.logic }
    }

    /// Its findings are reported, and an operator decides.
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

/// Why an erased control could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The parameters.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The item, facts, subject or action.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// A subject, frozen, with what is known of it whatever its type.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentifiedState {
    /// The resource.
    pub resource: ResourceKey,
    /// Its name, where that is another than its id.
    pub name: Option<String>,
    /// Its ARN, where it has one and it is known.
    pub arn: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The subject.
    pub image: StoredState,
}

impl IdentifiedState {
    /// Freezes a subject.
    ///
    /// # Errors
    /// [`ShapeError`] when it has no JSON form.
    pub fn of<S: ResourceState>(subject: &S) -> Result<Self, ShapeError> {
        Ok(Self {
            resource: subject.key(),
            name: subject.name().map(str::to_owned),
            arn: subject.arn().map(str::to_owned),
            tags: subject.tags().clone(),
            image: StoredState::of(subject)?,
        })
    }
}

impl Entry {
    /// JSON Schema of its parameters.
    pub fn parameters(&self) -> Value {
        self.control.parameters()
    }

    /// Whether this parameter text would be taken.
    ///
    /// # Errors
    /// The parameter, what was expected and what it was.
    pub fn check_parameters(&self, text: &str) -> Result<(), ParameterError> {
        self.control.shell_parameters(text).map(drop)
    }

    /// Freezes a subject given as JSON.
    ///
    /// # Errors
    /// [`EntryError::Shape`] when it is no subject of the control.
    pub fn image(&self, subject: Value) -> Result<IdentifiedState, EntryError> {
        self.control.image(subject)
    }

    /// [`ResourceState::VERSION`] of its subject.
    pub fn state_version(&self) -> u16 {
        self.control.state_version()
    }

    /// Judges a subject given as a stored image.
    ///
    /// # Errors
    /// [`EntryError`] when the image or the parameters cannot be read.
    pub fn evaluate(&self, image: &StoredState, parameters: &str, now: Timestamp) -> Result<Verdict, EntryError> {
        self.control.evaluate(image, parameters, now)
    }

    /// What the periodic half may call, where there is one.
    pub fn list_permissions(&self) -> Option<&'static [Permission]> {
        self.inventory.map(Listed::permissions)
    }

    /// Everything the rule's role must hold beyond what every rule needs, sorted, without repeats.
    pub fn rule_permissions(&self) -> Vec<Permission> {
        let facts = self.change.map_or(&[][..], |half| half.fact_permissions());
        sorted([facts, self.list_permissions().unwrap_or_default()])
    }

    /// Everything the remediation's role must hold beyond what every remediation needs.
    pub fn remediation_permissions(&self) -> Vec<Permission> {
        self.remediation.map_or_else(Vec::new, |half| {
            sorted([half.read_permissions(), half.fix_permissions(), half.managed_by().permissions()])
        })
    }

    /// Whether a machine may ever apply anything: false where every plan is words.
    pub fn has_calls(&self) -> bool {
        self.remediation.is_some_and(|half| !half.fix_permissions().is_empty())
    }

    /// Whether the control has a step that must be opted in to.
    pub fn needs_opt_in(&self) -> bool {
        self.has_calls() && self.meta.level >= Level::L2
    }
}

impl ChangeTrigger {
    /// Whether the subject is made of the item alone.
    pub fn is_item_alone(&self) -> bool {
        matches!(self.0, Change::Item(_))
    }

    /// What reading facts may call; empty when the item is enough.
    pub fn fact_permissions(&self) -> &'static [Permission] {
        match self.0 {
            Change::Item(_) => &[],
            Change::ItemAndFacts(control) => control.permissions(),
        }
    }

    /// Makes the subject of an item and the facts given as JSON.
    ///
    /// # Errors
    /// [`EntryError::Shape`] when either is not what the control reads.
    pub fn subject(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredState, EntryError> {
        match self.0 {
            Change::Item(subject) if facts.is_null() => subject(item),
            Change::Item(_) => Err(ShapeError::new("facts", "none: the item is enough", facts).into()),
            Change::ItemAndFacts(control) => control.made_of(item, facts),
        }
    }
}

fn subject_of<S: ResourceState + Resource>(item: &ConfigurationItem) -> Result<StoredState, EntryError> {
    Ok(StoredState::of(&S::from_item(item)?)?)
}

fn sorted<const N: usize>(lists: [&'static [Permission]; N]) -> Vec<Permission> {
    let set: std::collections::BTreeSet<Permission> = lists.into_iter().flatten().copied().collect();
    set.into_iter().collect()
}

/// The same plan with its actions as JSON.
///
/// # Errors
/// [`EntryError::Shape`] when an action has no JSON form.
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

//! A control with its types erased: what catalogues, generators, laws and the command line walk over.

use serde_json::Value;

use crate::parameters::{self, RuleParameters};
use crate::{
    ConfigurationItem, Control, ControlMeta, FromItem, Image, Inventory, Irreversible, Level, ManagedBy,
    ParameterError, Permission, PhysicalId, Plan, Remediation, Resource, ResourceKey, ShapeError, Step, StoredImage,
    Tags, Timestamp, Verdict, Work,
};

/// One control, as a row of a table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its declaration.
    pub meta: &'static ControlMeta,
    /// JSON Schema of its parameters.
    pub parameters: fn() -> Value,
    /// Whether this parameter text would be taken.
    pub check_parameters: fn(&str) -> Result<(), ParameterError>,
    /// Freezes a subject given as JSON.
    pub image: fn(Value) -> Result<Imaged, EntryError>,
    /// [`Image::VERSION`] of its subject.
    pub image_version: u16,
    /// Judges a subject given as a stored image.
    pub evaluate: fn(&StoredImage, &str, Timestamp) -> Result<Verdict, EntryError>,
    /// The half that judges changes, where there is one.
    pub change: Option<ChangeHalf>,
    /// What the periodic half may call, where there is one.
    pub listing: Option<&'static [Permission]>,
    /// The remediation, where there is one.
    pub remediation: Option<RemediationHalf>,
}

/// The half of a control that judges changes.
#[derive(Clone, Copy)]
pub struct ChangeHalf {
    /// What reading facts may call; empty when the item is enough.
    pub facts: &'static [Permission],
    /// Makes the subject of an item and the facts given as JSON.
    pub subject: fn(&ConfigurationItem, Value) -> Result<StoredImage, EntryError>,
}

/// The calls that take actions back, or why there are none.
pub type UndoCalls = Result<Vec<Value>, Irreversible>;

type Undo = fn(&StoredImage, &[(Value, Value)]) -> Result<UndoCalls, EntryError>;

/// The remediation of a control.
#[derive(Clone, Copy)]
pub struct RemediationHalf {
    /// What the live read may call.
    pub live: &'static [Permission],
    /// What enforcing may call.
    pub calls: &'static [Permission],
    /// What undo may call.
    pub undoes: &'static [Permission],
    /// Whether the shell must resolve the resource's name through AWS Config.
    pub needs_name: bool,
    /// How it is known that a CloudFormation stack manages what the calls change.
    pub managed: ManagedBy,
    /// What of a stack an action would change.
    pub stack_resources: fn(&StoredImage, &Value) -> Result<Vec<PhysicalId>, EntryError>,
    /// The plan for a subject given as a stored image.
    pub plan: fn(&StoredImage, &str, Timestamp) -> Result<Plan<Value>, EntryError>,
    /// What the subject becomes by an action.
    pub expect: fn(&StoredImage, &Value) -> Result<StoredImage, EntryError>,
    /// The calls that take actions back, given the before-image and each action with its receipt.
    pub undo: Undo,
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

/// A subject, frozen, with what identifies it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imaged {
    /// The resource.
    pub resource: ResourceKey,
    /// Its name, where that is another than its id.
    pub name: Option<String>,
    /// Its ARN, where it has one and it is known.
    pub arn: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The subject.
    pub image: StoredImage,
}

impl Entry {
    /// A control that does nothing yet; the halves are added by the other constructors.
    pub const fn of<K: Control>() -> Self {
        Self {
            meta: K::META,
            parameters: parameters::schema::<K::Params>,
            check_parameters: |text| RuleParameters::<K::Params>::parse(Some(text)).map(drop),
            image: |subject| {
                let subject: K::Subject = serde_json::from_value(subject)
                    .map_err(|error| ShapeError::new("subject", "a subject of the control", error))?;
                Ok(Imaged {
                    resource: subject.key(),
                    name: subject.name().map(str::to_owned),
                    arn: subject.arn().map(str::to_owned),
                    tags: subject.tags().clone(),
                    image: StoredImage::of(&subject)?,
                })
            },
            image_version: K::Subject::VERSION,
            evaluate: |image, text, now| {
                let params = RuleParameters::<K::Params>::parse(Some(text))?.control;
                Ok(K::evaluate(&image.read()?, &params, now))
            },
            change: None,
            listing: None,
            remediation: None,
        }
    }

    /// Adds the half that judges changes.
    #[must_use]
    pub const fn on_change<K: FromItem>(mut self) -> Self {
        self.change = Some(ChangeHalf {
            facts: K::FACTS,
            subject: |item, facts| {
                let facts = serde_json::from_value(facts)
                    .map_err(|error| ShapeError::new("facts", "the control's facts", error))?;
                Ok(StoredImage::of(&K::subject(K::Resource::from_item(item)?, facts))?)
            },
        });
        self
    }

    /// Adds the periodic half.
    #[must_use]
    pub const fn on_schedule<K: Inventory>(mut self) -> Self {
        self.listing = Some(K::LISTING);
        self
    }

    /// Adds the remediation.
    #[must_use]
    pub const fn remediated<K: Remediation>(mut self) -> Self {
        self.remediation = Some(RemediationHalf {
            live: K::LIVE,
            calls: K::CALLS,
            undoes: K::UNDOES,
            needs_name: K::NEEDS_NAME,
            managed: K::MANAGED,
            stack_resources: |image, action| {
                let action = serde_json::from_value(action.clone())
                    .map_err(|error| ShapeError::new("action", "an action of the control", error))?;
                Ok(K::stack_resources(&image.read()?, &action))
            },
            plan: |image, text, now| {
                let params = RuleParameters::<K::Params>::parse(Some(text))?.control;
                erase(K::plan(&image.read()?, &params, now))
            },
            expect: |image, action| {
                let action = serde_json::from_value(action.clone())
                    .map_err(|error| ShapeError::new("action", "an action of the control", error))?;
                Ok(StoredImage::of(&K::expect(image.read()?, &action))?)
            },
            undo: |before, done| undo::<K>(before, done),
        });
        self
    }

    /// Everything the rule's role must hold beyond what every rule needs, sorted, without repeats.
    pub fn rule_permissions(&self) -> Vec<Permission> {
        let facts = self.change.map_or(&[][..], |half| half.facts);
        sorted([facts, self.listing.unwrap_or_default()])
    }

    /// Everything the remediation's role must hold beyond what every remediation needs.
    pub fn remediation_permissions(&self) -> Vec<Permission> {
        self.remediation.map_or_else(Vec::new, |half| sorted([half.live, half.calls, half.managed.permissions()]))
    }

    /// Whether a machine may ever apply anything: false where every plan is words.
    pub fn has_calls(&self) -> bool {
        self.remediation.is_some_and(|half| !half.calls.is_empty())
    }

    /// Whether the control has a step that must be opted in to.
    pub fn needs_opt_in(&self) -> bool {
        self.has_calls() && self.meta.level >= Level::L2
    }
}

fn undo<K: Remediation>(before: &StoredImage, done: &[(Value, Value)]) -> Result<UndoCalls, EntryError> {
    let mut typed: Vec<(K::Action, K::Receipt)> = Vec::with_capacity(done.len());
    for (action, receipt) in done {
        let action = serde_json::from_value(action.clone())
            .map_err(|error| ShapeError::new("action", "an action of the control", error))?;
        let receipt = serde_json::from_value(receipt.clone())
            .map_err(|error| ShapeError::new("receipt", "a receipt of the control", error))?;
        typed.push((action, receipt));
    }
    let calls = match K::undo(&before.read()?, &typed) {
        Ok(calls) => calls,
        Err(irreversible) => return Ok(Err(irreversible)),
    };
    let as_json = |call| serde_json::to_value(call).map_err(|error| ShapeError::new("undo", "a JSON form", error));
    Ok(Ok(calls.iter().map(as_json).collect::<Result<_, _>>()?))
}

fn sorted<const N: usize>(lists: [&'static [Permission]; N]) -> Vec<Permission> {
    let set: std::collections::BTreeSet<Permission> = lists.into_iter().flatten().copied().collect();
    set.into_iter().collect()
}

/// The same plan with its actions as JSON.
///
/// # Errors
/// [`EntryError::Shape`] when an action has no JSON form.
pub fn erase<A: serde::Serialize>(plan: Plan<A>) -> Result<Plan<Value>, EntryError> {
    let erase_steps = |steps: Vec<Step<A>>| {
        steps
            .into_iter()
            .map(|step| {
                let work = match step.work {
                    Work::Call(action) => Work::Call(
                        serde_json::to_value(&action)
                            .map_err(|error| ShapeError::new("action", "a JSON form", error))?,
                    ),
                    Work::Person(instruction) => Work::Person(instruction),
                };
                Ok(Step { level: step.level, work })
            })
            .collect::<Result<Vec<_>, EntryError>>()
    };
    Ok(match plan {
        Plan::Nothing => Plan::Nothing,
        Plan::Hold { reason, steps } => Plan::Hold { reason, steps: erase_steps(steps)? },
        Plan::Do { steps } => Plan::Do { steps: erase_steps(steps)? },
    })
}

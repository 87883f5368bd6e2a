//! What a control can do, whatever its types: JSON in, JSON out. Each is implemented once, for every control that can do it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{EntryError, IdentifiedState, UndoCalls, erase};
use crate::parameters::{self, CommonParameters, RuleParameters};
use crate::{
    ConfigurationItem, Control, FromItem, ManagedBy, ParameterError, Periodic, Permission, PhysicalId, Plan,
    Remediation, Resource, ResourceState, ShapeError, StoredState, Timestamp, Verdict,
};

/// A [`Control`] of any types.
pub trait ErasedControl: Sync {
    /// JSON Schema of its parameters.
    fn parameters(&self) -> Value;

    /// Reads its parameters; what the shell takes of them.
    ///
    /// # Errors
    /// The parameter, what was expected and what it was.
    fn shell_parameters(&self, text: &str) -> Result<CommonParameters, ParameterError>;

    /// Freezes a subject given as JSON.
    ///
    /// # Errors
    /// [`EntryError::Shape`] when it is no subject of the control.
    fn image(&self, subject: Value) -> Result<IdentifiedState, EntryError>;

    /// [`ResourceState::VERSION`] of its subject.
    fn state_version(&self) -> u16;

    /// Whether two subjects are equal: a subject knows what of it has an order, its JSON does not.
    ///
    /// # Errors
    /// [`EntryError::Shape`] when one cannot be read.
    fn same(&self, one: &StoredState, other: &StoredState) -> Result<bool, EntryError>;

    /// Judges a subject.
    ///
    /// # Errors
    /// [`EntryError`] when the image or the parameters cannot be read.
    fn evaluate(&self, subject: &StoredState, parameters: &str, now: Timestamp) -> Result<Verdict, EntryError>;
}

impl<K: Control> ErasedControl for K {
    fn parameters(&self) -> Value {
        parameters::schema::<K::Params>()
    }

    fn shell_parameters(&self, text: &str) -> Result<CommonParameters, ParameterError> {
        RuleParameters::<K::Params>::parse(Some(text)).map(|it| it.shell)
    }

    fn image(&self, subject: Value) -> Result<IdentifiedState, EntryError> {
        let subject: K::Subject = read("subject", "a subject of the control", subject)?;
        Ok(IdentifiedState::of(&subject)?)
    }

    fn state_version(&self) -> u16 {
        K::Subject::VERSION
    }

    fn same(&self, one: &StoredState, other: &StoredState) -> Result<bool, EntryError> {
        Ok(one.read::<K::Subject>()? == other.read::<K::Subject>()?)
    }

    fn evaluate(&self, subject: &StoredState, parameters: &str, now: Timestamp) -> Result<Verdict, EntryError> {
        let params = RuleParameters::<K::Params>::parse(Some(parameters))?.control;
        Ok(Control::evaluate(self, &subject.read()?, &params, now))
    }
}

/// A [`FromItem`] of any types.
pub(super) trait JudgeChange: Sync {
    fn permissions(&self) -> &'static [Permission];
    fn made_of(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredState, EntryError>;
}

impl<K: FromItem> JudgeChange for K {
    fn permissions(&self) -> &'static [Permission] {
        self.fact_permissions()
    }

    fn made_of(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredState, EntryError> {
        let facts = read("facts", "the control's facts", facts)?;
        Ok(StoredState::of(&self.subject(K::Resource::from_item(item)?, facts))?)
    }
}

/// An [`Periodic`] of any types.
pub(super) trait Listed: Sync {
    fn permissions(&self) -> &'static [Permission];
}

impl<K: Periodic> Listed for K {
    fn permissions(&self) -> &'static [Permission] {
        self.list_permissions()
    }
}

/// A [`Remediation`] of any types. Every error is [`EntryError`]: an image, an action, a call or the parameters that cannot be
/// read.
#[allow(clippy::missing_errors_doc)] // One sentence, above, for all of them.
pub trait ErasedRemediation: ErasedControl {
    /// What the live read may call.
    fn read_permissions(&self) -> &'static [Permission];

    /// What enforcing may call.
    fn fix_permissions(&self) -> &'static [Permission];

    /// What undo may call.
    fn undo_permissions(&self) -> &'static [Permission];

    /// Whether the shell must resolve the resource's name through AWS Config.
    fn needs_name(&self) -> bool;

    /// Whether undo needs what a call answers.
    fn needs_answers(&self) -> bool;

    /// How it is known that a CloudFormation stack manages what the calls change.
    fn managed_by(&self) -> ManagedBy;

    /// What of a stack an action would change.
    fn stack_resources(&self, live: &StoredState, action: &Value) -> Result<Vec<PhysicalId>, EntryError>;

    /// What would fix a subject: nothing where it is no finding.
    fn plan(&self, live: &StoredState, parameters: &str, now: Timestamp) -> Result<Plan<Value>, EntryError>;

    /// What the subject becomes by an action.
    fn predict(&self, live: &StoredState, action: &Value) -> Result<IdentifiedState, EntryError>;

    /// Whether the service still works on the actions.
    fn is_in_progress(&self, after: &StoredState, done: &[Value]) -> Result<bool, EntryError>;

    /// The part of the subject that the actions touched.
    fn touched_fields(&self, subject: &StoredState, done: &[Value]) -> Result<Value, EntryError>;

    /// The calls that take actions back, given the before-image and what each action was answered.
    fn undo(&self, before: &StoredState, done: &[Value], answers: &[Value]) -> Result<UndoCalls, EntryError>;

    /// What the subject becomes by one call of an undo, where the control says.
    fn reverted(&self, live: &StoredState, call: &Value) -> Result<Option<StoredState>, EntryError>;
}

impl<K: Remediation> ErasedRemediation for K {
    fn read_permissions(&self) -> &'static [Permission] {
        Remediation::read_permissions(self)
    }

    fn fix_permissions(&self) -> &'static [Permission] {
        Remediation::fix_permissions(self)
    }

    fn undo_permissions(&self) -> &'static [Permission] {
        Remediation::undo_permissions(self)
    }

    fn needs_name(&self) -> bool {
        Remediation::needs_name(self)
    }

    fn needs_answers(&self) -> bool {
        Remediation::needs_answers(self)
    }

    fn managed_by(&self) -> ManagedBy {
        Remediation::managed_by(self)
    }

    fn stack_resources(&self, live: &StoredState, action: &Value) -> Result<Vec<PhysicalId>, EntryError> {
        Ok(Remediation::stack_resources(self, &live.read()?, &action_of::<K>(action)?))
    }

    fn plan(&self, live: &StoredState, parameters: &str, now: Timestamp) -> Result<Plan<Value>, EntryError> {
        let params = RuleParameters::<K::Params>::parse(Some(parameters))?.control;
        erase(Remediation::plan(self, &live.read()?, &params, now))
    }

    fn predict(&self, live: &StoredState, action: &Value) -> Result<IdentifiedState, EntryError> {
        Ok(IdentifiedState::of(&Remediation::predict(self, live.read()?, &action_of::<K>(action)?))?)
    }

    fn is_in_progress(&self, after: &StoredState, done: &[Value]) -> Result<bool, EntryError> {
        Ok(Remediation::is_in_progress(self, &after.read()?, &actions_of::<K>(done)?))
    }

    fn touched_fields(&self, subject: &StoredState, done: &[Value]) -> Result<Value, EntryError> {
        Ok(Remediation::touched_fields(self, &subject.read()?, &actions_of::<K>(done)?))
    }

    fn undo(&self, before: &StoredState, done: &[Value], answers: &[Value]) -> Result<UndoCalls, EntryError> {
        match self.undo_answered(&before.read()?, &actions_of::<K>(done)?, answers) {
            Ok(calls) => Ok(Ok(calls.iter().map(|call| json("undo", call)).collect::<Result<_, _>>()?)),
            Err(irreversible) => Ok(Err(irreversible)),
        }
    }

    fn reverted(&self, live: &StoredState, call: &Value) -> Result<Option<StoredState>, EntryError> {
        let call: K::Undo = read("undo", "a call of the control", call.clone())?;
        let reverted = Remediation::reverted(self, &live.read()?, &call);
        Ok(reverted.as_ref().map(StoredState::of).transpose()?)
    }
}

fn read<T: DeserializeOwned>(what: &'static str, expected: &'static str, value: Value) -> Result<T, ShapeError> {
    serde_json::from_value(value).map_err(|error| ShapeError::new(what, expected, error))
}

pub(super) fn json<T: Serialize>(what: &'static str, value: &T) -> Result<Value, ShapeError> {
    serde_json::to_value(value).map_err(|error| ShapeError::new(what, "a JSON form", error))
}

fn action_of<K: Remediation>(action: &Value) -> Result<K::Action, ShapeError> {
    read("attempt.action", "an action of the control", action.clone())
}

fn actions_of<K: Remediation>(actions: &[Value]) -> Result<Vec<K::Action>, ShapeError> {
    actions.iter().map(action_of::<K>).collect()
}

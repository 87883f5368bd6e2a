//! The traits of a control with types erased: JSON in, JSON out. Each has one blanket implementation.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{EntryError, IdentifiedState, ItemJudge, UndoCalls, erase};
use crate::parameters::{self, CommonParameters, RuleParameters};
use crate::{
    ConfigurationItem, Control, FromItem, ManagedBy, ParameterError, Periodic, Permission, PhysicalId, Plan,
    Remediation, Resource, ResourceState, ShapeError, StoredState, Timestamp, Verdict,
};

/// A type-erased [`Control`].
pub trait ErasedControl: Sync {
    /// JSON Schema of its parameters.
    fn parameters(&self) -> Value;

    /// Parses all parameters and returns those that every rule has.
    ///
    /// # Errors
    /// The parameter, the expected value and the received one.
    fn common_parameters(&self, text: &str) -> Result<CommonParameters, ParameterError>;

    /// Converts a subject, given as JSON, to its stored form.
    ///
    /// # Errors
    /// [`EntryError::Shape`] if it is not a subject of the control.
    fn image(&self, subject: Value) -> Result<IdentifiedState, EntryError>;

    /// [`ResourceState::VERSION`] of its subject.
    fn state_version(&self) -> u16;

    /// Whether two subjects are equal. The subject type decides which lists have an order; JSON does not.
    ///
    /// # Errors
    /// [`EntryError::Shape`] if one cannot be read.
    fn same(&self, one: &StoredState, other: &StoredState) -> Result<bool, EntryError>;

    /// Evaluates a subject.
    ///
    /// # Errors
    /// [`EntryError`] if the state or the parameters cannot be read.
    fn evaluate(&self, subject: &StoredState, parameters: &str, now: Timestamp) -> Result<Verdict, EntryError>;
}

impl<K: Control> ErasedControl for K {
    fn parameters(&self) -> Value {
        parameters::schema::<K::Params>()
    }

    fn common_parameters(&self, text: &str) -> Result<CommonParameters, ParameterError> {
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

/// A type-erased [`Control`] whose subject is the view of an item.
pub(super) trait ErasedOnItem: Sync {
    fn subject(&self, item: &ConfigurationItem) -> Result<StoredState, EntryError>;
    fn judge(&'static self, parameters: &str) -> Result<ItemJudge, ParameterError>;
}

impl<K: Control<Subject: Resource>> ErasedOnItem for K {
    fn subject(&self, item: &ConfigurationItem) -> Result<StoredState, EntryError> {
        Ok(StoredState::of(&K::Subject::from_item(item)?)?)
    }

    fn judge(&'static self, parameters: &str) -> Result<ItemJudge, ParameterError> {
        let params = RuleParameters::<K::Params>::parse(Some(parameters))?.control;
        Ok(Box::new(move |item, now| {
            let subject = K::Subject::from_item(item)?;
            let verdict = Control::evaluate(self, &subject, &params, now);
            let finding = verdict.is_non_compliant().then(|| StoredState::of(&subject)).transpose()?;
            Ok((verdict, finding))
        }))
    }
}

/// A type-erased [`FromItem`].
pub(super) trait ErasedFromItem: Sync {
    fn permissions(&self) -> &'static [Permission];
    fn subject(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredState, EntryError>;
}

impl<K: FromItem> ErasedFromItem for K {
    fn permissions(&self) -> &'static [Permission] {
        self.fact_permissions()
    }

    fn subject(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredState, EntryError> {
        let facts = read("facts", "the control's facts", facts)?;
        Ok(StoredState::of(&FromItem::subject(self, K::Resource::from_item(item)?, facts))?)
    }
}

/// A type-erased [`Periodic`].
pub(super) trait ErasedPeriodic: Sync {
    fn permissions(&self) -> &'static [Permission];
}

impl<K: Periodic> ErasedPeriodic for K {
    fn permissions(&self) -> &'static [Permission] {
        self.list_permissions()
    }
}

/// A type-erased [`Remediation`]. Every method returns [`EntryError`] if a state, an action, a call or the parameters
/// cannot be read.
#[allow(clippy::missing_errors_doc)] // One sentence, above, for all of them.
pub trait ErasedRemediation: ErasedControl {
    /// Permissions of the live read.
    fn read_permissions(&self) -> &'static [Permission];

    /// Permissions of the calls that fix.
    fn fix_permissions(&self) -> &'static [Permission];

    /// Permissions of the calls that undo.
    fn undo_permissions(&self) -> &'static [Permission];

    /// Whether the handler must resolve the resource's name through AWS Config.
    fn needs_name(&self) -> bool;

    /// Whether undo needs the responses of the calls.
    fn needs_responses(&self) -> bool;

    /// How to determine whether a CloudFormation stack manages what the calls change.
    fn managed_by(&self) -> ManagedBy;

    /// The resources that an action changes, as CloudFormation identifies them.
    fn stack_resources(&self, live: &StoredState, action: &Value) -> Result<Vec<PhysicalId>, EntryError>;

    /// The plan that fixes a subject; [`Plan::Noop`] if it is not NON_COMPLIANT.
    fn plan(&self, live: &StoredState, parameters: &str, now: Timestamp) -> Result<Plan<Value>, EntryError>;

    /// The subject after an action.
    fn predict(&self, live: &StoredState, action: &Value) -> Result<IdentifiedState, EntryError>;

    /// Whether the service is still applying the actions.
    fn is_in_progress(&self, after: &StoredState, done: &[Value]) -> Result<bool, EntryError>;

    /// The fields of the subject that the actions changed.
    fn touched_fields(&self, subject: &StoredState, done: &[Value]) -> Result<Value, EntryError>;

    /// The calls that undo actions, given the prior state and the response to each action.
    fn undo(&self, before: &StoredState, done: &[Value], answers: &[Value]) -> Result<UndoCalls, EntryError>;

    /// The subject after one call of an undo, if the control models it.
    fn reverted(&self, live: &StoredState, call: &Value) -> Result<Option<StoredState>, EntryError>;
}

impl<K: Remediation> ErasedRemediation for K {
    fn read_permissions(&self) -> &'static [Permission] {
        Remediation::permissions(self).read
    }

    fn fix_permissions(&self) -> &'static [Permission] {
        Remediation::permissions(self).fix
    }

    fn undo_permissions(&self) -> &'static [Permission] {
        Remediation::permissions(self).undo
    }

    fn needs_name(&self) -> bool {
        Remediation::needs_name(self)
    }

    fn needs_responses(&self) -> bool {
        Remediation::needs_responses(self)
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
        match self.undo_with_responses(&before.read()?, &actions_of::<K>(done)?, answers) {
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

//! What a control can do, whatever its types: JSON in, JSON out. Each is implemented for every control that can do it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{EntryError, Imaged, UndoCalls, erase};
use crate::parameters::{self, RuleParameters};
use crate::{
    ConfigurationItem, Control, FromItem, Image, Inventory, ManagedBy, ParameterError, Permission, PhysicalId, Plan,
    Remediation, Resource, ShapeError, StoredImage, Timestamp, Verdict,
};

/// A [`Control`] of any types.
pub(super) trait Judge: Sync {
    fn parameters(&self) -> Value;
    fn check_parameters(&self, text: &str) -> Result<(), ParameterError>;
    fn image(&self, subject: Value) -> Result<Imaged, EntryError>;
    fn image_version(&self) -> u16;
    fn judge(&self, image: &StoredImage, text: &str, now: Timestamp) -> Result<Verdict, EntryError>;
}

impl<K: Control> Judge for K {
    fn parameters(&self) -> Value {
        parameters::schema::<K::Params>()
    }

    fn check_parameters(&self, text: &str) -> Result<(), ParameterError> {
        RuleParameters::<K::Params>::parse(Some(text)).map(drop)
    }

    fn image(&self, subject: Value) -> Result<Imaged, EntryError> {
        let subject: K::Subject = read("subject", "a subject of the control", subject)?;
        Ok(Imaged {
            resource: subject.key(),
            name: subject.name().map(str::to_owned),
            arn: subject.arn().map(str::to_owned),
            tags: subject.tags().clone(),
            image: StoredImage::of(&subject)?,
        })
    }

    fn image_version(&self) -> u16 {
        K::Subject::VERSION
    }

    fn judge(&self, image: &StoredImage, text: &str, now: Timestamp) -> Result<Verdict, EntryError> {
        let params = RuleParameters::<K::Params>::parse(Some(text))?.control;
        Ok(self.evaluate(&image.read()?, &params, now))
    }
}

/// A [`FromItem`] of any types.
pub(super) trait JudgeChange: Sync {
    fn permissions(&self) -> &'static [Permission];
    fn made_of(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredImage, EntryError>;
}

impl<K: FromItem> JudgeChange for K {
    fn permissions(&self) -> &'static [Permission] {
        self.fact_permissions()
    }

    fn made_of(&self, item: &ConfigurationItem, facts: Value) -> Result<StoredImage, EntryError> {
        let facts = read("facts", "the control's facts", facts)?;
        Ok(StoredImage::of(&self.subject(K::Resource::from_item(item)?, facts))?)
    }
}

/// An [`Inventory`] of any types.
pub(super) trait Listed: Sync {
    fn permissions(&self) -> &'static [Permission];
}

impl<K: Inventory> Listed for K {
    fn permissions(&self) -> &'static [Permission] {
        self.list_permissions()
    }
}

/// A [`Remediation`] of any types.
pub(super) trait Remedy: Sync {
    fn reads(&self) -> &'static [Permission];
    fn fixes(&self) -> &'static [Permission];
    fn undoes(&self) -> &'static [Permission];
    fn name_is_needed(&self) -> bool;
    fn stack_is_known_by(&self) -> ManagedBy;
    fn parts_of_stack(&self, live: &StoredImage, action: &Value) -> Result<Vec<PhysicalId>, EntryError>;
    fn planned(&self, live: &StoredImage, text: &str, now: Timestamp) -> Result<Plan<Value>, EntryError>;
    fn expected(&self, live: &StoredImage, action: &Value) -> Result<StoredImage, EntryError>;
    fn undone(&self, before: &StoredImage, done: &[(Value, Value)]) -> Result<UndoCalls, EntryError>;
}

impl<K: Remediation> Remedy for K {
    fn reads(&self) -> &'static [Permission] {
        self.read_permissions()
    }

    fn fixes(&self) -> &'static [Permission] {
        self.fix_permissions()
    }

    fn undoes(&self) -> &'static [Permission] {
        self.undo_permissions()
    }

    fn name_is_needed(&self) -> bool {
        self.needs_name()
    }

    fn stack_is_known_by(&self) -> ManagedBy {
        self.managed_by()
    }

    fn parts_of_stack(&self, live: &StoredImage, action: &Value) -> Result<Vec<PhysicalId>, EntryError> {
        Ok(self.stack_resources(&live.read()?, &read_action(action)?))
    }

    fn planned(&self, live: &StoredImage, text: &str, now: Timestamp) -> Result<Plan<Value>, EntryError> {
        let params = RuleParameters::<K::Params>::parse(Some(text))?.control;
        erase(self.plan(&live.read()?, &params, now))
    }

    fn expected(&self, live: &StoredImage, action: &Value) -> Result<StoredImage, EntryError> {
        Ok(StoredImage::of(&self.expect(live.read()?, &read_action(action)?))?)
    }

    fn undone(&self, before: &StoredImage, done: &[(Value, Value)]) -> Result<UndoCalls, EntryError> {
        let actions = done.iter().map(|(action, _)| read_action(action)).collect::<Result<Vec<K::Action>, _>>()?;
        let answers: Vec<Value> = done.iter().map(|(_, answer)| answer.clone()).collect();
        let calls = match self.undo_answered(&before.read()?, &actions, &answers) {
            Ok(calls) => calls,
            Err(irreversible) => return Ok(Err(irreversible)),
        };
        let as_json = |call| serde_json::to_value(call).map_err(|error| ShapeError::new("undo", "a JSON form", error));
        Ok(Ok(calls.iter().map(as_json).collect::<Result<_, _>>()?))
    }
}

fn read<T: DeserializeOwned>(what: &'static str, expected: &'static str, value: Value) -> Result<T, ShapeError> {
    serde_json::from_value(value).map_err(|error| ShapeError::new(what, expected, error))
}

fn read_action<A: DeserializeOwned>(action: &Value) -> Result<A, ShapeError> {
    read("action", "an action of the control", action.clone())
}

//! A control over one member of a resource that one call sets. [`Setting`] is plain data and implements [`Control`] and
//! [`Remediation`] once, for all such controls. Use it for a member of an existing view that one member of one call
//! writes, and whose inverse is the same call with the old value. Write out a control that needs anything else (a
//! second member, a merge, another call to undo): do not add an option to the family for one control.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::{
    Control, FromItem, Irreversible, Level, ManagedBy, Parameters, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, Resource, ResourceState, ShapeError, Step, Stored, Timestamp, Verdict,
};

/// A resource with members that can be set one by one. Declares the parts that all settings of the resource share.
pub trait View: ResourceState {
    /// The view of the item.
    type Resource: Resource;
    /// Data that the item does not have; `()` if it has all.
    type Facts: Serialize + DeserializeOwned + Debug + Send + Sync + 'static;
    /// Permissions to read the facts.
    const FACTS: &'static [Permission];
    /// Permissions of the live read.
    const READ: &'static [Permission];
    /// Permissions to list the resources; empty if no control lists them.
    const LIST: &'static [Permission];
    /// Whether calls need the resource's name, and AWS Config's id is not that name.
    const NEEDS_NAME: bool = false;
    /// How to determine whether a CloudFormation stack manages it.
    const MANAGED_BY: ManagedBy = ManagedBy::Tags;

    /// Builds the view from the item and facts.
    fn of(resource: Self::Resource, facts: Self::Facts) -> Self;

    /// The identifier of the resource in calls.
    fn call_id(&self) -> &str;

    /// The resource as CloudFormation identifies it, if [`MANAGED_BY`](Self::MANAGED_BY) is `Lookup`.
    fn stack_resources(&self) -> Vec<PhysicalId> {
        Vec::new()
    }

    /// Why no setting of the resource may be changed now, e.g. its status or its owner.
    fn blocked(&self) -> Option<String> {
        None
    }

    /// Whether the service is still applying an accepted change.
    fn is_in_progress(&self) -> bool {
        false
    }
}

/// An API operation that sets members of a resource and leaves members that are not in its input unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Its name: `ModifyDBInstance`.
    pub name: &'static str,
    /// The input member that identifies the resource: `DBInstanceIdentifier`.
    pub resource: &'static str,
    /// Permissions of the fix and the undo: IAM does not distinguish the values of a member.
    pub permissions: &'static [Permission],
}

impl Operation {
    /// The operation, setting one member.
    pub const fn member(self, member: &'static str) -> Member {
        Member { operation: self, member }
    }
}

/// One member of an operation's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The operation.
    pub operation: Operation,
    /// The member in the API's spelling: `DeletionProtection`.
    pub member: &'static str,
}

impl Member {
    /// The call that sets the member of one resource to this value.
    pub fn of<T: Serialize>(self, id: &str, value: &T) -> SetCall {
        // A value without a JSON form becomes null, which no reader of a call accepts as a value.
        let value = serde_json::to_value(value).unwrap_or_default();
        let input = [(self.operation.resource.to_owned(), id.into()), (self.member.to_owned(), value)];
        SetCall { operation: self.operation.name.to_owned(), input: input.into_iter().collect() }
    }
}

/// One call that sets one member, as it is stored and shown:
/// `{"ModifyDBInstance": {"DBInstanceIdentifier": "orders", "DeletionProtection": true}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct SetCall {
    /// The operation's name.
    pub operation: String,
    /// Its input: the identifier of the resource, and the member.
    pub input: Map<String, Value>,
}

impl SetCall {
    /// The value that the call sets for this member of this resource; `None` if it is about another.
    ///
    /// # Errors
    /// [`ShapeError`] if the value does not have the member's type.
    pub fn value<T: DeserializeOwned>(&self, member: Member, id: &str) -> Result<Option<T>, ShapeError> {
        let Member { operation, member } = member;
        let matches = self.operation == operation.name && self.input.get(operation.resource).is_some_and(|it| it == id);
        let Some(value) = self.input.get(member).filter(|_| matches) else { return Ok(None) };
        T::deserialize(value).map(Some).map_err(|error| ShapeError::new(member, "a value of the member", error))
    }

    /// The identifier of the resource, and the one member with its value, for the client that makes the call.
    ///
    /// # Errors
    /// [`ShapeError`] if the input has any other form.
    pub fn parts(&self, resource: &str) -> Result<(&str, &str, &Value), ShapeError> {
        let id = self.input.get(resource).and_then(Value::as_str);
        let member = self.input.iter().find(|(name, _)| *name != resource);
        match (id, member, self.input.len()) {
            (Some(id), Some((member, value)), 2) => Ok((id, member, value)),
            _ => Err(ShapeError::new(&self.operation, format!("`{resource}` and one member"), self.input.len())),
        }
    }
}

impl Serialize for SetCall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut call = serializer.serialize_map(Some(1))?;
        call.serialize_entry(&self.operation, &self.input)?;
        call.end()
    }
}

impl<'de> Deserialize<'de> for SetCall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let call = std::collections::BTreeMap::<String, Map<String, Value>>::deserialize(deserializer)?;
        let mut entries = call.into_iter();
        match (entries.next(), entries.next()) {
            (Some((operation, input)), None) => Ok(Self { operation, input }),
            _ => Err(serde::de::Error::custom("a call is an object with one operation")),
        }
    }
}

/// A control over one member that one call sets. The module's documentation says when to use it.
#[derive(Debug)]
pub struct Setting<V: View, T: 'static, P: 'static> {
    /// The member in the spelling of AWS Config's item: `deletionProtection`.
    pub field: &'static str,
    /// Reads it.
    pub get: fn(&V) -> T,
    /// Sets it in the model.
    pub set: fn(&mut V, T),
    /// The verdict for resources that the control does not evaluate; `None` for the others.
    pub not_judged: fn(&V, &P) -> Option<Verdict>,
    /// The text of the violation and the value that fixes it; `None` if there is no violation.
    pub violation: fn(&V, &P) -> Option<(String, T)>,
    /// The call that sets it.
    pub call: Member,
    /// The level of that call, equal to the declared one.
    pub level: Level,
    /// Why an operator must make the call, beyond the reasons of [`View::blocked`].
    pub blocked: fn(&V) -> Option<String>,
}

impl<V: View, T: Stored, P: Parameters> Control for Setting<V, T, P> {
    type Params = P;
    type Subject = V;

    fn evaluate(&self, subject: &V, params: &P, _now: Timestamp) -> Verdict {
        (self.not_judged)(subject, params).unwrap_or_else(|| match (self.violation)(subject, params) {
            Some((finding, _)) => Verdict::non_compliant(finding),
            None => Verdict::COMPLIANT,
        })
    }
}

impl<V: View, T: Stored, P: Parameters> FromItem for Setting<V, T, P> {
    type Resource = V::Resource;
    type Facts = V::Facts;

    fn fact_permissions(&self) -> &'static [Permission] {
        V::FACTS
    }

    fn subject(&self, resource: V::Resource, facts: V::Facts) -> V {
        V::of(resource, facts)
    }
}

impl<V: View, T: Stored, P: Parameters> Periodic for Setting<V, T, P> {
    fn list_permissions(&self) -> &'static [Permission] {
        V::LIST
    }
}

impl<V: View, T: Stored, P: Parameters> Remediation for Setting<V, T, P> {
    type Action = SetCall;
    type Undo = SetCall;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: V::READ,
            fix: self.call.operation.permissions,
            undo: self.call.operation.permissions,
        }
    }

    fn needs_name(&self) -> bool {
        V::NEEDS_NAME
    }

    fn managed_by(&self) -> ManagedBy {
        V::MANAGED_BY
    }

    fn stack_resources(&self, live: &V, _action: &SetCall) -> Vec<PhysicalId> {
        live.stack_resources()
    }

    fn fix(&self, live: &V, params: &P, _now: Timestamp) -> Plan<SetCall> {
        let Some((_, right)) = (self.violation)(live, params) else { return Plan::Noop };
        let steps = vec![Step::call(self.level, self.call.of(live.call_id(), &right))];
        Plan::unless(live.blocked().or_else(|| (self.blocked)(live)), steps)
    }

    fn predict(&self, mut live: V, action: &SetCall) -> V {
        if let Ok(Some(value)) = action.value(self.call, live.call_id()) {
            (self.set)(&mut live, value);
        }
        live
    }

    fn is_in_progress(&self, after: &V, done: &[SetCall]) -> bool {
        !done.is_empty() && after.is_in_progress()
    }

    /// The one member: a change of another setting does not prevent an undo.
    fn touched_fields(&self, subject: &V, done: &[SetCall]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ self.field: (self.get)(subject) }) }
    }

    fn undo(&self, before: &V, done: &[SetCall]) -> Result<Vec<SetCall>, Irreversible> {
        let old = (self.get)(before);
        let inverse = |call: &SetCall| {
            let id = call.input.get(self.call.operation.resource).and_then(Value::as_str);
            let id = id.ok_or_else(|| Irreversible {
                action: call.operation.clone(),
                reason: format!("the stored call has no {}", self.call.operation.resource),
            })?;
            Ok(self.call.of(id, &old))
        };
        done.iter().rev().map(inverse).collect()
    }
}

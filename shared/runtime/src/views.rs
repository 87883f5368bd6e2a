//! The calls to a resource's API, written once for all settings of a [`View`].
//!
//! A service's Lambda crate implements [`Views`] for its clients and each view; every [`Setting`] of the view then has
//! facts, listing, live read and calls.

use std::future::{Future, ready};

use futures_util::stream::{self, Stream};
use rectify_compliance::{Parameters, SetCall, Setting, ShapeError, Stored, Target, View};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::AwsError;
use crate::client::{AccountRegion, Connect, Fix, List, Page, ReadFacts};

/// The calls of a service's clients for a view.
pub trait Views<V: View>: Connect {
    /// The facts that the item does not contain, or `None` when the resource is gone; by default the facts deserialized
    /// from `null`, for views without facts.
    ///
    /// # Errors
    /// [`AwsError`] for every other failure.
    fn facts(
        &self,
        _target: &Target,
        _resource: &V::Resource,
    ) -> impl Future<Output = Result<Option<V::Facts>, AwsError>> + Send {
        let facts = V::Facts::deserialize(Value::Null);
        ready(facts.map(Some).map_err(|error| ShapeError::new("facts", "a client that reads them", error).into()))
    }

    /// The complete live state of the resource, or `None` when it is gone.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be read completely.
    fn read(&self, target: &Target) -> impl Future<Output = Result<Option<V>, AwsError>> + Send;

    /// Sets `member` of the resource `id` to this value, idempotently: one line per setting.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer, and [`unknown_member`].
    fn write(&self, id: &str, member: &str, value: &Value) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// The resources from a page on, as for [`List::pages`]; by default an error: the view cannot be listed.
    fn pages<'a>(
        &'a self,
        _place: &'a AccountRegion,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<V>, AwsError>> + Send + 'a {
        let error = ShapeError::new("list", "a client that lists the view", V::LIST.len());
        stream::once(ready(Err(error.into())))
    }
}

/// The value of a call, as the type of its member.
///
/// # Errors
/// [`AwsError::Shape`] when it has another type.
pub fn value_of<T: DeserializeOwned>(member: &str, value: &Value) -> Result<T, AwsError> {
    Ok(T::deserialize(value).map_err(|error| ShapeError::new(member, "a value of the member", error))?)
}

/// The error for a member that a client does not set.
pub fn unknown_member(member: &str) -> AwsError {
    ShapeError::new("call", "a member that the client sets", member).into()
}

impl<V: View, T: Stored, P: Parameters, C: Views<V>> ReadFacts<C> for Setting<V, T, P> {
    async fn facts(
        &self,
        clients: &C,
        target: &Target,
        resource: &V::Resource,
        _params: &P,
    ) -> Result<Option<V::Facts>, AwsError> {
        clients.facts(target, resource).await
    }
}

impl<V: View, T: Stored, P: Parameters, C: Views<V>> List<C> for Setting<V, T, P> {
    fn pages<'a>(
        &'a self,
        clients: &'a C,
        place: &'a AccountRegion,
        _params: &'a P,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<V>, AwsError>> + Send + 'a {
        clients.pages(place, from)
    }
}

impl<V: View, T: Stored, P: Parameters, C: Views<V>> Fix<C> for Setting<V, T, P> {
    async fn live(&self, clients: &C, target: &Target, _params: &P) -> Result<Option<V>, AwsError> {
        clients.read(target).await
    }

    async fn apply(&self, clients: &C, _target: &Target, action: &SetCall) -> Result<(), AwsError> {
        let operation = self.call.operation;
        if action.operation != operation.name {
            return Err(ShapeError::new("call", format!("`{}`", operation.name), &action.operation).into());
        }
        let (id, member, value) = action.parts(operation.resource)?;
        clients.write(id, member, value).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::needless_pass_by_value)]
#[path = "views_tests.rs"]
mod tests;

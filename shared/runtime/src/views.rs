//! The calls to one resource's API, written once for all settings of a [`View`].
//!
//! A service's Lambda crate implements [`Views`] for its clients and each view; every [`Setting`] of the view then has its facts,
//! its listing, its live read and its calls.

use std::future::{Future, ready};

use futures_util::stream::{self, Stream};
use rectify_compliance::{Parameters, SetCall, Setting, ShapeError, Target, View};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::AwsError;
use crate::client::{AccountRegion, Connect, Fix, List, Page, ReadFacts};

/// What a service's clients do with a view.
pub trait Views<V: View>: Connect {
    /// What the item does not say, or `None` when the resource is gone; by default the facts that `null` is: none.
    ///
    /// # Errors
    /// [`AwsError`] when anything else goes wrong.
    fn facts(
        &self,
        _target: &Target,
        _resource: &V::Resource,
    ) -> impl Future<Output = Result<Option<V::Facts>, AwsError>> + Send {
        let facts = V::Facts::deserialize(Value::Null);
        ready(facts.map(Some).map_err(|error| ShapeError::new("facts", "a client that reads them", error).into()))
    }

    /// The resource as it is now, whole, or `None` when it is gone.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be read whole.
    fn read(&self, target: &Target) -> impl Future<Output = Result<Option<V>, AwsError>> + Send;

    /// Gives `member` of the resource that calls name `id` this value: one line a setting. What is already so is a success.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer, and [`unknown_member`].
    fn write(&self, id: &str, member: &str, value: &Value) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// The resources from a page on, as for [`List::pages`]; by default an error: nothing lists them.
    fn pages<'a>(
        &'a self,
        _place: &'a AccountRegion,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<V>, AwsError>> + Send + 'a {
        let error = ShapeError::new("list", "a client that lists the view", V::LIST.len());
        stream::once(ready(Err(error.into())))
    }
}

/// The value of a call, as its member has it.
///
/// # Errors
/// [`AwsError::Shape`] when it is of another type.
pub fn value_of<T: DeserializeOwned>(member: &str, value: &Value) -> Result<T, AwsError> {
    Ok(T::deserialize(value).map_err(|error| ShapeError::new(member, "a value of the member", error))?)
}

/// A member that a client does not write.
pub fn unknown_member(member: &str) -> AwsError {
    ShapeError::new("call", "a member that the client sets", member).into()
}

impl<V, T, P, C> ReadFacts<C> for Setting<V, T, P>
where
    V: View,
    T: Serialize + DeserializeOwned + 'static,
    P: Parameters,
    C: Views<V>,
{
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

impl<V, T, P, C> List<C> for Setting<V, T, P>
where
    V: View,
    T: Serialize + DeserializeOwned + 'static,
    P: Parameters,
    C: Views<V>,
{
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

impl<V, T, P, C> Fix<C> for Setting<V, T, P>
where
    V: View,
    T: Serialize + DeserializeOwned + 'static,
    P: Parameters,
    C: Views<V>,
{
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

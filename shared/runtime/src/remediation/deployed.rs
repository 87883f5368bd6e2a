//! A control's remediation and its service clients, type-erased: the runtime of remediations and undo builds on these
//! types.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;

use aws_types::SdkConfig;
use futures_util::future::BoxFuture;
use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ControlMeta, Declared, IdentifiedState, ManagedBy, PhysicalId, Region, ShapeError, Target};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::managed;
use crate::client::{Connect, Fix};
use crate::clients::{Connector, Pool};
use crate::stacks::Stacks;
use crate::{AwsError, Error};

/// A control that remediates: its declaration, its logic, and how to create its clients.
pub struct Deployed<T: ?Sized = dyn Calls> {
    /// The declaration.
    pub meta: &'static ControlMeta,
    /// Its pure logic.
    pub control: &'static dyn ErasedRemediation,
    connect: Connector<T>,
}

impl<T: ?Sized> Clone for Deployed<T> {
    fn clone(&self) -> Self {
        Self { meta: self.meta, control: self.control, connect: Arc::clone(&self.connect) }
    }
}

impl<T: ?Sized> Deployed<T> {
    /// Its clients; the first ones are for `region`.
    pub fn pool(&self, sdk: &SdkConfig, region: &Region) -> Pool<T> {
        Pool::new(self.connect.clone(), sdk.clone(), region.clone())
    }
}

/// The calls of a remediation in one region. The calls of undo are not part of its program.
pub trait Calls: Send + Sync {
    /// Reads the resource; `None` when it is gone.
    fn live<'a>(
        &'a self,
        target: &'a Target,
        parameters: &'a str,
    ) -> BoxFuture<'a, Result<Option<IdentifiedState>, Error>>;

    /// Makes one call of a plan, and returns the part of the answer that undo needs.
    fn apply<'a>(&'a self, target: &'a Target, action: &'a Value) -> BoxFuture<'a, Result<Value, AwsError>>;

    /// The stack that CloudFormation returns for one of these, if the control's types carry no stack tag.
    fn stack<'a>(
        &'a self,
        stacks: &'a Stacks,
        resources: BTreeSet<PhysicalId>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>>;
}

/// The calls of a remediation and of its undo.
pub trait Reverts: Calls {
    /// Makes one call of an undo.
    fn revert<'a>(&'a self, target: &'a Target, call: &'a Value) -> BoxFuture<'a, Result<(), AwsError>>;
}

/// A control with the clients of its remediation.
pub fn deployed<K, C>(control: &'static Declared<K>) -> Deployed
where
    K: Fix<C>,
    C: Connect,
{
    let logic = &control.logic;
    let connect = move |sdk: &SdkConfig| -> Arc<dyn Calls> { Arc::new(Clients { logic, clients: C::connect(sdk) }) };
    Deployed { meta: &control.meta, control: logic, connect: Arc::new(connect) }
}

/// A control with the clients of its remediation and its undo.
pub fn undoable<K, C>(control: &'static Declared<K>) -> Deployed<dyn Reverts>
where
    K: Fix<C>,
    C: Connect,
{
    let logic = &control.logic;
    let connect = move |sdk: &SdkConfig| -> Arc<dyn Reverts> { Arc::new(Clients { logic, clients: C::connect(sdk) }) };
    Deployed { meta: &control.meta, control: logic, connect: Arc::new(connect) }
}

/// A control with its clients in one region.
struct Clients<K: 'static, C> {
    logic: &'static K,
    clients: C,
}

impl<K, C> Calls for Clients<K, C>
where
    K: Fix<C>,
    C: Connect,
{
    fn live<'a>(
        &'a self,
        target: &'a Target,
        parameters: &'a str,
    ) -> BoxFuture<'a, Result<Option<IdentifiedState>, Error>> {
        Box::pin(async move {
            let params = RuleParameters::parse(Some(parameters))?.control;
            let live = self.logic.live(&self.clients, target, &params).await?;
            Ok(live.as_ref().map(IdentifiedState::of).transpose()?)
        })
    }

    fn apply<'a>(&'a self, target: &'a Target, action: &'a Value) -> BoxFuture<'a, Result<Value, AwsError>> {
        Box::pin(async move { self.logic.apply_with_response(&self.clients, target, &read("action", action)?).await })
    }

    fn stack<'a>(
        &'a self,
        stacks: &'a Stacks,
        resources: BTreeSet<PhysicalId>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        // A branch on a constant: a function without a lookup does not link CloudFormation.
        match self.logic.managed_by() {
            ManagedBy::Lookup(_) => Box::pin(managed::first(stacks, resources)),
            ManagedBy::Tags | ManagedBy::Unmanaged(_) => Box::pin(ready(Ok(None))),
        }
    }
}

impl<K, C> Reverts for Clients<K, C>
where
    K: Fix<C>,
    C: Connect,
{
    fn revert<'a>(&'a self, target: &'a Target, call: &'a Value) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(async move { self.logic.revert(&self.clients, target, &read("undo", call)?).await })
    }
}

fn read<T: DeserializeOwned>(what: &'static str, call: &Value) -> Result<T, ShapeError> {
    T::deserialize(call).map_err(|error| ShapeError::new(what, "a call of the control", error))
}

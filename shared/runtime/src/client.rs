//! What a service's Lambda crate implements once per control: the only places that call a service.
//!
//! Every method makes one kind of call and maps it; deciding is the core's business. Each follows all pages.

use std::any::Any;
use std::future::Future;

use aws_types::SdkConfig;
use futures_util::stream::{self, Stream, StreamExt};
use rectify_compliance::{
    AccountId, FromItem, Periodic, Region, Remediation, ResourceKey, ResourceState, ShapeError, Target,
};

use serde_json::Value;

use crate::AwsError;

/// All SDK clients a crate needs, for one account and region.
pub trait Connect: Sized + Send + Sync + 'static {
    /// Builds them; no call is made.
    fn connect(config: &SdkConfig) -> Self;
}

/// The clients of a rule that judges items alone.
#[derive(Debug, Clone, Copy)]
pub struct NoClients;

impl Connect for NoClients {
    fn connect(_config: &SdkConfig) -> Self {
        Self
    }
}

/// Where an inventory is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRegion {
    /// Whose resources.
    pub account: AccountId,
    /// Which region's.
    pub region: Region,
}

/// Reads what an item does not hold.
pub trait ReadFacts<C>: FromItem {
    /// The facts about `resource`, or `None` when it is gone by now.
    ///
    /// # Errors
    /// [`AwsError`] when anything else goes wrong: no verdict is made without the facts.
    fn facts(
        &self,
        clients: &C,
        target: &Target,
        resource: &Self::Resource,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Option<Self::Facts>, AwsError>> + Send;
}

/// A resource that a listing names, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub resource: ResourceKey,
    /// Its name, where that is another than its id.
    pub name: Option<String>,
}

/// A resource of a listing: read whole, or found and not read.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed<S> {
    /// What a control judges.
    Read(S),
    /// It is there, and this kept it from being read: it has no verdict, and those of other resources stand.
    Unreadable(Found, AwsError),
}

impl<S: ResourceState> Listed<S> {
    /// What reading `found` came to; `None` when it is gone by now.
    pub fn of(found: Found, read: Result<Option<S>, AwsError>) -> Option<Self> {
        match read {
            Ok(subject) => subject.map(Self::Read),
            Err(error) => Some(Self::Unreadable(found, error)),
        }
    }

    /// The resource.
    pub fn key(&self) -> ResourceKey {
        match self {
            Self::Read(subject) => subject.key(),
            Self::Unreadable(found, _) => found.resource.clone(),
        }
    }

    /// Its name, where that is another than its id and it is known.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Read(subject) => subject.name(),
            Self::Unreadable(found, _) => found.name.as_deref(),
        }
    }
}

/// Reads the resources of a page, `at_once` at a time, in their order; one that is gone by now is left out.
pub async fn read_each<S, R>(page: Vec<(Found, R)>, at_once: usize) -> Vec<Listed<S>>
where
    S: ResourceState,
    R: Future<Output = Result<Option<S>, AwsError>> + Send,
{
    let (found, reads): (Vec<Found>, Vec<R>) = page.into_iter().unzip();
    let read: Vec<_> = stream::iter(reads).buffered(at_once).collect().await;
    found.into_iter().zip(read).filter_map(|(found, read)| Listed::of(found, read)).collect()
}

/// Some resources of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<S> {
    /// The resources, without those that are gone by now.
    pub resources: Vec<Listed<S>>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl<S> Page<S> {
    /// The only page of a listing, all of it read.
    pub fn whole(subjects: impl IntoIterator<Item = S>) -> Self {
        Self { resources: subjects.into_iter().map(Listed::Read).collect(), next: None }
    }
}

/// Lists all subjects of a control.
pub trait List<C>: Periodic {
    /// The resources from where a page said that the next begins (`None`: from the first), page by page as the API hands
    /// them out; memory does not grow with the account. A listing without pages begins anew.
    ///
    /// An error ends the listing: a listing call failed, or a read that all of its resources depend on. What concerns one
    /// resource is [`Listed::Unreadable`].
    fn pages<'a>(
        &'a self,
        clients: &'a C,
        place: &'a AccountRegion,
        params: &'a Self::Params,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Self::Subject>, AwsError>> + Send + 'a;

    /// Every resource that [`pages`](Self::pages) would hand out, unread: what is retired at the end of a long round is
    /// what is not among these. To be written anew where a page reads its resources one by one.
    fn keys<'a>(
        &'a self,
        clients: &'a C,
        place: &'a AccountRegion,
        params: &'a Self::Params,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        let keys_of = |page: Result<Page<Self::Subject>, AwsError>| -> Result<Vec<ResourceKey>, AwsError> {
            Ok(page?.resources.iter().map(Listed::key).collect())
        };
        self.pages(clients, place, params, None).map(keys_of)
    }
}

/// Reads one subject as it is now, and makes the calls of a plan and of an undo.
pub trait Fix<C: Connect>: Remediation {
    /// The subject, whole, or `None` when the resource is gone.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be read whole.
    fn live(
        &self,
        clients: &C,
        target: &Target,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Option<Self::Subject>, AwsError>> + Send;

    /// Applies `action`. What is already so (a rule already revoked) is a success.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn apply(
        &self,
        clients: &C,
        target: &Target,
        action: &Self::Action,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// [`apply`](Self::apply), and returns what undo will need: `null` unless the control
    /// [needs answers](Remediation::needs_answers). What is already so answers the same again.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn apply_answered(
        &self,
        clients: &C,
        target: &Target,
        action: &Self::Action,
    ) -> impl Future<Output = Result<Value, AwsError>> + Send {
        async { self.apply(clients, target, action).await.map(|()| Value::Null) }
    }

    /// Makes one call of an undo. What is already so is a success. To be written where undo makes other calls than a fix;
    /// otherwise [`apply`](Self::apply) makes them.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn revert(
        &self,
        clients: &C,
        target: &Target,
        undo: &Self::Undo,
    ) -> impl Future<Output = Result<(), AwsError>> + Send {
        async move {
            match (undo as &dyn Any).downcast_ref::<Self::Action>() {
                Some(action) => self.apply(clients, target, action).await,
                None => Err(ShapeError::new("undo", "a client that makes its calls", format!("{undo:?}")).into()),
            }
        }
    }
}

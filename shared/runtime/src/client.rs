//! The client traits that a service's Lambda crate implements for its controls: the only places that call a service.
//!
//! Every method makes one kind of call and maps its answer; decisions belong to the control. Each follows all pages.

use std::any::Any;
use std::future::{Future, ready};

use aws_types::SdkConfig;
use futures_util::stream::{self, Stream, StreamExt};
use rectify_compliance::{
    AccountId, FromItem, Periodic, Region, Remediation, ResourceKey, ResourceState, ShapeError, Target,
};

use serde_json::Value;

use crate::AwsError;

/// All SDK clients of a crate, for one account and region.
pub trait Connect: Sized + Send + Sync + 'static {
    /// Builds them without a call.
    fn connect(config: &SdkConfig) -> Self;

    /// All resources of a type, unread, from all pages: how a scan finds the resources of a control without a schedule.
    /// `None` for a type that these clients do not list; AWS Config lists it then.
    ///
    /// # Errors
    /// [`AwsError`] when a call failed: an incomplete list hides resources.
    fn ids(
        &self,
        _place: &AccountRegion,
        _kind: &str,
    ) -> impl Future<Output = Result<Option<Vec<Found>>, AwsError>> + Send {
        ready(Ok(None))
    }
}

/// The clients of a rule that evaluates items only.
#[derive(Debug, Clone, Copy)]
pub struct NoClients;

impl Connect for NoClients {
    fn connect(_config: &SdkConfig) -> Self {
        Self
    }
}

/// The account and region of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRegion {
    /// The account of the resources.
    pub account: AccountId,
    /// Their region.
    pub region: Region,
}

/// Reads the facts that an item does not contain.
pub trait ReadFacts<C>: FromItem {
    /// The facts about `resource`, or `None` when it is already gone.
    ///
    /// # Errors
    /// [`AwsError`] for every other failure: there is no verdict without the facts.
    fn facts(
        &self,
        clients: &C,
        target: &Target,
        resource: &Self::Resource,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Option<Self::Facts>, AwsError>> + Send;
}

/// A listed resource, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its type and id.
    pub resource: ResourceKey,
    /// Its name, if it differs from its id.
    pub name: Option<String>,
}

/// A resource of a listing: read completely, or unreadable.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed<S> {
    /// The subject of the control.
    Read(S),
    /// It exists but could not be read: it has no verdict; the verdicts of other resources are unaffected.
    Unreadable(Found, AwsError),
}

impl<S: ResourceState> Listed<S> {
    /// The result of reading `found`; `None` when it is already gone.
    pub fn of(found: Found, read: Result<Option<S>, AwsError>) -> Option<Self> {
        match read {
            Ok(subject) => subject.map(Self::Read),
            Err(error) => Some(Self::Unreadable(found, error)),
        }
    }

    /// The resource.
    pub fn key(&self) -> ResourceKey {
        match self {
            Self::Read(subject) => subject.identity().key,
            Self::Unreadable(found, _) => found.resource.clone(),
        }
    }

    /// Its name, if it is known and differs from its id.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Read(subject) => subject.identity().name,
            Self::Unreadable(found, _) => found.name.as_deref(),
        }
    }
}

/// Reads the resources of a page, `at_once` at a time, in order; resources that are already gone are left out.
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
    /// The resources, without those that are already gone.
    pub resources: Vec<Listed<S>>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl<S> Page<S> {
    /// The only page of a listing, read completely.
    pub fn whole(subjects: impl IntoIterator<Item = S>) -> Self {
        Self { resources: subjects.into_iter().map(Listed::Read).collect(), next: None }
    }
}

/// Lists all subjects of a control.
pub trait List<C>: Periodic {
    /// The resources from the page with this token on (`None`: from the first), in the API's pages; memory does not
    /// grow with the account. A listing without pages starts from the beginning.
    ///
    /// An error ends the listing: a listing call failed, or a read that all resources depend on. A failure of one
    /// resource is [`Listed::Unreadable`].
    fn pages<'a>(
        &'a self,
        clients: &'a C,
        place: &'a AccountRegion,
        params: &'a Self::Params,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Self::Subject>, AwsError>> + Send + 'a;

    /// The keys of all resources that [`pages`](Self::pages) would return, unread: at the end of a long round, results
    /// of other resources are retired. Override it where a page reads its resources one by one.
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

/// Reads the live state of one subject, and makes the calls of a plan and of an undo.
pub trait Fix<C: Connect>: Remediation {
    /// The complete subject, or `None` when the resource is gone.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be read completely.
    fn live(
        &self,
        clients: &C,
        target: &Target,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Option<Self::Subject>, AwsError>> + Send;

    /// Applies `action`. It is idempotent: an action already in effect (a rule already revoked) succeeds.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn apply(
        &self,
        clients: &C,
        target: &Target,
        action: &Self::Action,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;

    /// [`apply`](Self::apply), and returns the part of the answer that undo needs: `null` unless the control
    /// [needs answers](Remediation::needs_responses). An action already in effect returns the same answer again.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn apply_with_response(
        &self,
        clients: &C,
        target: &Target,
        action: &Self::Action,
    ) -> impl Future<Output = Result<Value, AwsError>> + Send {
        async { self.apply(clients, target, action).await.map(|()| Value::Null) }
    }

    /// Makes one call of an undo, idempotently. Override it where undo makes other calls than a fix; by default
    /// [`apply`](Self::apply) makes them.
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

//! A control's rule and its service clients, type-erased: the runtime of rules builds on these types.

use std::future::ready;
use std::process::ExitCode;
use std::sync::Arc;

use aws_types::SdkConfig;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::parameters::{CommonParameters, RuleParameters};
use rectify_compliance::{
    ConfigurationItem, Control, ControlMeta, Declared, FromItem, ParameterError, Periodic, Resource, ResourceKey,
    ResourceState, Timestamp, Verdict,
};
use serde_json::Value;

use super::{RuleContext, handle};
use crate::client::{AccountRegion, Connect, List, Listed, NoClients, Page, ReadFacts};
use crate::clients::Connector;
use crate::{AwsError, Error, serve};

/// A rule: its declaration, and how to create its clients.
#[derive(Clone)]
pub struct Rule {
    /// The control's declaration.
    pub meta: &'static ControlMeta,
    /// Reads the parameters and returns the common ones.
    pub(super) parameters: fn(Option<&str>) -> Result<CommonParameters, ParameterError>,
    pub(super) connect: Connector<dyn Connected>,
}

/// A rule that evaluates changes from the item alone, without clients.
pub fn on_item<K>(control: &'static Declared<K>) -> Rule
where
    K: Control<Subject: Resource>,
{
    Rule::of::<K, NoClients>(control, Some(alone), None)
}

/// The same with a periodic trigger.
pub fn on_item_and_schedule<K, C>(control: &'static Declared<K>) -> Rule
where
    K: List<C, Subject: Resource>,
    C: Connect,
{
    Rule::of::<K, C>(control, Some(alone), Some((pages, keys)))
}

/// A rule that evaluates changes.
pub fn on_change<K, C>(control: &'static Declared<K>) -> Rule
where
    K: FromItem + ReadFacts<C>,
    C: Connect,
{
    Rule::of::<K, C>(control, Some(with_facts), None)
}

/// A rule that evaluates on a schedule.
pub fn on_schedule<K, C>(control: &'static Declared<K>) -> Rule
where
    K: Periodic + List<C>,
    C: Connect,
{
    Rule::of::<K, C>(control, None, Some((pages, keys)))
}

/// A rule that does both.
pub fn on_change_and_schedule<K, C>(control: &'static Declared<K>) -> Rule
where
    K: FromItem + ReadFacts<C> + Periodic + List<C>,
    C: Connect,
{
    Rule::of::<K, C>(control, Some(with_facts), Some((pages, keys)))
}

impl Rule {
    fn of<K: Control, C: Connect>(
        control: &'static Declared<K>,
        change: Option<JudgeItem<K, C>>,
        inventory: Option<(Pages<K, C>, Keys<K, C>)>,
    ) -> Self {
        let logic = &control.logic;
        let connect = move |sdk: &SdkConfig| -> Arc<dyn Connected> {
            Arc::new(Clients { logic, clients: C::connect(sdk), change, inventory })
        };
        let parameters = |text: Option<&str>| RuleParameters::<K::Params>::parse(text).map(|it| it.shell);
        Self { meta: &control.meta, parameters, connect: Arc::new(connect) }
    }

    /// Serves its events until Lambda ends the process.
    pub fn serve(self) -> ExitCode {
        let build = |environment: &_| RuleContext::from_environment(self.clone(), environment);
        serve::run(self.meta.id, build, &async |context, event, own, log| {
            handle(context, &event, own, log).await.map(|()| Value::Null)
        })
    }
}

/// A control with its clients in one region.
pub(super) trait Connected: Send + Sync {
    /// The control with these parameters.
    ///
    /// # Errors
    /// The parameter, the expected and the received value.
    fn with(self: Arc<Self>, parameters: Option<&str>) -> Result<Box<dyn Judge>, ParameterError>;
}

/// A control with its clients and its parameters.
pub(super) trait Judge: Send + Sync {
    /// Evaluates one item; `None` when the resource is already gone.
    fn item<'a>(
        &'a self,
        item: &'a ConfigurationItem,
        scope: RuleScope<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Verdict>, Error>>;

    /// Lists and evaluates the resources, from a page on.
    ///
    /// # Errors
    /// [`Error::UnsupportedTrigger`] when the control has no periodic trigger.
    fn pages<'a>(
        &'a self,
        place: &'a AccountRegion,
        from: Option<String>,
        scope: RuleScope<'a>,
        now: Timestamp,
    ) -> Result<JudgedPages<'a>, Error>;

    /// The keys of all resources, unread.
    ///
    /// # Errors
    /// As for [`pages`](Self::pages).
    fn keys<'a>(&'a self, place: &'a AccountRegion) -> Result<KeyPages<'a>, Error>;
}

/// The pages of a listing.
pub(super) type JudgedPages<'a> = BoxStream<'a, Result<JudgedPage, AwsError>>;
/// The resources of a listing, page by page.
pub(super) type KeyPages<'a> = BoxStream<'a, Result<Vec<ResourceKey>, AwsError>>;

/// Some resources of a listing, evaluated.
pub(super) struct JudgedPage {
    /// Each with its verdict, or with the error of its read.
    pub(super) resources: Vec<(ResourceKey, Result<Verdict, AwsError>)>,
    /// Where the next page begins; `None` after the last.
    pub(super) next: Option<String>,
}

type JudgeItem<K, C> = for<'a> fn(
    &'a Judging<K, C>,
    &'a ConfigurationItem,
    RuleScope<'a>,
    Timestamp,
) -> BoxFuture<'a, Result<Option<Verdict>, Error>>;
type Pages<K, C> =
    for<'a> fn(&'a Judging<K, C>, &'a AccountRegion, Option<String>, RuleScope<'a>, Timestamp) -> JudgedPages<'a>;
type Keys<K, C> = for<'a> fn(&'a Judging<K, C>, &'a AccountRegion) -> KeyPages<'a>;

/// A control's clients and the functions of its triggers, shared by all events.
struct Clients<K: Control, C: 'static> {
    logic: &'static K,
    clients: C,
    change: Option<JudgeItem<K, C>>,
    inventory: Option<(Pages<K, C>, Keys<K, C>)>,
}

struct Judging<K: Control, C: 'static> {
    of: Arc<Clients<K, C>>,
    params: K::Params,
}

impl<K: Control, C: Connect> Connected for Clients<K, C> {
    fn with(self: Arc<Self>, parameters: Option<&str>) -> Result<Box<dyn Judge>, ParameterError> {
        let params = RuleParameters::parse(parameters)?.control;
        Ok(Box::new(Judging { of: self, params }))
    }
}

impl<K: Control, C: Connect> Judge for Judging<K, C> {
    fn item<'a>(
        &'a self,
        item: &'a ConfigurationItem,
        scope: RuleScope<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Verdict>, Error>> {
        match self.of.change {
            Some(judge) => judge(self, item, scope, now),
            None => Box::pin(ready(Err(Error::UnsupportedTrigger { half: "change" }))),
        }
    }

    fn pages<'a>(
        &'a self,
        place: &'a AccountRegion,
        from: Option<String>,
        scope: RuleScope<'a>,
        now: Timestamp,
    ) -> Result<JudgedPages<'a>, Error> {
        let (pages, _) = self.of.inventory.ok_or(Error::UnsupportedTrigger { half: "periodic" })?;
        Ok(pages(self, place, from, scope, now))
    }

    fn keys<'a>(&'a self, place: &'a AccountRegion) -> Result<KeyPages<'a>, Error> {
        let (_, keys) = self.of.inventory.ok_or(Error::UnsupportedTrigger { half: "periodic" })?;
        Ok(keys(self, place))
    }
}

/// Evaluates the item itself.
fn alone<'a, K, C>(
    judging: &'a Judging<K, C>,
    item: &'a ConfigurationItem,
    scope: RuleScope<'a>,
    now: Timestamp,
) -> BoxFuture<'a, Result<Option<Verdict>, Error>>
where
    K: Control<Subject: Resource>,
    C: Connect,
{
    let judged = K::Subject::from_item(item).map(|subject| Some(verdict(judging, item, &subject, scope, now)));
    Box::pin(ready(judged.map_err(Error::from)))
}

/// Evaluates the subject built from item and facts.
fn with_facts<'a, K, C>(
    judging: &'a Judging<K, C>,
    item: &'a ConfigurationItem,
    scope: RuleScope<'a>,
    now: Timestamp,
) -> BoxFuture<'a, Result<Option<Verdict>, Error>>
where
    K: FromItem + ReadFacts<C>,
    C: Connect,
{
    let Judging { of, params } = judging;
    Box::pin(async move {
        let resource = K::Resource::from_item(item)?;
        let Some(facts) = of.logic.facts(&of.clients, &item.target(), &resource, params).await? else {
            return Ok(None);
        };
        let subject = of.logic.subject(resource, facts);
        Ok(Some(verdict(judging, item, &subject, scope, now)))
    })
}

fn verdict<K: Control, C>(
    judging: &Judging<K, C>,
    item: &ConfigurationItem,
    subject: &K::Subject,
    scope: RuleScope<'_>,
    now: Timestamp,
) -> Verdict {
    // The subject may have a name that its item lacks.
    let excluded = scope.out_of_scope(&item.resource, subject.identity().name);
    excluded.unwrap_or_else(|| judging.of.logic.evaluate(subject, &judging.params, now))
}

/// Typed from the listing to the verdict: even a hundred thousand resources are never converted to JSON.
fn pages<'a, K, C>(
    judging: &'a Judging<K, C>,
    place: &'a AccountRegion,
    from: Option<String>,
    scope: RuleScope<'a>,
    now: Timestamp,
) -> JudgedPages<'a>
where
    K: List<C>,
    C: Connect,
{
    let Judging { of, params } = judging;
    let judge = move |listed: Listed<K::Subject>| {
        let resource = listed.key();
        // A resource out of scope need not be readable.
        let verdict = match (scope.out_of_scope(&resource, listed.name()), listed) {
            (Some(excluded), _) => Ok(excluded),
            (None, Listed::Read(subject)) => Ok(of.logic.evaluate(&subject, params, now)),
            (None, Listed::Unreadable(_, error)) => Err(error),
        };
        (resource, verdict)
    };
    let judged = move |page: Page<K::Subject>| JudgedPage {
        resources: page.resources.into_iter().map(judge).collect(),
        next: page.next,
    };
    of.logic.pages(&of.clients, place, params, from).map(move |page| page.map(judged)).boxed()
}

fn keys<'a, K, C>(judging: &'a Judging<K, C>, place: &'a AccountRegion) -> KeyPages<'a>
where
    K: List<C>,
    C: Connect,
{
    judging.of.logic.keys(&judging.of.clients, place, &judging.params).boxed()
}

//! The resources of a control, for a scan: from its own listing, or by their types.

use std::pin::pin;

use aws_types::SdkConfig;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ControlMeta, Declared, ResourceState, Timestamp, Verdict, offenders};

use super::scan::{ALL, Unknown};
use crate::client::{AccountRegion, Connect, Found, List, Listed};
use crate::config_service::ConfigService;
use crate::{AwsError, Error};

/// Lists the resources of a control with these parameters.
pub(super) type Lister = Box<
    dyn for<'a> Fn(&'a SdkConfig, &'a AccountRegion, &'a str, Timestamp) -> BoxFuture<'a, Result<Inventory, Error>>
        + Send
        + Sync,
>;

/// The resources of a control.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Those that were listed.
    pub(super) resources: Vec<Candidate>,
    /// The types that could not be listed; [`ALL`] for several.
    pub(super) gaps: Vec<(&'static str, Unknown)>,
}

/// A listed resource.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The resource.
    pub(super) found: Found,
    /// Its ARN, if the listing has it.
    pub(super) arn: Option<String>,
    /// Its verdict or the error of its read; `None` if the listing reads no resource.
    pub(super) verdict: Option<Result<Verdict, AwsError>>,
}

/// By the listing that the rule's schedule uses.
pub(super) fn by_page<K, C>(control: &'static Declared<K>) -> Lister
where
    K: List<C>,
    C: Connect,
{
    Box::new(move |config, place, parameters, now| Box::pin(pages(control, C::connect(config), place, parameters, now)))
}

/// By the types of the control.
pub(super) fn by_type<C: Connect>(meta: &'static ControlMeta) -> Lister {
    Box::new(move |config, place, _, _| Box::pin(types(meta, C::connect(config), ConfigService::new(config), place)))
}

/// Evaluates each page as it is read: of a subject only its verdict is kept.
async fn pages<K, C>(
    control: &'static Declared<K>,
    clients: C,
    place: &AccountRegion,
    parameters: &str,
    now: Timestamp,
) -> Result<Inventory, Error>
where
    K: List<C>,
    C: Connect,
{
    let logic = &control.logic;
    let params: K::Params = RuleParameters::parse(Some(parameters))?.control;
    let candidate = |listed: Listed<K::Subject>| {
        let found = Found { resource: listed.key(), name: listed.name().map(str::to_owned) };
        match listed {
            Listed::Read(subject) => Candidate {
                found,
                arn: subject.identity().arn.map(str::to_owned),
                verdict: Some(Ok(logic.evaluate(&subject, &params, now))),
            },
            Listed::Unreadable(_, error) => Candidate { found, arn: None, verdict: Some(Err(error)) },
        }
    };
    let mut inventory = Inventory::default();
    let mut pages = pin!(logic.pages(&clients, place, &params, None));
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => inventory.resources.extend(page.resources.into_iter().map(candidate)),
            Err(error) => {
                inventory.gaps.push((common(control.meta.resource_types), Unknown::Unreadable(error.into())));
                break;
            }
        }
    }
    Ok(inventory)
}

async fn types<C: Connect>(
    meta: &'static ControlMeta,
    clients: C,
    config: ConfigService,
    place: &AccountRegion,
) -> Result<Inventory, Error> {
    let (mut inventory, mut others) = (Inventory::default(), Vec::new());
    for kind in meta.resource_types.iter().copied() {
        match clients.ids(place, kind).await {
            Ok(Some(found)) => inventory.add(found),
            Ok(None) => others.push(kind),
            Err(error) => inventory.gaps.push((kind, Unknown::Unreadable(error.into()))),
        }
    }
    if !others.is_empty() {
        discovered(&config, others, &mut inventory).await;
    }
    Ok(inventory)
}

/// Adds the resources of these types that AWS Config has discovered. The first error ends the listing: the next type
/// meets the same one.
async fn discovered(config: &ConfigService, types: Vec<&'static str>, inventory: &mut Inventory) {
    let unrecorded = match config.unrecorded(&types).await {
        Ok(unrecorded) => unrecorded,
        Err(error) => return inventory.gaps.push((common(&types), Unknown::Unreadable(error.into()))),
    };
    if !unrecorded.is_empty() {
        let reason = format!(
            "AWS Config, which lists these types, does not record {}: record them to scan their resources",
            offenders(unrecorded.iter().copied())
        );
        inventory.gaps.push((common(&unrecorded), Unknown::NotListed(reason)));
    }
    let recorded: Vec<_> = types.into_iter().filter(|kind| !unrecorded.contains(kind)).collect();
    let mut rest = recorded.as_slice();
    while let [kind, others @ ..] = rest {
        match config.discovered(kind).await {
            Ok(found) => inventory.add(found),
            Err(error) => return inventory.gaps.push((common(rest), Unknown::Unreadable(error.into()))),
        }
        rest = others;
    }
}

impl Inventory {
    fn add(&mut self, found: Vec<Found>) {
        self.resources.extend(found.into_iter().map(|found| Candidate { found, arn: None, verdict: None }));
    }
}

/// The type of a row about all resources of these types.
fn common(types: &[&'static str]) -> &'static str {
    match types {
        [only] => only,
        _ => ALL,
    }
}

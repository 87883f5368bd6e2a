//! The verdicts about all resources of a control. Writes nothing.

use std::collections::HashSet;

use aws_types::SdkConfig;
use futures_util::StreamExt;
use futures_util::stream;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{IdentifiedState, Plan, ResourceKey, StoredState, Target, Timestamp, Verdict};
use serde_json::Value;

use super::Operations;
use super::inventory::Candidate;
use crate::Error;
use crate::client::{AccountRegion, Found};
use crate::remediation::{Deployed, Reverts};

/// The id, or the type, of a row about all of them.
pub const ALL: &str = "*";

/// How many resources of a control are read concurrently; each takes one to ten calls.
const CONCURRENCY: usize = 4;

/// A resource with its verdict, or all resources of a type without one.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// The resource; [`ALL`] as the id if its type could not be listed.
    pub resource: ResourceKey,
    /// Its name, if it differs from the id.
    pub name: Option<String>,
    /// Its ARN, if it is known.
    pub arn: Option<String>,
    /// The verdict, and for a finding the plan, unless the live read that it needs failed.
    pub result: Result<(Verdict, Option<Planned>), Unknown>,
}

/// The plan for a finding, and the live state that it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The live state.
    pub state: StoredState,
    /// The plan of a remediation.
    pub plan: Plan<Value>,
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// The resource could not be read, or its type not be listed.
    Unreadable(Error),
    /// Nothing lists the type here, for this reason.
    NotListed(String),
}

/// A control that reads and evaluates its resources.
struct Reader<'a> {
    operations: &'a Operations,
    clients: &'a dyn Reverts,
    scope: RuleScope<'a>,
    place: &'a AccountRegion,
    parameters: &'a str,
    now: Timestamp,
}

impl Operations {
    /// Lists, reads, evaluates and plans; changes nothing. Only resources that are `wanted`, by key and name, are read.
    /// `config` is for the region of `place`.
    ///
    /// # Errors
    /// [`Error`] of the parameters. Failed calls are in the result.
    pub async fn scan(
        &self,
        config: &SdkConfig,
        place: &AccountRegion,
        parameters: &str,
        wanted: impl Fn(&ResourceKey, Option<&str>) -> bool,
    ) -> Result<Vec<Scanned>, Error> {
        let Deployed { meta, control, .. } = &self.deployed;
        let common = control.common_parameters(parameters)?;
        let here = &place.region;
        let home = common.home_region.clone().unwrap_or_else(|| here.default_home_region());
        let scope = RuleScope { meta, parameters: &common, here, home: &home };
        let now = Timestamp::now();
        let inventory = (self.list)(config, place, parameters, now).await?;
        let clients = self.deployed.pool(config, here).at(&place.account, &place.account, here).await?;
        let reader = Reader { operations: self, clients: &*clients, scope, place, parameters, now };
        // A resource that a shifted page repeats is one resource.
        let mut seen = HashSet::new();
        let mut resources = inventory.resources;
        resources.retain(|it| {
            let Found { resource, name } = &it.found;
            wanted(resource, name.as_deref()) && seen.insert(resource.clone())
        });
        let reads: Vec<_> = resources.into_iter().map(|it| reader.judge(it)).collect();
        let judged: Vec<Option<Scanned>> = stream::iter(reads).buffered(CONCURRENCY).collect().await;
        let gaps = inventory.gaps.into_iter().map(|(kind, why)| Scanned {
            resource: ResourceKey::new(kind, ALL),
            name: None,
            arn: None,
            result: Err(why),
        });
        Ok(judged.into_iter().flatten().chain(gaps).collect())
    }
}

impl Reader<'_> {
    /// The result for one resource; `None` if it is already gone. A finding is planned from a live read, as by the
    /// remediation: a listing may have less than a plan needs.
    async fn judge(&self, candidate: Candidate) -> Option<Scanned> {
        let Candidate { found: Found { resource, name }, arn, verdict } = candidate;
        let AccountRegion { account, region } = self.place.clone();
        let target = Target { account, region, resource, name, arn };
        let excluded = self.scope.out_of_scope(&target.resource, target.name.as_deref());
        let (live, result) = match (excluded, verdict) {
            (Some(excluded), _) => (None, Ok((excluded, None))),
            (None, Some(Err(error))) => (None, Err(error.into())),
            (None, Some(Ok(verdict))) if !verdict.is_non_compliant() => (None, Ok((verdict, None))),
            (None, listed) => match (self.clients.live(&target, self.parameters).await, listed) {
                (Ok(None), _) => return None,
                (Ok(Some(live)), _) => {
                    let result = self.evaluate(&target.resource, &live);
                    (Some(live), result)
                }
                // The finding stands without its plan.
                (Err(_), Some(Ok(finding))) => (None, Ok((finding, None))),
                (Err(error), _) => (None, Err(error)),
            },
        };
        let (name, arn) = live.map(|it| (it.name, it.arn)).unwrap_or_default();
        Some(Scanned {
            resource: target.resource,
            name: name.or(target.name),
            arn: arn.or(target.arn),
            result: result.map_err(Unknown::Unreadable),
        })
    }

    fn evaluate(&self, resource: &ResourceKey, live: &IdentifiedState) -> Result<(Verdict, Option<Planned>), Error> {
        let (verdict, plan) = self.operations.evaluate(self.scope, resource, live, self.parameters, self.now)?;
        let planned = verdict.is_non_compliant().then(|| Planned { state: live.image.clone(), plan });
        Ok((verdict, planned))
    }
}

//! The periodic half: every subject of an inventory, then the results of what is gone.
//!
//! Each full hundred is reported as it fills: a verdict about one resource is true whatever happens to the next page.
//! A resource that cannot be read keeps its last evaluation, is not retired, and has no say about the others: the run goes on
//! and ends as `RunIncomplete`.
//! A rule that is gone ends the run: there is nobody to tell.
//! Retiring waits for the last page; a listing that breaks off retires nothing and fails.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::StreamExt;
use rectify_compliance::{Evaluation, Inventory, ResourceKey, Timestamp, Verdict};

use super::Run;
use super::unread::Unread;
use crate::Fault;
use crate::config_service::{BATCH, Sent, key_hash};
use crate::edge::{Connect, List, Listed, Place};
use crate::invocation::Invocation;

/// Runs an inventory and reports it.
pub(super) async fn run<K, C>(run: &Run<'_, C, K::Params>, line: &mut Invocation) -> Result<(), Fault>
where
    K: Inventory + List<C>,
    C: Connect,
{
    let ordering = run.event.message.time();
    let params = &run.params.control;
    let place = Place { account: run.account()?, region: run.shell.settings.region.clone() };
    let clients = run.clients(&place.account, &place.region).await?;
    let mut seen: HashSet<u64> = HashSet::new();
    let mut full: Vec<Evaluation> = Vec::with_capacity(BATCH);
    let mut unread = Unread::default();
    let mut pages = pin!(K::pages(&clients, &place, params, None));
    while let Some(page) = pages.next().await {
        for listed in page?.resources {
            let resource = listed.key();
            // A listing that repeats a resource (a page that shifted) reports it once.
            if !seen.insert(key_hash(&resource)) {
                continue;
            }
            // What is out of scope need not be read.
            let verdict = match (run.scope.out_of_scope(&resource, listed.name()), listed) {
                (Some(excluded), _) => excluded,
                (None, Listed::Read(subject)) => K::evaluate(&subject, params, ordering),
                (None, Listed::Unreadable(_, error)) => {
                    unread.add(&resource, &error, line);
                    continue;
                }
            };
            full.push(Evaluation { resource, verdict, ordering });
            if full.len() == BATCH {
                if run.send(&full, line).await? == Sent::RuleGone {
                    return Ok(());
                }
                full.clear();
            }
        }
    }
    line.note("resources", seen.len());
    if seen.is_empty() {
        full.push(nothing_in_scope(ResourceKey::account(&place.account), ordering));
    }
    if !full.is_empty() && run.send(&full, line).await? == Sent::RuleGone {
        return Ok(());
    }
    retire::<K, C>(run, &seen, ordering, line).await?;
    unread.fault(seen.len()).map_or(Ok(()), Err)
}

fn nothing_in_scope(resource: ResourceKey, ordering: Timestamp) -> Evaluation {
    Evaluation { resource, verdict: Verdict::not_applicable("no resource in scope"), ordering }
}

/// Answers NOT_APPLICABLE for what the rule still reports and the inventory no longer has, by type and id.
async fn retire<K, C>(
    run: &Run<'_, C, K::Params>,
    seen: &HashSet<u64>,
    ordering: Timestamp,
    line: &mut Invocation,
) -> Result<(), Fault>
where
    K: Inventory,
    C: Connect,
{
    let Some(rule) = &run.event.rule_name else {
        return Err(rectify_compliance::ShapeError::missing("configRuleName", "the name of the rule").into());
    };
    let gone = run.shell.config.vanished(rule, K::META.resource_types, seen).await?;
    if gone.is_empty() {
        return Ok(());
    }
    line.note("retired", gone.len());
    let evaluations: Vec<Evaluation> = gone
        .into_iter()
        .map(|resource| Evaluation { resource, verdict: Verdict::not_applicable("resource deleted"), ordering })
        .collect();
    run.send(&evaluations, line).await.map(drop)
}

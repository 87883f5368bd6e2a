//! The periodic trigger: evaluates every listed resource, then retires the results of deleted ones.
//!
//! AWS Config bills each evaluation that it stores, so only those are sent that differ from what it holds, each finding
//! again once a day and every other result once a week ([`Held`]). If what it holds cannot be read, all are sent. If there is nothing to send, an
//! empty list is: it shows AWS Config that the rule ran.
//! Each full hundred is reported while the next page is read: a verdict about one resource does not depend on the next.
//! A resource that cannot be read keeps its last evaluation, is not retired, and does not affect the others: the round
//! continues and ends as `RunIncomplete`. A round that one invocation does not finish continues in the next one, from
//! the page it reached ([`Round`]). If the rule is gone, the round ends: AWS Config accepts no evaluations for it.
//! Results are retired after the last page; a listing that fails retires nothing.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join;
use rectify_compliance::{Evaluation, ShapeError, Verdict};

use super::Run;
use super::judge::Judge;
use super::round::{Round, Step};
use crate::Error;
use crate::client::AccountRegion;
use crate::config_service::{BATCH, Held, Sent, key_hash};
use crate::invocation::Invocation;

/// The time left when a listing stops: a page is read and reported in seconds, and within this time even with retries.
const TIME_FOR_PAGE: Duration = Duration::from_secs(60);
/// The minimum time left when retiring begins: it reads every result of the rule if one of them is about a deleted
/// resource, and lists all resources again if the round has more than one part.
const TIME_FOR_RETIRING: Duration = Duration::from_secs(240);

/// Where a listing ended.
enum Listing {
    /// After the last page.
    Done,
    /// Before the page with this token, because time is short.
    Stopped(String),
    /// AWS Config no longer has the rule.
    RuleGone,
}

/// Runs one part of a round.
pub(super) async fn run(run: &Run<'_>, log: &mut Invocation) -> Result<(), Error> {
    let mut round = Round::of(run.raw)?;
    let place = AccountRegion { account: run.account()?, region: run.context.settings.region.clone() };
    let judge = run.judge(&place.account, &place.region).await?;
    let mut seen = HashSet::new();
    let mut held = None;
    if matches!(round.step, Step::List(_)) {
        let listed = list(&*judge, run, &place, &mut round, &mut seen, &mut held, log).await;
        log.note("resources", round.resources);
        log.note("part", round.part);
        match listed? {
            Listing::RuleGone => return Ok(()),
            Listing::Stopped(token) => return continue_later(run, round, Step::List(Some(token)), log).await,
            // Retiring the results of a hundred resources takes a second.
            Listing::Done if round.resources > BATCH && run.own.deadline.left() < TIME_FOR_RETIRING => {
                return continue_later(run, round, Step::Retire, log).await;
            }
            Listing::Done => {}
        }
    }
    if round.part > 1 {
        seen = keys(&*judge, &place).await?;
    }
    if !held.is_some_and(|it| it.is_within(&seen)) {
        retire(run, &seen, log).await?;
    }
    round.unread.into_error(round.resources).map_or(Ok(()), Err)
}

/// Evaluates and reports the resources from a page on, until the last page or until time is short.
async fn list(
    judge: &dyn Judge,
    run: &Run<'_>,
    place: &AccountRegion,
    round: &mut Round,
    seen: &mut HashSet<u64>,
    held: &mut Option<Held>,
    log: &mut Invocation,
) -> Result<Listing, Error> {
    let ordering = run.event.message.time();
    let mut judged: Vec<Evaluation> = Vec::new();
    let Step::List(from) = round.step.clone() else { return Ok(Listing::Done) };
    let mut pages = judge.pages(place, from, run.scope, ordering)?;
    match results(run).await {
        Ok(None) => {
            log.note("rule_gone", true);
            return Ok(Listing::RuleGone);
        }
        Ok(read) => *held = read,
        // Then all verdicts are reported, and retiring reads again.
        Err(error) => log.note("results_unread", error.to_string()),
    }
    let is_held = |it: &Evaluation| held.as_ref().is_some_and(|held| held.has(it));
    let (mut unchanged, mut reported) = (0, false);
    let end = loop {
        let full: Vec<Evaluation> = judged.drain(..judged.len() - judged.len() % BATCH).collect();
        reported |= !full.is_empty();
        let (sent, page) = join(report(run, &full, log), pages.next()).await;
        if sent? == Sent::RuleGone {
            return Ok(Listing::RuleGone);
        }
        let Some(page) = page.transpose()? else { break Listing::Done };
        for (resource, verdict) in page.resources {
            // A resource that a shifted page repeats is reported once.
            if !seen.insert(key_hash(&resource)) {
                continue;
            }
            round.resources += 1;
            match verdict {
                Ok(verdict) => {
                    let evaluation = Evaluation { resource, verdict, ordering };
                    if is_held(&evaluation) { unchanged += 1 } else { judged.push(evaluation) }
                }
                Err(error) => round.unread.add(&resource, &error, log),
            }
        }
        if let Some(next) = page.next
            && run.own.deadline.left() < TIME_FOR_PAGE
        {
            break Listing::Stopped(next);
        }
    };
    log.note("unchanged", unchanged);
    let sent = if judged.is_empty() && reported { Sent::Stored } else { run.send(&judged, log).await? };
    match sent {
        Sent::RuleGone => Ok(Listing::RuleGone),
        Sent::Stored => Ok(end),
    }
}

/// Sends the evaluations, if there are any.
async fn report(run: &Run<'_>, judged: &[Evaluation], log: &mut Invocation) -> Result<Sent, Error> {
    if judged.is_empty() { Ok(Sent::Stored) } else { run.send(judged, log).await }
}

/// Leaves the rest of a round to another invocation.
async fn continue_later(run: &Run<'_>, round: Round, step: Step, log: &mut Invocation) -> Result<(), Error> {
    let event = round.event(step, run.raw)?;
    run.context.relay.invoke_self(&run.own.function, &event).await?;
    log.note("goes_on", true);
    Ok(())
}

/// The keys of all resources: this invocation does not know those that earlier parts of the round listed.
async fn keys(judge: &dyn Judge, place: &AccountRegion) -> Result<HashSet<u64>, Error> {
    let mut all = HashSet::new();
    let mut pages = judge.keys(place)?;
    while let Some(page) = pages.next().await {
        all.extend(page?.iter().map(key_hash));
    }
    Ok(all)
}

/// What AWS Config holds of the rule; `None` when it no longer has the rule. Takes at most half of the time that is left:
/// the other half is for the listing.
async fn results(run: &Run<'_>) -> Result<Option<Held>, Error> {
    let rule = rule_name(run)?;
    let deadline = run.own.deadline;
    let config = run.config().await?;
    let read = config.held(rule, run.scope.meta.resource_types, run.event.message.time());
    deadline.leaving(deadline.left() / 2, || format!("results of {rule}"), read).await?
}

fn rule_name<'a>(run: &Run<'a>) -> Result<&'a str, Error> {
    let name = run.event.rule_name.as_deref();
    name.ok_or_else(|| ShapeError::missing("configRuleName", "the name of the rule").into())
}

/// Reports NOT_APPLICABLE for resources that the rule still reports and the listing no longer contains, by type and id.
async fn retire(run: &Run<'_>, listed: &HashSet<u64>, log: &mut Invocation) -> Result<(), Error> {
    let ordering = run.event.message.time();
    let gone = run.config().await?.vanished(rule_name(run)?, run.scope.meta.resource_types, listed).await?;
    if gone.is_empty() {
        return Ok(());
    }
    log.note("retired", gone.len());
    let evaluations: Vec<Evaluation> = gone
        .into_iter()
        .map(|resource| Evaluation { resource, verdict: Verdict::not_applicable("resource deleted"), ordering })
        .collect();
    run.send(&evaluations, log).await.map(drop)
}

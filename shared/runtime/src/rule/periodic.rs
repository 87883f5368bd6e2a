//! The periodic half: every subject of an inventory, then the results of what is gone.
//!
//! Each full hundred is reported while the next page is read: a verdict about one resource is true whatever happens to the
//! next. A resource that cannot be read keeps its last evaluation, is not retired, and has no say about the others: the
//! round goes on and ends as `RunIncomplete`.
//! A round that one invocation does not finish goes on in the next, from the page it came to ([`Round`]).
//! A rule that is gone ends it: there is nobody to tell.
//! Retiring waits for the last page; a listing that breaks off retires nothing and fails.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join;
use rectify_compliance::{Evaluation, ResourceKey, ShapeError, Timestamp, Verdict};

use super::Run;
use super::judge::Judge;
use super::round::{Round, Step};
use crate::Error;
use crate::client::AccountRegion;
use crate::config_service::{BATCH, Sent, key_hash};
use crate::invocation::Invocation;

/// What is left when a listing stops: a page is read and reported in seconds, and in so many even if calls are repeated.
const FOR_A_PAGE: Duration = Duration::from_secs(60);
/// What is left at least when retiring begins: it reads every result of the rule, and lists all resources once more if the
/// round has more than one part.
const FOR_RETIRING: Duration = Duration::from_secs(240);

/// Where a listing ended.
enum Listing {
    /// After the last page.
    Done,
    /// Before the page with this token: the time is up.
    Stopped(String),
    /// AWS Config has no such rule any more.
    RuleGone,
}

/// Does one part of a round.
pub(super) async fn run(run: &Run<'_>, line: &mut Invocation) -> Result<(), Error> {
    let mut round = Round::of(run.raw)?;
    let place = AccountRegion { account: run.account()?, region: run.shell.settings.region.clone() };
    let judge = run.judge(&place.account, &place.region).await?;
    let mut seen = HashSet::new();
    if matches!(round.step, Step::List(_)) {
        let listed = list(&*judge, run, &place, &mut round, &mut seen, line).await;
        line.note("resources", round.resources);
        line.note("part", round.part);
        match listed? {
            Listing::RuleGone => return Ok(()),
            Listing::Stopped(token) => return go_on(run, round, Step::List(Some(token)), line).await,
            // What is gone of a hundred resources is told in a second.
            Listing::Done if round.resources > BATCH && run.own.deadline.left() < FOR_RETIRING => {
                return go_on(run, round, Step::Retire, line).await;
            }
            Listing::Done => {}
        }
    }
    if round.part > 1 {
        seen = keys(&*judge, &place).await?;
    }
    retire(run, &seen, line).await?;
    round.unread.fault(round.resources).map_or(Ok(()), Err)
}

/// Judges and reports the resources from a page on, until the last or the time is up.
async fn list(
    judge: &dyn Judge,
    run: &Run<'_>,
    place: &AccountRegion,
    round: &mut Round,
    seen: &mut HashSet<u64>,
    line: &mut Invocation,
) -> Result<Listing, Error> {
    let ordering = run.event.message.time();
    let mut judged: Vec<Evaluation> = Vec::new();
    let Step::List(from) = round.step.clone() else { return Ok(Listing::Done) };
    let mut pages = judge.pages(place, from, run.scope, ordering)?;
    let end = loop {
        let full: Vec<Evaluation> = judged.drain(..judged.len() - judged.len() % BATCH).collect();
        let (sent, page) = join(report(run, &full, line), pages.next()).await;
        if sent? == Sent::RuleGone {
            return Ok(Listing::RuleGone);
        }
        let Some(page) = page.transpose()? else { break Listing::Done };
        for (resource, verdict) in page.resources {
            // A listing that repeats a resource (a page that shifted) reports it once.
            if !seen.insert(key_hash(&resource)) {
                continue;
            }
            round.resources += 1;
            match verdict {
                Ok(verdict) => judged.push(Evaluation { resource, verdict, ordering }),
                Err(error) => round.unread.add(&resource, &error, line),
            }
        }
        if let Some(next) = page.next
            && run.own.deadline.left() < FOR_A_PAGE
        {
            break Listing::Stopped(next);
        }
    };
    if matches!(end, Listing::Done) && round.resources == 0 {
        judged.push(nothing_in_scope(ResourceKey::account(&place.account), ordering));
    }
    match report(run, &judged, line).await? {
        Sent::RuleGone => Ok(Listing::RuleGone),
        Sent::Stored => Ok(end),
    }
}

/// Sends evaluations, where there are any.
async fn report(run: &Run<'_>, judged: &[Evaluation], line: &mut Invocation) -> Result<Sent, Error> {
    if judged.is_empty() { Ok(Sent::Stored) } else { run.send(judged, line).await }
}

/// Leaves the rest of a round to an invocation of its own.
async fn go_on(run: &Run<'_>, round: Round, step: Step, line: &mut Invocation) -> Result<(), Error> {
    let event = round.event(step, run.raw)?;
    run.shell.relay.pass_on(&run.own.function, &event).await?;
    line.note("goes_on", true);
    Ok(())
}

/// Every resource there is: what other parts of a round saw is not known here.
async fn keys(judge: &dyn Judge, place: &AccountRegion) -> Result<HashSet<u64>, Error> {
    let mut all = HashSet::new();
    let mut pages = judge.keys(place)?;
    while let Some(page) = pages.next().await {
        all.extend(page?.iter().map(key_hash));
    }
    Ok(all)
}

fn nothing_in_scope(resource: ResourceKey, ordering: Timestamp) -> Evaluation {
    Evaluation { resource, verdict: Verdict::not_applicable("no resource in scope"), ordering }
}

/// Answers NOT_APPLICABLE for what the rule still reports and the inventory no longer has, by type and id.
async fn retire(run: &Run<'_>, there: &HashSet<u64>, line: &mut Invocation) -> Result<(), Error> {
    let Some(rule) = &run.event.rule_name else {
        return Err(ShapeError::missing("configRuleName", "the name of the rule").into());
    };
    let ordering = run.event.message.time();
    let gone = run.shell.config.vanished(rule, run.scope.meta.resource_types, there).await?;
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

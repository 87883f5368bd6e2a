//! What becomes of a finding: the gates, in the order in which they run. Nothing is recorded and nothing is called here; a
//! gate reads what it needs from [`Facts`], at its turn and no earlier.

use rectify_compliance::exemption::{self, Known};
use rectify_compliance::{Annotation, IdentifiedState, Plan, Timestamp, Verdict};
use serde_json::Value;

use super::blocker::blocker;
use super::facts::Facts;
use crate::Error;
use crate::ledger::{Finding, Outcome, Registry};

/// Why a finding goes no further, and what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// A stop switch is on: recorded as stopped; what was begun stays open until it is released.
    Stop(String),
    /// The rule does not judge the resource: what was begun goes no further, and keeps what was done.
    Leave(Verdict, Option<IdentifiedState>),
    /// It was dealt with for good: nothing is recorded again.
    Acknowledge(Finding),
    /// It ends with this outcome, and nothing is changed.
    End(Outcome, String, Seen),
    /// The control does not keep its contract: it fails for good.
    Fail(String, Seen),
}

/// What is known about the resource when the decision falls, as the attempt records it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) live: Option<IdentifiedState>,
    pub(super) finding: Option<Annotation>,
    pub(super) plan: Plan<Value>,
}

/// What passed every gate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Passed {
    pub(super) live: IdentifiedState,
    pub(super) finding: Annotation,
    pub(super) plan: Plan<Value>,
}

impl Seen {
    pub(super) fn of(live: Option<IdentifiedState>) -> Self {
        Self { live, finding: None, plan: Plan::Noop }
    }
}

impl From<&Passed> for Seen {
    fn from(it: &Passed) -> Self {
        Self { live: Some(it.live.clone()), finding: Some(it.finding.clone()), plan: it.plan.clone() }
    }
}

/// What ends the way through the gates.
#[derive(Debug)]
pub(super) enum Halt {
    Decided(Box<Decision>),
    Error(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

type Gate = Result<(), Halt>;

/// The gates before the live read; the exemptions by which they let the finding pass.
pub(super) async fn before_live_read<F: Facts>(
    facts: &F,
    before: Option<&Finding>,
    is_begun: bool,
) -> Result<Registry, Halt> {
    no_stop_switch(facts).await?;
    in_scope(facts, facts.target().name.as_deref(), None)?;
    let registry = facts.registry().await?;
    not_exempt_by_location(facts, &registry, is_begun)?;
    not_handled_before(facts, before, is_begun)?;
    Ok(registry)
}

/// The gates that the live read is enough for. What acted in an earlier delivery goes on behind them: it passed the others when
/// it began.
pub(super) fn after_live_read<F: Facts>(facts: &F, live: Option<IdentifiedState>) -> Result<IdentifiedState, Halt> {
    let live = exists(live)?;
    in_scope(facts, live.name.as_deref(), Some(&live))?;
    Ok(live)
}

/// The gates between a finding and its fix; `own` is the attempt that was begun.
pub(super) async fn after_plan<F: Facts>(
    facts: &F,
    registry: &Registry,
    live: IdentifiedState,
    own: Option<&str>,
) -> Result<Passed, Halt> {
    let now = Timestamp::now();
    let finding = non_compliant(facts, &live, now)?;
    let it = Passed { plan: facts.plan(&live, now)?, live, finding };
    not_blocked(facts, registry, &it, now).await?;
    planned(&it)?;
    breaker_closed(facts, &it, own, now).await?;
    Ok(it)
}

fn halt<T>(decision: Decision) -> Result<T, Halt> {
    Err(Halt::Decided(Box::new(decision)))
}

/// It wins over an attempt that was begun.
async fn no_stop_switch<F: Facts>(facts: &F) -> Gate {
    facts.stop().await?.map_or(Ok(()), |stop| halt(Decision::Stop(stop)))
}

/// By what is known without a live read first, then by the live name, which may say more.
fn in_scope<F: Facts>(facts: &F, name: Option<&str>, live: Option<&IdentifiedState>) -> Gate {
    facts.out_of_scope(name).map_or(Ok(()), |verdict| halt(Decision::Leave(verdict, live.cloned())))
}

/// What was begun passes: it is looked at again before its next action, by all that is known of the resource.
fn not_exempt_by_location<F: Facts>(facts: &F, registry: &Registry, is_begun: bool) -> Gate {
    if is_begun {
        return Ok(());
    }
    let exempt = exemption::forbids(&registry.entries, facts.target(), Known::Place, Timestamp::now());
    exempt.map_or(Ok(()), |reason| halt(Decision::End(Outcome::Exempt, reason, Seen::of(None))))
}

/// A failed finding is tried again when the reconciler requests it, not when its event is delivered again.
fn not_handled_before<F: Facts>(facts: &F, before: Option<&Finding>, is_begun: bool) -> Gate {
    let is_retried = |it: &Finding| facts.is_request() && it.outcome == Outcome::Failed;
    let dealt_with = before.filter(|it| !is_begun && it.outcome.is_final() && !is_retried(it));
    dealt_with.map_or(Ok(()), |finding| halt(Decision::Acknowledge(finding.clone())))
}

fn exists(live: Option<IdentifiedState>) -> Result<IdentifiedState, Halt> {
    let gone = || halt(Decision::End(Outcome::Gone, "the resource is gone".to_owned(), Seen::of(None)));
    live.map_or_else(gone, Ok)
}

/// The control's own judgement of the live read.
fn non_compliant<F: Facts>(facts: &F, live: &IdentifiedState, now: Timestamp) -> Result<Annotation, Halt> {
    let (outcome, reason) = match facts.evaluate(live, now)? {
        Verdict::NonCompliant(finding) => return Ok(finding),
        Verdict::Compliant(_) => (Outcome::AlreadyCompliant, "already compliant".to_owned()),
        Verdict::NotApplicable(why) => (Outcome::NotApplicable, why.to_string()),
    };
    halt(Decision::End(outcome, reason, Seen::of(Some(live.clone()))))
}

/// Exemption, hold, protected ARN, level, tags of a stack, mode, grace, stack looked up: [`blocker`] has their order.
async fn not_blocked<F: Facts>(facts: &F, registry: &Registry, it: &Passed, now: Timestamp) -> Gate {
    let blocker = blocker(facts, registry, &it.plan, &it.live, now).await?;
    blocker.map_or(Ok(()), |found| halt(Decision::End(found.outcome, found.reason, it.into())))
}

fn planned(it: &Passed) -> Gate {
    match it.plan {
        Plan::Noop => {
            let reason = "the control finds a error and plans nothing against it".to_owned();
            halt(Decision::Fail(reason, it.into()))
        }
        Plan::Blocked { .. } | Plan::Apply { .. } => Ok(()),
    }
}

/// By a consistent read of what was done to this resource.
async fn breaker_closed<F: Facts>(facts: &F, it: &Passed, own: Option<&str>, now: Timestamp) -> Gate {
    let open = facts.breaker(own, now).await?;
    open.map_or(Ok(()), |open| halt(Decision::End(Outcome::BreakerOpen, open, it.into())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
#[path = "decision_tests.rs"]
mod tests;

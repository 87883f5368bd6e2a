//! The decision about a finding: the gates, in their order. Nothing is recorded or changed here; a gate reads its facts
//! from [`Facts`] only when its turn comes.

use rectify_compliance::exemption::{self, Known};
use rectify_compliance::{Annotation, IdentifiedState, Plan, Timestamp, Verdict};
use serde_json::Value;

use super::blocker::{Considered, blocker};
use super::facts::Delivered;
use crate::Error;
use crate::ledger::{Finding, Outcome, Registry};

/// Why a finding is not applied, and what to record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// A stop switch is on: recorded as stopped; an attempt in progress stays open until the switch is released.
    Stop(String),
    /// The resource is out of the rule's scope: an attempt in progress ends and keeps its actions.
    Leave(Verdict, Option<IdentifiedState>),
    /// It was handled with a final outcome: nothing is recorded again.
    Acknowledge(Finding),
    /// It ends with this outcome, and nothing is changed.
    End(Outcome, String, Seen),
    /// The control breaks its contract: the attempt fails permanently.
    Fail(String, Seen),
}

/// What is known about the resource at the decision, as the attempt records it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) live: Option<IdentifiedState>,
    pub(super) finding: Option<Annotation>,
    pub(super) plan: Plan<Value>,
}

/// A finding that passed every gate.
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

/// Why the gates end early.
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

/// The gates before the live read; returns the exemptions with which the finding passed them.
pub(super) async fn before_live_read<F: Delivered>(
    facts: &F,
    previous: Option<&Finding>,
    is_begun: bool,
) -> Result<Registry, Halt> {
    no_stop_switch(facts).await?;
    in_scope(facts, facts.target().name.as_deref(), None)?;
    let registry = facts.registry().await?;
    not_exempt_by_location(facts, &registry, is_begun)?;
    not_handled_before(facts, previous, is_begun)?;
    Ok(registry)
}

/// The gates that need only the live read. An attempt that acted in an earlier delivery is resumed after them: it
/// passed the others when it began.
pub(super) fn after_live_read<F: Delivered>(facts: &F, live: Option<IdentifiedState>) -> Result<IdentifiedState, Halt> {
    let live = exists(live)?;
    in_scope(facts, live.name.as_deref(), Some(&live))?;
    Ok(live)
}

/// The gates between a finding and its fix; `own` is the attempt in progress.
pub(super) async fn after_plan<F: Delivered>(
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

/// Applies to an attempt in progress, too.
async fn no_stop_switch<F: Delivered>(facts: &F) -> Gate {
    facts.stops().await?.first().map_or(Ok(()), |stop| halt(Decision::Stop(stop.to_string())))
}

/// Checked first with the facts known before the live read, then with the live name, which may be more precise.
fn in_scope<F: Delivered>(facts: &F, name: Option<&str>, live: Option<&IdentifiedState>) -> Gate {
    facts.out_of_scope(name).map_or(Ok(()), |verdict| halt(Decision::Leave(verdict, live.cloned())))
}

/// An attempt in progress passes: exemptions are checked again before its next action, with all live facts.
fn not_exempt_by_location<F: Delivered>(facts: &F, registry: &Registry, is_begun: bool) -> Gate {
    if is_begun {
        return Ok(());
    }
    let exempt = exemption::forbids(&registry.entries, facts.target(), Known::Place, Timestamp::now());
    exempt.map_or(Ok(()), |reason| halt(Decision::End(Outcome::Exempt, reason, Seen::of(None))))
}

/// A failed finding is retried when the reconciler requests it, not when its event is delivered again.
fn not_handled_before<F: Delivered>(facts: &F, previous: Option<&Finding>, is_begun: bool) -> Gate {
    let is_retried = |it: &Finding| facts.is_request() && it.outcome == Outcome::Failed;
    let handled = previous.filter(|it| !is_begun && it.outcome.is_final() && !is_retried(it));
    handled.map_or(Ok(()), |finding| halt(Decision::Acknowledge(finding.clone())))
}

fn exists(live: Option<IdentifiedState>) -> Result<IdentifiedState, Halt> {
    let gone = || halt(Decision::End(Outcome::Gone, "the resource is gone".to_owned(), Seen::of(None)));
    live.map_or_else(gone, Ok)
}

/// The control's own evaluation of the live read.
fn non_compliant<F: Delivered>(facts: &F, live: &IdentifiedState, now: Timestamp) -> Result<Annotation, Halt> {
    let (outcome, reason) = match facts.evaluate(live, now)? {
        Verdict::NonCompliant(finding) => return Ok(finding),
        Verdict::Compliant(_) => (Outcome::AlreadyCompliant, "already compliant".to_owned()),
        Verdict::NotApplicable(why) => (Outcome::NotApplicable, why.to_string()),
    };
    halt(Decision::End(outcome, reason, Seen::of(Some(live.clone()))))
}

/// Exemption, hold, protected ARN, level, tags of a stack, mode, grace, stack looked up: [`blocker`] has their order.
async fn not_blocked<F: Delivered>(facts: &F, registry: &Registry, it: &Passed, now: Timestamp) -> Gate {
    let considered = Considered { registry, plan: &it.plan, live: &it.live };
    let blocker = blocker(facts, considered, now).await?;
    blocker.map_or(Ok(()), |found| halt(Decision::End(found.outcome(), found.reason, it.into())))
}

fn planned(it: &Passed) -> Gate {
    match it.plan {
        Plan::Noop => {
            let reason = "the control finds a violation and plans no fix".to_owned();
            halt(Decision::Fail(reason, it.into()))
        }
        Plan::Blocked { .. } | Plan::Apply { .. } => Ok(()),
    }
}

/// Uses a consistent read of the earlier attempts on this resource.
async fn breaker_closed<F: Delivered>(facts: &F, it: &Passed, own: Option<&str>, now: Timestamp) -> Gate {
    let open = facts.breaker(own, now).await?;
    open.map_or(Ok(()), |open| halt(Decision::End(Outcome::BreakerOpen, open.to_string(), it.into())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
#[path = "decision_tests.rs"]
mod tests;

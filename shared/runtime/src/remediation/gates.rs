//! One delivery from its event to its end: what it is about, the lease, what the gates decide ([`decision`]), and what is
//! recorded of it or done.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{
    ComplianceChange, ControlMeta, IdentifiedState, Origin, Plan, Region, Target, Timestamp, Verdict,
};
use serde_json::Value;

use super::clearance::Cleared;
use super::decision::{self, Decision, Halt, Passed, Seen};
use super::facts::Facts;
use super::run::RemediationRun;
use super::{Delivery, RemediationContext, acting, resuming};
use crate::Error;
use crate::invocation::Invocation;
use crate::ledger::{Attempt, BeginOutcome, Finding, Lease, Outcome, Overruled, Registry, ResourcePath, State};
use crate::retry::Backoff;
use crate::settings::Mode;

/// How much longer than the invocation a lease lives, so that nobody takes it while the last write is under way.
const LEASE_GRACE: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);
/// How often the subject may change between reading and acting.
const MAX_REREADS: u32 = 3;

/// How a delivery was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The event is none of this remediation's; nothing was recorded.
    Ignored(&'static str),
    /// The finding was dealt with before.
    Acknowledged(Finding),
    /// It was dealt with now.
    Ended {
        /// The attempt's id.
        attempt: String,
        /// How it ended.
        outcome: Outcome,
    },
}

impl Disposition {
    /// The word in logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ignored(_) => "ignored",
            Self::Acknowledged(_) => "acknowledged",
            Self::Ended { outcome, .. } => outcome.name(),
        }
    }

    /// The attempt that tells the story.
    pub fn attempt(&self) -> Option<&str> {
        match self {
            Self::Ignored(_) => None,
            Self::Acknowledged(finding) => Some(&finding.attempt),
            Self::Ended { attempt, .. } => Some(attempt),
        }
    }
}

/// Takes an event through the gates.
pub(super) async fn handle_event(
    context: &RemediationContext,
    event: &EventBridgeEvent<Value>,
    delivery: &Delivery,
    line: &mut Invocation,
) -> Result<Disposition, Error> {
    let (meta, control) = (context.deployed.meta, context.deployed.control);
    let Some(mut change) = ComplianceChange::parse(&event.source, &event.detail_type, &event.detail)? else {
        return Ok(Disposition::Ignored("source or detail type"));
    };
    line.note("rule", change.rule_name.as_str());
    line.note("account", change.account.as_str());
    line.note("resource_type", change.resource.kind.as_str());
    line.note("resource_id", change.resource.id.as_str());
    if !change.is_finding() {
        return Ok(Disposition::Ignored("not a finding"));
    }
    let here = &context.function.region;
    if let Some(why) = elsewhere(event, &change, here, delivery) {
        return Ok(Disposition::Ignored(why));
    }
    if !context.settings.rule_names.matches(&change.rule_name) {
        return Ok(Disposition::Ignored("another rule"));
    }
    if !meta.resource_types.contains(&change.resource.kind.as_str()) {
        return Ok(Disposition::Ignored("another resource type"));
    }
    if context.settings.mode_in(&change.account, meta.id) <= Mode::Observe {
        return Ok(Disposition::Ignored("mode"));
    }
    let mut target = Target {
        account: change.account.clone(),
        region: here.clone(),
        resource: change.resource.clone(),
        name: None,
        arn: None,
    };
    let request = match &change.origin {
        Origin::Config => None,
        Origin::Request(id) => {
            let Some((id, recorded_at)) = request(meta, context, id.as_deref(), &target).await? else {
                return Ok(Disposition::Ignored("a request that is not in the ledger"));
            };
            // When the finding was recorded is what the ledger says, never the event: the grace counts from it.
            change.recorded_at = recorded_at;
            Some(id)
        }
    };
    let own = delivery.account.clone().unwrap_or_else(|| change.account.clone());
    let clients = context.clients.at(&own, &change.account, here).await?;
    let parameters = control.shell_parameters(&context.settings.parameters)?;
    let home = context.function.home(parameters.home_region.as_ref());
    let scope = RuleScope { meta, parameters: &parameters, here, home: &home };
    if control.needs_name() && scope.out_of_scope(&target.resource, None).is_none() {
        target.name = context.config.name_of(&target).await?;
    }
    let path = ResourcePath::of(&target);
    let reads_until = delivery.reads_until;
    let (id, deadline) = (meta.id, delivery.deadline);
    let run =
        RemediationRun { id, control, context, scope, change, target, path, clients, own, deadline, reads_until };

    // On the resource and not on the control.
    let until = delivery.deadline.saturating_add(LEASE_GRACE).unwrap_or(Timestamp::MAX);
    let lease = lease(context, &run.path, &delivery.owner, until).await?;
    let result = run.handle_finding(&lease, line).await;
    // The lease goes back whatever happened; where that fails too, the first fault is the one to tell.
    let released = context.ledger.release(&lease).await;
    let handled = result?;
    released?;
    if let Some(id) = request {
        context.ledger.mark_answered(meta.id, &run.target, &id, Timestamp::now()).await?;
    }
    Ok(handled)
}

/// Why an event is another function's: rule names are equal in every region and account, and a bus may carry the events of
/// them all. What AWS Config calls `global` is reported in the region of the rule.
fn elsewhere(
    event: &EventBridgeEvent<Value>,
    change: &ComplianceChange,
    here: &Region,
    delivery: &Delivery,
) -> Option<&'static str> {
    let account = delivery.account.as_ref().unwrap_or(&change.account);
    if change.account != *account || event.account.as_deref().is_some_and(|it| it != account.as_str()) {
        return Some("another account");
    }
    let region = [here.as_str(), "global"].contains(&change.region.as_str());
    if !region || event.region.as_deref().is_some_and(|it| it != here.as_str()) {
        return Some("another region");
    }
    None
}

/// The id of a stored request and when its finding was recorded; `None` for one that the ledger does not have, has about
/// something else, or had too long ago.
async fn request(
    meta: &ControlMeta,
    context: &RemediationContext,
    id: Option<&str>,
    target: &Target,
) -> Result<Option<(String, Timestamp)>, Error> {
    let stored = match id {
        Some(id) => context.ledger.request(id).await?.map(|it| (id, it)),
        None => None,
    };
    let stored = stored.filter(|(_, it)| it.allows(meta.id, target, Timestamp::now()));
    if stored.is_none() {
        tracing::warn!(request = id, resource = %target.resource, "ignored a request that is not in the ledger");
    }
    Ok(stored.map(|(id, it)| (id.to_owned(), it.recorded_at)))
}

/// Takes the lease, waiting a little for somebody who is about to be done.
async fn lease(context: &RemediationContext, path: &ResourcePath, owner: &str, until: Timestamp) -> Result<Lease, Error> {
    let mut tries = Backoff::LEASE.tries();
    loop {
        tries.next().await;
        match context.ledger.lease(path, owner, Timestamp::now(), until).await {
            Err(Error::LeaseHeld { .. }) if !tries.is_last() => {}
            answer => return answer,
        }
    }
}

/// What became of an attempt to begin.
enum Start {
    /// It is in the ledger with its before-image.
    BeginOutcome(Box<Attempt>),
    /// It was recorded as something else.
    Ended(Disposition),
    /// People decided meanwhile: the gates run again.
    Overruled,
}

impl RemediationRun<'_> {
    async fn handle_finding(&self, lease: &Lease, line: &mut Invocation) -> Result<Disposition, Error> {
        let ledger = &self.context.ledger;
        // What ended and was not announced is announced first: it happened, whatever is decided about the resource today.
        let mut unfinished = None;
        for mut attempt in ledger.registered(&self.path, self.id).await? {
            self.announce(lease, &mut attempt).await?;
            if attempt.state == State::Open {
                unfinished = Some(attempt);
            }
        }
        let before = ledger.finding(self.id, &self.target, self.change.recorded_at).await?;
        match self.decided(lease, &mut unfinished, before.as_ref(), line).await {
            Ok(handled) => Ok(handled),
            Err(Halt::Decided(decision)) => self.record(lease, *decision, unfinished, before.as_ref()).await,
            Err(Halt::Error(error)) => Err(error),
        }
    }

    /// Takes the finding through the gates, and what lies behind them.
    async fn decided(
        &self,
        lease: &Lease,
        unfinished: &mut Option<Attempt>,
        before: Option<&Finding>,
        line: &mut Invocation,
    ) -> Result<Disposition, Halt> {
        let parameters = self.context.settings.parameters.as_str();
        let mut registry = decision::before_live_read(self, before, unfinished.is_some()).await?;
        for _ in 0..MAX_REREADS {
            let live = match self.live(parameters).await {
                Ok(live) => decision::after_live_read(self, live)?,
                Err(error) => {
                    let Some(attempt) = unfinished.take_if(|it| it.has_acted()) else { return Err(error.into()) };
                    return Ok(Box::pin(self.leave_open(lease, attempt, error)).await?);
                }
            };
            // What a dead owner began is ended first, with its own before-image. One that somebody interfered with is
            // closed, and what they left is a finding like any other.
            if let Some(attempt) = unfinished.take_if(|it| it.has_acted())
                && let Some(handled) = Box::pin(resuming::resume(self, lease, attempt, &live, line)).await?
            {
                return Ok(handled);
            }
            let own = unfinished.as_ref().map(|it| it.id.as_str());
            let passed = decision::after_plan(self, &registry, live, own).await?;
            match self.start(lease, unfinished.take(), &passed, &registry, before).await? {
                Start::Ended(handled) => return Ok(handled),
                Start::Overruled => registry = self.registry().await?,
                Start::Begun(attempt) => {
                    // What was planned for must still be so.
                    let again = self.live(parameters).await?;
                    if self.is_same(again.as_ref(), &passed.live)? {
                        let Passed { live, plan, .. } = passed;
                        let cleared = Cleared { plan, registry };
                        let applied = acting::apply(self, lease, *attempt, &live, cleared, parameters, line);
                        return Ok(Box::pin(applied).await?);
                    }
                    *unfinished = Some(*attempt);
                }
            }
        }
        Err(Error::ConcurrentModification { resource: self.target.resource.to_string(), times: MAX_REREADS }.into())
    }

    fn is_same(&self, again: Option<&IdentifiedState>, live: &IdentifiedState) -> Result<bool, Error> {
        again.map_or(Ok(false), |again| Ok(self.control.same(&again.image, &live.image)?))
    }

    /// Budget, before-image and plan in one transaction, with what people decide.
    async fn start(
        &self,
        lease: &Lease,
        begun: Option<Attempt>,
        passed: &Passed,
        registry: &Registry,
        before: Option<&Finding>,
    ) -> Result<Start, Error> {
        let ledger = &self.context.ledger;
        let is_new = begun.is_none();
        let mut attempt = self.attempt_or(begun, passed.into());
        if !is_new {
            ledger.save(lease, &attempt).await?;
            return Ok(Start::Begun(Box::new(attempt)));
        }
        let budget = self.budget().await?;
        attempt.budgeted = true;
        let (outcome, reason) =
            match ledger.begin(lease, &attempt, budget.limit, &self.fence(self.id, registry)).await? {
                BeginOutcome::Yes => return Ok(Start::Begun(Box::new(attempt))),
                BeginOutcome::OverBudget => (Outcome::OverBudget, budget.reason),
                BeginOutcome::Overruled(Overruled::Stopped) => (Outcome::Stopped, self.stop_reason(self.id).await?),
                BeginOutcome::Overruled(Overruled::Decided) => return Ok(Start::Overruled),
            };
        attempt.budgeted = false;
        self.end(lease, attempt, outcome, reason, before).await.map(Start::Ended)
    }

    /// Records what was decided, where nothing is to be changed.
    async fn record(
        &self,
        lease: &Lease,
        decision: Decision,
        unfinished: Option<Attempt>,
        before: Option<&Finding>,
    ) -> Result<Disposition, Error> {
        match decision {
            Decision::Stop(reason) => {
                let attempt = self.attempt(Plan::Noop, None);
                self.end(lease, attempt, Outcome::Stopped, reason, before).await
            }
            Decision::Leave(verdict, live) => self.leave(lease, unfinished, live, &verdict, before).await,
            Decision::Acknowledge(finding) => Ok(Disposition::Acknowledged(finding)),
            Decision::End(outcome, reason, seen) => {
                self.end(lease, self.attempt_or(unfinished, seen), outcome, reason, before).await
            }
            Decision::Fail(reason, seen) => {
                let attempt = self.attempt_or(unfinished, seen);
                let error = Error::NotVerified { attempt: attempt.id.clone(), reason };
                Box::pin(self.fail(lease, attempt, error)).await
            }
        }
    }

    /// Ends a finding about a resource that the rule does not judge. What was begun goes no further, and keeps what was done.
    async fn leave(
        &self,
        lease: &Lease,
        unfinished: Option<Attempt>,
        live: Option<IdentifiedState>,
        verdict: &Verdict,
        before: Option<&Finding>,
    ) -> Result<Disposition, Error> {
        let mut reason = verdict.annotation().map_or_else(String::new, ToString::to_string);
        let attempt = match unfinished {
            Some(begun) if begun.has_acted() => {
                let (made, planned) = (begun.actions.len(), begun.plan.calls().len());
                reason.push_str(&format!("; {made} of {} calls were made before", planned.max(made)));
                begun
            }
            other => self.attempt_or(other, Seen::of(live)),
        };
        self.end(lease, attempt, Outcome::NotApplicable, reason, before).await
    }
}

//! One delivery from its event to its end: its target, the lease, the decision of the gates ([`decision`]), and the
//! recording or the fix.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{
    AccountId, ComplianceChange, ControlMeta, IdentifiedState, Origin, Plan, Region, Target, Timestamp, Verdict,
};
use serde_json::Value;

use super::blocker::budget_of;
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

/// How much longer than the invocation a lease lasts, so that no other owner takes it during the last write.
const LEASE_GRACE: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);
/// How often the resource may change between reading and acting.
const MAX_REREADS: u32 = 3;

/// The result of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The event is not for this remediation; nothing was recorded.
    Ignored(&'static str),
    /// The finding was handled before.
    Acknowledged(Finding),
    /// It was handled now.
    Ended {
        /// The attempt's id.
        attempt: String,
        /// Its outcome.
        outcome: Outcome,
    },
}

impl Disposition {
    /// The name in logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ignored(_) => "ignored",
            Self::Acknowledged(_) => "acknowledged",
            Self::Ended { outcome, .. } => outcome.name(),
        }
    }

    /// The attempt that has the details.
    pub fn attempt(&self) -> Option<&str> {
        match self {
            Self::Ignored(_) => None,
            Self::Acknowledged(finding) => Some(&finding.attempt),
            Self::Ended { attempt, .. } => Some(attempt),
        }
    }
}

/// Handles an event.
pub(super) async fn handle_event(
    context: &RemediationContext,
    event: &EventBridgeEvent<Value>,
    delivery: &Delivery,
    log: &mut Invocation,
) -> Result<Disposition, Error> {
    let (meta, control) = (context.deployed.meta, context.deployed.control);
    let Some(mut change) = ComplianceChange::parse(&event.source, &event.detail_type, &event.detail)? else {
        return Ok(Disposition::Ignored("source or detail type"));
    };
    log.note("rule", change.rule_name.as_str());
    log.note("account", change.account.as_str());
    log.note("resource_type", change.resource.kind.as_str());
    log.note("resource_id", change.resource.id.as_str());
    if !change.is_finding() {
        return Ok(Disposition::Ignored("not a finding"));
    }
    let here = &context.function.region;
    let own = delivery.account.clone().unwrap_or_else(|| change.account.clone());
    if let Some(why) = elsewhere(event, &change, here, &own, context.clients.reaches(&change.account)) {
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
            // The ledger's time of the finding, never the event's: the grace period starts there.
            change.recorded_at = recorded_at;
            Some(id)
        }
    };
    let clients = context.clients.at(&own, &change.account, here).await?;
    let config = context.config.at(&own, &change.account, here).await?;
    let stacks = context.stacks.at(&own, &change.account, here).await?;
    let parameters = control.common_parameters(&context.settings.parameters)?;
    let home = context.function.home(parameters.home_region.as_ref());
    let scope = RuleScope { meta, parameters: &parameters, here, home: &home };
    if control.needs_name() && scope.out_of_scope(&target.resource, None).is_none() {
        target.name = config.name_of(&target).await?;
    }
    let path = ResourcePath::of(&target);
    let reads_until = delivery.reads_until;
    let (id, deadline) = (meta.id, delivery.deadline);
    let run = RemediationRun {
        id,
        control,
        context,
        scope,
        change,
        target,
        path,
        clients,
        config,
        stacks,
        own,
        deadline,
        reads_until,
    };

    // The lease is per resource, not per control.
    let until = delivery.deadline.saturating_add(LEASE_GRACE).unwrap_or(Timestamp::MAX);
    let lease = lease(context, &run.path, &delivery.owner, until).await?;
    let result = run.handle_finding(&lease, log).await;
    // The lease is released in any case; if that fails, too, the first error is returned.
    let released = context.ledger.release(&lease).await;
    let handled = result?;
    released?;
    if let Some(id) = request {
        context.ledger.mark_answered(meta.id, &run.target, &id, Timestamp::now()).await?;
    }
    Ok(handled)
}

/// Why an event is for another function: rule names are the same in every region and account, and a bus may carry the
/// events of all. AWS Config reports `global` resources in the region of the rule.
///
/// The finding of a member comes from that member: EventBridge sets the account of an event, and no other account can
/// speak for it. Requests come from this account's reconciler.
fn elsewhere(
    event: &EventBridgeEvent<Value>,
    change: &ComplianceChange,
    here: &Region,
    own: &AccountId,
    is_member: bool,
) -> Option<&'static str> {
    let sender = match change.origin {
        Origin::Config => &change.account,
        Origin::Request(_) => own,
    };
    let is_reached = change.account == *own || is_member;
    if !is_reached || event.account.as_deref().is_some_and(|it| it != sender.as_str()) {
        return Some("another account");
    }
    let region = [here.as_str(), "global"].contains(&change.region.as_str());
    if !region || event.region.as_deref().is_some_and(|it| it != here.as_str()) {
        return Some("another region");
    }
    None
}

/// The id of a stored request and when its finding was recorded; `None` for a request that is unknown to the ledger, is
/// about something else, or has expired.
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

/// Takes the lease, after a short wait if another owner holds it.
async fn lease(
    context: &RemediationContext,
    path: &ResourcePath,
    owner: &str,
    until: Timestamp,
) -> Result<Lease, Error> {
    let mut tries = Backoff::LEASE.tries();
    loop {
        tries.next().await;
        match context.ledger.lease(path, owner, Timestamp::now(), until).await {
            Err(Error::LeaseHeld { .. }) if !tries.is_last() => {}
            answer => return answer,
        }
    }
}

/// The result of beginning an attempt.
enum Start {
    /// It is in the ledger with its prior state.
    Begun(Box<Attempt>),
    /// It was recorded with another outcome.
    Ended(Disposition),
    /// An operator's decision came in between: the gates run again.
    Overruled,
}

impl RemediationRun<'_> {
    async fn handle_finding(&self, lease: &Lease, log: &mut Invocation) -> Result<Disposition, Error> {
        let ledger = &self.context.ledger;
        // Earlier ends that were not announced are announced first, whatever the decision about the resource is today.
        let mut unfinished = None;
        for mut attempt in ledger.registered(&self.path, self.id).await? {
            self.announce(lease, &mut attempt).await?;
            if attempt.state == State::Open {
                unfinished = Some(attempt);
            }
        }
        let previous = ledger.finding(self.id, &self.target, self.change.recorded_at).await?;
        match self.decided(lease, &mut unfinished, previous.as_ref(), log).await {
            Ok(handled) => Ok(handled),
            Err(Halt::Decided(decision)) => self.record(lease, *decision, unfinished, previous.as_ref()).await,
            Err(Halt::Error(error)) => Err(error),
        }
    }

    /// Takes the finding through the gates and applies its plan if it passes them.
    async fn decided(
        &self,
        lease: &Lease,
        unfinished: &mut Option<Attempt>,
        previous: Option<&Finding>,
        log: &mut Invocation,
    ) -> Result<Disposition, Halt> {
        let parameters = self.context.settings.parameters.as_str();
        let mut registry = decision::before_live_read(self, previous, unfinished.is_some()).await?;
        for _ in 0..MAX_REREADS {
            let live = match self.live(parameters).await {
                Ok(live) => decision::after_live_read(self, live)?,
                Err(error) => {
                    let Some(attempt) = unfinished.take_if(|it| it.has_acted()) else { return Err(error.into()) };
                    return Ok(Box::pin(self.leave_open(lease, attempt, error)).await?);
                }
            };
            // An attempt whose owner died is ended first, with its own prior state. If the resource was changed outside
            // the attempt, the attempt is closed, and the current state is a finding like any other.
            if let Some(attempt) = unfinished.take_if(|it| it.has_acted())
                && let Some(handled) = Box::pin(resuming::resume(self, lease, attempt, &live, log)).await?
            {
                return Ok(handled);
            }
            let own = unfinished.as_ref().map(|it| it.id.as_str());
            let passed = decision::after_plan(self, &registry, live, own).await?;
            match self.start(lease, unfinished.take(), &passed, &registry, previous).await? {
                Start::Ended(handled) => return Ok(handled),
                Start::Overruled => registry = self.registry().await?,
                Start::Begun(attempt) => {
                    // The resource must not have changed since the plan.
                    let again = self.live(parameters).await?;
                    if self.is_same(again.as_ref(), &passed.live)? {
                        let Passed { live, plan, .. } = passed;
                        let cleared = Cleared { plan, registry };
                        let applied = acting::apply(self, lease, *attempt, &live, cleared, parameters, log);
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

    /// Stores budget, prior state and plan in one transaction that also checks operators' decisions.
    async fn start(
        &self,
        lease: &Lease,
        begun: Option<Attempt>,
        passed: &Passed,
        registry: &Registry,
        previous: Option<&Finding>,
    ) -> Result<Start, Error> {
        let ledger = &self.context.ledger;
        let is_new = begun.is_none();
        let mut attempt = self.attempt_or(begun, passed.into());
        if !is_new {
            ledger.save(lease, &attempt).await?;
            return Ok(Start::Begun(Box::new(attempt)));
        }
        let (settings, config) = (&self.context.settings, &self.config);
        let budget = budget_of(settings, config, self.context.deployed.meta.resource_types).await?;
        attempt.budgeted = true;
        let (outcome, reason) =
            match ledger.begin(lease, &attempt, budget.limit, &self.fence(self.id, registry)).await? {
                BeginOutcome::Yes => return Ok(Start::Begun(Box::new(attempt))),
                BeginOutcome::OverBudget => (Outcome::OverBudget, budget.reason),
                BeginOutcome::Overruled(Overruled::Stopped) => (Outcome::Stopped, self.stop_reason(self.id).await?),
                BeginOutcome::Overruled(Overruled::Decided) => return Ok(Start::Overruled),
            };
        attempt.budgeted = false;
        self.end(lease, attempt, outcome, reason, previous).await.map(Start::Ended)
    }

    /// Records a decision that changes nothing.
    async fn record(
        &self,
        lease: &Lease,
        decision: Decision,
        unfinished: Option<Attempt>,
        previous: Option<&Finding>,
    ) -> Result<Disposition, Error> {
        match decision {
            Decision::Stop(reason) => {
                let attempt = self.attempt(Plan::Noop, None);
                self.end(lease, attempt, Outcome::Stopped, reason, previous).await
            }
            Decision::Leave(verdict, live) => self.leave(lease, unfinished, live, &verdict, previous).await,
            Decision::Acknowledge(finding) => Ok(Disposition::Acknowledged(finding)),
            Decision::End(outcome, reason, seen) => {
                self.end(lease, self.attempt_or(unfinished, seen), outcome, reason, previous).await
            }
            Decision::Fail(reason, seen) => {
                let attempt = self.attempt_or(unfinished, seen);
                let error = Error::NotVerified { attempt: attempt.id.clone(), reason };
                Box::pin(self.fail(lease, attempt, error)).await
            }
        }
    }

    /// Ends a finding about a resource out of the rule's scope. An attempt in progress ends and keeps its actions.
    async fn leave(
        &self,
        lease: &Lease,
        unfinished: Option<Attempt>,
        live: Option<IdentifiedState>,
        verdict: &Verdict,
        previous: Option<&Finding>,
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
        self.end(lease, attempt, Outcome::NotApplicable, reason, previous).await
    }
}

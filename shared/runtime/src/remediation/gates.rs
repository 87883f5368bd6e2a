//! The gates of a remediation, in their order. Each either ends the delivery with a recorded outcome, fails it, or lets it
//! pass; the resource is written to behind the last one.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use rectify_compliance::exemption::{self, Known};
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{ComplianceChange, ControlMeta, Imaged, Origin, Plan, Region, Target, Timestamp, Verdict};
use serde_json::Value;

use super::clearance::Cleared;
use super::passage::Passage;
use super::{Delivery, RemediationShell, acting, resuming};
use crate::Fault;
use crate::invocation::Invocation;
use crate::ledger::{Attempt, Begun, Finding, Lease, Outcome, Overruled, ResourcePath, State};
use crate::retry::Backoff;
use crate::settings::Mode;

/// How much longer than the invocation a lease lives, so that nobody takes it while the last write is under way.
const LEASE_GRACE: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);
/// How often the subject may change between reading and acting.
const STEADY_TRIES: u32 = 3;

/// How a delivery was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
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

impl Handled {
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
pub(super) async fn pass(
    shell: &RemediationShell,
    event: &EventBridgeEvent<Value>,
    delivery: &Delivery,
    line: &mut Invocation,
) -> Result<Handled, Fault> {
    let (meta, control) = (shell.deployed.meta, shell.deployed.control);
    // Gate 1 comes first in code: a stop can only be recorded about a finding that was read.
    let Some(mut change) = ComplianceChange::parse(&event.source, &event.detail_type, &event.detail)? else {
        return Ok(Handled::Ignored("source or detail type"));
    };
    line.note("rule", change.rule_name.as_str());
    line.note("account", change.account.as_str());
    line.note("resource_type", change.resource.kind.as_str());
    line.note("resource_id", change.resource.id.as_str());
    if !change.is_finding() {
        return Ok(Handled::Ignored("not a finding"));
    }
    let here = &shell.function.region;
    if let Some(why) = elsewhere(event, &change, here, delivery) {
        return Ok(Handled::Ignored(why));
    }
    if !shell.settings.rule_names.matches(&change.rule_name) {
        return Ok(Handled::Ignored("another rule"));
    }
    if !meta.resource_types.contains(&change.resource.kind.as_str()) {
        return Ok(Handled::Ignored("another resource type"));
    }
    if shell.settings.mode_in(&change.account, meta.id) <= Mode::Observe {
        return Ok(Handled::Ignored("mode"));
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
            let Some((id, recorded_at)) = request(meta, shell, id.as_deref(), &target).await? else {
                return Ok(Handled::Ignored("a request that is not in the ledger"));
            };
            // When the finding was recorded is what the ledger says, never the event: the grace counts from it.
            change.recorded_at = recorded_at;
            Some(id)
        }
    };
    let own = delivery.account.clone().unwrap_or_else(|| change.account.clone());
    let clients = shell.clients.at(&own, &change.account, here).await?;
    let parameters = control.shell_parameters(&shell.settings.parameters)?;
    let home = shell.function.home(parameters.home_region.as_ref());
    let scope = RuleScope { meta, parameters: &parameters, here, home: &home };
    if control.needs_name() && scope.out_of_scope(&target.resource, None).is_none() {
        target.name = shell.config.name_of(&target).await?;
    }
    let path = ResourcePath::of(&target);
    let reads_until = delivery.reads_until;
    let (id, deadline) = (meta.id, delivery.deadline);
    let passage = Passage { id, control, shell, change, target, path, clients, own, deadline, reads_until };

    // Gate 3: the lease, on the resource and not on the control.
    let until = delivery.deadline.saturating_add(LEASE_GRACE).unwrap_or(Timestamp::MAX);
    let lease = lease(shell, &passage.path, &delivery.owner, until).await?;
    let result = passage.leased(&lease, &scope, line).await;
    // The lease goes back whatever happened; where that fails too, the first fault is the one to tell.
    let released = shell.ledger.release(&lease).await;
    let handled = result?;
    released?;
    if let Some(id) = request {
        shell.ledger.note_answered(meta.id, &passage.target, &id, Timestamp::now()).await?;
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
    shell: &RemediationShell,
    id: Option<&str>,
    target: &Target,
) -> Result<Option<(String, Timestamp)>, Fault> {
    let stored = match id {
        Some(id) => shell.ledger.request(id).await?.map(|it| (id, it)),
        None => None,
    };
    let stored = stored.filter(|(_, it)| it.allows(meta.id, target, Timestamp::now()));
    if stored.is_none() {
        tracing::warn!(request = id, resource = %target.resource, "ignored a request that is not in the ledger");
    }
    Ok(stored.map(|(id, it)| (id.to_owned(), it.recorded_at)))
}

/// Takes the lease, waiting a little for somebody who is about to be done.
async fn lease(shell: &RemediationShell, path: &ResourcePath, owner: &str, until: Timestamp) -> Result<Lease, Fault> {
    let mut tries = Backoff::LEASE.tries();
    loop {
        tries.next().await;
        match shell.ledger.lease(path, owner, Timestamp::now(), until).await {
            Err(Fault::LeaseHeld { .. }) if !tries.is_last() => {}
            answer => return answer,
        }
    }
}

impl Passage<'_> {
    async fn leased(&self, lease: &Lease, scope: &RuleScope<'_>, line: &mut Invocation) -> Result<Handled, Fault> {
        let (id, control) = (self.id, self.control);
        let ledger = &self.shell.ledger;
        let parameters = self.shell.settings.parameters.as_str();
        // What ended and was not announced is announced first: it happened, whatever is decided about the resource today.
        let mut unfinished = None;
        for mut attempt in ledger.registered(&self.path, id).await? {
            self.announce(lease, &mut attempt).await?;
            if attempt.state == State::Open {
                unfinished = Some(attempt);
            }
        }
        let before = ledger.finding(id, &self.target, self.change.recorded_at).await?;
        // Gate 0: the stop switch. It wins over an unfinished attempt: that one stays open until the switch is released.
        if let Some(stop) = ledger.stop_for(id).await? {
            let attempt = self.attempt(Plan::Nothing, None);
            return self.end(lease, attempt, Outcome::Stopped, stop.to_string(), before.as_ref()).await;
        }
        // Gate 2: what the rule does not judge, then exemptions; both by what is known without a live read.
        if let Some(verdict) = scope.out_of_scope(&self.target.resource, self.target.name.as_deref()) {
            return self.leave(lease, unfinished, None, &verdict, before.as_ref()).await;
        }
        let mut registry = self.registry(id).await?;
        if unfinished.is_none()
            && let Some(reason) = exemption::forbids(&registry.entries, &self.target, Known::Place, Timestamp::now())
        {
            let attempt = self.attempt(Plan::Nothing, None);
            return self.end(lease, attempt, Outcome::Exempt, reason, before.as_ref()).await;
        }
        // Gate 4: this finding has been dealt with.
        if unfinished.is_none()
            && let Some(finding) = before.as_ref().filter(|it| self.is_settled(it))
        {
            return Ok(Handled::Acknowledged(finding.clone()));
        }
        for _ in 0..STEADY_TRIES {
            // Gate 5: the live read, and the control's own judgement of it.
            let read = match self.live(parameters).await {
                Ok(read) => read,
                Err(fault) => {
                    return match unfinished.take_if(|it| it.has_acted()) {
                        Some(attempt) => Box::pin(self.leave_open(lease, attempt, fault)).await,
                        None => Err(fault),
                    };
                }
            };
            let Some(live) = read else {
                let attempt = self.attempt_or(unfinished.take(), Plan::Nothing, None, None);
                return self
                    .end(lease, attempt, Outcome::Gone, "the resource is gone".to_owned(), before.as_ref())
                    .await;
            };
            // Gate 2 again: the live name may say more.
            if let Some(verdict) = scope.out_of_scope(&self.target.resource, live.name.as_deref()) {
                return self.leave(lease, unfinished, Some(&live), &verdict, before.as_ref()).await;
            }
            let now = Timestamp::now();
            if let Some(attempt) = unfinished.take_if(|it| it.has_acted()) {
                // Gate 3, second half: what a dead owner began is ended first, with its own before-image. It goes straight on:
                // its gates were passed when it began. One that somebody interfered with is closed, and what they left is a
                // finding like any other.
                let resumed = resuming::resume(self, lease, attempt, &live, line);
                if let Some(handled) = Box::pin(resumed).await? {
                    return Ok(handled);
                }
            }
            let finding = match control.evaluate(&live.image, parameters, now)? {
                Verdict::NonCompliant(finding) => finding,
                Verdict::Compliant(_) => {
                    let attempt = self.attempt_or(unfinished.take(), Plan::Nothing, Some(&live), None);
                    let reason = "already compliant".to_owned();
                    return self.end(lease, attempt, Outcome::AlreadyCompliant, reason, before.as_ref()).await;
                }
                Verdict::NotApplicable(why) => {
                    let attempt = self.attempt_or(unfinished.take(), Plan::Nothing, Some(&live), None);
                    return self.end(lease, attempt, Outcome::NotApplicable, why.to_string(), before.as_ref()).await;
                }
            };
            // Gates 6 and 7: the plan, and everything that leaves it at that.
            let plan = control.plan(&live.image, parameters, now)?;
            if let Some(obstacle) = self.obstacle(&registry, &plan, &live, now).await? {
                let attempt = self.attempt_or(unfinished.take(), plan, Some(&live), Some(&finding));
                return self.end(lease, attempt, obstacle.outcome, obstacle.reason, before.as_ref()).await;
            }
            if matches!(plan, Plan::Nothing) {
                let reason = "the control finds a fault and plans nothing against it".to_owned();
                let attempt = self.attempt_or(unfinished.take(), Plan::Nothing, Some(&live), Some(&finding));
                let fault = Fault::NotVerified { attempt: attempt.id.clone(), reason };
                return Box::pin(self.fail(lease, attempt, fault)).await;
            }
            // Gate 8: the breaker, by a consistent read of what was done to this resource.
            let begun = unfinished.take();
            let own = begun.as_ref().map(|it| it.id.clone());
            if let Some(open) = ledger.open_breaker(&self.path, id, own.as_deref(), now).await? {
                let attempt = self.attempt_or(begun, plan, Some(&live), Some(&finding));
                return self.end(lease, attempt, Outcome::BreakerOpen, open.to_string(), before.as_ref()).await;
            }
            // Gate 9: budget, before-image and plan in one transaction.
            let is_new = begun.is_none();
            let mut attempt = self.attempt_or(begun, plan.clone(), Some(&live), Some(&finding));
            if is_new {
                let budget = self.budget().await?;
                attempt.budgeted = true;
                match ledger.begin(lease, &attempt, budget.limit, &self.fence(id, &registry)).await? {
                    Begun::Yes => {}
                    Begun::OverBudget => {
                        attempt.budgeted = false;
                        return self.end(lease, attempt, Outcome::OverBudget, budget.reason, before.as_ref()).await;
                    }
                    Begun::Overruled(Overruled::Stopped) => {
                        attempt.budgeted = false;
                        let reason = self.stop_reason(id).await?;
                        return self.end(lease, attempt, Outcome::Stopped, reason, before.as_ref()).await;
                    }
                    Begun::Overruled(Overruled::Decided) => {
                        registry = self.registry(id).await?;
                        continue;
                    }
                }
            } else {
                ledger.save(lease, &attempt).await?;
            }
            // Gate 10: read once more; what was planned for must still be so.
            let again = self.live(parameters).await?;
            let is_same = match &again {
                Some(again) => control.same(&again.image, &live.image)?,
                None => false,
            };
            if !is_same {
                unfinished = Some(attempt);
                continue;
            }
            // Gates 11 to 13.
            let cleared = Cleared { plan, registry };
            return Box::pin(acting::apply(self, lease, attempt, &live, cleared, parameters, line)).await;
        }
        Err(Fault::Unsteady { resource: self.target.resource.to_string(), times: STEADY_TRIES })
    }

    /// Whether nothing can come of looking at a finding again. One that failed is tried again when the reconciler asks, not
    /// when its event is merely repeated.
    fn is_settled(&self, finding: &Finding) -> bool {
        let is_request = matches!(self.change.origin, Origin::Request(_));
        finding.outcome.is_final() && !(is_request && finding.outcome == Outcome::Failed)
    }

    /// Ends a finding about a resource that the rule does not judge. What was begun goes no further, and keeps what was done.
    async fn leave(
        &self,
        lease: &Lease,
        unfinished: Option<Attempt>,
        live: Option<&Imaged>,
        verdict: &Verdict,
        before: Option<&Finding>,
    ) -> Result<Handled, Fault> {
        let mut reason = verdict.annotation().map_or_else(String::new, ToString::to_string);
        let attempt = match unfinished {
            Some(begun) if begun.has_acted() => {
                let (made, planned) = (begun.actions.len(), begun.plan.calls().len());
                reason.push_str(&format!("; {made} of {} calls were made before", planned.max(made)));
                begun
            }
            other => self.attempt_or(other, Plan::Nothing, live, None),
        };
        self.end(lease, attempt, Outcome::NotApplicable, reason, before).await
    }
}

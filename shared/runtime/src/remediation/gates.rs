//! The gates of a remediation, in their order. Each either ends the delivery with a recorded outcome, fails it, or lets it
//! pass; the resource is written to behind the last one.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use rectify_compliance::entry::erase;
use rectify_compliance::exemption::Known;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ComplianceChange, Plan, Remediation, Target, Timestamp, Verdict};
use serde_json::Value;

use super::passage::Passage;
use super::{Delivery, RemediationShell, acting};
use crate::Fault;
use crate::edge::{Apply, Connect, ReadLive};
use crate::invocation::Invocation;
use crate::ledger::{Begun, Finding, Lease, Outcome, ResourcePath};
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
pub(super) async fn pass<K, C>(
    shell: &RemediationShell<C>,
    event: &EventBridgeEvent<Value>,
    delivery: &Delivery,
    line: &mut Invocation,
) -> Result<Handled, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    // Gate 1 comes first in code: a stop can only be recorded about a finding that was read.
    let Some(change) = ComplianceChange::parse(&event.source, &event.detail_type, &event.detail)? else {
        return Ok(Handled::Ignored("source or detail type"));
    };
    line.note("rule", change.rule_name.as_str());
    line.note("account", change.account.as_str());
    line.note("resource_type", change.resource.kind.as_str());
    line.note("resource_id", change.resource.id.as_str());
    if !change.is_finding() {
        return Ok(Handled::Ignored("not a finding"));
    }
    if !shell.settings.rule_names.matches(&change.rule_name) {
        return Ok(Handled::Ignored("another rule"));
    }
    if !K::META.resource_types.contains(&change.resource.kind.as_str()) {
        return Ok(Handled::Ignored("another resource type"));
    }
    if shell.settings.mode_in(&change.account, K::META.id) <= Mode::Observe {
        return Ok(Handled::Ignored("mode"));
    }
    let own = delivery.account.as_ref().unwrap_or(&change.account);
    let clients = shell.clients.at(own, &change.account, &change.region).await?;
    let mut target = Target {
        account: change.account.clone(),
        region: change.region.clone(),
        resource: change.resource.clone(),
        name: None,
        arn: None,
    };
    if K::NEEDS_NAME {
        target.name = shell.config.name_of(&target).await?;
    }
    let path = ResourcePath::of(&target);
    let passage = Passage { shell, change, target, path, clients };

    // Gate 3: the lease, on the resource and not on the control.
    let until = delivery.deadline.saturating_add(LEASE_GRACE).unwrap_or(Timestamp::MAX);
    let lease = lease(shell, &passage.path, &delivery.owner, until).await?;
    let result = passage.leased::<K>(&lease, line).await;
    // The lease goes back whatever happened; where that fails too, the first fault is the one to tell.
    let released = shell.ledger.release(&lease).await;
    let handled = result?;
    released?;
    Ok(handled)
}

/// Takes the lease, waiting a little for somebody who is about to be done.
async fn lease<C>(
    shell: &RemediationShell<C>,
    path: &ResourcePath,
    owner: &str,
    until: Timestamp,
) -> Result<Lease, Fault> {
    let mut tries = Backoff::LEASE.tries();
    loop {
        tries.next().await;
        match shell.ledger.lease(path, owner, Timestamp::now(), until).await {
            Err(Fault::LeaseHeld { .. }) if !tries.is_last() => {}
            answer => return answer,
        }
    }
}

impl<C: Connect> Passage<'_, C> {
    async fn leased<K>(&self, lease: &Lease, line: &mut Invocation) -> Result<Handled, Fault>
    where
        K: Remediation + ReadLive<C> + Apply<C>,
    {
        let control = K::META.id;
        let ledger = &self.shell.ledger;
        let params = RuleParameters::<K::Params>::parse(Some(&self.shell.settings.parameters))?.control;
        let before = ledger.finding(control, &self.target, self.change.recorded_at).await?;
        // Gate 0: the stop switch. It wins over an unfinished attempt: that one stays open until the switch is released.
        if let Some(stop) = ledger.stop_for(control).await? {
            let reason = format!("stopped by {} since {}: {}", stop.by, stop.since, stop.reason);
            let attempt = self.attempt::<K>(Plan::Nothing, None);
            return self.end(lease, attempt, Outcome::Stopped, reason, before.as_ref()).await;
        }
        // Gate 2: exemptions that need no live read.
        let exemptions = self.exemptions(control).await?;
        // Gate 3, second half: what a dead owner began is ended first, with its own before-image.
        let mut unfinished = ledger.unfinished(&self.path, control).await?;
        if unfinished.is_none()
            && let Some(reason) = exemptions.forbid(&self.target, Known::Place, Timestamp::now())
        {
            let attempt = self.attempt::<K>(Plan::Nothing, None);
            return self.end(lease, attempt, Outcome::Exempt, reason, before.as_ref()).await;
        }
        // Gate 4: this finding has been dealt with.
        if unfinished.is_none()
            && let Some(finding) = before.as_ref().filter(|it| self.is_settled(it))
        {
            self.announce_again(lease, control, finding).await?;
            return Ok(Handled::Acknowledged(finding.clone()));
        }
        for _ in 0..STEADY_TRIES {
            // Gate 5: the live read, and the control's own judgement of it.
            let Some(live) = K::live(&self.clients, &self.target, &params).await? else {
                let attempt = self.attempt_or::<K>(unfinished.take(), Plan::Nothing, None, None)?;
                return self
                    .end(lease, attempt, Outcome::Gone, "the resource is gone".to_owned(), before.as_ref())
                    .await;
            };
            let now = Timestamp::now();
            if let Some(attempt) = unfinished.take_if(|it| it.has_acted()) {
                // A resumed attempt goes straight on: its gates were passed when it began.
                return acting::resume::<K, C>(self, lease, attempt, live, line).await;
            }
            let finding = match K::evaluate(&live, &params, now) {
                Verdict::NonCompliant(finding) => finding,
                Verdict::Compliant(_) => {
                    let attempt = self.attempt_or::<K>(unfinished.take(), Plan::Nothing, Some(&live), None)?;
                    let reason = "already compliant".to_owned();
                    return self.end(lease, attempt, Outcome::AlreadyCompliant, reason, before.as_ref()).await;
                }
                Verdict::NotApplicable(why) => {
                    let attempt = self.attempt_or::<K>(unfinished.take(), Plan::Nothing, Some(&live), None)?;
                    return self.end(lease, attempt, Outcome::NotApplicable, why.to_string(), before.as_ref()).await;
                }
            };
            // Gates 6 and 7: the plan, and everything that leaves it at that.
            let plan = K::plan(&live, &params, now);
            if let Some(obstacle) = self.obstacle::<K>(&exemptions, &plan, &live, now).await? {
                let attempt = self.attempt_or::<K>(unfinished.take(), erase(plan)?, Some(&live), Some(&finding))?;
                return self.end(lease, attempt, obstacle.outcome, obstacle.reason, before.as_ref()).await;
            }
            if matches!(plan, Plan::Nothing) {
                let reason = "the control finds a fault and plans nothing against it".to_owned();
                let attempt = self.attempt_or::<K>(unfinished.take(), Plan::Nothing, Some(&live), Some(&finding))?;
                let fault = Fault::NotVerified { attempt: attempt.id.clone(), reason };
                return self.fail(lease, attempt, fault).await;
            }
            // Gate 8: the breaker, by a consistent read of what was done to this resource.
            let begun = unfinished.take();
            let own = begun.as_ref().map(|it| it.id.clone());
            if let Some(open) = ledger.open_breaker(&self.path, control, own.as_deref(), now).await? {
                let attempt = self.attempt_or::<K>(begun, erase(plan)?, Some(&live), Some(&finding))?;
                return self.end(lease, attempt, Outcome::BreakerOpen, open.to_string(), before.as_ref()).await;
            }
            // Gate 9: budget, before-image and plan in one transaction.
            let is_new = begun.is_none();
            let mut attempt = self.attempt_or::<K>(begun, erase(plan.clone())?, Some(&live), Some(&finding))?;
            if is_new {
                let budget = self.budget::<K>().await?;
                attempt.budgeted = true;
                if ledger.begin(lease, &attempt, budget.limit).await? == Begun::OverBudget {
                    attempt.budgeted = false;
                    return self.end(lease, attempt, Outcome::OverBudget, budget.reason, before.as_ref()).await;
                }
            } else {
                ledger.save(lease, &attempt).await?;
            }
            // Gate 10: read once more; what was planned for must still be so.
            let again = K::live(&self.clients, &self.target, &params).await?;
            if again.as_ref() != Some(&live) {
                unfinished = Some(attempt);
                continue;
            }
            // Gates 11 to 13.
            return acting::apply::<K, C>(self, lease, attempt, live, &plan, &params, line).await;
        }
        Err(Fault::Unsteady { resource: self.target.resource.to_string(), times: STEADY_TRIES })
    }

    /// Whether nothing can come of looking at a finding again. One that failed is tried again when the reconciler asks, not
    /// when its event is merely repeated.
    fn is_settled(&self, finding: &Finding) -> bool {
        finding.outcome.is_final() && !(self.change.is_request && finding.outcome == Outcome::Failed)
    }
}

//! The gates of a remediation, in their order. Each either ends the delivery with a recorded outcome, fails it, or lets it
//! pass; the resource is written to behind the last one.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use rectify_compliance::entry::erase;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{
    Annotation, ComplianceChange, Image, Plan, Remediation, ShapeError, StoredImage, Target, Timestamp, Verdict,
};
use serde_json::Value;

use super::{Delivery, RemediationShell, acting, managed};
use crate::Fault;
use crate::bus::{self, Announcement};
use crate::edge::{Apply, Connect, ReadLive};
use crate::invocation::Invocation;
use crate::ledger::{self, Attempt, Begun, Finding, Lease, Outcome, ResourcePath, State};
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

/// One finding on its way through the gates.
pub(super) struct Passage<'a, C> {
    pub(super) shell: &'a RemediationShell<C>,
    pub(super) change: ComplianceChange,
    pub(super) target: Target,
    pub(super) path: ResourcePath,
    pub(super) clients: std::sync::Arc<C>,
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
    if shell.settings.mode <= Mode::Observe {
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
        // Gate 2: exemptions are `none` by setting; without that setting nothing enforces (see `RemediationSettings`).
        // Gate 3, second half: what a dead owner began is ended first, with its own before-image.
        let mut unfinished = ledger.unfinished(&self.path, control).await?;
        // Gate 4: this finding has been dealt with.
        if unfinished.is_none()
            && let Some(finding) = &before
            && finding.outcome.is_final()
        {
            self.announce_again(lease, finding).await?;
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
            if let Some(reason) = self.obstacle::<K>(&plan, &live, now).await? {
                let attempt = self.attempt_or::<K>(unfinished.take(), erase(plan)?, Some(&live), Some(&finding))?;
                return self.end(lease, attempt, Outcome::Planned, reason, before.as_ref()).await;
            }
            if matches!(plan, Plan::Nothing) {
                let reason = "the control finds a fault and plans nothing against it".to_owned();
                let attempt = self.attempt_or::<K>(unfinished.take(), Plan::Nothing, Some(&live), Some(&finding))?;
                let fault = Fault::NotVerified { attempt: attempt.id.clone(), reason };
                return self.fail(lease, attempt, fault).await;
            }
            // Gate 9: budget, before-image and plan in one transaction. (Gate 8, the breaker, reads this path's attempts.)
            let is_new = unfinished.is_none();
            let attempt = self.attempt_or::<K>(unfinished.take(), erase(plan.clone())?, Some(&live), Some(&finding))?;
            let limit = self.shell.settings.budget_per_hour;
            if !is_new {
                ledger.save(lease, &attempt).await?;
            } else if ledger.begin(lease, &attempt, limit).await? == Begun::OverBudget {
                let reason = format!("budget of {limit} an hour used up");
                return self.end(lease, attempt, Outcome::OverBudget, reason, before.as_ref()).await;
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

    /// Why this plan is not applied, if it is not.
    pub(super) async fn obstacle<K: Remediation>(
        &self,
        plan: &Plan<K::Action>,
        live: &K::Subject,
        now: Timestamp,
    ) -> Result<Option<String>, Fault> {
        let settings = &self.shell.settings;
        if let Some(hold) = self.shell.ledger.hold_on(&self.path, K::META.id, now).await? {
            return Ok(Some(format!("held by {} until {}: {}", hold.by, hold.until, hold.reason)));
        }
        if let Some(reason) = plan.obstacle(settings.allow_l2) {
            return Ok(Some(reason));
        }
        if !settings.remediate_managed_stacks
            && let Some(stack) = managed::stack(live.tags())
        {
            return Ok(Some(format!("managed by CloudFormation stack `{stack}`")));
        }
        Ok((settings.mode < Mode::Enforce).then(|| format!("mode {}", settings.mode.name())))
    }

    /// A new attempt.
    fn attempt<K: Remediation>(&self, plan: Plan<Value>, before: Option<StoredImage>) -> Attempt {
        let now = Timestamp::now();
        Attempt {
            id: ledger::new_id(now),
            control: K::META.id.to_owned(),
            target: self.target.clone(),
            rule: self.change.rule_name.clone(),
            recorded_at: self.change.recorded_at,
            started_at: now,
            finished_at: None,
            state: State::Open,
            mode: self.shell.settings.mode.name().to_owned(),
            parameters: self.shell.settings.parameters.clone(),
            finding: None,
            plan,
            before,
            actions: Vec::new(),
            after: None,
            outcome: None,
            reason: String::new(),
            announced: false,
            undo: None,
        }
    }

    /// The attempt that was begun and has not acted yet, planned anew, or a new one.
    fn attempt_or<K: Remediation>(
        &self,
        begun: Option<Attempt>,
        plan: Plan<Value>,
        live: Option<&K::Subject>,
        finding: Option<&Annotation>,
    ) -> Result<Attempt, ShapeError> {
        let before = live.map(StoredImage::of).transpose()?;
        let mut attempt = match begun {
            Some(begun) => Attempt { plan, before, ..begun },
            None => self.attempt::<K>(plan, before),
        };
        if let Some(finding) = finding {
            attempt.finding = Some(finding.to_string());
        }
        Ok(attempt)
    }

    /// Ends an attempt that changed nothing. The same answer for the same finding is neither recorded nor announced twice.
    async fn end(
        &self,
        lease: &Lease,
        mut attempt: Attempt,
        outcome: Outcome,
        reason: String,
        before: Option<&Finding>,
    ) -> Result<Handled, Fault> {
        if let Some(finding) = before
            && finding.outcome == outcome
            && finding.reason == reason
        {
            self.announce_again(lease, finding).await?;
            return Ok(Handled::Acknowledged(finding.clone()));
        }
        attempt.state = State::Finished;
        attempt.finished_at = Some(Timestamp::now());
        attempt.outcome = Some(outcome);
        attempt.reason = reason;
        attempt.announced = false;
        self.close(lease, attempt).await
    }

    /// Ends an attempt as failed for good, and the delivery with `fault`.
    pub(super) async fn fail(&self, lease: &Lease, mut attempt: Attempt, fault: Fault) -> Result<Handled, Fault> {
        attempt.state = State::Finished;
        attempt.finished_at = Some(Timestamp::now());
        attempt.outcome = Some(Outcome::Failed);
        attempt.reason = fault.to_string();
        attempt.announced = false;
        self.close(lease, attempt).await?;
        Err(fault)
    }

    /// Fails the delivery and leaves the attempt open for the next one; the failure is announced once.
    pub(super) async fn leave_open(&self, lease: &Lease, mut attempt: Attempt, fault: Fault) -> Result<Handled, Fault> {
        attempt.outcome = Some(Outcome::Failed);
        attempt.reason = fault.to_string();
        self.shell.ledger.save(lease, &attempt).await?;
        self.tell(lease, &mut attempt, Outcome::Failed).await?;
        Err(fault)
    }

    /// Gate 13: the outcome is stored, then announced; a crash in between is made up for by the next delivery.
    pub(super) async fn close(&self, lease: &Lease, mut attempt: Attempt) -> Result<Handled, Fault> {
        let Some(outcome) = attempt.outcome else {
            return Err(Fault::Ledger(format!("attempt {}: closed without an outcome", attempt.id)));
        };
        self.shell.ledger.finish(lease, &attempt).await?;
        self.tell(lease, &mut attempt, outcome).await?;
        Ok(Handled::Ended { attempt: attempt.id, outcome })
    }

    /// Announces an outcome whose announcement did not go out when it was stored.
    async fn announce_again(&self, lease: &Lease, finding: &Finding) -> Result<(), Fault> {
        match self.shell.ledger.attempt(&finding.attempt).await? {
            Some(mut attempt) => self.tell(lease, &mut attempt, finding.outcome).await,
            None => Ok(()),
        }
    }

    /// Announces an attempt unless that was done, and notes it: a crash in between tells it twice rather than never.
    async fn tell(&self, lease: &Lease, attempt: &mut Attempt, outcome: Outcome) -> Result<(), Fault> {
        let Some(announcement) = Announcement::of(outcome).filter(|_| !attempt.announced) else { return Ok(()) };
        let ledger = &self.shell.ledger;
        // Five hundred findings at a first deployment are one budget stop an hour, not five hundred tickets.
        let is_stop = announcement == Announcement::BudgetStop;
        if !(is_stop && ledger.is_budget_stop_told(attempt).await?) {
            self.shell.bus.announce(announcement, &bus::detail(attempt)).await?;
            if is_stop {
                ledger.note_budget_stop(attempt).await?;
            }
        }
        attempt.announced = true;
        ledger.save(lease, attempt).await
    }
}

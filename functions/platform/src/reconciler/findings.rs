//! The findings that a rule still reports: which ones are requested and which are left out.

use std::pin::pin;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_compliance::exemption::{self, Known, Registered};
use rectify_runtime::Error;
use rectify_runtime::config_service::key_hash;
use rectify_runtime::ledger::{Attempt, Outcome, RequestHistory, ResourcePath, State};
use rectify_runtime::settings::Mode;

use super::settings::Watched;
use super::window::{Candidate, Window};
use super::{PendingRequest, Run};
use crate::client::Finding;

/// How many findings are examined per allowed request: findings that are left out must not use up a run.
const LOOKUPS_PER_REQUEST: usize = 5;
/// How many findings are looked up in the ledger concurrently.
const CONCURRENCY: usize = 8;
/// How many are requested between two checks of the switches and the budget.
const BATCH: usize = 10;

/// Whether a finding is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Request(Box<PendingRequest>),
    LeaveOut(&'static str),
}

impl Run<'_> {
    /// Requests the findings that a control's rule still reports and that are not being handled.
    ///
    /// # Errors
    /// [`Error`] when the rule's results or the ledger cannot be read: in doubt a finding is left out.
    pub(super) async fn findings(&mut self, control: &Watched) -> Result<(), Error> {
        let settings = &self.reconciler.settings;
        let ledger = &self.reconciler.ledger;
        let max = settings.requests_per_run;
        let mut window = Window::new(ledger.cursor(&control.rule).await?, max.saturating_mul(LOOKUPS_PER_REQUEST));
        let mut pages = pin!(self.reconciler.aws.findings(&control.rule));
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => page.into_iter().for_each(|finding| window.offer(finding)),
                // Not deployed: a global control outside its home region, or one that is being removed.
                Err(error) if error.is("NoSuchConfigRuleException") => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        let seen = window.seen();
        if let Some(reason) = self.closed(control).await? {
            self.tally.left_out(control.id, reason, seen);
            return Ok(());
        }
        let registry = self.registry(control).await?;
        let (chosen, progress) = self.choose(control, &registry, window, max).await?;
        self.tally.left_out(control.id, "limit", seen.saturating_sub(progress.count));
        // The cursor passes findings that were left out, and requests that were accepted.
        let mut reached = progress.last;
        let mut requested = 0;
        let mut before: Option<u64> = None;
        for batch in chosen.chunks(BATCH) {
            if requested > 0
                && let Some(reason) = self.closed(control).await?
            {
                self.tally.left_out(control.id, reason, count(chosen.len() - requested));
                reached = before;
                break;
            }
            let pending: Vec<PendingRequest> = batch.iter().map(|(_, request)| request.clone()).collect();
            if self.send_requests("finding", pending).await.contains(&false) {
                reached = before;
                break;
            }
            requested += batch.len();
            before = batch.last().map(|(place, _)| *place);
        }
        match reached {
            Some(place) => self.reconciler.ledger.set_cursor(&control.rule, place).await,
            None => Ok(()),
        }
    }

    /// Why no finding of this control can be requested now, if so.
    pub(super) async fn closed(&self, control: &Watched) -> Result<Option<&'static str>, Error> {
        let ledger = &self.reconciler.ledger;
        if ledger.stop_switch_for(control.id).await?.is_some() {
            return Ok(Some("stopped"));
        }
        // Only mode enforce uses the budget; with a budget of zero, requests only lead to plans.
        let limit = self.reconciler.settings.max_fixes_per_hour;
        if control.mode == Mode::Enforce && limit > 0 {
            let used = ledger.budget_used(control.id, self.account.as_str(), Timestamp::now()).await?;
            return Ok((used >= limit).then_some("budget"));
        }
        Ok(None)
    }

    /// The findings to request, in the order of the ring, and the progress.
    async fn choose(
        &mut self,
        control: &Watched,
        registry: &[Registered],
        window: Window,
        max: usize,
    ) -> Result<(Vec<(u64, PendingRequest)>, Progress), Error> {
        let mut chosen = Vec::new();
        let mut left_out: Vec<&'static str> = Vec::new();
        let mut progress = Progress { count: 0, last: None };
        {
            let run = &*self;
            let decide = async |candidate: Candidate| {
                let target = run.target(&candidate.finding.resource);
                let history = run.reconciler.ledger.request_history(control.id, &target, run.now).await?;
                let decision = run.decide(control, registry, &candidate.finding, history).await?;
                Ok::<_, Error>((candidate.place, decision))
            };
            let mut decisions = pin!(stream::iter(window.in_order()).map(decide).buffered(CONCURRENCY));
            while chosen.len() < max
                && let Some(decision) = decisions.next().await
            {
                progress.count += 1;
                let (place, decision) = decision?;
                progress.last = Some(place);
                match decision {
                    Decision::Request(request) => chosen.push((place, *request)),
                    Decision::LeaveOut(reason) => left_out.push(reason),
                }
            }
        }
        left_out.into_iter().for_each(|reason| self.tally.left_out(control.id, reason, 1));
        Ok((chosen, progress))
    }

    /// Decides about one finding from the ledger; `history` has the earlier requests.
    pub(super) async fn decide(
        &self,
        control: &Watched,
        registry: &[Registered],
        finding: &Finding,
        history: Option<RequestHistory>,
    ) -> Result<Decision, Error> {
        let leave_out = |reason| Ok(Decision::LeaveOut(reason));
        let resource = &finding.resource;
        let mut recorded_at = finding.recorded_at;
        if self.requested.contains(&(control.id, key_hash(resource))) {
            return leave_out("already-requested");
        }
        let ledger = &self.reconciler.ledger;
        let target = self.target(resource);
        let path = ResourcePath::of(&target);
        if exemption::forbids(registry, &target, Known::Place, self.now).is_some() {
            return leave_out("exempt");
        }
        if ledger.hold_on(&path, control.id, self.now).await?.is_some() {
            return leave_out("held");
        }
        let mut history = history;
        if let Some(attempt) = ledger.latest_attempt(&path, control.id).await? {
            // An attempt that began after the last request and has ended, with any outcome, is an answer.
            history = history.map(|it| match attempt.state {
                State::Finished if attempt.started_at >= it.at => it.answered(),
                State::Finished | State::Open => it,
            });
            let settings = &self.reconciler.settings;
            let requested = history.as_ref().and_then(|it| it.requested_at(control.mode));
            let long_ago = self.now.saturating_sub(settings.retry_after).unwrap_or(Timestamp::MIN);
            match FindingStatus::of(&attempt, control.mode, settings.grace(control.id), self.now) {
                FindingStatus::Open => return leave_out("open"),
                FindingStatus::Free => {}
                FindingStatus::Since(_) if requested.is_some_and(|at| at > long_ago) => return leave_out("recent"),
                FindingStatus::Since(began) if began > long_ago => return leave_out("recent"),
                FindingStatus::Since(_) => {}
                FindingStatus::OtherMode if requested.is_some_and(|at| at > long_ago) => return leave_out("recent"),
                FindingStatus::OtherMode => {}
                FindingStatus::GraceOver(over) if requested.is_some_and(|at| at >= over) => {
                    return leave_out("recent");
                }
                // A reevaluation records the same violation with a new time, which must not restart its grace period.
                FindingStatus::GraceOver(_) => recorded_at = attempt.recorded_at,
            }
        }
        match ledger.finding(control.id, &target, recorded_at).await? {
            // A failed finding is retried on request.
            Some(answer) if answer.outcome.is_final() && answer.outcome != Outcome::Failed => leave_out("answered"),
            _ if history.as_ref().is_some_and(|it| it.must_wait(self.now)) => leave_out("waiting"),
            _ => Ok(Decision::Request(Box::new(PendingRequest::new(control, target, recorded_at, history)))),
        }
    }
}

/// The progress of a run.
struct Progress {
    count: u64,
    last: Option<u64>,
}

/// The status of a finding after the last attempt on its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FindingStatus {
    /// The attempt has work left.
    Open,
    /// The attempt was blocked by a switch or a budget, which was just checked and no longer blocks it.
    Free,
    /// The attempt ran in another mode than the current one.
    OtherMode,
    /// The attempt waited for the end of the grace period, which has passed.
    GraceOver(Timestamp),
    /// The attempt is an answer and began at this time.
    Since(Timestamp),
}

impl FindingStatus {
    fn of(attempt: &Attempt, mode: Mode, grace: SignedDuration, now: Timestamp) -> Self {
        if attempt.state == State::Open {
            return Self::Open;
        }
        let over = attempt.recorded_at.saturating_add(grace).unwrap_or(Timestamp::MAX);
        match attempt.outcome {
            Some(Outcome::Stopped | Outcome::OverBudget) => Self::Free,
            Some(Outcome::Planned) if attempt.mode != mode.name() => Self::OtherMode,
            Some(Outcome::Planned) if mode == Mode::Enforce && attempt.started_at < over && over <= now => {
                Self::GraceOver(over)
            }
            Some(
                Outcome::Gone
                | Outcome::AlreadyCompliant
                | Outcome::NotApplicable
                | Outcome::Exempt
                | Outcome::Planned
                | Outcome::BreakerOpen
                | Outcome::Verified
                | Outcome::Pending
                | Outcome::Failed,
            )
            | None => Self::Since(attempt.started_at),
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn attempt(outcome: &Value, mode: &str, state: &str) -> Attempt {
        serde_json::from_value(json!({
            "id": "01JZ0000000000000000000000", "control": "door-ajar", "rule": "rectify-door-ajar",
            "target": {"account": "111122223333", "region": "eu-west-1",
                       "resource": {"type": "House::Door", "id": "d-1"}, "name": null, "arn": null},
            "recorded_at": "2026-03-04T05:00:00Z", "started_at": "2026-03-04T05:00:07Z", "finished_at": null,
            "state": state, "mode": mode, "parameters": "{}", "finding": null, "plan": {"kind": "nothing"},
            "before": null, "actions": [], "after": null, "outcome": outcome, "reason": "", "announced": true, "undo": null
        }))
        .unwrap()
    }

    #[test]
    fn finished_attempt_is_an_answer_unless_its_blocker_is_lifted() {
        let none = SignedDuration::ZERO;
        for (outcome, mode, state, status) in [
            (json!("planned"), "enforce", "finished", None),
            (json!("failed"), "enforce", "finished", None),
            (json!("exempt"), "enforce", "finished", None),
            (json!("planned"), "plan", "finished", Some(FindingStatus::OtherMode)),
            (json!("exempt"), "plan", "finished", None),
            (json!("stopped"), "enforce", "finished", Some(FindingStatus::Free)),
            (json!("over-budget"), "enforce", "finished", Some(FindingStatus::Free)),
            (json!("pending"), "enforce", "open", Some(FindingStatus::Open)),
            (json!(null), "enforce", "open", Some(FindingStatus::Open)),
        ] {
            let attempt = attempt(&outcome, mode, state);
            let status = status.unwrap_or(FindingStatus::Since(attempt.started_at));
            assert_eq!(
                FindingStatus::of(&attempt, Mode::Enforce, none, attempt.started_at),
                status,
                "{outcome} {mode} {state}"
            );
        }
    }

    #[test]
    fn grace_ends_once_and_only_in_mode_enforce() {
        let attempt = attempt(&json!("planned"), "enforce", "finished");
        let (grace, over) = (SignedDuration::from_mins(30), attempt.recorded_at + SignedDuration::from_mins(30));
        let status = |now| FindingStatus::of(&attempt, Mode::Enforce, grace, now);
        assert_eq!(status(over - SignedDuration::from_secs(1)), FindingStatus::Since(attempt.started_at));
        assert_eq!(status(over), FindingStatus::GraceOver(over));
        let later = Attempt { started_at: over, ..attempt.clone() };
        assert_eq!(FindingStatus::of(&later, Mode::Enforce, grace, over), FindingStatus::Since(over));
        let planned = Attempt { mode: "plan".to_owned(), ..attempt };
        let started = planned.started_at;
        assert_eq!(FindingStatus::of(&planned, Mode::Plan, grace, over), FindingStatus::Since(started));
    }
}

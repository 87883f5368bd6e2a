//! What a rule still reports: which of it is asked about, and what is left alone.

use std::pin::pin;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_compliance::exemption::{self, Known, Registered};
use rectify_runtime::Error;
use rectify_runtime::config_service::key_hash;
use rectify_runtime::ledger::{RequestHistory, Attempt, Outcome, ResourcePath, State};
use rectify_runtime::settings::Mode;

use super::settings::Watched;
use super::window::{Candidate, Window};
use super::{Question, Run};
use crate::client::Finding;

/// How many findings are looked at for each one that may be asked about: those that are left alone must not use a run up.
const LOOKS: usize = 5;
/// How many findings are looked up in the ledger at a time.
const AT_A_TIME: usize = 8;
/// How many are asked about between two looks at the switches and the budget.
const BATCH: usize = 10;

/// Whether a finding is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Ask(Box<Question>),
    LeaveOut(&'static str),
}

impl Run<'_> {
    /// RequestHistory about what a control's rule reports and nobody deals with.
    ///
    /// # Errors
    /// [`Error`] when the rule's results or the ledger cannot be read: what cannot be told from a finding that must be left
    /// alone is left alone.
    pub(super) async fn findings(&mut self, control: &Watched) -> Result<(), Error> {
        let settings = &self.shell.settings;
        let ledger = &self.shell.ledger;
        let most = settings.requests_per_run;
        let mut window = Window::new(ledger.cursor(&control.rule).await?, most.saturating_mul(LOOKS));
        let mut pages = pin!(self.shell.aws.findings(&control.rule));
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => page.into_iter().for_each(|finding| window.offer(finding)),
                // Not deployed: a control of the home region elsewhere, or one that is being removed.
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
        let (chosen, looked) = self.choose(control, &registry, window, most).await?;
        self.tally.left_out(control.id, "limit", seen.saturating_sub(looked.count));
        // The cursor passes what was left alone, and what was asked about and taken.
        let mut reached = looked.last;
        let mut asked = 0;
        let mut before: Option<u64> = None;
        for batch in chosen.chunks(BATCH) {
            if asked > 0
                && let Some(reason) = self.closed(control).await?
            {
                self.tally.left_out(control.id, reason, count(chosen.len() - asked));
                reached = before;
                break;
            }
            let questions: Vec<Question> = batch.iter().map(|(_, question)| question.clone()).collect();
            if self.ask("finding", questions).await.contains(&false) {
                reached = before;
                break;
            }
            asked += batch.len();
            before = batch.last().map(|(place, _)| *place);
        }
        match reached {
            Some(place) => self.shell.ledger.set_cursor(&control.rule, place).await,
            None => Ok(()),
        }
    }

    /// Why nothing of this control is asked about now, if so.
    pub(super) async fn closed(&self, control: &Watched) -> Result<Option<&'static str>, Error> {
        let ledger = &self.shell.ledger;
        if ledger.stop_for(control.id).await?.is_some() {
            return Ok(Some("stopped"));
        }
        // Only enforcing takes from the budget; with a budget of none everything is planned, however often it is asked.
        let limit = self.shell.settings.budget_per_hour;
        if control.mode == Mode::Enforce && limit > 0 {
            let used = ledger.budget_used(control.id, self.account.as_str(), Timestamp::now()).await?;
            return Ok((used >= limit).then_some("budget"));
        }
        Ok(None)
    }

    /// The findings to ask about, in the order of the ring, and how far it was looked.
    async fn choose(
        &mut self,
        control: &Watched,
        registry: &[Registered],
        window: Window,
        most: usize,
    ) -> Result<(Vec<(u64, Question)>, Looked), Error> {
        let mut chosen = Vec::new();
        let mut left_out: Vec<&'static str> = Vec::new();
        let mut looked = Looked { count: 0, last: None };
        {
            let run = &*self;
            let decide = async |candidate: Candidate| {
                let target = run.target(&candidate.finding.resource);
                let asks = run.shell.ledger.asks(control.id, &target, run.now).await?;
                let decision = run.decide(control, registry, &candidate.finding, asks).await?;
                Ok::<_, Error>((candidate.place, decision))
            };
            let mut decisions = pin!(stream::iter(window.in_order()).map(decide).buffered(AT_A_TIME));
            while chosen.len() < most
                && let Some(decision) = decisions.next().await
            {
                looked.count += 1;
                let (place, decision) = decision?;
                looked.last = Some(place);
                match decision {
                    Decision::Ask(question) => chosen.push((place, *question)),
                    Decision::LeaveOut(reason) => left_out.push(reason),
                }
            }
        }
        left_out.into_iter().for_each(|reason| self.tally.left_out(control.id, reason, 1));
        Ok((chosen, looked))
    }

    /// What the ledger says about one finding, of which the control was asked this often before.
    pub(super) async fn decide(
        &self,
        control: &Watched,
        registry: &[Registered],
        finding: &Finding,
        asks: Option<RequestHistory>,
    ) -> Result<Decision, Error> {
        let leave_out = |reason| Ok(Decision::LeaveOut(reason));
        let resource = &finding.resource;
        let mut recorded_at = finding.recorded_at;
        if self.asked.contains(&(control.id, key_hash(resource))) {
            return leave_out("asked");
        }
        let ledger = &self.shell.ledger;
        let target = self.target(resource);
        let path = ResourcePath::of(&target);
        if exemption::forbids(registry, &target, Known::Place, self.now).is_some() {
            return leave_out("exempt");
        }
        if ledger.hold_on(&path, control.id, self.now).await?.is_some() {
            return leave_out("held");
        }
        let mut asks = asks;
        if let Some(attempt) = ledger.latest_attempt(&path, control.id).await? {
            // An attempt that began after the last request and ended, however it ended, is an answer.
            asks = asks.map(|it| match attempt.state {
                State::Finished if attempt.started_at >= it.at => it.answered(),
                State::Finished | State::Open => it,
            });
            let settings = &self.shell.settings;
            let asked = asks.as_ref().and_then(|it| it.at_in(control.mode));
            let long_ago = self.now.saturating_sub(settings.retry_after).unwrap_or(Timestamp::MIN);
            match FindingStatus::of(&attempt, control.mode, settings.grace(control.id), self.now) {
                FindingStatus::Open => return leave_out("open"),
                FindingStatus::Free => {}
                FindingStatus::Since(_) if asked.is_some_and(|asked| asked > long_ago) => return leave_out("recent"),
                FindingStatus::Since(began) if began > long_ago => return leave_out("recent"),
                FindingStatus::Since(_) => {}
                FindingStatus::OtherMode if asked.is_some_and(|asked| asked > long_ago) => return leave_out("recent"),
                FindingStatus::OtherMode => {}
                FindingStatus::GraceOver(over) if asked.is_some_and(|asked| asked >= over) => {
                    return leave_out("recent");
                }
                // A rule that judges again records the same fault anew, and its grace must not begin anew with it.
                FindingStatus::GraceOver(_) => recorded_at = attempt.recorded_at,
            }
        }
        match ledger.finding(control.id, &target, recorded_at).await? {
            // What failed for good is tried again when it is asked for.
            Some(answer) if answer.outcome.is_final() && answer.outcome != Outcome::Failed => leave_out("answered"),
            _ if asks.as_ref().is_some_and(|it| it.must_wait(self.now)) => leave_out("waiting"),
            _ => Ok(Decision::Ask(Box::new(Question::new(control, target, recorded_at, asks)))),
        }
    }
}

/// How far a run looked.
struct Looked {
    count: u64,
    last: Option<u64>,
}

/// How the last attempt on a resource leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FindingStatus {
    /// It has work left.
    Open,
    /// What kept it from acting was read just now, and is gone.
    Free,
    /// It answered for another mode than today's.
    OtherMode,
    /// It waited for this moment, which is over.
    GraceOver(Timestamp),
    /// It answered, and began then.
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

fn count(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
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
    fn an_attempt_stands_for_what_it_found_until_what_kept_it_is_gone() {
        let none = SignedDuration::ZERO;
        for (outcome, mode, state, standing) in [
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
            let standing = standing.unwrap_or(FindingStatus::Since(attempt.started_at));
            assert_eq!(
                FindingStatus::of(&attempt, Mode::Enforce, none, attempt.started_at),
                standing,
                "{outcome} {mode} {state}"
            );
        }
    }

    #[test]
    fn a_grace_is_over_once_and_only_where_it_is_enforced() {
        let attempt = attempt(&json!("planned"), "enforce", "finished");
        let (grace, over) = (SignedDuration::from_mins(30), attempt.recorded_at + SignedDuration::from_mins(30));
        let standing = |now| FindingStatus::of(&attempt, Mode::Enforce, grace, now);
        assert_eq!(standing(over - SignedDuration::from_secs(1)), FindingStatus::Since(attempt.started_at));
        assert_eq!(standing(over), FindingStatus::GraceOver(over));
        let later = Attempt { started_at: over, ..attempt.clone() };
        assert_eq!(FindingStatus::of(&later, Mode::Enforce, grace, over), FindingStatus::Since(over));
        let planned = Attempt { mode: "plan".to_owned(), ..attempt };
        let started = planned.started_at;
        assert_eq!(FindingStatus::of(&planned, Mode::Plan, grace, over), FindingStatus::Since(started));
    }
}

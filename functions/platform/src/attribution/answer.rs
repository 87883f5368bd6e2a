//! The cause that follows from what CloudTrail said, and its announcement.

use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_compliance::attribution::{Change, stack_in, tally};
use rectify_runtime::bus;
use rectify_runtime::ledger::{Attempt, Outcome, WINDOW};
use serde_json::{Value, json};

use super::letter::LookupPass;
use super::lookup::{Looked, MOST, Reach};

/// The word for a cause nobody knows.
const UNKNOWN: &str = "unknown";
/// How long after a finding CloudTrail may still learn of what was behind it ("typically within 5 minutes", user guide,
/// read 2026-11; no bound is promised).
const SETTLED: SignedDuration = SignedDuration::from_mins(15);
/// How shortly before a finding a change was made that is told as its cause before that: AWS Config notices a change
/// within minutes, so an older one may hide one that CloudTrail does not show yet.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// What is told about a finding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// Who, in words.
    pub(super) actor: String,
    /// Why it is told.
    pub(super) reason: String,
    /// The changes that can be behind it, newest first, bounded.
    pub(super) changes: Vec<Change>,
    /// Whether CloudTrail may know better later.
    may_change: bool,
}

impl Answer {
    /// The answer to a finding.
    pub(super) fn of(looked: &Looked, attempt: &Attempt, look: LookupPass, now: Timestamp) -> Self {
        let found = attempt.recorded_at;
        let settled = look == LookupPass::Second || now.duration_since(found) >= SETTLED;
        let of_breaker = if attempt.outcome == Some(Outcome::BreakerOpen) { reverters(looked, attempt) } else { None };
        let answer = of_breaker.or_else(|| newest(looked, attempt, settled)).unwrap_or_else(|| nobody(looked));
        let Looked { history, reach, .. } = looked;
        let mut reason = answer.reason;
        if history.unreadable > 0 {
            reason.push_str(&format!("; {} of {} records could not be read", history.unreadable, history.records));
        }
        if *reach == Reach::Newest {
            reason.push_str(&format!("; only the newest {} records were read", history.records));
        }
        let can_be_asked = matches!(reach, Reach::Whole | Reach::Newest);
        let may_change = can_be_asked && (answer.changes.is_empty() || !settled);
        Self { reason, may_change, ..answer }
    }

    /// The event that names the cause; empty where nobody is known.
    pub(super) fn event(&self) -> &str {
        self.changes.first().map_or("", |it| it.event_id.as_str())
    }

    /// Whether CloudTrail may know better later.
    pub(super) const fn may_change(&self) -> bool {
        self.may_change
    }
}

/// Who keeps reverting the fixes of a resource.
fn reverters(looked: &Looked, attempt: &Attempt) -> Option<Answer> {
    let changes = with_stack(looked.history.within(attempt.recorded_at, WINDOW, &looked.ours), attempt);
    let first = changes.first()?;
    let who = tally(&changes);
    let actor = match who.as_slice() {
        [(only, _)] => only.clone(),
        several => counted(several),
    };
    let reason = format!("{} changes within 24 hours, the newest {} at {}", changes.len(), first.call, first.at);
    Some(Answer { actor, reason, changes: bounded(changes), may_change: false })
}

/// Who made the newest change that can be behind a finding.
fn newest(looked: &Looked, attempt: &Attempt, settled: bool) -> Option<Answer> {
    let found = attempt.recorded_at;
    let changes = with_stack(looked.history.behind(found, &looked.ours, &looked.fixer), attempt);
    let first = changes.first()?;
    if !settled && first.at < found.saturating_sub(FRESH).unwrap_or(Timestamp::MIN) {
        return None;
    }
    let reason = format!("{} at {}, the newest change before the finding", first.call, first.at);
    Some(Answer { actor: first.actor.to_string(), reason, changes: bounded(changes), may_change: false })
}

fn nobody(looked: &Looked) -> Answer {
    let reason = match looked.reach {
        Reach::Whole | Reach::Newest => "CloudTrail tells of no change that can be behind the finding",
        Reach::TooOld => "the finding is older than the 90 days CloudTrail remembers",
        Reach::Nameless => "CloudTrail finds events by a resource's name, and an account has none",
    };
    Answer { actor: UNKNOWN.to_owned(), reason: reason.to_owned(), changes: Vec::new(), may_change: false }
}

/// The changes; what CloudFormation did is of the stack that the resource's tags name, where the call named none.
fn with_stack(changes: Vec<&Change>, attempt: &Attempt) -> Vec<Change> {
    let stack = attempt.before.as_ref().and_then(|it| stack_in(&it.subject));
    let mut changes: Vec<Change> = changes.into_iter().cloned().collect();
    for change in changes.iter_mut().filter(|it| it.actor.is_cloudformation()) {
        change.actor.stack = change.actor.stack.take().or_else(|| stack.clone());
    }
    changes
}

fn bounded(mut changes: Vec<Change>) -> Vec<Change> {
    changes.truncate(MOST);
    changes
}

/// `jane via App (3), IAM user bob (1)`; as many as a ticket's title takes.
fn counted(who: &[(String, usize)]) -> String {
    let told: Vec<String> = who.iter().take(MOST).map(|(actor, count)| format!("{actor} ({count})")).collect();
    match who.len().saturating_sub(MOST) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// `detail` of the announcement: what is said of the attempt, and who was behind its finding. `again` is when it is asked
/// once more, seconds.
pub(super) fn announcement(attempt: &Attempt, answer: &Answer, again: Option<u32>) -> Value {
    let mut detail = bus::detail(attempt);
    let again = again.map_or_else(String::new, |seconds| format!("; asked once more in {}", waiting(seconds)));
    let changes: Vec<Value> = answer
        .changes
        .iter()
        .map(|it| json!({ "at": it.at, "call": it.call, "actor": it.actor.to_string(), "eventId": it.event_id }))
        .collect();
    if let Some(members) = detail.as_object_mut() {
        members.insert("reason".to_owned(), json!(format!("{}{again}", answer.reason)));
        members.insert("actor".to_owned(), json!(answer.actor));
        members.insert("changes".to_owned(), json!(changes));
    }
    detail
}

fn waiting(seconds: u32) -> String {
    if seconds.is_multiple_of(60) { format!("{} minutes", seconds / 60) } else { format!("{seconds} seconds") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

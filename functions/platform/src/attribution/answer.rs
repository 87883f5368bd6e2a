//! The cause derived from CloudTrail's events, and its announcement.

use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_compliance::attribution::{Change, stack_in, tally};
use rectify_runtime::bus;
use rectify_runtime::ledger::{Attempt, Outcome, WINDOW};
use serde_json::{Value, json};

use super::lookup::{Coverage, LookupResult, MAX_CHANGES};
use super::message::LookupPass;

/// The actor of an unknown cause.
const UNKNOWN: &str = "unknown";
/// How long after a finding CloudTrail may still receive its cause ("typically within 5 minutes", user guide, read
/// 2026-11; without a guarantee).
const SETTLED: SignedDuration = SignedDuration::from_mins(15);
/// How recent a change before a finding must be to be announced as its cause before [`SETTLED`] has passed: AWS Config
/// detects a change within minutes, so an older change may precede one that CloudTrail does not show yet.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// The cause of a finding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// The actor, as text.
    pub(super) actor: String,
    /// The reason for this answer.
    pub(super) reason: String,
    /// The changes that may be the cause, newest first, bounded.
    pub(super) changes: Vec<Change>,
    /// Whether a later lookup may have another result.
    may_change: bool,
}

impl Answer {
    /// The answer to a finding.
    pub(super) fn of(lookup: &LookupResult, attempt: &Attempt, pass: LookupPass, now: Timestamp) -> Self {
        let found = attempt.recorded_at;
        let settled = pass == LookupPass::Second || now.duration_since(found) >= SETTLED;
        let of_breaker = if attempt.outcome == Some(Outcome::BreakerOpen) { reverters(lookup, attempt) } else { None };
        let answer = of_breaker.or_else(|| newest(lookup, attempt, settled)).unwrap_or_else(|| unknown(lookup));
        let LookupResult { history, coverage, .. } = lookup;
        let mut reason = answer.reason;
        if history.unreadable > 0 {
            reason.push_str(&format!("; {} of {} records could not be read", history.unreadable, history.records));
        }
        if *coverage == Coverage::Newest {
            reason.push_str(&format!("; only the newest {} records were read", history.records));
        }
        let is_covered = matches!(coverage, Coverage::Complete | Coverage::Newest);
        let may_change = is_covered && (answer.changes.is_empty() || !settled);
        Self { reason, may_change, ..answer }
    }

    /// The id of the event that is the cause; empty if it is unknown.
    pub(super) fn event(&self) -> &str {
        self.changes.first().map_or("", |it| it.event_id.as_str())
    }

    /// Whether a later lookup may have another result.
    pub(super) const fn may_change(&self) -> bool {
        self.may_change
    }
}

/// The actors that keep reverting the fixes of a resource.
fn reverters(lookup: &LookupResult, attempt: &Attempt) -> Option<Answer> {
    let changes = with_stack(lookup.history.within(attempt.recorded_at, WINDOW, &lookup.own), attempt);
    let first = changes.first()?;
    let who = tally(&changes);
    let actor = match who.as_slice() {
        [(only, _)] => only.clone(),
        several => actor_list(several),
    };
    let reason = format!("{} changes within 24 hours, the newest {} at {}", changes.len(), first.call, first.at);
    Some(Answer { actor, reason, changes: bounded(changes), may_change: false })
}

/// The actor of the newest change that may be the cause of a finding.
fn newest(lookup: &LookupResult, attempt: &Attempt, settled: bool) -> Option<Answer> {
    let found = attempt.recorded_at;
    let changes = with_stack(lookup.history.behind(found, &lookup.own, &lookup.fixer), attempt);
    let first = changes.first()?;
    if !settled && first.at < found.saturating_sub(FRESH).unwrap_or(Timestamp::MIN) {
        return None;
    }
    let reason = format!("{} at {}, the newest change before the finding", first.call, first.at);
    Some(Answer { actor: first.actor.to_string(), reason, changes: bounded(changes), may_change: false })
}

fn unknown(lookup: &LookupResult) -> Answer {
    let reason = match lookup.coverage {
        Coverage::Complete | Coverage::Newest => "CloudTrail shows no change that could have caused the finding",
        Coverage::TooOld => "the finding is older than CloudTrail's event history of 90 days",
        Coverage::Nameless => "CloudTrail looks up events by resource name, and an account has none",
    };
    Answer { actor: UNKNOWN.to_owned(), reason: reason.to_owned(), changes: Vec::new(), may_change: false }
}

/// The changes; a change by CloudFormation whose call names no stack gets the stack from the resource's tags.
fn with_stack(changes: Vec<&Change>, attempt: &Attempt) -> Vec<Change> {
    let stack = attempt.before.as_ref().and_then(|it| stack_in(&it.subject));
    let mut changes: Vec<Change> = changes.into_iter().cloned().collect();
    for change in changes.iter_mut().filter(|it| it.actor.is_cloudformation()) {
        change.actor.stack = change.actor.stack.take().or_else(|| stack.clone());
    }
    changes
}

fn bounded(mut changes: Vec<Change>) -> Vec<Change> {
    changes.truncate(MAX_CHANGES);
    changes
}

/// `jane via App (3), IAM user bob (1)`; as many as fit into a ticket's title.
fn actor_list(who: &[(String, usize)]) -> String {
    let listed: Vec<String> = who.iter().take(MAX_CHANGES).map(|(actor, count)| format!("{actor} ({count})")).collect();
    match who.len().saturating_sub(MAX_CHANGES) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// The `detail` of the announcement: the attempt's, and the cause of its finding. `again` is the delay of a second
/// lookup, seconds.
pub(super) fn announcement(attempt: &Attempt, answer: &Answer, again: Option<u32>) -> Value {
    let mut detail = bus::detail(attempt);
    let again = again.map_or_else(String::new, |seconds| format!("; looked up again in {}", waiting(seconds)));
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

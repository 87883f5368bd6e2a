//! One run of a remediation on one resource for one finding, as it is stored.

use rectify_compliance::{Plan, StoredState, Target, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::bus::Announcement;

/// A complete attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// ULID; sorts by time.
    pub id: String,
    /// The control's id.
    pub control: String,
    /// The resource.
    pub target: Target,
    /// The Config rule whose finding started it.
    pub rule: String,
    /// The finding's `resultRecordedTime`.
    pub recorded_at: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; absent while it is open.
    pub finished_at: Option<Timestamp>,
    /// Whether work is left.
    pub state: State,
    /// The mode it ran in.
    pub mode: String,
    /// The control's parameters, as text: a resume and an undo evaluate with the same ones.
    pub parameters: String,
    /// The control's annotation for the live read; absent if it found no violation.
    pub finding: Option<String>,
    /// The plan.
    pub plan: Plan<Value>,
    /// The prior state; absent if the resource was not read.
    pub before: Option<StoredState>,
    /// The actions, in order.
    pub actions: Vec<ActionRecord>,
    /// The resulting state, read after the last action.
    pub after: Option<StoredState>,
    /// The outcome; absent until one is known.
    pub outcome: Option<Outcome>,
    /// The reason for the outcome, for operators.
    pub reason: String,
    /// Whether the outcome was put on the event bus.
    pub announced: bool,
    /// How it was undone, if it was.
    pub undo: Option<UndoRecord>,
    /// How many deliveries failed after it began.
    #[serde(default)]
    pub failures: u32,
    /// Whether it counts against its hour's budget.
    #[serde(default)]
    pub budgeted: bool,
    /// Whether it failed because the service refused the call and will refuse it again.
    #[serde(default)]
    pub terminal: bool,
}

/// Whether an attempt has work left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Begun; the next delivery resumes it.
    Open,
    /// Ended, with any outcome.
    Finished,
}

impl State {
    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Finished => "finished",
        }
    }
}

/// One action: stored before the call, completed with the service's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// The call.
    pub action: Value,
    /// What undo needs of the answer, `null` if it needs nothing; absent while it is unknown whether the call arrived.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub receipt: Option<Value>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A stop switch is on.
    Stopped,
    /// The resource is gone.
    Gone,
    /// The live read is compliant.
    AlreadyCompliant,
    /// The control does not apply to the live read.
    NotApplicable,
    /// An exemption applies; nothing was changed.
    Exempt,
    /// The plan is recorded and announced; nothing was changed.
    Planned,
    /// The resource was fixed too often, or the control's fixes fail; nothing was changed.
    BreakerOpen,
    /// The budget of the hour is used up; nothing was changed.
    OverBudget,
    /// Applied, read again, and compliant.
    Verified,
    /// The service accepted the change and is still applying it.
    Pending,
    /// Not every action succeeded, or the resource is still noncompliant.
    Failed,
}

impl Outcome {
    /// The name in logs, metrics and events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Gone => "gone",
            Self::AlreadyCompliant => "already-compliant",
            Self::NotApplicable => "not-applicable",
            Self::Exempt => "exempt",
            Self::Planned => "planned",
            Self::BreakerOpen => "breaker-open",
            Self::OverBudget => "over-budget",
            Self::Verified => "verified",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }

    /// Whether another delivery of the same finding cannot end differently. A planned or stopped finding may be
    /// enforced later: the mode changes, a switch is released, an exclusion or exemption ends, a breaker closes, a new
    /// hour begins.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Gone | Self::AlreadyCompliant | Self::Verified | Self::Failed => true,
            Self::Stopped
            | Self::NotApplicable
            | Self::Exempt
            | Self::Planned
            | Self::BreakerOpen
            | Self::OverBudget
            | Self::Pending => false,
        }
    }
}

/// How an attempt was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoRecord {
    /// Who requested it.
    pub by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When the touched fields were read back as before; absent until then.
    pub finished_at: Option<Timestamp>,
    /// The calls, in order.
    pub calls: Vec<Value>,
    /// How many of them were begun, each recorded before it was sent; absent in records of versions that did not count.
    #[serde(default)]
    pub begun: Option<usize>,
    /// How many of them were answered, or were found applied in a live read.
    #[serde(default)]
    pub answered: usize,
    /// The later changes that the operator chose to overwrite, if any.
    #[serde(default)]
    pub overwrote: Option<String>,
}

impl Attempt {
    /// The actions whose answer is known, with their receipts.
    pub fn done(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.actions.iter().filter_map(|record| record.receipt.as_ref().map(|receipt| (&record.action, receipt)))
    }

    /// Whether its outcome must be announced and is not marked as announced.
    pub fn is_unannounced(&self) -> bool {
        Announcement::due(self).is_some()
    }

    /// Whether the attempt changed anything.
    pub fn has_acted(&self) -> bool {
        !self.actions.is_empty()
    }
}

/// Reads the field even if it is `null`: a call with an empty answer was answered.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn null_receipt_differs_from_a_missing_one() {
        for receipt in [None, Some(Value::Null), Some(serde_json::json!({ "old": 1 }))] {
            let record = ActionRecord { action: Value::Null, receipt };
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<ActionRecord>(&text).unwrap(), record, "{text}");
        }
    }
}

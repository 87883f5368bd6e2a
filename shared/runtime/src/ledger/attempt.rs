//! One run of a remediation on one resource for one finding, as it is stored.

use rectify_compliance::{Plan, StoredState, Target, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::bus::Announcement;

/// One attempt, whole.
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
    /// When it ended, once it has.
    pub finished_at: Option<Timestamp>,
    /// Whether there is work left.
    pub state: State,
    /// The mode it ran in.
    pub mode: String,
    /// The control's parameters, as text: a resume and an undo judge alike.
    pub parameters: String,
    /// What the control found in the live read, in its own words; absent where it found nothing.
    pub finding: Option<String>,
    /// What was to be done.
    pub plan: Plan<Value>,
    /// What was found; absent where the resource was not read.
    pub before: Option<StoredState>,
    /// What was done, in order.
    pub actions: Vec<ActionRecord>,
    /// What the resource was after the last action.
    pub after: Option<StoredState>,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// Why it ended so, for people.
    pub reason: String,
    /// Whether the outcome is on the event bus.
    pub announced: bool,
    /// How it was undone, if it was.
    pub undo: Option<UndoRecord>,
    /// How many deliveries failed at it after it began.
    #[serde(default)]
    pub failures: u32,
    /// Whether it took from its hour's budget.
    #[serde(default)]
    pub budgeted: bool,
    /// Whether it failed because the service refused, and will refuse again.
    #[serde(default)]
    pub terminal: bool,
}

/// Whether an attempt has work left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// BeginOutcome; the next delivery resumes it.
    Open,
    /// Ended, well or not.
    Finished,
}

impl State {
    /// The word in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Finished => "finished",
        }
    }
}

/// One action: written before it is made, completed with what the service answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// The call.
    pub action: Value,
    /// What undo needs of the answer, `null` where it needs nothing; absent while it is not known whether the call arrived.
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
    /// The live read says the control holds.
    AlreadyCompliant,
    /// The live read says the control does not apply.
    NotApplicable,
    /// Somebody decided that it need not be enforced for a while; nothing was changed.
    Exempt,
    /// The plan is recorded and announced; nothing was changed.
    Planned,
    /// It was fixed too often, or the control's fixes fail; nothing was changed.
    BreakerOpen,
    /// The budget of the hour is used up; nothing was changed.
    OverBudget,
    /// Applied, read again, and the control holds.
    Verified,
    /// The service accepted the change and works on it.
    Pending,
    /// Not everything could be done, or it did not help.
    Failed,
}

impl Outcome {
    /// The word in logs, metrics and events.
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

    /// Whether a later look at the same finding cannot end otherwise. What was only planned or stopped may be enforced
    /// later: a mode changes, a switch is released, an exclusion or an exemption ends, a breaker closes, a new hour begins.
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

/// How an attempt was taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoRecord {
    /// Who asked.
    pub by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When the touched_fields was read back as before; absent while it is not.
    pub finished_at: Option<Timestamp>,
    /// The calls, in the order they are played.
    pub calls: Vec<Value>,
    /// How many of them were begun, each noted before it was sent; absent in records of versions that did not count.
    #[serde(default)]
    pub begun: Option<usize>,
    /// How many of them were answered, or were found to be so.
    #[serde(default)]
    pub answered: usize,
    /// What somebody else had changed and was overwritten by a person's decision, where that was so.
    #[serde(default)]
    pub overwrote: Option<String>,
}

impl Attempt {
    /// The actions whose answer is known.
    pub fn done(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.actions.iter().filter_map(|record| record.receipt.as_ref().map(|receipt| (&record.action, receipt)))
    }

    /// Whether its outcome must be announced, and is not noted as announced.
    pub fn is_unannounced(&self) -> bool {
        Announcement::due(self).is_some()
    }

    /// Whether the attempt changed anything.
    pub fn has_acted(&self) -> bool {
        !self.actions.is_empty()
    }
}

/// What stands there, be it `null`: a call whose answer holds nothing was answered all the same.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_receipt_is_told_from_none() {
        for receipt in [None, Some(Value::Null), Some(serde_json::json!({ "old": 1 }))] {
            let record = ActionRecord { action: Value::Null, receipt };
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<ActionRecord>(&text).unwrap(), record, "{text}");
        }
    }
}

//! A finding: one control about one resource, from the first report to the last.
//!
//! A finding's [`History`] keeps, of each kind of fact, the one that decides: the first and the last time that the
//! resource was NON_COMPLIANT, the last time it was not, the latest attempt, the best attribution. Facts are compared by
//! their own times, never by when they arrive, so that late, repeated and reordered facts lead to the same history.
//! [`Lifecycle`] and [`Ticket`] follow from the history alone.

mod ticket;

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Target, Timestamp};

pub use ticket::{SCHEMA_VERSION, Ticket, TicketStep};

/// The id of a finding with these parts: control, account, region, type and id of the resource. 32 hexadecimal digits,
/// the same in every report.
pub fn id<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        // With its length, since a part may contain any separator.
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The id of the finding of a control about a target.
pub fn id_of(control: &str, target: &Target) -> String {
    let Target { account, region, resource, .. } = target;
    id([control, account.as_str(), region.as_str(), &resource.kind, &resource.id])
}

/// What became known about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The resource was NON_COMPLIANT.
    Violated(Timestamp),
    /// The resource was COMPLIANT, or the control no longer applied to it.
    Resolved(Timestamp),
    /// A remediation examined the finding.
    Attempted(Attempted),
    /// CloudTrail was searched for the change behind it.
    Attributed(Attributed),
}

/// An attempt of a remediation, as far as a reader of the finding needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// When the finding that it is about was recorded.
    pub recorded_at: Timestamp,
    /// Its id, a ULID; sorts by time.
    pub id: String,
    /// When it ended, or began if it is open.
    pub updated_at: Timestamp,
    /// Its outcome, as announced.
    pub outcome: String,
    /// Whether an exemption applies.
    pub exempt: bool,
    /// The reason for the outcome, which names an exemption's approver and end.
    pub reason: String,
    /// The control's annotation for the live read.
    pub annotation: Option<String>,
    /// The plan, as people read it.
    pub plan: Vec<TicketStep>,
    /// The hold on the resource.
    pub hold: Option<Held>,
}

/// A hold on the resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// When it ends.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: Timestamp,
    /// Who placed it.
    pub by: String,
    /// The reason.
    pub reason: String,
}

/// The changes behind a finding, from CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributed {
    /// When the finding was recorded.
    pub recorded_at: Timestamp,
    /// The attempt whose announcement was looked up.
    pub attempt: String,
    /// The principal, or `unknown`.
    pub actor: String,
    /// The changes that can be behind the finding, newest first.
    pub changes: Vec<Change>,
}

/// One change of the resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// When it was made.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The call, e.g. `ec2:AuthorizeSecurityGroupIngress`.
    pub call: String,
    /// The principal that made it.
    pub actor: String,
    /// The id of CloudTrail's event.
    pub event_id: String,
}

/// The state of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// The resource is NON_COMPLIANT for the first time, and nothing else is known.
    Open,
    /// More is known: a plan, an outcome, the change behind it.
    Updated,
    /// An exemption applies.
    Exempt,
    /// The resource is COMPLIANT, or the control no longer applies to it.
    Resolved,
    /// The resource is NON_COMPLIANT again, and nothing else is known.
    Reopened,
}

impl Lifecycle {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Updated, Self::Exempt, Self::Resolved, Self::Reopened];

    /// The name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Updated => "updated",
            Self::Exempt => "exempt",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
        }
    }
}

/// What is known about a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    first_violated: Option<Timestamp>,
    last_violated: Option<Timestamp>,
    resolved: Option<Timestamp>,
    attempted: Option<Attempted>,
    attributed: Option<Attributed>,
}

impl History {
    /// The same history with one more fact.
    ///
    /// An attempt also proves that the finding which it is about was recorded: its event may be lost.
    #[must_use]
    pub fn with(mut self, fact: Fact) -> Self {
        match fact {
            Fact::Violated(at) => self.violated(at),
            Fact::Resolved(at) => self.resolved = self.resolved.max(Some(at)),
            Fact::Attempted(it) => {
                self.violated(it.recorded_at);
                if self.attempted.as_ref().is_none_or(|known| it.order(known).is_gt()) {
                    self.attempted = Some(it);
                }
            }
            Fact::Attributed(it) => {
                self.violated(it.recorded_at);
                if self.attributed.as_ref().is_none_or(|known| it.order(known).is_gt()) {
                    self.attributed = Some(it);
                }
            }
        }
        self
    }

    fn violated(&mut self, at: Timestamp) {
        self.first_violated = Some(self.first_violated.map_or(at, |first| first.min(at)));
        self.last_violated = self.last_violated.max(Some(at));
    }

    /// The state; `None` for a resource that was never NON_COMPLIANT, which is no finding. Results of the same time
    /// count as a violation.
    pub fn lifecycle(&self) -> Option<Lifecycle> {
        let (first, last) = (self.first_violated?, self.last_violated?);
        Some(if self.resolved.is_some_and(|it| it > last) {
            Lifecycle::Resolved
        } else if self.attempted().is_some_and(|it| it.exempt) {
            Lifecycle::Exempt
        } else if self.attempted().is_some() || self.attributed().is_some() {
            Lifecycle::Updated
        } else if self.resolved.is_some_and(|it| it > first) {
            Lifecycle::Reopened
        } else {
            Lifecycle::Open
        })
    }

    /// The latest attempt; of a finding that is open again, only one since then.
    fn attempted(&self) -> Option<&Attempted> {
        self.attempted.as_ref().filter(|it| self.is_current(it.recorded_at))
    }

    /// The changes behind it; of a finding that is open again, only those since then.
    fn attributed(&self) -> Option<&Attributed> {
        self.attributed.as_ref().filter(|it| self.is_current(it.recorded_at))
    }

    /// Whether a fact about the finding recorded at this time belongs to the last period of noncompliance.
    fn is_current(&self, recorded_at: Timestamp) -> bool {
        let resolved = self.resolved.filter(|it| self.last_violated.is_some_and(|last| *it <= last));
        resolved.is_none_or(|it| recorded_at >= it)
    }
}

impl Attempted {
    /// Later findings first, then later attempts, then later states of one. The text makes the order total.
    fn order(&self, other: &Self) -> Ordering {
        let key = |it: &Self| (it.recorded_at, it.id.clone(), it.updated_at, it.hold.clone());
        key(self).cmp(&key(other)).then_with(|| text(self).cmp(&text(other)))
    }
}

impl Attributed {
    /// Later findings first, then newer changes: a second lookup sees more. The text makes the order total.
    fn order(&self, other: &Self) -> Ordering {
        let newest = |it: &Self| it.changes.first().map(|change| change.at);
        let key = |it: &Self| (it.recorded_at, newest(it), it.changes.len(), it.attempt.clone());
        key(self).cmp(&key(other)).then_with(|| text(self).cmp(&text(other)))
    }
}

fn text<T: Serialize>(of: &T) -> String {
    serde_json::to_string(of).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

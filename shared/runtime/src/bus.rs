//! Announcements: one event per fact on the bus, `source: rectify`. The only file here that names the EventBridge SDK.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use serde_json::{Value, json};

use crate::ledger::{Attempt, Outcome};
use crate::retry::Backoff;
use crate::{AwsError, CallError, CallErrorKind, Fault};

/// `source` of every event of ours.
pub const SOURCE: &str = "rectify";

/// What is announced, by its `detail-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// `Rectify Plan`: what would be done.
    Plan,
    /// `Rectify Outcome`: what was done and how it ended.
    Outcome,
    /// `Rectify Budget Stop`: the hour's budget is used up.
    BudgetStop,
    /// `Rectify Breaker Open`: the same resource was fixed too often, or a control's fixes fail.
    BreakerOpen,
    /// `Rectify Digest`: more plans in this hour than are announced one by one.
    Digest,
    /// `Rectify Stop`: a stop switch kept a remediation from acting.
    Stop,
}

impl Announcement {
    /// The `detail-type`.
    pub const fn detail_type(self) -> &'static str {
        match self {
            Self::Plan => "Rectify Plan",
            Self::Outcome => "Rectify Outcome",
            Self::BudgetStop => "Rectify Budget Stop",
            Self::BreakerOpen => "Rectify Breaker Open",
            Self::Digest => "Rectify Digest",
            Self::Stop => "Rectify Stop",
        }
    }

    /// What an attempt with this outcome is announced as; `None` where nothing happened that anyone must hear of.
    pub const fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Planned | Outcome::Exempt => Some(Self::Plan),
            Outcome::BreakerOpen => Some(Self::BreakerOpen),
            Outcome::Verified | Outcome::Pending | Outcome::Failed => Some(Self::Outcome),
            Outcome::OverBudget => Some(Self::BudgetStop),
            Outcome::Stopped => Some(Self::Stop),
            Outcome::Gone | Outcome::AlreadyCompliant | Outcome::NotApplicable => None,
        }
    }
}

/// The event bus.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// The bus of this name.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into() }
    }

    /// Puts one event, until the bus has taken it.
    ///
    /// # Errors
    /// [`Fault::Aws`] when it was not taken.
    pub async fn announce(&self, announcement: Announcement, detail: &Value) -> Result<(), Fault> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(announcement.detail_type())
            .detail(detail.to_string())
            .build();
        let mut refused: Option<(String, String)> = None;
        let mut tries = Backoff::CONFIG.tries();
        while tries.next().await.is_some() {
            // A call that answers 200 may have refused the entry all the same.
            let answer = self.client.put_events().entries(entry.clone()).send().await;
            let answer = answer.map_err(|error| AwsError::call("events:PutEvents", &error))?;
            refused = answer
                .entries
                .unwrap_or_default()
                .into_iter()
                .find_map(|it| it.error_code.map(|code| (code, it.error_message.unwrap_or_default())));
            if refused.is_none() {
                return Ok(());
            }
        }
        let (code, message) = refused.unwrap_or_default();
        Err(AwsError::Call(CallError {
            operation: "events:PutEvents",
            code,
            message,
            kind: CallErrorKind::Unavailable,
        })
        .into())
    }
}

/// `detail` of an announcement about an attempt: shape in `docs/events.md`.
pub fn detail(attempt: &Attempt) -> Value {
    json!({
        "attempt": attempt.id,
        "control": attempt.control,
        "rule": attempt.rule,
        "account": attempt.target.account,
        "region": attempt.target.region,
        "resourceType": attempt.target.resource.kind,
        "resourceId": attempt.target.resource.id,
        "mode": attempt.mode,
        "outcome": attempt.outcome.map(Outcome::name),
        "finding": attempt.finding,
        "reason": attempt.reason,
        "plan": attempt.plan,
        "actions": attempt.actions.iter().map(|record| &record.action).collect::<Vec<_>>(),
    })
}

/// `detail` of a digest: that of the first plan that is not announced on its own.
pub fn digest(attempt: &Attempt, announced: u32) -> Value {
    let mut detail = detail(attempt);
    let why =
        format!("more than {announced} plans of this control in this hour: recorded, and not announced one by one");
    if let Some(reason) = detail.get_mut("reason") {
        *reason = Value::String(why);
    }
    detail
}

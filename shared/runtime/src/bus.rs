//! Announcements: one event per fact on the bus, `source: rectify`. The only file here that names the EventBridge SDK.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_types::SdkConfig;
use rectify_compliance::RemediationRequest;
use rectify_compliance::compliance_change::REMEDIATION_REQUESTED;
use serde_json::{Value, json};

use crate::ledger::{Attempt, Outcome};
use crate::retry::Backoff;
use crate::{AwsError, CallError, Error};

/// `source` of every event of ours.
pub const SOURCE: &str = "rectify";

/// The most events `PutEvents` takes at once.
const BATCH: usize = 10;

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
    /// `Rectify Attribution`: who made the change behind a finding.
    Attribution,
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
            Self::Attribution => "Rectify Attribution",
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

    /// What must still be announced of an attempt: its outcome, unless that is noted as announced. One that changed something
    /// is announced however it ended.
    pub fn due(attempt: &Attempt) -> Option<Self> {
        let acted = attempt.has_acted().then_some(Self::Outcome);
        Self::of(attempt.outcome?).or(acted).filter(|_| !attempt.announced)
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
    /// [`Error::Aws`] when it was not taken.
    pub async fn announce(&self, announcement: Announcement, detail: &Value) -> Result<(), Error> {
        let taken = self.put(vec![self.entry(announcement.detail_type(), detail)]).await;
        taken.into_iter().collect()
    }

    /// RequestHistory the remediations to look at these findings again, ten an event call; how each was taken, in their order. Each is
    /// an event of its own: one that is refused keeps none of the others.
    pub async fn request(&self, requests: &[RemediationRequest]) -> Vec<Result<(), Error>> {
        let mut taken = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            let entry = |it| self.entry(REMEDIATION_REQUESTED, &json!(it));
            taken.extend(self.put(batch.iter().map(entry).collect()).await);
        }
        taken
    }

    fn entry(&self, detail_type: &str, detail: &Value) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build()
    }

    /// Puts up to ten events; those the bus did not take are tried again with jitter. How each was taken, in their order.
    async fn put(&self, entries: Vec<PutEventsRequestEntry>) -> Vec<Result<(), Error>> {
        let mut taken: Vec<Result<(), Error>> = vec![Ok(()); entries.len()];
        let mut open: Vec<(usize, PutEventsRequestEntry)> = entries.into_iter().enumerate().collect();
        let mut tries = Backoff::CONFIG.tries();
        while !open.is_empty() && tries.next().await.is_some() {
            let batch = open.iter().map(|(_, entry)| entry.clone()).collect();
            let answer = self.client.put_events().set_entries(Some(batch)).send().await;
            let fault_of: Vec<Option<Error>> = match answer {
                // A call that answers 200 may have refused entries all the same; the answers stand in their order.
                Ok(answer) => {
                    let mut answers = answer.entries.unwrap_or_default().into_iter();
                    open.iter().map(|_| refusal(answers.next())).collect()
                }
                Err(error) => {
                    // The SDK has tried it as often as it may.
                    let fault = Error::from(AwsError::call("events:PutEvents", &error));
                    for (place, _) in open.drain(..) {
                        set(&mut taken, place, Err(fault.clone()));
                    }
                    return taken;
                }
            };
            let mut refused = Vec::new();
            for ((place, entry), fault) in open.drain(..).zip(fault_of) {
                set(&mut taken, place, fault.clone().map_or(Ok(()), Err));
                if fault.is_some() {
                    refused.push((place, entry));
                }
            }
            open = refused;
        }
        taken
    }
}

fn set(taken: &mut [Result<(), Error>], place: usize, result: Result<(), Error>) {
    if let Some(slot) = taken.get_mut(place) {
        *slot = result;
    }
}

/// Why an entry was not taken, if it was not. An answer that is missing is a refusal: what may be lost is sent again.
fn refusal(answer: Option<PutEventsResultEntry>) -> Option<Error> {
    let (code, message) = match answer {
        None => ("Response".to_owned(), "an answer without this entry".to_owned()),
        Some(entry) => (entry.error_code?, entry.error_message.unwrap_or_default()),
    };
    Some(AwsError::Call(CallError::unanswered("events:PutEvents", code, message)).into())
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

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

/// The `source` of every Rectify event.
pub const SOURCE: &str = "rectify";

/// The maximum number of entries of one `PutEvents` call.
const BATCH: usize = 10;

/// An announcement, by its `detail-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// `Rectify Plan`: the plan that was not applied.
    Plan,
    /// `Rectify Outcome`: the actions and their outcome.
    Outcome,
    /// `Rectify Budget Stop`: the hour's budget is used up.
    BudgetStop,
    /// `Rectify Breaker Open`: the same resource was fixed too often, or a control's fixes fail.
    BreakerOpen,
    /// `Rectify Digest`: more plans in this hour than are announced individually.
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

    /// The announcement for an attempt with this outcome; `None` if the outcome needs none.
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

    /// The announcement that is still due for an attempt: its outcome, unless it is marked as announced. An attempt
    /// that acted is announced with any outcome.
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

    /// Puts one event, with retries until the bus accepts it.
    ///
    /// # Errors
    /// [`Error::Aws`] when it was not accepted.
    pub async fn announce(&self, announcement: Announcement, detail: &Value) -> Result<(), Error> {
        let results = self.put(vec![self.entry(announcement.detail_type(), detail)]).await;
        results.into_iter().collect()
    }

    /// Requests the remediations to handle these findings again, ten per call; returns the result of each, in order.
    /// Each is an event of its own: a refused one does not affect the others.
    pub async fn request(&self, requests: &[RemediationRequest]) -> Vec<Result<(), Error>> {
        let mut results = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            let entry = |it| self.entry(REMEDIATION_REQUESTED, &json!(it));
            results.extend(self.put(batch.iter().map(entry).collect()).await);
        }
        results
    }

    fn entry(&self, detail_type: &str, detail: &Value) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build()
    }

    /// Puts up to ten events; refused ones are retried with jitter. Returns the result of each, in order.
    async fn put(&self, entries: Vec<PutEventsRequestEntry>) -> Vec<Result<(), Error>> {
        let mut results: Vec<Result<(), Error>> = vec![Ok(()); entries.len()];
        let mut remaining: Vec<(usize, PutEventsRequestEntry)> = entries.into_iter().enumerate().collect();
        let mut tries = Backoff::CONFIG.tries();
        while !remaining.is_empty() && tries.next().await.is_some() {
            let batch = remaining.iter().map(|(_, entry)| entry.clone()).collect();
            let answer = self.client.put_events().set_entries(Some(batch)).send().await;
            let refusals: Vec<Option<Error>> = match answer {
                // A call that answers 200 may still have refused entries; the results have the order of the entries.
                Ok(answer) => {
                    let mut answers = answer.entries.unwrap_or_default().into_iter();
                    remaining.iter().map(|_| refusal(answers.next())).collect()
                }
                Err(error) => {
                    // The SDK has already retried it.
                    let error = Error::from(AwsError::call("events:PutEvents", &error));
                    for (place, _) in remaining.drain(..) {
                        set(&mut results, place, Err(error.clone()));
                    }
                    return results;
                }
            };
            let mut refused = Vec::new();
            for ((place, entry), error) in remaining.drain(..).zip(refusals) {
                set(&mut results, place, error.clone().map_or(Ok(()), Err));
                if error.is_some() {
                    refused.push((place, entry));
                }
            }
            remaining = refused;
        }
        results
    }
}

fn set(results: &mut [Result<(), Error>], place: usize, result: Result<(), Error>) {
    if let Some(slot) = results.get_mut(place) {
        *slot = result;
    }
}

/// Why an entry was refused, if it was. A missing result counts as a refusal, so that the entry is sent again.
fn refusal(answer: Option<PutEventsResultEntry>) -> Option<Error> {
    let (code, message) = match answer {
        None => ("Response".to_owned(), "an answer without this entry".to_owned()),
        Some(entry) => (entry.error_code?, entry.error_message.unwrap_or_default()),
    };
    Some(AwsError::Call(CallError::unanswered("events:PutEvents", code, message)).into())
}

/// The `detail` of an announcement about an attempt; its schema is in `docs/events.md`.
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

/// The `detail` of a digest: that of the first plan not announced individually.
pub fn digest(attempt: &Attempt, announced: u32) -> Value {
    let mut detail = detail(attempt);
    let why =
        format!("more than {announced} plans of this control in this hour: recorded, but not announced individually");
    if let Some(reason) = detail.get_mut("reason") {
        *reason = Value::String(why);
    }
    detail
}

//! What a dead letter is about. Pure: text in, meaning out.
//!
//! Three senders write three shapes into the one queue (AWS documentation, read 2026-11): EventBridge that reached no
//! function sends the event as it was, with why in message attributes; a remediation that failed in every attempt has
//! Lambda send a record around its event; a rule's function has Lambda send AWS Config's event alone.

use rectify_compliance::{ComplianceChange, Message as Invoking, ResourceKey, RuleEvent, Timestamp};
use serde_json::Value;

use crate::client::Message;

/// What a dead letter is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Letter {
    /// A remediation did not deal with this finding.
    Remediation(Box<ComplianceChange>),
    /// A rule's function did not judge what AWS Config sent it.
    Rule(Unjudged),
    /// A run of the reconciler itself failed, or was not started.
    OwnRun,
    /// Something only a person understands.
    Unclear(String),
}

/// An event that a rule's function did not judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unjudged {
    /// The rule's name.
    pub(super) rule: String,
    /// The resource that changed; `None` for a scheduled run.
    pub(super) resource: Option<ResourceKey>,
    /// When AWS Config wrote the event, where it says so.
    pub(super) at: Option<Timestamp>,
}

impl Letter {
    /// Reads a letter.
    pub(super) fn read(message: &Message) -> Self {
        let Ok(body) = serde_json::from_str::<Value>(&message.body) else {
            return Self::Unclear("not JSON".to_owned());
        };
        // Lambda's record: what was invoked and how that ended, around the event.
        match (body.get("requestContext"), body.get("requestPayload")) {
            (Some(_), Some(event)) => Self::of_event(event),
            _ => Self::of_event(&body),
        }
    }

    fn of_event(event: &Value) -> Self {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        if let (Some(source), Some(detail_type), Some(detail)) =
            (text("source"), text("detail-type"), event.get("detail"))
        {
            return Self::of_envelope(source, detail_type, detail);
        }
        match (text("configRuleName"), text("invokingEvent")) {
            (Some(rule), Some(_)) => Self::Rule(Unjudged::of(rule, event)),
            _ => Self::Unclear("neither an event of EventBridge nor one of AWS Config".to_owned()),
        }
    }

    fn of_envelope(source: &str, detail_type: &str, detail: &Value) -> Self {
        if (source, detail_type) == ("aws.events", "Scheduled Event") {
            return Self::OwnRun;
        }
        match ComplianceChange::parse(source, detail_type, detail) {
            Ok(Some(change)) if change.is_finding() => Self::Remediation(Box::new(change)),
            Ok(Some(_)) => Self::Unclear(format!("`{detail_type}` that is no finding")),
            Ok(None) => Self::Unclear(format!("`{detail_type}` of `{source}`")),
            Err(error) => Self::Unclear(error.to_string()),
        }
    }
}

impl Unjudged {
    /// What can be read of an event that a rule's function perhaps could not read either.
    fn of(rule: &str, event: &Value) -> Self {
        let (resource, at) = match RuleEvent::parse(event).map(|event| event.message) {
            Ok(Invoking::Change { item, created_at }) => (Some(item.resource), created_at),
            Ok(Invoking::Oversized { summary, created_at }) => (Some(summary.target.resource), created_at),
            Ok(Invoking::Periodic { created_at, .. }) => (None, Some(created_at)),
            Err(_) => (None, None),
        };
        Self { rule: rule.to_owned(), resource, at }
    }

    /// What the rule failed at, in words and as part of a key.
    pub(super) fn subject(&self) -> String {
        self.resource.as_ref().map_or_else(|| "a scheduled run".to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests;

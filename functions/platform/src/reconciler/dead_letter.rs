//! Parses a message of the dead-letter queue. Pure.
//!
//! Three senders write three shapes into the queue (AWS documentation, read 2026-11). EventBridge sends an
//! undeliverable event unchanged, with the reason in message attributes. For a remediation that failed in every
//! attempt, Lambda sends a record that contains the event. For a rule's function, Lambda sends AWS Config's event only.

use rectify_compliance::{ComplianceChange, Message as Invoking, ResourceKey, RuleEvent, Timestamp};
use serde_json::Value;

use crate::client::Message;

/// The content of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DeadLetter {
    /// A remediation did not handle this finding.
    Remediation(Box<ComplianceChange>),
    /// A rule's function failed to evaluate an event from AWS Config.
    Rule(Unjudged),
    /// A run of the reconciler failed, or was not started.
    OwnRun,
    /// An unknown message, which only an operator can handle.
    Unclear(String),
}

/// An event that a rule's function failed to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unjudged {
    /// The rule's name.
    pub(super) rule: String,
    /// The resource that changed; `None` for a scheduled run.
    pub(super) resource: Option<ResourceKey>,
    /// When AWS Config created the event, if the event contains it.
    pub(super) at: Option<Timestamp>,
}

impl DeadLetter {
    /// Parses a message.
    pub(super) fn read(message: &Message) -> Self {
        let Ok(body) = serde_json::from_str::<Value>(&message.body) else {
            return Self::Unclear("not JSON".to_owned());
        };
        // Lambda's record contains the event with its invocation and result.
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
            Ok(Some(_)) => Self::Unclear(format!("`{detail_type}` that is not a finding")),
            Ok(None) => Self::Unclear(format!("`{detail_type}` of `{source}`")),
            Err(error) => Self::Unclear(error.to_string()),
        }
    }
}

impl Unjudged {
    /// Reads as much as possible of an event that the rule's function may have failed to parse, too.
    fn of(rule: &str, event: &Value) -> Self {
        let (resource, at) = match RuleEvent::parse(event).map(|event| event.message) {
            Ok(Invoking::Change { item, created_at }) => (Some(item.resource), created_at),
            Ok(Invoking::Oversized { summary, created_at }) => (Some(summary.target.resource), created_at),
            Ok(Invoking::Periodic { created_at, .. }) => (None, Some(created_at)),
            Err(_) => (None, None),
        };
        Self { rule: rule.to_owned(), resource, at }
    }

    /// The subject on which the rule failed, as text and as part of a key.
    pub(super) fn subject(&self) -> String {
        self.resource.as_ref().map_or_else(|| "a scheduled run".to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests;

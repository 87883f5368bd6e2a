//! What a dead letter is about. Pure: text in, meaning out.
//!
//! Three senders write three shapes into the one queue (AWS documentation, read 2026-11): EventBridge that reached no
//! function sends the event as it was, with why in message attributes; a remediation that failed in every attempt has
//! Lambda send a record around its event; a rule's function has Lambda send AWS Config's event alone.

use rectify_compliance::compliance_change::REMEDIATION_REQUESTED;
use rectify_compliance::{ComplianceChange, RemediationRequest};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Message;

/// What a dead letter is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Letter {
    /// A remediation did not deal with this finding; `redrives` is how often it was asked again before.
    Remediation(RemediationRequest),
    /// A rule's function did not judge what AWS Config sent it.
    Rule(String),
    /// A run of the reconciler itself failed, or was not started.
    OwnRun,
    /// Something only a person understands.
    Unclear(String),
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
            (Some(rule), Some(_)) => Self::Rule(rule.to_owned()),
            _ => Self::Unclear("neither an event of EventBridge nor one of AWS Config".to_owned()),
        }
    }

    fn of_envelope(source: &str, detail_type: &str, detail: &Value) -> Self {
        if (source, detail_type) == ("aws.events", "Scheduled Event") {
            return Self::OwnRun;
        }
        let change = match ComplianceChange::parse(source, detail_type, detail) {
            Ok(Some(change)) if change.is_finding() => change,
            Ok(Some(_)) => return Self::Unclear(format!("`{detail_type}` that is no finding")),
            Ok(None) => return Self::Unclear(format!("`{detail_type}` of `{source}`")),
            Err(error) => return Self::Unclear(error.to_string()),
        };
        let redrives = match detail_type {
            REMEDIATION_REQUESTED => RemediationRequest::deserialize(detail).map_or(0, |request| request.redrives),
            _ => 0,
        };
        Self::Remediation(change.request(redrives))
    }
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;

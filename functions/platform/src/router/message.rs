//! One message of the queue: a compliance change of AWS Config, or an announcement about an attempt.

use rectify_compliance::finding::Change;
use rectify_compliance::{ComplianceChange, Origin, ShapeError};
use rectify_runtime::bus::{Announcement, SOURCE};
use serde::Deserialize;
use serde_json::Value;

/// The announcements that name an attempt: all of them.
const ANNOUNCEMENTS: [Announcement; 7] = [
    Announcement::Attribution,
    Announcement::BreakerOpen,
    Announcement::BudgetStop,
    Announcement::Digest,
    Announcement::Outcome,
    Announcement::Plan,
    Announcement::Stop,
];

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueMessage {
    /// The message id, which reports a failure to SQS.
    pub(super) id: String,
    /// What it is about, or why it cannot be read.
    pub(super) about: Result<About, ShapeError>,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// A resource's compliance changed.
    Compliance(ComplianceChange),
    /// An attempt was announced.
    Attempt {
        /// The control.
        control: String,
        /// The attempt's id.
        attempt: String,
        /// Actor and changes, of an attribution.
        cause: Option<(String, Vec<Change>)>,
    },
}

#[derive(Deserialize)]
struct Cause {
    actor: String,
    changes: Vec<Change>,
}

impl QueueMessage {
    /// The messages of an invocation by SQS.
    ///
    /// # Errors
    /// [`ShapeError`] when the event is not from SQS, or a message has no id: its failure could not be reported.
    pub(super) fn of_batch(event: &Value) -> Result<Vec<Self>, ShapeError> {
        let records = event.get("Records").and_then(Value::as_array);
        let records = records.ok_or_else(|| ShapeError::missing("event.Records", "messages of a queue"))?;
        records.iter().map(Self::read).collect()
    }

    fn read(record: &Value) -> Result<Self, ShapeError> {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let id = text("messageId").ok_or_else(|| ShapeError::missing("event.Records.messageId", "a text"))?;
        Ok(Self { id: id.to_owned(), about: about(text("body").unwrap_or_default()) })
    }
}

fn about(body: &str) -> Result<About, ShapeError> {
    let event: Value = serde_json::from_str(body).map_err(|_| ShapeError::new("body", "an event in JSON", body))?;
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (source, kind) = (text("/source"), text("/detail-type"));
    let detail = event.get("detail").unwrap_or(&Value::Null);
    if source == SOURCE
        && let Some(announcement) = ANNOUNCEMENTS.iter().find(|it| it.detail_type() == kind)
    {
        let word = |name: &'static str, path, expected: &'static str| match text(path) {
            "" => Err(ShapeError::missing(name, expected)),
            word => Ok(word.to_owned()),
        };
        let cause = (*announcement == Announcement::Attribution).then(|| Cause::deserialize(detail)).transpose();
        let cause = cause.map_err(|error| ShapeError::new("detail", "an actor and changes", error))?;
        return Ok(About::Attempt {
            attempt: word("detail.attempt", "/detail/attempt", "an attempt's id")?,
            control: word("detail.control", "/detail/control", "a control's id")?,
            cause: cause.map(|it| (it.actor, it.changes)),
        });
    }
    let change = ComplianceChange::parse(source, kind, detail)?;
    let change = change.filter(|it| it.origin == Origin::Config && it.message_type == "ComplianceChangeNotification");
    change
        .map(About::Compliance)
        .ok_or_else(|| ShapeError::new("detail-type", "a compliance change or an announcement", kind))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<About, String> {
        let event = json!({"Records": [{"messageId": "m-1", "body": body.to_string()}]});
        let messages = QueueMessage::of_batch(&event).unwrap();
        let [message] = messages.as_slice() else { panic!("{messages:?}") };
        message.about.clone().map_err(|error| error.to_string())
    }

    fn announced(source: &str, kind: &str, detail: &Value) -> Value {
        json!({"source": source, "detail-type": kind, "detail": detail})
    }

    #[test]
    fn every_announcement_names_its_attempt() {
        let detail = json!({"attempt": "01J", "control": "door-ajar", "actor": "jane", "changes": []});
        for announcement in ANNOUNCEMENTS {
            let is_attribution = announcement == Announcement::Attribution;
            let expected = About::Attempt {
                control: "door-ajar".to_owned(),
                attempt: "01J".to_owned(),
                cause: is_attribution.then(|| ("jane".to_owned(), vec![])),
            };
            assert_eq!(read(&announced("rectify", announcement.detail_type(), &detail)), Ok(expected));
        }
        for (body, expected) in [
            (announced("other", "Rectify Plan", &detail), "expected a compliance change or an announcement"),
            (announced("rectify", "Rectify Remediation Requested", &json!({})), "missing field `configRuleName`"),
            (announced("rectify", "Rectify Plan", &json!({"attempt": "01J"})), "detail.control"),
            (announced("rectify", "Rectify Attribution", &json!({"attempt": "01J"})), "an actor and changes"),
            (json!({}), "expected a compliance change or an announcement"),
        ] {
            assert!(read(&body).unwrap_err().contains(expected), "{body}: {:?}", read(&body));
        }
    }
}

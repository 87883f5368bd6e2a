//! One message of the queue: an announcement about a finding, for its first or second lookup.

use rectify_compliance::ShapeError;
use rectify_runtime::bus::{Announcement, SOURCE};
use serde_json::Value;

/// The message attribute that marks the second lookup of a finding.
pub(super) const PASS_ATTRIBUTE: &str = "RECTIFY_LOOK";
/// Its value.
pub(super) const SECOND: &str = "second";

/// The pass of the lookup of a finding; there is no third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookupPass {
    /// Right after the finding was announced.
    First,
    /// After CloudTrail's delay.
    Second,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueMessage {
    /// The message id, which reports a failure to SQS.
    pub(super) id: String,
    /// The event as it was sent.
    pub(super) body: String,
    /// The attempt it is about, or why the message cannot be read.
    pub(super) about: Result<About, ShapeError>,
    /// The pass of the lookup.
    pub(super) pass: LookupPass,
}

/// The attempt that an announcement names. Everything else is read from the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    /// The control.
    pub(super) control: String,
    /// The attempt's id.
    pub(super) attempt: String,
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
        let body = text("body").unwrap_or_default();
        let mark = record.pointer(&format!("/messageAttributes/{PASS_ATTRIBUTE}/stringValue")).and_then(Value::as_str);
        let pass = if mark == Some(SECOND) { LookupPass::Second } else { LookupPass::First };
        Ok(Self { id: id.to_owned(), body: body.to_owned(), about: about(body), pass })
    }
}

fn about(body: &str) -> Result<About, ShapeError> {
    let event: Value = serde_json::from_str(body).map_err(|_| ShapeError::new("body", "an event in JSON", body))?;
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let kinds = [Announcement::Plan, Announcement::Outcome, Announcement::BreakerOpen];
    let kind = text("/detail-type");
    if text("/source") != SOURCE || !kinds.iter().any(|it| it.detail_type() == kind) {
        return Err(ShapeError::new("detail-type", "an announcement about a finding", kind));
    }
    let word = |name: &'static str, path, expected: &'static str| match text(path) {
        "" => Err(ShapeError::missing(name, expected)),
        word => Ok(word.to_owned()),
    };
    Ok(About {
        attempt: word("detail.attempt", "/detail/attempt", "an attempt's id")?,
        control: word("detail.control", "/detail/control", "a control's id")?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(body: &Value) -> Value {
        json!({"messageId": "m-1", "body": body.to_string(), "messageAttributes": {}})
    }

    fn announced(source: &str, kind: &str, detail: &Value) -> Value {
        json!({"source": source, "detail-type": kind, "detail": detail})
    }

    #[test]
    fn announcement_about_a_finding_names_its_attempt() {
        let detail = json!({"attempt": "01J", "control": "door-ajar"});
        for (body, expected) in [
            (announced("rectify", "Rectify Plan", &detail), Ok("01J")),
            (announced("rectify", "Rectify Outcome", &detail), Ok("01J")),
            (announced("rectify", "Rectify Breaker Open", &detail), Ok("01J")),
            // The function's own announcements are refused.
            (
                announced("rectify", "Rectify Attribution", &detail),
                Err("detail-type: expected an announcement about a finding: received `Rectify Attribution`"),
            ),
            (
                announced("other", "Rectify Plan", &detail),
                Err("detail-type: expected an announcement about a finding: received `Rectify Plan`"),
            ),
            (
                announced("rectify", "Rectify Plan", &json!({})),
                Err("detail.attempt: expected an attempt's id: received `nothing`"),
            ),
            (
                announced("rectify", "Rectify Plan", &json!({"attempt": "01J"})),
                Err("detail.control: expected a control's id: received `nothing`"),
            ),
            (json!({}), Err("detail-type: expected an announcement about a finding: received ``")),
        ] {
            let messages = QueueMessage::of_batch(&json!({"Records": [record(&body)]})).unwrap();
            let [message] = messages.as_slice() else { panic!("{messages:?}") };
            let read = message.about.as_ref().map(|it| (it.control.as_str(), it.attempt.as_str()));
            let expected = expected.map(|id| ("door-ajar", id)).map_err(str::to_owned);
            assert_eq!(read.map_err(ToString::to_string), expected, "{body}");
            assert_eq!((message.id.as_str(), message.pass), ("m-1", LookupPass::First));
        }
    }

    #[test]
    fn second_pass_is_identified_by_the_message_attribute() {
        let mut marked = record(&json!({}));
        marked["messageAttributes"] = json!({"RECTIFY_LOOK": {"dataType": "String", "stringValue": "second"}});
        let messages = QueueMessage::of_batch(&json!({"Records": [marked]})).unwrap();
        assert_eq!(messages.first().map(|it| it.pass), Some(LookupPass::Second));
    }

    #[test]
    fn malformed_batch_is_refused_and_a_malformed_message_fails_alone() {
        assert!(QueueMessage::of_batch(&json!({})).is_err());
        assert!(QueueMessage::of_batch(&json!({"Records": [{"body": "{}"}]})).is_err());
        let messages = QueueMessage::of_batch(&json!({"Records": [{"messageId": "m-1", "body": "x"}]})).unwrap();
        assert!(messages.iter().all(|it| it.about.is_err()));
    }
}

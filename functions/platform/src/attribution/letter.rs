//! One message of the queue: an announcement about a finding, or the same once more.

use rectify_compliance::ShapeError;
use rectify_runtime::bus::{Announcement, SOURCE};
use serde_json::Value;

/// The attribute that marks the second look at a finding.
pub(super) const LOOK: &str = "RECTIFY_LOOK";
/// Its value.
pub(super) const SECOND: &str = "second";

/// Which look at a finding this is; there is no third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Right after it was announced.
    First,
    /// Once CloudTrail has had its time.
    Second,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// By which SQS is told that it failed.
    pub(super) id: String,
    /// The event as it was sent.
    pub(super) body: String,
    /// The attempt it is about, or why it says none.
    pub(super) attempt: Result<String, ShapeError>,
    /// Which look this is.
    pub(super) look: Look,
}

impl Letter {
    /// The messages of an invocation by SQS.
    ///
    /// # Errors
    /// [`ShapeError`] when it is none, or a message has no id: nobody could be told which one failed.
    pub(super) fn of_batch(event: &Value) -> Result<Vec<Self>, ShapeError> {
        let records = event.get("Records").and_then(Value::as_array);
        let records = records.ok_or_else(|| ShapeError::missing("event.Records", "messages of a queue"))?;
        records.iter().map(Self::read).collect()
    }

    fn read(record: &Value) -> Result<Self, ShapeError> {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let id = text("messageId").ok_or_else(|| ShapeError::missing("event.Records.messageId", "a text"))?;
        let body = text("body").unwrap_or_default();
        let mark = record.pointer(&format!("/messageAttributes/{LOOK}/stringValue")).and_then(Value::as_str);
        let look = if mark == Some(SECOND) { Look::Second } else { Look::First };
        Ok(Self { id: id.to_owned(), body: body.to_owned(), attempt: attempt(body), look })
    }
}

/// The attempt that an announcement about a finding names. Everything else it says is read from the ledger.
fn attempt(body: &str) -> Result<String, ShapeError> {
    let event: Value = serde_json::from_str(body).map_err(|_| ShapeError::new("body", "an event in JSON", body))?;
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let about = [Announcement::Plan, Announcement::Outcome, Announcement::BreakerOpen];
    let kind = text("/detail-type");
    if text("/source") != SOURCE || !about.iter().any(|it| it.detail_type() == kind) {
        return Err(ShapeError::new("detail-type", "an announcement about a finding", kind));
    }
    let id = text("/detail/attempt");
    if id.is_empty() { Err(ShapeError::missing("detail.attempt", "an attempt's id")) } else { Ok(id.to_owned()) }
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
    fn an_announcement_about_a_finding_names_its_attempt() {
        let detail = json!({"attempt": "01J"});
        for (body, expected) in [
            (announced("rectify", "Rectify Plan", &detail), Ok("01J")),
            (announced("rectify", "Rectify Outcome", &detail), Ok("01J")),
            (announced("rectify", "Rectify Breaker Open", &detail), Ok("01J")),
            // What this function says itself is nothing to ask about.
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
            (json!({}), Err("detail-type: expected an announcement about a finding: received ``")),
        ] {
            let letters = Letter::of_batch(&json!({"Records": [record(&body)]})).unwrap();
            let [letter] = letters.as_slice() else { panic!("{letters:?}") };
            let read = letter.attempt.as_deref().map_err(ToString::to_string);
            assert_eq!(read, expected.map_err(str::to_owned), "{body}");
            assert_eq!((letter.id.as_str(), letter.look), ("m-1", Look::First));
        }
    }

    #[test]
    fn the_second_look_is_told_by_its_mark() {
        let mut marked = record(&json!({}));
        marked["messageAttributes"] = json!({"RECTIFY_LOOK": {"dataType": "String", "stringValue": "second"}});
        let letters = Letter::of_batch(&json!({"Records": [marked]})).unwrap();
        assert_eq!(letters.first().map(|it| it.look), Some(Look::Second));
    }

    #[test]
    fn a_batch_that_is_none_is_refused_and_a_broken_message_fails_alone() {
        assert!(Letter::of_batch(&json!({})).is_err());
        assert!(Letter::of_batch(&json!({"Records": [{"body": "{}"}]})).is_err());
        let letters = Letter::of_batch(&json!({"Records": [{"messageId": "m-1", "body": "x"}]})).unwrap();
        assert!(letters.iter().all(|it| it.attempt.is_err()));
    }
}

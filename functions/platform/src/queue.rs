//! A batch of messages that SQS delivers: each fails alone, and the response names the failed ones.

use rectify_compliance::ShapeError;
use rectify_runtime::Error;
use rectify_runtime::invocation::Invocation;
use serde_json::{Value, json};

/// Handles the messages of an invocation by SQS one after another, and counts their results as `metric` by `dimension`.
/// The response lists the failed ones, which SQS delivers again and finally moves to the dead-letter queue; each is
/// logged as `failure`.
///
/// # Errors
/// [`Error`] when the event is not from SQS, or a message has no id: its failure could not be reported.
pub(crate) async fn batch(
    event: &Value,
    (metric, dimension): (&'static str, &'static str),
    failure: &'static str,
    log: &mut Invocation,
    handle: impl AsyncFn(&Value) -> Result<&'static str, Error>,
) -> Result<Value, Error> {
    let mut failures = Vec::new();
    for (id, record) in records(event)? {
        match handle(record).await {
            Ok(result) => log.count(metric, dimension, result, 1),
            Err(error) => {
                log.count("Failures", "ErrorType", error.kind(), 1);
                tracing::warn!(letter = id, kind = error.kind(), error = %error, "{failure}");
                failures.push(json!({ "itemIdentifier": id }));
            }
        }
    }
    log.note("failed", failures.len());
    Ok(json!({ "batchItemFailures": failures }))
}

/// The messages by their ids.
fn records(event: &Value) -> Result<Vec<(&str, &Value)>, ShapeError> {
    let records = event.get("Records").and_then(Value::as_array);
    let records = records.ok_or_else(|| ShapeError::missing("event.Records", "messages of a queue"))?;
    let mut identified = Vec::new();
    for record in records {
        let id = record.get("messageId").and_then(Value::as_str);
        identified.push((id.ok_or_else(|| ShapeError::missing("event.Records.messageId", "a text"))?, record));
    }
    Ok(identified)
}

/// The body of a message, as it was sent.
pub(crate) fn body(record: &Value) -> &str {
    record.get("body").and_then(Value::as_str).unwrap_or_default()
}

/// The event of EventBridge in a body.
///
/// # Errors
/// [`ShapeError`] when it is not JSON.
pub(crate) fn event_in(body: &str) -> Result<Value, ShapeError> {
    serde_json::from_str(body).map_err(|_| ShapeError::new("body", "an event in JSON", body))
}

/// The text at this JSON pointer; empty if there is none.
pub(crate) fn text_at<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The attempt that an announcement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptName {
    /// The control.
    pub(crate) control: String,
    /// The attempt's id.
    pub(crate) attempt: String,
}

impl AttemptName {
    /// The attempt in the detail of an announcement.
    ///
    /// # Errors
    /// [`ShapeError`] when the detail has no attempt or no control.
    pub(crate) fn of(event: &Value) -> Result<Self, ShapeError> {
        let word = |name: &'static str, path, expected: &'static str| match text_at(event, path) {
            "" => Err(ShapeError::missing(name, expected)),
            word => Ok(word.to_owned()),
        };
        Ok(Self {
            attempt: word("detail.attempt", "/detail/attempt", "an attempt's id")?,
            control: word("detail.control", "/detail/control", "a control's id")?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn malformed_batch_is_refused_and_a_malformed_message_fails_alone() {
        assert!(records(&json!({})).is_err());
        assert!(records(&json!({"Records": [{"body": "{}"}]})).is_err());
        let event = json!({"Records": [{"messageId": "m-1", "body": "x"}, {"messageId": "m-2", "body": "{}"}]});
        let read = records(&event).unwrap().into_iter().map(|(id, record)| (id, event_in(body(record)).is_ok()));
        assert_eq!(read.collect::<Vec<_>>(), [("m-1", false), ("m-2", true)]);
    }
}

//! One message of the queue: an announcement about a finding, for its first or second lookup.

use rectify_compliance::ShapeError;
use rectify_runtime::bus::{Announcement, SOURCE};
use serde_json::Value;

use crate::queue::{self, AttemptName};

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
    /// The event as it was sent.
    pub(super) body: String,
    /// The attempt it is about, or why the message cannot be read.
    pub(super) about: Result<AttemptName, ShapeError>,
    /// The pass of the lookup.
    pub(super) pass: LookupPass,
}

impl QueueMessage {
    /// The message in a record of SQS.
    pub(super) fn read(record: &Value) -> Self {
        let body = queue::body(record);
        let mark = queue::text_at(record, &format!("/messageAttributes/{PASS_ATTRIBUTE}/stringValue"));
        let pass = if mark == SECOND { LookupPass::Second } else { LookupPass::First };
        Self { body: body.to_owned(), about: about(body), pass }
    }
}

/// The attempt that an announcement names. Everything else is read from the ledger.
fn about(body: &str) -> Result<AttemptName, ShapeError> {
    let event = queue::event_in(body)?;
    let kinds = [Announcement::Plan, Announcement::Outcome, Announcement::BreakerOpen];
    let kind = queue::text_at(&event, "/detail-type");
    if queue::text_at(&event, "/source") != SOURCE || !kinds.iter().any(|it| it.detail_type() == kind) {
        return Err(ShapeError::new("detail-type", "an announcement about a finding", kind));
    }
    AttemptName::of(&event)
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
            let message = QueueMessage::read(&record(&body));
            let read = message.about.as_ref().map(|it| (it.control.as_str(), it.attempt.as_str()));
            let expected = expected.map(|id| ("door-ajar", id)).map_err(str::to_owned);
            assert_eq!(read.map_err(ToString::to_string), expected, "{body}");
            assert_eq!(message.pass, LookupPass::First);
        }
    }

    #[test]
    fn second_pass_is_identified_by_the_message_attribute() {
        let mut marked = record(&json!({}));
        marked["messageAttributes"] = json!({"RECTIFY_LOOK": {"dataType": "String", "stringValue": "second"}});
        assert_eq!(QueueMessage::read(&marked).pass, LookupPass::Second);
    }
}

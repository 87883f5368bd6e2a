//! One message of the queue: a compliance change of AWS Config, or an announcement about an attempt.

use rectify_compliance::finding::Change;
use rectify_compliance::{ComplianceChange, Origin, ShapeError};
use rectify_runtime::bus::{Announcement, SOURCE};
use serde::Deserialize;
use serde_json::Value;

use crate::queue::{AttemptName, event_in, text_at};

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

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// A resource's compliance changed.
    Compliance(ComplianceChange),
    /// An attempt was announced.
    Attempt {
        /// The attempt.
        name: AttemptName,
        /// Actor and changes, of an attribution.
        cause: Option<(String, Vec<Change>)>,
    },
}

#[derive(Deserialize)]
struct Cause {
    actor: String,
    changes: Vec<Change>,
}

/// What a message with this body is about.
///
/// # Errors
/// [`ShapeError`] when it is about something else, or cannot be read.
pub(super) fn about(body: &str) -> Result<About, ShapeError> {
    let event = event_in(body)?;
    let (source, kind) = (text_at(&event, "/source"), text_at(&event, "/detail-type"));
    let detail = event.get("detail").unwrap_or(&Value::Null);
    if source == SOURCE
        && let Some(announcement) = ANNOUNCEMENTS.iter().find(|it| it.detail_type() == kind)
    {
        let cause = (*announcement == Announcement::Attribution).then(|| Cause::deserialize(detail)).transpose();
        let cause = cause.map_err(|error| ShapeError::new("detail", "an actor and changes", error))?;
        let name = AttemptName::of(&event)?;
        return Ok(About::Attempt { name, cause: cause.map(|it| (it.actor, it.changes)) });
    }
    let change = ComplianceChange::parse(source, kind, detail)?;
    let change = change.filter(|it| it.origin == Origin::Config && it.message_type == "ComplianceChangeNotification");
    change
        .map(About::Compliance)
        .ok_or_else(|| ShapeError::new("detail-type", "a compliance change or an announcement", kind))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<About, String> {
        about(&body.to_string()).map_err(|error| error.to_string())
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
                name: AttemptName { control: "door-ajar".to_owned(), attempt: "01J".to_owned() },
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

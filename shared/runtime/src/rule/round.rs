//! A periodic round: one complete listing, in as many invocations as it takes.
//!
//! Each invocation continues where the previous one stopped. The progress is part of the event, so that nothing is
//! stored and a retried event does the same again.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::unread::Unread;
use crate::Error;

/// The key of a [`Round`] in an event. Events from AWS Config lack it: they start a round.
const KEY: &str = "rectifyRound";

/// The maximum number of invocations of a round: twelve hours at 15 minutes each. A longer round is considered endless.
/// Lambda does not stop it: `RecursiveLoop` is `Allow`.
const MAX_PARTS: u32 = 48;

/// The progress of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Round {
    /// The number of this invocation in the round, from 1.
    pub part: u32,
    /// Its first step.
    pub step: Step,
    /// How many resources have been listed so far.
    pub resources: usize,
    /// The resources that could not be read so far.
    pub unread: Unread,
}

/// The rest of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Step {
    /// List from the page with this token, or from the first; then [`Self::Retire`].
    List(Option<String>),
    /// Retire the results of deleted resources.
    Retire,
}

impl Round {
    /// The round that an event continues or starts.
    ///
    /// # Errors
    /// [`Error`] when the event's progress is not one that a function sent to itself.
    pub(super) fn of(event: &Value) -> Result<Self, Error> {
        let Some(round) = event.get(KEY) else {
            return Ok(Self { part: 1, step: Step::List(None), resources: 0, unread: Unread::default() });
        };
        Self::deserialize(round).map_err(|error| ShapeError::new(KEY, "the progress of a round", error).into())
    }

    /// The event for the next invocation, which starts with `step`, based on this invocation's event.
    ///
    /// # Errors
    /// [`Error::Endless`] when the round has had too many invocations.
    pub(super) fn event(self, step: Step, event: &Value) -> Result<Value, Error> {
        if self.part >= MAX_PARTS {
            return Err(Error::Endless { parts: self.part, resources: self.resources });
        }
        let next = Self { part: self.part + 1, step, ..self };
        let next = serde_json::to_value(next).map_err(|error| ShapeError::new(KEY, "a JSON value", error))?;
        let mut event = event.clone();
        if let Some(members) = event.as_object_mut() {
            members.insert(KEY.to_owned(), next);
        }
        Ok(event)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn round_continues_from_its_event_and_keeps_the_other_fields() {
        let first = json!({"invokingEvent": "{}", "resultToken": "token"});
        let round = Round::of(&first).unwrap();
        assert_eq!((round.part, &round.step), (1, &Step::List(None)));
        let round = Round { resources: 250, ..round };
        let second = round.event(Step::List(Some("page 3".to_owned())), &first).unwrap();
        assert_eq!((&second["invokingEvent"], &second["resultToken"]), (&json!("{}"), &json!("token")));
        let round = Round::of(&second).unwrap();
        assert_eq!((round.part, round.resources), (2, 250));
        assert_eq!(round.step, Step::List(Some("page 3".to_owned())));
        let third = round.event(Step::Retire, &second).unwrap();
        assert_eq!(Round::of(&third).unwrap().step, Step::Retire);
    }

    #[test]
    fn endless_round_and_malformed_progress_are_errors() {
        let event = json!({});
        let round = Round { part: MAX_PARTS, ..Round::of(&event).unwrap() };
        assert_eq!(round.event(Step::Retire, &event).unwrap_err().kind(), "RunIncomplete");
        assert_eq!(Round::of(&json!({"rectifyRound": {"part": "x"}})).unwrap_err().kind(), "UnexpectedShape");
    }
}

//! A periodic round: all of an inventory, in as many invocations as it takes.
//!
//! What one invocation does not finish the next goes on with; what that needs to know travels in its event, so that nothing
//! is stored and a repeated event does the same again.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::unread::Unread;
use crate::Error;

/// The key of a [`Round`] in an event. AWS Config sends none: it begins rounds.
const KEY: &str = "rectifyRound";

/// The most invocations of a round, twelve hours of 15 minutes each: one that is longer is lost, not long. Lambda does not end
/// it: `RecursiveLoop` is `Allow`.
const MOST_PARTS: u32 = 48;

/// How far a round has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Round {
    /// Which invocation of the round this is, from 1.
    pub part: u32,
    /// What it does first.
    pub step: Step,
    /// How many resources were listed so far.
    pub resources: usize,
    /// What could not be read so far.
    pub unread: Unread,
}

/// What is left of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Step {
    /// Listing, from the page with this token on, or from the first; then [`Self::Retire`].
    List(Option<String>),
    /// Retiring what is gone.
    Retire,
}

impl Round {
    /// The round that an event goes on with, or begins.
    ///
    /// # Errors
    /// [`Error`] when the event is not one that a function sent itself.
    pub(super) fn of(event: &Value) -> Result<Self, Error> {
        let Some(round) = event.get(KEY) else {
            return Ok(Self { part: 1, step: Step::List(None), resources: 0, unread: Unread::default() });
        };
        Self::deserialize(round).map_err(|error| ShapeError::new(KEY, "how far a round has come", error).into())
    }

    /// The event with which the next invocation does `step`, from the one that this invocation got.
    ///
    /// # Errors
    /// [`Error::Endless`] when there were too many.
    pub(super) fn event(self, step: Step, event: &Value) -> Result<Value, Error> {
        if self.part >= MOST_PARTS {
            return Err(Error::Endless { parts: self.part, resources: self.resources });
        }
        let next = Self { part: self.part + 1, step, ..self };
        let next = serde_json::to_value(next).map_err(|error| ShapeError::new(KEY, "a JSON form", error))?;
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
    fn a_round_goes_on_where_the_event_says_and_keeps_the_rest_of_it() {
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
    fn a_round_that_does_not_end_and_one_that_nobody_sent_are_faults() {
        let event = json!({});
        let round = Round { part: MOST_PARTS, ..Round::of(&event).unwrap() };
        assert_eq!(round.event(Step::Retire, &event).unwrap_err().kind(), "RunIncomplete");
        assert_eq!(Round::of(&json!({"rectifyRound": {"part": "x"}})).unwrap_err().kind(), "UnexpectedShape");
    }
}

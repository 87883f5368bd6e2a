//! How often a control was asked about a resource since it last answered: what bounds the asking.

use jiff::SignedDuration;
use rectify_compliance::{Target, Timestamp};

use super::Ledger;
use super::item::{instant, key, number, read_instant, read_number, read_text, text};
use super::key::{SINGLETON, answered, asks};
use crate::Error;
use crate::settings::Mode;

/// How long the count is kept at least after the last request.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How much earlier than its time a request may be made: a schedule is not exact to the second.
const SLACK: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait between two requests, hours.
const LONGEST: i64 = 24;

/// The requests of the reconciler about one resource to one control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// The id of the last request.
    pub request: String,
    /// When it was made.
    pub at: Timestamp,
    /// The mode the control had, by its name.
    pub mode: String,
    /// How many were made since the control last answered, this one included.
    pub unanswered: u32,
    /// Whether a person has been given a message about it.
    pub handed_over: bool,
}

impl Asks {
    /// When this control, in this mode, was last asked.
    pub fn at_in(&self, mode: Mode) -> Option<Timestamp> {
        (self.mode == mode.name()).then_some(self.at)
    }

    /// Whether the next request must wait: 1 hour after the first that was not answered, then 2, 4, … up to a day.
    pub fn must_wait(&self, now: Timestamp) -> bool {
        let Some(doublings) = self.unanswered.checked_sub(1) else { return false };
        let hours = 1_i64.checked_shl(doublings).filter(|hours| (1..LONGEST).contains(hours)).unwrap_or(LONGEST);
        now.duration_since(self.at) < SignedDuration::from_hours(hours) - SLACK
    }

    /// The same after a person was given a message.
    #[must_use]
    pub fn told(self) -> Self {
        Self { handed_over: true, ..self }
    }

    /// The same after an answer.
    #[must_use]
    pub fn answered(self) -> Self {
        Self { unanswered: 0, handed_over: false, ..self }
    }
}

impl Ledger {
    /// The requests made to this control about a resource, with what was answered taken into account; `None` where there was
    /// none, or long ago.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn asks(&self, control: &str, target: &Target, now: Timestamp) -> Result<Option<Asks>, Error> {
        let Some(item) = self.get(&asks(control, target), SINGLETON).await? else { return Ok(None) };
        // DynamoDB removes what has expired days later.
        if read_number(&item, "expires")? <= now.as_second() {
            return Ok(None);
        }
        let unanswered = read_number(&item, "unanswered")?;
        let it = Asks {
            request: read_text(&item, "request")?.to_owned(),
            at: read_instant(&item, "at")?,
            mode: read_text(&item, "mode")?.to_owned(),
            unanswered: u32::try_from(unanswered)
                .map_err(|_| Error::Ledger(format!("unanswered: expected a count: received `{unanswered}`")))?,
            handed_over: read_number(&item, "handed_over")? != 0,
        };
        let answer = self.get(&answered(control, target), SINGLETON).await?;
        let answer = answer.as_ref().map(|item| read_text(item, "request")).transpose()?;
        Ok(Some(if answer == Some(it.request.as_str()) { it.answered() } else { it }))
    }

    /// Notes requests, for as long as they matter: `matters` from the last one, and three days at least.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written; one request is then made too early.
    pub async fn note_asks(
        &self,
        control: &str,
        target: &Target,
        it: &Asks,
        matters: SignedDuration,
    ) -> Result<(), Error> {
        let expires = it.at.as_second().saturating_add(matters.max(KEPT).as_secs());
        let mut item = key(&asks(control, target), SINGLETON);
        item.insert("request".to_owned(), text(&it.request));
        item.insert("at".to_owned(), instant(it.at));
        item.insert("mode".to_owned(), text(&it.mode));
        item.insert("unanswered".to_owned(), number(it.unanswered));
        item.insert("handed_over".to_owned(), number(u8::from(it.handed_over)));
        item.insert("expires".to_owned(), number(expires));
        self.put(item, "asks").await
    }

    /// Notes that a control dealt with a request, whatever came of it: what the reconciler counts from.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn note_answered(
        &self,
        control: &str,
        target: &Target,
        request: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = key(&answered(control, target), SINGLETON);
        item.insert("request".to_owned(), text(request));
        item.insert("expires".to_owned(), number(now.as_second().saturating_add(KEPT.as_secs())));
        self.put(item, "answer").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_day() {
        let asks = |unanswered| Asks {
            request: "01J".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            mode: "enforce".to_owned(),
            unanswered,
            handed_over: false,
        };
        for (unanswered, hours) in
            [(0, 0), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 24), (64, 24), (999, 24)]
        {
            let after = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(60 * hours + minutes);
            assert!(!asks(unanswered).must_wait(after(-4)) || unanswered == 0, "{unanswered}");
            assert_eq!(asks(unanswered).must_wait(after(-6)), unanswered > 0, "{unanswered}");
        }
    }

    #[test]
    fn an_answer_ends_the_waiting_and_the_message_to_a_person() {
        let asks = Asks {
            request: "01J".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            mode: "plan".to_owned(),
            unanswered: 5,
            handed_over: true,
        };
        assert_eq!(asks.at_in(Mode::Plan), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(asks.at_in(Mode::Enforce), None);
        let answered = asks.answered();
        assert!(!answered.must_wait(Timestamp::UNIX_EPOCH) && !answered.handed_over);
    }
}

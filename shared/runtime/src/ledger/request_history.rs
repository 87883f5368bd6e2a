//! The reconciler's requests to a control about one resource: how many are unanswered, and when the next one is due.

use jiff::SignedDuration;
use rectify_compliance::{Target, Timestamp};

use super::Ledger;
use super::item::{instant, key, number, read_instant, read_number, read_text, text};
use super::key::{SINGLETON, answered, request_history};
use crate::Error;
use crate::settings::Mode;

/// The minimum time the count is kept after the last request.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How early a request may be made: a schedule is not exact to the second.
const SLACK: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait between two requests, hours.
const LONGEST: i64 = 24;

/// The reconciler's requests to one control about one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHistory {
    /// The id of the last request.
    pub request: String,
    /// When it was made.
    pub at: Timestamp,
    /// The name of the control's mode at that time.
    pub mode: String,
    /// The number of requests since the control last answered, including this one.
    pub unanswered: u32,
    /// Whether a message about it was escalated to operators.
    pub handed_over: bool,
}

impl RequestHistory {
    /// When the last request was made, if the control was in this mode then.
    pub fn requested_at(&self, mode: Mode) -> Option<Timestamp> {
        (self.mode == mode.name()).then_some(self.at)
    }

    /// Whether the next request must wait: 1 hour after the first unanswered one, then 2, 4, … up to a day.
    pub fn must_wait(&self, now: Timestamp) -> bool {
        let Some(doublings) = self.unanswered.checked_sub(1) else { return false };
        let hours = 1_i64.checked_shl(doublings).filter(|hours| (1..LONGEST).contains(hours)).unwrap_or(LONGEST);
        now.duration_since(self.at) < SignedDuration::from_hours(hours) - SLACK
    }

    /// The history after a message was escalated to operators.
    #[must_use]
    pub fn escalated(self) -> Self {
        Self { handed_over: true, ..self }
    }

    /// The history after an answer.
    #[must_use]
    pub fn answered(self) -> Self {
        Self { unanswered: 0, handed_over: false, ..self }
    }
}

impl Ledger {
    /// The requests made to this control about a resource, reset if the last one was answered; `None` if there are none
    /// or they have expired.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn request_history(
        &self,
        control: &str,
        target: &Target,
        now: Timestamp,
    ) -> Result<Option<RequestHistory>, Error> {
        let Some(item) = self.get(&request_history(control, target), SINGLETON).await? else { return Ok(None) };
        // DynamoDB may take days to delete expired items.
        if read_number(&item, "expires")? <= now.as_second() {
            return Ok(None);
        }
        let unanswered = read_number(&item, "unanswered")?;
        let history = RequestHistory {
            request: read_text(&item, "request")?.to_owned(),
            at: read_instant(&item, "at")?,
            mode: read_text(&item, "mode")?.to_owned(),
            unanswered: u32::try_from(unanswered)
                .map_err(|_| Error::Ledger(format!("unanswered: expected a count: received `{unanswered}`")))?,
            handed_over: read_number(&item, "handed_over")? != 0,
        };
        let answer = self.get(&answered(control, target), SINGLETON).await?;
        let answer = answer.as_ref().map(|item| read_text(item, "request")).transpose()?;
        Ok(Some(if answer == Some(history.request.as_str()) { history.answered() } else { history }))
    }

    /// Saves the requests for `ttl` after the last one, and for three days at least.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written; the next request may then come too early.
    pub async fn save_request_history(
        &self,
        control: &str,
        target: &Target,
        history: &RequestHistory,
        ttl: SignedDuration,
    ) -> Result<(), Error> {
        let expires = history.at.as_second().saturating_add(ttl.max(KEPT).as_secs());
        let mut item = key(&request_history(control, target), SINGLETON);
        item.insert("request".to_owned(), text(&history.request));
        item.insert("at".to_owned(), instant(history.at));
        item.insert("mode".to_owned(), text(&history.mode));
        item.insert("unanswered".to_owned(), number(history.unanswered));
        item.insert("handed_over".to_owned(), number(u8::from(history.handed_over)));
        item.insert("expires".to_owned(), number(expires));
        self.put(item, "request history").await
    }

    /// Records that a control answered a request, whatever the outcome; the reconciler counts unanswered requests from
    /// there.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn mark_answered(
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
    fn wait_doubles_up_to_a_day() {
        let history = |unanswered| RequestHistory {
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
            assert!(!history(unanswered).must_wait(after(-4)) || unanswered == 0, "{unanswered}");
            assert_eq!(history(unanswered).must_wait(after(-6)), unanswered > 0, "{unanswered}");
        }
    }

    #[test]
    fn answer_ends_the_wait_and_the_escalation() {
        let history = RequestHistory {
            request: "01J".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            mode: "plan".to_owned(),
            unanswered: 5,
            handed_over: true,
        };
        assert_eq!(history.requested_at(Mode::Plan), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(history.requested_at(Mode::Enforce), None);
        let answered = history.answered();
        assert!(!answered.must_wait(Timestamp::UNIX_EPOCH) && !answered.handed_over);
    }
}

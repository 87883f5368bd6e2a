//! The attribution already announced for a finding, so that it is announced once.

use rectify_compliance::Timestamp;

use super::item::{key, number, read_text, text};
use super::key::{SINGLETON, attributed};
use super::{Attempt, Ledger};
use crate::Error;

/// How long it is kept, seconds: as long as the outcome of the finding, 30 days.
const TTL: i64 = 30 * 24 * 3600;

impl Ledger {
    /// The id of the event announced as the cause of this attempt's finding; empty if the cause was announced as
    /// unknown. `None` before any announcement.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn attributed(&self, attempt: &Attempt) -> Result<Option<String>, Error> {
        let place = attributed(&attempt.control, &attempt.target, attempt.recorded_at);
        match self.get(&place, SINGLETON).await? {
            Some(item) => read_text(&item, "event").map(|event| Some(event.to_owned())),
            None => Ok(None),
        }
    }

    /// Records the announced event.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written; the attribution is then announced again.
    pub async fn mark_attributed(&self, attempt: &Attempt, event: &str, now: Timestamp) -> Result<(), Error> {
        let mut item = key(&attributed(&attempt.control, &attempt.target, attempt.recorded_at), SINGLETON);
        item.insert("event".to_owned(), text(event));
        item.insert("expires".to_owned(), number(now.as_second() + TTL));
        self.put(item, "note").await
    }
}

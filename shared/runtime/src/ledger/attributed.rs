//! What was said about who is behind a finding, so that it is said once.

use rectify_compliance::Timestamp;

use super::item::{key, number, read_text, text};
use super::key::{SINGLETON, attributed};
use super::{Attempt, Ledger};
use crate::Error;

/// How long it is remembered, seconds: as long as what came of the finding, 30 days.
const TTL: i64 = 30 * 24 * 3600;

impl Ledger {
    /// The id of the event that was told as being behind this attempt's finding; empty where nothing was known. `None` before
    /// anything was told.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be asked.
    pub async fn attributed(&self, attempt: &Attempt) -> Result<Option<String>, Error> {
        let place = attributed(&attempt.control, &attempt.target, attempt.recorded_at);
        match self.get(&place, SINGLETON).await? {
            Some(item) => read_text(&item, "event").map(|event| Some(event.to_owned())),
            None => Ok(None),
        }
    }

    /// Notes what was told.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be told; it is then told once more.
    pub async fn note_attributed(&self, attempt: &Attempt, event: &str, now: Timestamp) -> Result<(), Error> {
        let mut item = key(&attributed(&attempt.control, &attempt.target, attempt.recorded_at), SINGLETON);
        item.insert("event".to_owned(), text(event));
        item.insert("expires".to_owned(), number(now.as_second() + TTL));
        self.put(item, "note").await
    }
}

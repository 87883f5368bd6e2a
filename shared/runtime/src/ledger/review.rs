//! The reconciler's index: the status of a finding without reading all its attempts.

use rectify_compliance::Timestamp;

use super::item::{key, read_instant, read_text, text};
use super::key::{LEASE, SINGLETON, attempts_of, cursor, lease_of};
use super::{Attempt, Ledger, ResourcePath};
use crate::Error;

impl Ledger {
    /// The latest attempt of this control on this resource, by its id, which sorts by time.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or the attempt cannot be read.
    pub async fn latest_attempt(&self, path: &ResourcePath, control: &str) -> Result<Option<Attempt>, Error> {
        match self.newest(&attempts_of(control, path), "0", 1).await?.first() {
            Some(item) => self.unpack(item).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether the resource is leased right now.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn is_leased(&self, path: &ResourcePath, now: Timestamp) -> Result<bool, Error> {
        let Some(item) = self.get(&lease_of(path), LEASE).await? else { return Ok(false) };
        Ok(item.contains_key("owner") && read_instant(&item, "until")? > now)
    }

    /// The reconciler's cursor in the findings of this rule; `None` before its first run.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn cursor(&self, rule: &str) -> Result<Option<u64>, Error> {
        let Some(item) = self.get(&cursor(rule), SINGLETON).await? else { return Ok(None) };
        let at = read_text(&item, "at")?;
        at.parse().map(Some).map_err(|_| Error::Ledger(format!("at: expected a whole number: received `{at}`")))
    }

    /// Stores the cursor.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written; the next run then starts where this one did.
    pub async fn set_cursor(&self, rule: &str, at: u64) -> Result<(), Error> {
        let mut item = key(&cursor(rule), SINGLETON);
        // As text: `read_number` returns a signed number.
        item.insert("at".to_owned(), text(at.to_string()));
        self.put(item, "cursor").await
    }
}

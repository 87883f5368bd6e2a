//! The register of attempts that have work left, even if it is only the announcement of their end: open attempts are
//! found without reading the ended ones.

use rectify_compliance::Timestamp;

use super::item::{Item, instant, key, read_instant, read_text, text};
use super::key::{open_entries, open_entry, open_of};
use super::{Attempt, Ledger, ResourcePath};
use crate::Error;

/// An attempt that has work left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptInProgress {
    /// Its id.
    pub id: String,
    /// Its control.
    pub control: String,
    /// When it began.
    pub started_at: Timestamp,
}

impl Ledger {
    /// All attempts of a control that have not ended, or whose end is not announced yet, oldest first.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or an entry cannot be read.
    pub async fn attempts_in_progress(&self, control: &str) -> Result<Vec<AttemptInProgress>, Error> {
        let read = |item: &Item| {
            Ok(AttemptInProgress {
                id: read_text(item, "attempt")?.to_owned(),
                control: control.to_owned(),
                started_at: read_instant(item, "started_at")?,
            })
        };
        let mut attempts =
            self.query(&open_of(control), "").await?.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        attempts.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(attempts)
    }

    /// The attempts of this control on this resource that have not ended, or whose end is not announced yet, oldest
    /// first.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or an attempt cannot be read.
    pub async fn registered(&self, path: &ResourcePath, control: &str) -> Result<Vec<Attempt>, Error> {
        let mut attempts = Vec::new();
        for entry in self.query(&open_of(control), &open_entries(path)).await? {
            let id = read_text(&entry, "attempt")?;
            // This resource's id may be a prefix of another's.
            if read_text(&entry, "sk")? == open_entry(path, id) {
                attempts.extend(self.attempt(control, id).await?);
            }
        }
        Ok(attempts)
    }
}

pub(super) fn open_item(it: &Attempt) -> Item {
    let mut item = key(&open_of(&it.control), &open_entry(&ResourcePath::of(&it.target), &it.id));
    item.insert("attempt".to_owned(), text(&it.id));
    item.insert("started_at".to_owned(), instant(it.started_at));
    item
}

//! The register of attempts that have work left, so that what is pending is found without knowing its resource.

use rectify_compliance::Timestamp;

use super::item::{Item, instant, key, read_instant, read_text, text};
use super::key::{OPEN, attempt};
use super::{Attempt, Ledger, ResourcePath};
use crate::Fault;

/// An attempt that was begun and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// Its id.
    pub id: String,
    /// Its control.
    pub control: String,
    /// When it began.
    pub started_at: Timestamp,
}

impl Ledger {
    /// Every attempt that was begun and has not ended, oldest first.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked or an entry cannot be read.
    pub async fn open_attempts(&self) -> Result<Vec<OpenAttempt>, Fault> {
        let read = |item: &Item| {
            Ok(OpenAttempt {
                id: read_text(item, "sk")?.to_owned(),
                control: read_text(item, "control")?.to_owned(),
                started_at: read_instant(item, "started_at")?,
            })
        };
        self.query(OPEN, "").await?.iter().map(read).collect()
    }
}

pub(super) fn open_item(it: &Attempt) -> Item {
    let mut item = key(OPEN, &it.id);
    item.insert("control".to_owned(), text(&it.control));
    item.insert("started_at".to_owned(), instant(it.started_at));
    item.insert("at_pk".to_owned(), text(ResourcePath::of(&it.target).as_str()));
    item.insert("at_sk".to_owned(), text(attempt(&it.control, &it.id)));
    item
}

//! What people did to the ledger: each act is written down in the same transaction as what it changes.

use aws_sdk_dynamodb::types::TransactWriteItem;
use rectify_compliance::Timestamp;

use super::item::{Item, instant, key, read_instant, read_text, text};
use super::key::acts_of;
use super::{Ledger, new_id};
use crate::Error;

/// One act of a person, or of a machine in a person's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What was done, as on the command line: `hold add restricted-ssh sg-1`.
    pub what: String,
    /// Why.
    pub why: String,
}

impl AuditEntry {
    /// What somebody does now.
    pub fn now(by: impl Into<String>, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: Timestamp::now(), by: by.into(), what: what.into(), why: why.into() }
    }
}

impl Ledger {
    /// The acts of a month (`2026-11`), oldest first.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be asked or an act cannot be read.
    pub async fn acts(&self, month: &str) -> Result<Vec<AuditEntry>, Error> {
        self.query(&acts_of(month), "").await?.iter().map(read).collect()
    }

    /// Writes what an act changes, and the act, all or nothing.
    pub(super) async fn record(&self, act: &AuditEntry, mut writes: Vec<TransactWriteItem>) -> Result<(), Error> {
        let month = act.at.to_string();
        let mut item = key(&acts_of(month.get(..7).unwrap_or(&month)), &new_id(act.at));
        item.insert("at".to_owned(), instant(act.at));
        item.insert("by".to_owned(), text(&act.by));
        item.insert("what".to_owned(), text(&act.what));
        item.insert("why".to_owned(), text(&act.why));
        writes.push(self.put_new(item)?);
        self.transact_whole(writes, &act.what).await
    }
}

fn read(item: &Item) -> Result<AuditEntry, Error> {
    Ok(AuditEntry {
        at: read_instant(item, "at")?,
        by: read_text(item, "by")?.to_owned(),
        what: read_text(item, "what")?.to_owned(),
        why: read_text(item, "why")?.to_owned(),
    })
}

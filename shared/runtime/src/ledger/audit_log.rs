//! The audit log of operators' changes to the ledger: each entry is written in the same transaction as its change.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use rectify_compliance::Timestamp;

use super::item::{Item, instant, key, read_instant, read_optional, read_text, text};
use super::key::audit_log_of;
use super::{Ledger, new_id};
use crate::Error;

/// One change by an operator, or by a function on an operator's behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it was made.
    pub at: Timestamp,
    /// Who made it, as the operator states it.
    pub by: String,
    /// The ARN of the credentials, of which AWS STS said whose they are; absent in entries of the undo function and of
    /// versions that did not record it. The ledger adds it: see [`Ledger::acting_as`].
    pub by_arn: Option<String>,
    /// The change, as on the command line: `hold add restricted-ssh sg-1`.
    pub what: String,
    /// The reason.
    pub why: String,
}

impl AuditEntry {
    /// An entry for a change made now.
    pub fn now(by: impl Into<String>, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: Timestamp::now(), by: by.into(), by_arn: None, what: what.into(), why: why.into() }
    }
}

impl Ledger {
    /// The entries of a month (`2026-11`), oldest first.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or an entry cannot be read.
    pub async fn acts(&self, month: &str) -> Result<Vec<AuditEntry>, Error> {
        self.query(&audit_log_of(month), "").await?.iter().map(read).collect()
    }

    /// The entries from `since` until `until`, oldest first.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`acts`](Self::acts).
    pub async fn acts_between(&self, since: Timestamp, until: Timestamp) -> Result<Vec<AuditEntry>, Error> {
        let month_of = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().first_of_month();
        let (mut month, last) = (month_of(since), month_of(until));
        let mut entries = Vec::new();
        while month <= last {
            entries.extend(self.acts(&month.strftime("%Y-%m").to_string()).await?);
            let Ok(next) = month.checked_add(1.month()) else { break };
            month = next;
        }
        entries.retain(|it| since <= it.at && it.at <= until);
        entries.sort_by_key(|it| it.at);
        Ok(entries)
    }

    /// Writes a change and its entry, all or nothing.
    pub(super) async fn record(&self, entry: &AuditEntry, mut writes: Vec<TransactWriteItem>) -> Result<(), Error> {
        let month = entry.at.to_string();
        let mut item = key(&audit_log_of(month.get(..7).unwrap_or(&month)), &new_id(entry.at));
        item.insert("at".to_owned(), instant(entry.at));
        item.insert("by".to_owned(), text(&entry.by));
        let caller = entry.by_arn.as_ref().or(self.caller.as_ref());
        item.extend(caller.map(|arn| ("by_arn".to_owned(), text(arn))));
        item.insert("what".to_owned(), text(&entry.what));
        item.insert("why".to_owned(), text(&entry.why));
        writes.push(self.put_new(item)?);
        self.transact_whole(writes, &entry.what).await
    }
}

fn read(item: &Item) -> Result<AuditEntry, Error> {
    Ok(AuditEntry {
        at: read_instant(item, "at")?,
        by: read_text(item, "by")?.to_owned(),
        by_arn: read_optional(item, "by_arn"),
        what: read_text(item, "what")?.to_owned(),
        why: read_text(item, "why")?.to_owned(),
    })
}

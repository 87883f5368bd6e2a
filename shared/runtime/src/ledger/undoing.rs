//! An undo in the table: one transaction stores its intent and its hold, and one takes both back.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use rectify_compliance::Timestamp;

use super::in_progress::open_item;
use super::item::{instant, key, number, text};
use super::key::{LEASE, lease_of};
use super::switches::hold_writes;
use super::transact::{TransactionOutcome, lost, updating};
use super::{Attempt, AuditEntry, Hold, Lease, Ledger, State};
use crate::Error;

impl Ledger {
    /// Stores an attempt with the intent of its undo, and the hold that keeps the fix from returning, under the lease,
    /// which is extended to `until`. `hold` is absent if a longer one is already set.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written or the lease was lost: then nothing may be called.
    pub async fn begin_undo(
        &self,
        lease: &Lease,
        attempt: &Attempt,
        hold: Option<&Hold>,
        until: Timestamp,
    ) -> Result<(), Error> {
        let mut writes = vec![self.lease_until(lease, until)?];
        writes.extend(self.attempt_items(attempt)?);
        if attempt.state == State::Finished {
            writes.extend(self.closing(attempt)?);
        }
        let Some(hold) = hold else {
            let by = attempt.undo.as_ref().map_or("unknown", |it| it.by.as_str());
            let what = format!("undo {} {} {}", attempt.id, attempt.control, lease.path.as_str());
            return self.record(&AuditEntry::now(by, what, "a longer hold is set"), writes).await;
        };
        writes.extend(hold_writes(self, &lease.path, hold)?);
        let what = format!("hold add {} {} until {}", hold.control, lease.path.as_str(), hold.until);
        self.record(&AuditEntry::now(&hold.by, what, &hold.reason), writes).await
    }

    /// Stores the progress of an undo, under the lease, which is extended to `until`.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`begin_undo`](Self::begin_undo).
    pub async fn save_undo(&self, lease: &Lease, attempt: &Attempt, until: Timestamp) -> Result<(), Error> {
        let mut writes = vec![self.lease_until(lease, until)?];
        writes.extend(self.attempt_items(attempt)?);
        self.under_lease(lease, writes, "undo").await
    }

    /// Restores an attempt after an undo that changed nothing, and the earlier `hold`: one that has already ended if
    /// there was none.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`begin_undo`](Self::begin_undo).
    pub async fn roll_back_undo(&self, lease: &Lease, attempt: &Attempt, hold: Option<&Hold>) -> Result<(), Error> {
        let mut writes = vec![self.lease_condition(lease)?];
        writes.extend(self.attempt_items(attempt)?);
        if attempt.state == State::Open {
            writes.push(self.put_any(open_item(attempt))?);
        }
        let Some(hold) = hold else { return self.under_lease(lease, writes, "undo").await };
        writes.extend(hold_writes(self, &lease.path, hold)?);
        let what = format!("hold end {} {}", hold.control, lease.path.as_str());
        self.record(&AuditEntry::now(&hold.by, what, format!("undo of {} changed nothing", attempt.id)), writes).await
    }

    /// Part of a transaction: extends the lease to `until`; fails the transaction unless `lease` is still held.
    fn lease_until(&self, lease: &Lease, until: Timestamp) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&lease_of(&lease.path), LEASE)))
            .update_expression("SET #until = :until")
            .condition_expression("#owner = :owner AND fence = :fence")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":fence", number(lease.fence))
            .expression_attribute_values(":until", instant(self.no_earlier(until)));
        updating(update)
    }

    async fn under_lease(&self, lease: &Lease, writes: Vec<TransactWriteItem>, what: &str) -> Result<(), Error> {
        match self.transact(writes, what).await? {
            TransactionOutcome::Done => Ok(()),
            TransactionOutcome::Refused(_) => Err(lost(lease)),
        }
    }
}

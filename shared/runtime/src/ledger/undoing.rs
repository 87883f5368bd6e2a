//! An undo in the table: its intent and the hold that goes with it are one transaction, and so is taking both back.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use rectify_compliance::Timestamp;

use super::item::{instant, key, number, text};
use super::key::{LEASE, lease_of};
use super::open::open_item;
use super::switches::hold_write;
use super::transact::{Transacted, lost, updating};
use super::{Act, Attempt, Hold, Lease, Ledger, State};
use crate::Fault;

impl Ledger {
    /// Stores an attempt with the intent of its undo, and the hold that keeps the fix from coming back, under the lease, which
    /// then lives until `until`. `hold` is absent where a longer one stands.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told or the lease was lost: then nothing may be called.
    pub async fn begin_undo(
        &self,
        lease: &Lease,
        attempt: &Attempt,
        hold: Option<&Hold>,
        until: Timestamp,
    ) -> Result<(), Fault> {
        let mut writes = vec![self.ours_until(lease, until)?];
        writes.extend(self.attempt_items(attempt)?);
        if attempt.state == State::Finished {
            writes.extend(self.closing(attempt)?);
        }
        let Some(hold) = hold else { return self.under_lease(lease, writes, "undo").await };
        writes.push(hold_write(self, &lease.path, hold)?);
        let what = format!("hold add {} {} until {}", hold.control, lease.path.as_str(), hold.until);
        self.record(&Act::now(&hold.by, what, &hold.reason), writes).await
    }

    /// Stores how far an undo got, under the lease, which then lives until `until`.
    ///
    /// # Errors
    /// [`Fault::Ledger`] as for [`begin_undo`](Self::begin_undo).
    pub async fn save_undo(&self, lease: &Lease, attempt: &Attempt, until: Timestamp) -> Result<(), Fault> {
        let mut writes = vec![self.ours_until(lease, until)?];
        writes.extend(self.attempt_items(attempt)?);
        self.under_lease(lease, writes, "undo").await
    }

    /// Stores an attempt as it was before an undo that changed nothing, and `hold` as it was: an end in the past where there
    /// was none.
    ///
    /// # Errors
    /// [`Fault::Ledger`] as for [`begin_undo`](Self::begin_undo).
    pub async fn take_back_undo(&self, lease: &Lease, attempt: &Attempt, hold: Option<&Hold>) -> Result<(), Fault> {
        let mut writes = vec![self.still_ours(lease)?];
        writes.extend(self.attempt_items(attempt)?);
        if attempt.state == State::Open {
            writes.push(self.put_any(open_item(attempt))?);
        }
        let Some(hold) = hold else { return self.under_lease(lease, writes, "undo").await };
        writes.push(hold_write(self, &lease.path, hold)?);
        let what = format!("hold end {} {}", hold.control, lease.path.as_str());
        self.record(&Act::now(&hold.by, what, format!("undo of {} changed nothing", attempt.id)), writes).await
    }

    /// Part of a transaction: the lease lives until `until`; fails the transaction unless it is still ours.
    fn ours_until(&self, lease: &Lease, until: Timestamp) -> Result<TransactWriteItem, Fault> {
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

    async fn under_lease(&self, lease: &Lease, writes: Vec<TransactWriteItem>, what: &str) -> Result<(), Fault> {
        match self.transact(writes, what).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(lost(lease)),
        }
    }
}

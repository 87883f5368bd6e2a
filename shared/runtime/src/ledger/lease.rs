//! The exclusive lease of a resource: one owner at a time, across all controls.

use aws_sdk_dynamodb::types::{ConditionCheck, ReturnValue, TransactWriteItem};
use jiff::SignedDuration;
use rectify_compliance::Timestamp;

use super::item::{instant, key, number, read_instant, read_number, read_text, text};
use super::key::{LEASE, lease_of};
use super::{Ledger, ResourcePath, unavailable};
use crate::Error;

/// The tolerated clock error of a machine outside AWS, such as an operator's laptop.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// A granted lease. Writes under it are conditional on owner and fence, so that an owner whose lease expired writes
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub(super) path: ResourcePath,
    pub(super) owner: String,
    pub(super) fence: i64,
}

impl Ledger {
    /// The same ledger, for a machine whose clock may be off by `tolerance` in either direction: its own leases expire
    /// that much later, and it takes over an expired lease that much later. A function runs on AWS's clock and needs
    /// none.
    #[must_use]
    pub const fn tolerating(mut self, tolerance: SignedDuration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Takes the lease of a resource until `until`.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`] while another owner's lease is valid: the retry comes later. [`Error::Ledger`] when the
    /// table cannot be written.
    pub async fn lease(
        &self,
        path: &ResourcePath,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&lease_of(path), LEASE)))
            .update_expression("SET #owner = :owner, #until = :until ADD fence :one")
            .condition_expression("attribute_not_exists(#owner) OR #until < :now OR #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":until", instant(self.no_earlier(until)))
            .expression_attribute_values(":now", instant(now.saturating_sub(self.tolerance).unwrap_or(Timestamp::MIN)))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                Ok(Lease { path: path.clone(), owner: owner.to_owned(), fence: read_number(&item, "fence")? })
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => Err(self.held(path).await?),
                _ => Err(unavailable("lease", &error)),
            },
        }
    }

    /// The stored end of a lease, which does not come early if this machine's clock is slow.
    pub(super) fn no_earlier(&self, until: Timestamp) -> Timestamp {
        until.saturating_add(self.tolerance).unwrap_or(Timestamp::MAX)
    }

    /// Releases the lease; a lease that was lost is left to its new owner.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written; the lease then expires.
    pub async fn release(&self, lease: &Lease) -> Result<(), Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&lease_of(&lease.path), LEASE)))
            .update_expression("REMOVE #owner, #until")
            .condition_expression("#owner = :owner AND fence = :fence")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":fence", number(lease.fence))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(unavailable("release", &error)),
            },
        }
    }

    /// Part of a transaction: fails it unless `lease` is still held.
    pub(super) fn lease_condition(&self, lease: &Lease) -> Result<TransactWriteItem, Error> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key(&lease_of(&lease.path), LEASE)))
            .condition_expression("#owner = :owner AND fence = :fence")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":fence", number(lease.fence))
            .build()
            .map_err(|error| Error::Ledger(error.to_string()))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// The error that names the current holder.
    async fn held(&self, path: &ResourcePath) -> Result<Error, Error> {
        let item = self.get(&lease_of(path), LEASE).await?.unwrap_or_default();
        let owner = read_text(&item, "owner").unwrap_or("an owner that has just released it").to_owned();
        let until = read_instant(&item, "until").map_or_else(|_| "now".to_owned(), |at| at.to_string());
        Ok(Error::LeaseHeld { resource: path.as_str().to_owned(), owner, until })
    }
}

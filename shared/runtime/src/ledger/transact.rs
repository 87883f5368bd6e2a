//! Transactions: all or nothing, retried on conflicts.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};

use super::item::{Item, key};
use super::{Lease, Ledger, unavailable};
use crate::Error;
use crate::retry::Backoff;

impl Ledger {
    pub(super) fn put_new(&self, item: Item) -> Result<TransactWriteItem, Error> {
        self.put_write(item, Some("attribute_not_exists(pk)"))
    }

    pub(super) fn put_any(&self, item: Item) -> Result<TransactWriteItem, Error> {
        self.put_write(item, None)
    }

    fn put_write(&self, item: Item, condition: Option<&str>) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .build()
            .map_err(|error| Error::Ledger(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Writes all or nothing. A conflict with another transaction is retried; a failed condition is returned by its
    /// index.
    pub(super) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
        what: &str,
    ) -> Result<TransactionOutcome, Error> {
        let mut tries = Backoff::TRANSACTION.tries();
        while tries.next().await.is_some() {
            let request = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let error = match request.send().await {
                Ok(_) => return Ok(TransactionOutcome::Done),
                Err(error) => error,
            };
            match refusal(&error) {
                Some(place) => return Ok(TransactionOutcome::Refused(place)),
                None if is_passing(&error) && !tries.is_last() => {}
                None => return Err(unavailable(what, &error)),
            }
        }
        Err(Error::Ledger(format!("{what}: conflicting transactions")))
    }

    /// The same for callers that do not distinguish the conditions: a failed one means that a concurrent write came
    /// first.
    pub(super) async fn transact_whole(&self, writes: Vec<TransactWriteItem>, what: &str) -> Result<(), Error> {
        match self.transact(writes, what).await? {
            TransactionOutcome::Done => Ok(()),
            TransactionOutcome::Refused(place) => {
                Err(Error::Ledger(format!("{what}: condition of write {place} failed: a concurrent write came first")))
            }
        }
    }

    /// Deletes one item, if it exists.
    pub(super) fn delete_any(&self, pk: &str, sk: &str) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .build()
            .map_err(|error| Error::Ledger(error.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// An update as one write of a transaction.
pub(super) fn updating(update: UpdateBuilder) -> Result<TransactWriteItem, Error> {
    let update = update.build().map_err(|error| Error::Ledger(error.to_string()))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// The outcome of a transaction.
pub(super) enum TransactionOutcome {
    /// Everything was written.
    Done,
    /// Nothing was written: the index of the write whose condition failed.
    Refused(usize),
}

fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> Vec<&str> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect()
        }
        _ => Vec::new(),
    }
}

fn refusal<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<usize> {
    reasons(error).iter().position(|code| *code == "ConditionalCheckFailed")
}

/// Whether a retry may succeed: a conflicting transaction, or throttling.
fn is_passing<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    reasons(error).iter().any(|reason| passing.contains(reason))
}

pub(super) fn lost(lease: &Lease) -> Error {
    Error::Ledger(format!("lease of {}: lost by `{}`", lease.path.as_str(), lease.owner))
}

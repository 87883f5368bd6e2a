//! Writes that belong together: all or nothing, tried again while others are in the way.

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

    /// Writes all or nothing; a conflict with another transaction is tried again, a failed condition is told by its place.
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

    /// The same where no single condition has an answer of its own: one that fails means that somebody was faster.
    pub(super) async fn transact_whole(&self, writes: Vec<TransactWriteItem>, what: &str) -> Result<(), Error> {
        match self.transact(writes, what).await? {
            TransactionOutcome::Done => Ok(()),
            TransactionOutcome::Refused(place) => Err(Error::Ledger(format!("{what}: write {place} met another's"))),
        }
    }

    /// Removes one item, be it there or not.
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

/// How a transaction ended.
pub(super) enum TransactionOutcome {
    /// Everything is written.
    Done,
    /// Nothing is: which write's condition failed.
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

/// Whether the same may be taken a moment later: somebody else's transaction, or too much at once.
fn is_passing<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    reasons(error).iter().any(|reason| passing.contains(reason))
}

pub(super) fn lost(lease: &Lease) -> Error {
    Error::Ledger(format!("lease of {}: lost by `{}`", lease.path.as_str(), lease.owner))
}

//! How many remediations a control may begin in an account in one fixed hour.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use rectify_compliance::Timestamp;

use super::item::{key, number, read_number};
use super::key::{SINGLETON, budget};
use super::transact::updating;
use super::{Attempt, Ledger};
use crate::Error;

/// How long a counter is kept, seconds.
const TTL: i64 = 2 * 3600;

impl Ledger {
    /// How many remediations a control has begun in an account in the hour of `now`.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn budget_used(&self, control: &str, account: &str, now: Timestamp) -> Result<u32, Error> {
        match self.get(&budget(control, account, now), SINGLETON).await? {
            Some(item) => Ok(u32::try_from(read_number(&item, "n")?).unwrap_or_default()),
            None => Ok(0),
        }
    }

    /// Takes one from the budget of the attempt's hour; fails the transaction if `limit` is reached.
    pub(super) fn take_budget(&self, attempt: &Attempt, limit: u32) -> Result<TransactWriteItem, Error> {
        let update = self.add_to_budget(attempt, 1).condition_expression("attribute_not_exists(n) OR n < :limit");
        updating(update.expression_attribute_values(":limit", number(limit)))
    }

    /// Gives one back to the budget of the attempt's hour: the attempt changed nothing.
    pub(super) fn give_back_budget(&self, attempt: &Attempt) -> Result<TransactWriteItem, Error> {
        updating(self.add_to_budget(attempt, -1))
    }

    fn add_to_budget(&self, attempt: &Attempt, more: i64) -> UpdateBuilder {
        let Attempt { control, target, started_at, .. } = attempt;
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&budget(control, target.account.as_str(), *started_at), SINGLETON)))
            .update_expression("ADD n :more SET expires = :expires")
            .expression_attribute_values(":more", number(more))
            .expression_attribute_values(":expires", number(started_at.as_second() + TTL))
    }
}

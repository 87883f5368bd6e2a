//! What is announced once for many: the budget stop of an hour, however many resources it met.

use super::item::{key, number};
use super::key::{ALONE, budget_stop};
use super::{Attempt, Ledger};
use crate::Fault;

/// How long it is remembered, seconds: longer than the hour it is about.
const TTL: i64 = 2 * 3600;

impl Ledger {
    /// Whether the budget stop that met this attempt has been announced.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked.
    pub async fn is_budget_stop_told(&self, attempt: &Attempt) -> Result<bool, Fault> {
        Ok(self.get(&place(attempt), ALONE).await?.is_some())
    }

    /// Notes that it has been.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told; it is then announced once more.
    pub async fn note_budget_stop(&self, attempt: &Attempt) -> Result<(), Fault> {
        let mut item = key(&place(attempt), ALONE);
        item.insert("expires".to_owned(), number(attempt.started_at.as_second() + TTL));
        self.put(item, "note").await
    }
}

fn place(attempt: &Attempt) -> String {
    budget_stop(&attempt.control, attempt.target.account.as_str(), attempt.started_at)
}

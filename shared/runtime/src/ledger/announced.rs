//! Announcements that cover many attempts: the exhausted budget of an hour, an open breaker, the plans of a first
//! deployment.

use aws_sdk_dynamodb::types::ReturnValue;
use rectify_compliance::Timestamp;

use super::item::{key, number, read_number};
use super::key::{SINGLETON, announced, hour};
use super::{Attempt, Ledger, Outcome, ResourcePath, unavailable};
use crate::Error;

/// How long the mark is kept, seconds: longer than the longest window, which is a day.
const TTL: i64 = 26 * 3600;
/// One day, seconds.
const DAY: i64 = 24 * 3600;

impl Ledger {
    /// Whether the reason this attempt ended was already announced in its window. An exhausted budget is announced once
    /// per control, account and hour; an open breaker once per control, resource and day. Every other outcome is
    /// announced per attempt.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn is_announced(&self, attempt: &Attempt) -> Result<bool, Error> {
        match place(attempt) {
            Some(place) => Ok(self.get(&place, SINGLETON).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Marks it as announced.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written; it is then announced again.
    pub async fn mark_announced(&self, attempt: &Attempt) -> Result<(), Error> {
        let Some(place) = place(attempt) else { return Ok(()) };
        let mut item = key(&place, SINGLETON);
        item.insert("expires".to_owned(), number(attempt.started_at.as_second() + TTL));
        self.put(item, "note").await
    }

    /// Increments the hourly plan count of a control in an account and returns it.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn count_plan(&self, attempt: &Attempt, now: Timestamp) -> Result<u32, Error> {
        let place = announced(&attempt.control, "plans", attempt.target.account.as_str(), hour(now));
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&place, SINGLETON)))
            .update_expression("ADD n :one SET expires = :expires")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", number(now.as_second() + TTL))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| unavailable("count", &error))?;
        let item = answer.attributes.unwrap_or_default();
        Ok(u32::try_from(read_number(&item, "n")?).unwrap_or(u32::MAX))
    }
}

fn place(attempt: &Attempt) -> Option<String> {
    let Attempt { control, target, started_at, .. } = attempt;
    match attempt.outcome? {
        Outcome::OverBudget => Some(announced(control, "budget", target.account.as_str(), hour(*started_at))),
        Outcome::BreakerOpen => {
            let day = started_at.as_second().div_euclid(DAY);
            Some(announced(control, "breaker", ResourcePath::of(target).as_str(), day))
        }
        Outcome::Stopped
        | Outcome::Gone
        | Outcome::AlreadyCompliant
        | Outcome::NotApplicable
        | Outcome::Exempt
        | Outcome::Planned
        | Outcome::Verified
        | Outcome::Pending
        | Outcome::Failed => None,
    }
}

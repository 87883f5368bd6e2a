//! What became of events that a rule's function could not judge: when the rule was last evaluated anew because of one, whether
//! it is to be, and what failed.

use rectify_compliance::Timestamp;

use super::Ledger;
use super::item::{instant, key, number, read_instant, read_number};
use super::key::{SINGLETON, evaluation, unjudged};
use crate::Error;

/// How long it is remembered what a rule failed at, seconds.
const UNJUDGED_TTL: i64 = 7 * 24 * 3600;

/// The evaluations of one rule that dead letters led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evaluations {
    /// When the last one was started.
    pub started_at: Option<Timestamp>,
    /// Whether another one is to be started.
    pub owed: bool,
}

impl Ledger {
    /// The evaluations of a rule.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn evaluations(&self, rule: &str) -> Result<Evaluations, Error> {
        let Some(item) = self.get(&evaluation(rule), SINGLETON).await? else { return Ok(Evaluations::default()) };
        let started_at = item.contains_key("started_at").then(|| read_instant(&item, "started_at")).transpose()?;
        Ok(Evaluations { started_at, owed: read_number(&item, "owed")? != 0 })
    }

    /// Notes them.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn set_evaluations(&self, rule: &str, it: Evaluations) -> Result<(), Error> {
        let mut item = key(&evaluation(rule), SINGLETON);
        if let Some(at) = it.started_at {
            item.insert("started_at".to_owned(), instant(at));
        }
        item.insert("owed".to_owned(), number(u8::from(it.owed)));
        self.put(item, "evaluation").await
    }

    /// Whether a person has been given a message that the rule fails at this subject; `None` while it has not failed at it,
    /// or not for a week.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn unjudged(&self, rule: &str, subject: &str, now: Timestamp) -> Result<Option<bool>, Error> {
        let Some(item) = self.get(&unjudged(rule, subject), SINGLETON).await? else { return Ok(None) };
        if read_number(&item, "expires")? <= now.as_second() {
            return Ok(None);
        }
        Ok(Some(read_number(&item, "handed_over")? != 0))
    }

    /// Notes that the rule failed at a subject now.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn note_unjudged(
        &self,
        rule: &str,
        subject: &str,
        handed_over: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = key(&unjudged(rule, subject), SINGLETON);
        item.insert("handed_over".to_owned(), number(u8::from(handed_over)));
        item.insert("expires".to_owned(), number(now.as_second() + UNJUDGED_TTL));
        self.put(item, "note").await
    }
}

//! Events that a rule's function failed to evaluate: when the rule was last reevaluated because of one, whether another
//! reevaluation is due, and which subjects failed.

use rectify_compliance::Timestamp;

use super::Ledger;
use super::item::{instant, key, number, read_instant, read_number};
use super::key::{SINGLETON, evaluation, unjudged};
use crate::Error;

/// How long a failed subject of a rule is kept, seconds.
const UNJUDGED_TTL: i64 = 7 * 24 * 3600;

/// The reevaluations of one rule because of messages in the dead-letter queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evaluations {
    /// When the last one started.
    pub started_at: Option<Timestamp>,
    /// Whether another one is due.
    pub owed: bool,
}

impl Ledger {
    /// The reevaluations of a rule.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn evaluations(&self, rule: &str) -> Result<Evaluations, Error> {
        let Some(item) = self.get(&evaluation(rule), SINGLETON).await? else { return Ok(Evaluations::default()) };
        let started_at = item.contains_key("started_at").then(|| read_instant(&item, "started_at")).transpose()?;
        Ok(Evaluations { started_at, owed: read_number(&item, "owed")? != 0 })
    }

    /// Stores them.
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

    /// Whether a message about the rule's failure on this subject was escalated to operators; `None` if the rule has
    /// not failed on it within a week.
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

    /// Records that the rule failed on a subject now.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn mark_unjudged(
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

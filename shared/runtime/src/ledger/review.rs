//! What the reconciler asks and notes: how a finding stands without reading all that was done about it.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use rectify_compliance::{Target, Timestamp};

use super::item::{instant, key, number, read_instant, read_number, read_text, text};
use super::key::{ALONE, LEASE, asked, attempts_of, cursor, evaluations, lease_of};
use super::{Attempt, Ledger, ResourcePath, unavailable};
use crate::Fault;
use crate::settings::Mode;

/// How long the count of a day's evaluations is kept, seconds: longer than the day.
const EVALUATIONS_TTL: i64 = 2 * 24 * 3600;

impl Ledger {
    /// The attempt of this control on this resource that began last; its id sorts by time.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked or the attempt cannot be read.
    pub async fn latest_attempt(&self, path: &ResourcePath, control: &str) -> Result<Option<Attempt>, Fault> {
        match self.newest(&attempts_of(control, path), "0", 1).await?.first() {
            Some(item) => self.unpack(item).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether somebody works on the resource right now.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked.
    pub async fn is_leased(&self, path: &ResourcePath, now: Timestamp) -> Result<bool, Fault> {
        let Some(item) = self.get(&lease_of(path), LEASE).await? else { return Ok(false) };
        Ok(item.contains_key("owner") && read_instant(&item, "until")? > now)
    }

    /// How far the reconciler got in the findings of this rule; `None` before its first run.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked.
    pub async fn cursor(&self, rule: &str) -> Result<Option<u64>, Fault> {
        let Some(item) = self.get(&cursor(rule), ALONE).await? else { return Ok(None) };
        let at = read_text(&item, "at")?;
        at.parse().map(Some).map_err(|_| Fault::Ledger(format!("at: expected a whole number: received `{at}`")))
    }

    /// Notes how far it got.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told; the next run then begins where this one did.
    pub async fn set_cursor(&self, rule: &str, at: u64) -> Result<(), Fault> {
        let mut item = key(&cursor(rule), ALONE);
        // As text: a DynamoDB number is read back through a signed one.
        item.insert("at".to_owned(), text(at.to_string()));
        self.put(item, "cursor").await
    }

    /// When the reconciler last asked this control, in this mode, about the resource; `None` when it did not, or long ago.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked.
    pub async fn asked_at(&self, control: &str, mode: Mode, target: &Target) -> Result<Option<Timestamp>, Fault> {
        let item = self.get(&asked(control, mode.name(), target), ALONE).await?;
        item.map(|item| read_instant(&item, "at")).transpose()
    }

    /// Notes that it asked, for as long as that matters.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told; it is then asked once more.
    pub async fn note_asked(
        &self,
        control: &str,
        mode: Mode,
        target: &Target,
        now: Timestamp,
        matters: SignedDuration,
    ) -> Result<(), Fault> {
        let mut item = key(&asked(control, mode.name(), target), ALONE);
        item.insert("at".to_owned(), instant(now));
        item.insert("expires".to_owned(), number(now.as_second().saturating_add(matters.as_secs())));
        self.put(item, "note").await
    }

    /// How often this rule was evaluated anew today because its function had failed.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked.
    pub async fn evaluations_today(&self, rule: &str, now: Timestamp) -> Result<u32, Fault> {
        let item = self.get(&evaluations(rule, now), ALONE).await?;
        item.map_or(Ok(0), |item| count(read_number(&item, "n")?))
    }

    /// Counts one more.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told.
    pub async fn count_evaluation(&self, rule: &str, now: Timestamp) -> Result<(), Fault> {
        let expires: AttributeValue = number(now.as_second() + EVALUATIONS_TTL);
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&evaluations(rule, now), ALONE)))
            .update_expression("ADD n :one SET expires = :expires")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", expires)
            .send()
            .await
            .map(drop)
            .map_err(|error| unavailable("count", &error))
    }
}

fn count(read: i64) -> Result<u32, Fault> {
    u32::try_from(read).map_err(|_| Fault::Ledger(format!("n: expected a count: received `{read}`")))
}

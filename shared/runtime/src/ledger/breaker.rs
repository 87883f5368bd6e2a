//! Breakers: what keeps a control from fighting over a resource, and a broken remediation from trying on and on.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use rectify_compliance::Timestamp;

use super::item::{instant, key, number, read_instant, read_number, read_text, text};
use super::key::{ALONE, acted_of, breaker_of, decisions_on, lowest_id, reset};
use super::transact::updating;
use super::{Act, Attempt, Ledger, Outcome, ResourcePath};
use crate::Fault;

/// How long remediations of one resource are counted, and how long a control's breaker stays open after its last failure.
pub const WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How many remediations of one resource by one control, within the window, open the breaker.
pub const RESOURCE_LIMIT: usize = 3;
/// How many remediations are read to tell.
const MOST_ACTED: i32 = 4;
/// How many failed remediations in a row open a control's breaker.
pub const CONTROL_LIMIT: i64 = 5;

/// A breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenBreaker {
    /// The same resource was remediated by the same control too often: somebody keeps reverting it.
    Resource {
        /// The attempts that were counted, oldest first.
        attempts: Vec<String>,
        /// When it closes by itself.
        until: Timestamp,
    },
    /// The control's last remediations all failed.
    Control {
        /// How many.
        failures: i64,
        /// When it closes by itself: then one more is tried.
        until: Timestamp,
    },
}

impl std::fmt::Display for OpenBreaker {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resource { attempts, until } => write!(
                out,
                "breaker open until {}: remediated {} times within 24 hours ({})",
                seconds(*until),
                attempts.len(),
                attempts.join(", ")
            ),
            Self::Control { failures, until } => {
                let until = seconds(*until);
                write!(out, "breaker open until {until}: the last {failures} remediations of this control failed")
            }
        }
    }
}

impl Ledger {
    /// The breaker that keeps `control` from acting on the resource at `path`, if one is open. `own` is an attempt that is
    /// under way and does not count against itself.
    ///
    /// # Errors
    /// [`Fault::Ledger`]: a breaker that cannot be read is not closed.
    pub async fn open_breaker(
        &self,
        path: &ResourcePath,
        control: &str,
        own: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<OpenBreaker>, Fault> {
        if let Some(open) = self.control_breaker(control, now).await? {
            return Ok(Some(open));
        }
        self.resource_breaker(path, control, own, now).await
    }

    /// A control's own breaker, if it is open.
    ///
    /// # Errors
    /// [`Fault::Ledger`]: a breaker that cannot be read is not closed.
    pub async fn control_breaker(&self, control: &str, now: Timestamp) -> Result<Option<OpenBreaker>, Fault> {
        let Some(item) = self.get(&breaker_of(control), ALONE).await? else { return Ok(None) };
        let failures = read_number(&item, "failures")?;
        if failures < CONTROL_LIMIT {
            return Ok(None);
        }
        let until = end_of_window(read_instant(&item, "failed_at")?);
        Ok((now < until).then_some(OpenBreaker::Control { failures, until }))
    }

    /// The breaker of one control on one resource, if it is open: its attempts that changed something within the window,
    /// read consistently, and since a person last reset it.
    ///
    /// # Errors
    /// [`Fault::Ledger`]: attempts that cannot be read are not few.
    pub async fn resource_breaker(
        &self,
        path: &ResourcePath,
        control: &str,
        own: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<OpenBreaker>, Fault> {
        let mut since = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
        if let Some(item) = self.get(&decisions_on(path), &reset(control)).await? {
            since = since.max(read_instant(&item, "reset_at")?);
        }
        // One more than the limit: the attempt under way may be among them.
        let items = self.newest(&acted_of(control, path), &lowest_id(since), MOST_ACTED).await?;
        let acted = items.iter().map(|item| Ok((read_instant(item, "started_at")?, read_text(item, "sk")?.to_owned())));
        let mut acted = acted.collect::<Result<Vec<_>, Fault>>()?;
        acted.retain(|(_, id)| own != Some(id.as_str()));
        acted.truncate(RESOURCE_LIMIT);
        acted.reverse();
        // It closes when the oldest of as many as it takes has left the window.
        let Some((oldest, _)) = acted.first().filter(|_| acted.len() == RESOURCE_LIMIT) else { return Ok(None) };
        let until = end_of_window(*oldest);
        Ok(Some(OpenBreaker::Resource { attempts: acted.into_iter().map(|(_, id)| id).collect(), until }))
    }

    /// Closes the breaker of a control on one resource, by hand: what was done until now no longer counts.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told.
    pub async fn reset_resource_breaker(&self, path: &ResourcePath, control: &str, act: &Act) -> Result<(), Fault> {
        let mut item = key(&decisions_on(path), &reset(control));
        item.insert("reset_at".to_owned(), instant(act.at));
        item.insert("by".to_owned(), text(&act.by));
        self.record(act, vec![self.put_any(item)?]).await
    }

    /// Closes a control's own breaker, by hand.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told.
    pub async fn reset_control_breaker(&self, control: &str, act: &Act) -> Result<(), Fault> {
        self.record(act, vec![self.delete_any(&breaker_of(control), ALONE)?]).await
    }

    /// What an attempt's end makes of its control's count, as part of the transaction that ends it: a failure is one more,
    /// a success begins anew, and what changed nothing says nothing.
    pub(super) fn counted(&self, it: &Attempt) -> Result<Option<TransactWriteItem>, Fault> {
        let update = Update::builder().table_name(&self.table).set_key(Some(key(&breaker_of(&it.control), ALONE)));
        let update = match it.outcome {
            Some(Outcome::Failed) => update
                .update_expression("ADD failures :one SET failed_at = :at")
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":at", instant(it.finished_at.unwrap_or(it.started_at))),
            Some(Outcome::Verified) => update
                .update_expression("SET failures = :none, failed_at = :at")
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":at", instant(Timestamp::UNIX_EPOCH)),
            _ => return Ok(None),
        };
        updating(update).map(Some)
    }
}

/// An instant as people read it.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn end_of_window(start: Timestamp) -> Timestamp {
    start.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
}

//! Breakers: they stop a control that fights over a resource, and a broken remediation that keeps failing.
//!
//! Each resource has a breaker per control, and each control has one for all its resources. A permanent refusal by the
//! service counts for the resource only. The control's breaker counts resources that failed otherwise, each once, until
//! one of them is fixed. So a resource that cannot be fixed blocks the others for a day at most.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use rectify_compliance::Timestamp;

use super::item::{instant, key, number, read_instant, read_number, read_text, text};
use super::key::{RESET, SINGLETON, acted_of, breaker_of, decisions_about, decisions_on, failed_of, lowest_id, reset};
use super::{Attempt, AuditEntry, Ledger, Outcome, ResourcePath, new_id};
use crate::Error;

/// How long remediations of one resource are counted, and failed resources of one control.
pub const WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How many remediations of one resource by one control within the window open its breaker; the same number of
/// consecutive failures does, too.
pub const RESOURCE_LIMIT: usize = 3;
/// How many failed resources within the window open a control's breaker.
pub const CONTROL_LIMIT: usize = 5;
/// How many remediations are read to decide: the current one may be among them.
const MAX_ACTED: i32 = 4;
/// How many failures are read to decide: a resource whose breaker was reset may be among them twice.
const MAX_FAILED: i32 = 10;
/// How often the open time of a resource that keeps failing doubles: up to eight days.
const MAX_DOUBLINGS: u32 = 3;
/// How long consecutive failures are kept after the last, seconds.
const STREAK_TTL: i64 = 30 * 24 * 3600;
/// How long a failure that counts for the control's breaker is kept, seconds.
const FAILED_TTL: i64 = 2 * 24 * 3600;

/// A breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenBreaker {
    /// The same control remediated the same resource too often: another principal keeps reverting it.
    Resource {
        /// The counted attempts, oldest first.
        attempts: Vec<String>,
        /// When it closes by itself.
        until: Timestamp,
    },
    /// The control's last remediations of this resource all failed.
    Failing {
        /// How many.
        failures: u32,
        /// When it closes by itself: one more attempt is made then.
        until: Timestamp,
    },
    /// The control's remediations of several resources failed, and none has succeeded since.
    Control {
        /// How many resources.
        resources: usize,
        /// When it closes by itself.
        until: Timestamp,
    },
}

impl OpenBreaker {
    /// When it closes by itself.
    pub const fn until(&self) -> Timestamp {
        match self {
            Self::Resource { until, .. } | Self::Failing { until, .. } | Self::Control { until, .. } => *until,
        }
    }
}

impl std::fmt::Display for OpenBreaker {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "breaker open until {}: ", seconds(self.until()))?;
        match self {
            Self::Resource { attempts, .. } => {
                write!(out, "remediated {} times within 24 hours ({})", attempts.len(), attempts.join(", "))
            }
            Self::Failing { failures, .. } => write!(out, "its last {failures} remediations failed"),
            Self::Control { resources, .. } => {
                write!(out, "remediations of {resources} resources failed within 24 hours, and none succeeded since")
            }
        }
    }
}

/// A resource's consecutive failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Streak {
    failures: u32,
    failed_at: Timestamp,
    /// Whether the control's breaker counts it.
    counted: bool,
}

impl Ledger {
    /// The open breaker that keeps `control` from acting on the resource at `path`, if there is one. `own` is the
    /// current attempt, which does not count against itself.
    ///
    /// # Errors
    /// [`Error::Ledger`]: a breaker that cannot be read is not closed.
    pub async fn open_breaker(
        &self,
        path: &ResourcePath,
        control: &str,
        own: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<OpenBreaker>, Error> {
        if let Some(open) = self.control_breaker(control, now).await? {
            return Ok(Some(open));
        }
        self.resource_breaker(path, control, own, now).await
    }

    /// A control's own breaker, if it is open. It counts resources that began to fail within the window, since the last
    /// success and since the last reset.
    ///
    /// # Errors
    /// [`Error::Ledger`]: a breaker that cannot be read is not closed.
    pub async fn control_breaker(&self, control: &str, now: Timestamp) -> Result<Option<OpenBreaker>, Error> {
        let mut since = start_of_window(now);
        if let Some(item) = self.get(&breaker_of(control), SINGLETON).await? {
            since = since.max(read_instant(&item, "closed_at")?);
        }
        since = since.max(self.reset_at(&decisions_about(control), RESET).await?);
        let items = self.newest(&failed_of(control), &lowest_id(since), MAX_FAILED).await?;
        let mut failed: Vec<(&str, Timestamp)> = Vec::new();
        for item in &items {
            let resource = read_text(item, "resource")?;
            if failed.iter().all(|(known, _)| *known != resource) {
                failed.push((resource, read_instant(item, "failed_at")?));
            }
        }
        // It closes when the oldest failure that keeps it open leaves the window.
        let until = failed.get(CONTROL_LIMIT - 1).map(|(_, at)| end_of_window(*at));
        Ok(until.map(|until| OpenBreaker::Control { resources: CONTROL_LIMIT, until }))
    }

    /// The breaker of one control on one resource, if it is open. It counts consecutive failures, and attempts that
    /// changed the resource within the window, both since the last reset and read consistently.
    ///
    /// # Errors
    /// [`Error::Ledger`]: a breaker that cannot be read is not closed.
    pub async fn resource_breaker(
        &self,
        path: &ResourcePath,
        control: &str,
        own: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<OpenBreaker>, Error> {
        let reset = self.reset_at(&decisions_on(path), &reset(control)).await?;
        if let Some(Streak { failures, failed_at, .. }) = self.streak(path, control, reset).await?
            && let Some(until) = open_until(failures, failed_at)
            && now < until
        {
            return Ok(Some(OpenBreaker::Failing { failures, until }));
        }
        let since = start_of_window(now).max(reset);
        let items = self.newest(&acted_of(control, path), &lowest_id(since), MAX_ACTED).await?;
        let acted = items.iter().map(|item| Ok((read_instant(item, "started_at")?, read_text(item, "sk")?.to_owned())));
        let mut acted = acted.collect::<Result<Vec<_>, Error>>()?;
        acted.retain(|(_, id)| own != Some(id.as_str()));
        acted.truncate(RESOURCE_LIMIT);
        acted.reverse();
        // It closes when the oldest attempt that keeps it open leaves the window.
        let Some((oldest, _)) = acted.first().filter(|_| acted.len() == RESOURCE_LIMIT) else { return Ok(None) };
        let until = end_of_window(*oldest);
        Ok(Some(OpenBreaker::Resource { attempts: acted.into_iter().map(|(_, id)| id).collect(), until }))
    }

    /// Resets the breaker of a control on one resource: earlier attempts and failures no longer count.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn reset_resource_breaker(
        &self,
        path: &ResourcePath,
        control: &str,
        entry: &AuditEntry,
    ) -> Result<(), Error> {
        let mut item = key(&decisions_on(path), &reset(control));
        item.insert("reset_at".to_owned(), instant(entry.at));
        item.insert("by".to_owned(), text(&entry.by));
        self.record(entry, vec![self.put_any(item)?]).await
    }

    /// Resets a control's own breaker: earlier failures no longer count.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn reset_control_breaker(&self, control: &str, entry: &AuditEntry) -> Result<(), Error> {
        let mut item = key(&decisions_about(control), RESET);
        item.insert("reset_at".to_owned(), instant(entry.at));
        item.insert("by".to_owned(), text(&entry.by));
        self.record(entry, vec![self.put_any(item)?]).await
    }

    /// When a breaker was last reset; the epoch if it never was.
    async fn reset_at(&self, pk: &str, sk: &str) -> Result<Timestamp, Error> {
        let item = self.get(pk, sk).await?;
        item.map_or(Ok(Timestamp::UNIX_EPOCH), |item| read_instant(&item, "reset_at"))
    }

    /// A resource's consecutive failures since `reset`, if there are any.
    async fn streak(&self, path: &ResourcePath, control: &str, reset: Timestamp) -> Result<Option<Streak>, Error> {
        let Some(item) = self.get(&breaker_of(control), path.as_str()).await? else { return Ok(None) };
        let failures = read_number(&item, "failures")?;
        let streak = Streak {
            failures: u32::try_from(failures)
                .map_err(|_| Error::Ledger(format!("failures: expected a count: received `{failures}`")))?,
            failed_at: read_instant(&item, "failed_at")?,
            counted: item.get("counted") == Some(&AttributeValue::Bool(true)),
        };
        Ok((streak.failures > 0 && streak.failed_at > reset).then_some(streak))
    }

    /// The breaker updates of an attempt that ends, as part of the transaction that ends it. A failure counts for its
    /// resource; the resource's first failure counts for the control, too, unless the service's refusal is permanent. A
    /// success closes both breakers. An attempt that changed nothing counts for neither.
    pub(super) async fn counted(&self, it: &Attempt) -> Result<Vec<TransactWriteItem>, Error> {
        let Some(outcome @ (Outcome::Failed | Outcome::Verified)) = it.outcome else { return Ok(Vec::new()) };
        let (control, path) = (it.control.as_str(), ResourcePath::of(&it.target));
        let at = it.finished_at.unwrap_or(it.started_at);
        let reset = self.reset_at(&decisions_on(&path), &reset(control)).await?;
        let before = self.streak(&path, control, reset).await?;
        let mut row = key(&breaker_of(control), path.as_str());
        row.insert("failed_at".to_owned(), instant(at));
        row.insert("expires".to_owned(), number(at.as_second() + STREAK_TTL));
        if outcome == Outcome::Verified {
            let mut closed = key(&breaker_of(control), SINGLETON);
            closed.insert("closed_at".to_owned(), instant(at));
            let mut writes = vec![self.put_any(closed)?];
            if before.is_some() {
                row.insert("failures".to_owned(), number(0));
                writes.push(self.put_any(row)?);
            }
            return Ok(writes);
        }
        let counted = before.is_some_and(|it| it.counted);
        let counts = !counted && !it.terminal;
        row.insert("failures".to_owned(), number(before.map_or(0, |it| it.failures).saturating_add(1)));
        row.insert("counted".to_owned(), AttributeValue::Bool(counted || counts));
        let mut writes = vec![self.put_any(row)?];
        if counts {
            let mut failed = key(&failed_of(control), &new_id(at));
            failed.insert("resource".to_owned(), text(path.as_str()));
            failed.insert("failed_at".to_owned(), instant(at));
            failed.insert("expires".to_owned(), number(at.as_second() + FAILED_TTL));
            writes.push(self.put_any(failed)?);
        }
        Ok(writes)
    }
}

/// When the breaker closes after this many consecutive failures; `None` below the limit.
fn open_until(failures: u32, failed_at: Timestamp) -> Option<Timestamp> {
    let limit = u32::try_from(RESOURCE_LIMIT).unwrap_or(u32::MAX);
    let doublings = failures.checked_sub(limit)?.min(MAX_DOUBLINGS);
    Some(failed_at.saturating_add(WINDOW * (1 << doublings)).unwrap_or(Timestamp::MAX))
}

/// An instant in whole seconds, for display.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn end_of_window(start: Timestamp) -> Timestamp {
    start.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
}

fn start_of_window(now: Timestamp) -> Timestamp {
    now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn failing_resource_is_blocked_for_a_day_then_twice_as_long_each_time_up_to_eight() {
        let at: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        for (failures, days) in
            [(0, None), (2, None), (3, Some(1)), (4, Some(2)), (5, Some(4)), (6, Some(8)), (99, Some(8))]
        {
            let until = days.map(|days| at + jiff::SignedDuration::from_hours(24 * days));
            assert_eq!(open_until(failures, at), until, "{failures}");
        }
    }
}

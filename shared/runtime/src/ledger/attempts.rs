//! Attempts in the table: begun in one transaction with budget and prior state, saved after every step, finished once.

use aws_sdk_dynamodb::types::TransactWriteItem;
use futures_util::{StreamExt, stream};
use rectify_compliance::{Target, Timestamp};

use super::breaker_blocked::breaker_blocked_item;
use super::chunking::{body_item, pack};
use super::in_progress::open_item;
use super::item::{Item, instant, key, number, read_text, text};
use super::key::{SINGLETON, acted_of, attempts_of, finding, open_entry, open_of, places_of};
use super::transact::{TransactionOutcome, lost};
use super::{ActionRecord, Attempt, Fence, Lease, Ledger, Outcome, Overruled, ResourcePath, State};
use crate::Error;

/// How long the outcome of a finding is kept, seconds: 30 days, longer than any event is retried.
const FINDING_TTL: i64 = 30 * 24 * 3600;
/// How long an acting attempt is kept in its list, seconds: longer than the window of the breaker.
const ACTED_TTL: i64 = 2 * 24 * 3600;
/// How many controls are searched concurrently for an attempt of which only the id is known.
const CONCURRENT_LOOKUPS: usize = 8;

/// Whether an attempt could begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginOutcome {
    /// Budget taken, prior state stored: it may act.
    Yes,
    /// The hour's budget is used up; nothing was written.
    OverBudget,
    /// A stop, hold or exemption was set after the gates were passed; nothing was written.
    Overruled(Overruled),
}

/// The latest outcome of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The attempt that last handled it.
    pub attempt: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its reason, as recorded; the same outcome for the same reason is not recorded twice.
    pub reason: String,
}

impl Ledger {
    /// Stores the attempt with its prior state and takes one from the budget, all or nothing, under the lease and the
    /// fence.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written or the lease was lost: then the resource must not be changed.
    pub async fn begin(
        &self,
        lease: &Lease,
        attempt: &Attempt,
        limit: u32,
        fence: &Fence<'_>,
    ) -> Result<BeginOutcome, Error> {
        if limit == 0 {
            return Ok(BeginOutcome::OverBudget);
        }
        // The resulting state and the actions must fit too; otherwise a change could be made but not recorded.
        let mut grown = attempt.clone();
        grown.after.clone_from(&attempt.before);
        grown
            .actions
            .extend(attempt.plan.calls().into_iter().map(|it| ActionRecord { action: it.clone(), receipt: None }));
        pack(&grown)?;
        let mut writes = vec![self.take_budget(attempt, limit)?, self.lease_condition(lease)?];
        writes.extend(self.attempt_items(attempt)?);
        writes.extend([self.put_new(place_item(attempt))?, self.put_new(open_item(attempt))?]);
        let own = writes.len();
        writes.extend(self.fenced(fence)?);
        match self.transact(writes, "begin").await? {
            TransactionOutcome::Done => Ok(BeginOutcome::Yes),
            TransactionOutcome::Refused(0) => Ok(BeginOutcome::OverBudget),
            TransactionOutcome::Refused(place) => {
                place.checked_sub(own).map(|it| BeginOutcome::Overruled(Overruled::by(it))).ok_or_else(|| lost(lease))
            }
        }
    }

    /// Stores the attempt right before an action, under the lease and the fence. If a stop, hold or exemption was set
    /// in the meantime, nothing is written, the answer says which, and the action must not be made.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`begin`](Self::begin).
    pub async fn save_before_action(
        &self,
        lease: &Lease,
        attempt: &Attempt,
        fence: &Fence<'_>,
    ) -> Result<Option<Overruled>, Error> {
        let mut writes = vec![self.lease_condition(lease)?];
        writes.extend(self.attempt_items(attempt)?);
        let own = writes.len();
        writes.extend(self.fenced(fence)?);
        match self.transact(writes, "save before an action").await? {
            TransactionOutcome::Done => Ok(None),
            TransactionOutcome::Refused(place) => {
                place.checked_sub(own).map(|it| Some(Overruled::by(it))).ok_or_else(|| lost(lease))
            }
        }
    }

    /// Stores the attempt as it is now, under the lease.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`begin`](Self::begin).
    pub async fn save(&self, lease: &Lease, attempt: &Attempt) -> Result<(), Error> {
        let mut writes = vec![self.lease_condition(lease)?];
        writes.extend(self.attempt_items(attempt)?);
        // An attempt that undo ended was open until now.
        if attempt.state == State::Finished {
            writes.extend(self.closing(attempt)?);
        }
        match self.transact(writes, "save").await? {
            TransactionOutcome::Done => Ok(()),
            TransactionOutcome::Refused(_) => Err(lost(lease)),
        }
    }

    /// Stores an attempt that has ended, with the outcome of its finding. An unused budget is given back, and a failure
    /// or success counts for the breakers. The attempt stays in the register of open attempts until its end is
    /// announced, a pending one until it ends.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`begin`](Self::begin).
    pub async fn finish(&self, lease: &Lease, attempt: &Attempt) -> Result<(), Error> {
        let gives_back = attempt.state == State::Finished && attempt.budgeted && !attempt.has_acted();
        let mut writes = vec![self.lease_condition(lease)?];
        writes.extend(self.attempt_items(attempt)?);
        writes.push(self.put_any(place_item(attempt))?);
        if let Some(outcome) = attempt.outcome {
            writes.push(self.put_any(finding_item(attempt, outcome))?);
        }
        match attempt.state {
            State::Open => writes.push(self.put_any(open_item(attempt))?),
            State::Finished => {
                writes.extend(self.closing(attempt)?);
                writes.extend(self.counted(attempt).await?);
            }
        }
        if let Some(item) = breaker_blocked_item(attempt, attempt.finished_at.unwrap_or(attempt.started_at))? {
            writes.push(self.put_any(item)?);
        }
        if gives_back {
            writes.push(self.give_back_budget(attempt)?);
        }
        match self.transact(writes, "finish").await? {
            TransactionOutcome::Done => Ok(()),
            TransactionOutcome::Refused(_) => Err(lost(lease)),
        }
    }

    /// The latest outcome of a finding, if there is one.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn finding(
        &self,
        control: &str,
        target: &Target,
        recorded_at: Timestamp,
    ) -> Result<Option<Finding>, Error> {
        let Some(item) = self.get(&finding(control, target, recorded_at), SINGLETON).await? else { return Ok(None) };
        let outcome = read_text(&item, "outcome")?;
        Ok(Some(Finding {
            attempt: read_text(&item, "attempt")?.to_owned(),
            outcome: serde_json::from_value(serde_json::Value::String(outcome.to_owned()))
                .map_err(|_| Error::Ledger(format!("outcome: unknown: received `{outcome}`")))?,
            reason: read_text(&item, "reason")?.to_owned(),
        }))
    }

    /// All attempts of a control on a resource, oldest first, for display.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or an attempt cannot be read.
    pub async fn attempts(&self, path: &ResourcePath, control: &str) -> Result<Vec<Attempt>, Error> {
        let mut attempts = Vec::new();
        for item in self.query(&attempts_of(control, path), "").await? {
            attempts.push(self.unpack(&item).await?);
        }
        Ok(attempts)
    }

    /// An attempt of a control by its id.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or the attempt cannot be read, or another attempt is stored at its place.
    pub async fn attempt(&self, control: &str, id: &str) -> Result<Option<Attempt>, Error> {
        let Some(place) = self.get(&places_of(control), id).await? else { return Ok(None) };
        let Some(item) = self.get(read_text(&place, "at_pk")?, read_text(&place, "at_sk")?).await? else {
            return Ok(None);
        };
        let attempt = self.unpack(&item).await?;
        if attempt.control != control || attempt.id != id {
            let (expected, received) = (format!("{control} {id}"), format!("{} {}", attempt.control, attempt.id));
            return Err(Error::Ledger(format!("attempt: expected `{expected}`: received `{received}`")));
        }
        Ok(Some(attempt))
    }

    /// An attempt by its id, among these controls.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`attempt`](Self::attempt).
    pub async fn find_attempt(
        &self,
        id: &str,
        controls: impl IntoIterator<Item = &str>,
    ) -> Result<Option<Attempt>, Error> {
        let mut lookups = stream::iter(controls).map(|control| self.attempt(control, id)).buffered(CONCURRENT_LOOKUPS);
        while let Some(found) = lookups.next().await {
            if let Some(attempt) = found? {
                return Ok(Some(attempt));
            }
        }
        Ok(None)
    }

    /// The writes for an attempt that ends: it leaves the register of open attempts, and counts for its resource's
    /// breaker if it acted. An attempt whose end is not announced yet stays in the register, so that a crash in between
    /// loses nothing.
    pub(super) fn closing(&self, it: &Attempt) -> Result<Vec<TransactWriteItem>, Error> {
        let path = ResourcePath::of(&it.target);
        let mut writes = vec![match it.is_unannounced() {
            true => self.put_any(open_item(it))?,
            false => self.delete_any(&open_of(&it.control), &open_entry(&path, &it.id))?,
        }];
        if it.has_acted() {
            let mut item = key(&acted_of(&it.control, &path), &it.id);
            item.insert("started_at".to_owned(), instant(it.started_at));
            item.insert("expires".to_owned(), number(it.started_at.as_second() + ACTED_TTL));
            writes.push(self.put_any(item)?);
        }
        Ok(writes)
    }

    /// The attempt and the parts of its states.
    pub(super) fn attempt_items(&self, it: &Attempt) -> Result<Vec<TransactWriteItem>, Error> {
        let packed = pack(it)?;
        let mut items = vec![body_item(it, packed.body)];
        items.extend(packed.parts);
        items.into_iter().map(|item| self.put_any(item)).collect()
    }
}

fn place_item(it: &Attempt) -> Item {
    let mut item = key(&places_of(&it.control), &it.id);
    item.insert("at_pk".to_owned(), text(attempts_of(&it.control, &ResourcePath::of(&it.target))));
    item.insert("at_sk".to_owned(), text(&it.id));
    item
}

fn finding_item(it: &Attempt, outcome: Outcome) -> Item {
    let mut item = key(&finding(&it.control, &it.target, it.recorded_at), SINGLETON);
    let now = it.finished_at.unwrap_or(it.started_at);
    item.insert("attempt".to_owned(), text(&it.id));
    item.insert("outcome".to_owned(), text(outcome.name()));
    item.insert("reason".to_owned(), text(&it.reason));
    item.insert("expires".to_owned(), number(now.as_second() + FINDING_TTL));
    item
}

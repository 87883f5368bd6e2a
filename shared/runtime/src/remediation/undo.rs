//! Undo: restores the prior state of an attempt, unless the resource was changed since.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{AccountId, StoredState, Target, Timestamp};
use serde_json::Value;

use super::deployed::{Deployed, Reverts};
use super::stages::{Found, Stages};
use super::{difference, sending, settling};
use crate::Error;
use crate::clients::Pool;
use crate::ledger::{Attempt, Hold, Lease, Ledger, ResourcePath, State, UndoRecord, new_id};
use crate::retry::Backoff;
use crate::writer::Writer;

/// How long the lease of an undo lasts after each step: longer than any call with its live read.
const LEASE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// A request to undo an attempt, and how long to hold the resource afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The attempt's id.
    pub attempt: String,
    /// Who requests it.
    pub by: String,
    /// The duration of the hold, days; without it the next finding would redo the fix within seconds.
    pub hold_days: u16,
    /// Whether to overwrite later changes: the decision of an operator who has seen the difference.
    pub overwrite: bool,
}

/// The result of an undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// The touched fields have their prior values.
    Restored {
        /// The calls that undid the attempt, for display.
        calls: Vec<String>,
        /// When the hold ends.
        held_until: Timestamp,
    },
    /// It was undone before; no call was made.
    AlreadyUndone,
    /// The attempt had changed nothing.
    NothingToUndo,
}

/// Undoes an attempt.
///
/// # Errors
/// [`Error::UndoRefused`] when nothing was changed: the touched fields have neither the state after the attempt nor
/// that of an interrupted undo (with the difference), an action cannot be undone, or the service refused the first
/// call. [`Error::UndoFailed`] when a later call failed or the touched fields do not read back as before. Both say
/// whether the resource is held. Other errors as for a remediation.
pub async fn undo(
    deployed: &Deployed<dyn Reverts>,
    ledger: &Ledger,
    pool: &Pool<dyn Reverts>,
    own: &AccountId,
    request: &UndoRequest,
) -> Result<Undone, Error> {
    let (id, control) = (deployed.meta.id, deployed.control);
    let refused = |reason: String| Error::UndoRefused { attempt: request.attempt.clone(), reason };
    let unknown = || refused(format!("no such attempt of control `{id}`"));
    let now = Timestamp::now();
    let attempt = ledger.attempt(id, &request.attempt).await?.ok_or_else(unknown)?;
    let path = ResourcePath::of(&attempt.target);
    let target = attempt.target;
    let reading = pool.at(own, &target.account, &target.region).await?;
    let writing = pool.writer(own, &target.account, &target.region).await?;
    let lease = ledger.lease(&path, &format!("undo-{}", new_id(now)), now, lease_end()).await?;
    let (path, target, reading, writing) = (&path, &target, &*reading, &*writing);
    let run = UndoRun { id, control, ledger, lease: &lease, path, target, reading, writing, request };
    let result = Box::pin(run.execute()).await;
    let result = match result {
        Err(error) => Err(run.with_hold(error).await),
        done => done,
    };
    let released = ledger.release(&lease).await;
    let undone = result?;
    released?;
    Ok(undone)
}

fn lease_end() -> Timestamp {
    Timestamp::now().saturating_add(LEASE).unwrap_or(Timestamp::MAX)
}

/// One undo under its lease.
struct UndoRun<'a> {
    id: &'static str,
    control: &'static dyn ErasedRemediation,
    ledger: &'a Ledger,
    lease: &'a Lease,
    path: &'a ResourcePath,
    target: &'a Target,
    reading: &'a dyn Reverts,
    writing: &'a Writer<dyn Reverts>,
    request: &'a UndoRequest,
}

/// The expected stages of an undo, compared before each retry.
struct Course<'a> {
    parameters: &'a str,
    actions: &'a [Value],
    stages: Stages,
}

/// Why a call of an undo is not known to be done.
struct Failure {
    reason: String,
    lost: bool,
}

impl UndoRun<'_> {
    fn refused(&self, reason: impl Into<String>) -> Error {
        Error::UndoRefused { attempt: self.request.attempt.clone(), reason: reason.into() }
    }

    fn failed(&self, reason: impl Into<String>) -> Error {
        Error::UndoFailed { attempt: self.request.attempt.clone(), reason: reason.into() }
    }

    async fn execute(&self) -> Result<Undone, Error> {
        let (id, control) = (self.id, self.control);
        // Read again under the lease: it may have been undone in the meantime.
        let found = self.ledger.attempt(id, &self.request.attempt).await?;
        let mut attempt = found.ok_or_else(|| self.refused(format!("no such attempt of control `{id}`")))?;
        if attempt.undo.as_ref().is_some_and(|record| record.finished_at.is_some()) {
            return Ok(Undone::AlreadyUndone);
        }
        let Some(before) = attempt.before.clone().filter(|_| attempt.has_acted()) else {
            return Ok(Undone::NothingToUndo);
        };
        let parameters = attempt.parameters.clone();
        let live = self.reading.live(self.target, &parameters).await?;
        let live = live.ok_or_else(|| self.refused("the resource is gone"))?.image;
        Box::pin(self.settle(&mut attempt, &live)).await?;
        let earlier = attempt.clone();
        let actions = settling::actions_of(&attempt);
        if actions.is_empty() {
            return Ok(Undone::NothingToUndo);
        }
        let answers: Vec<Value> = attempt.done().map(|(_, answer)| answer.clone()).collect();
        let calls = control.undo(&before, &actions, &answers)?;
        let calls = calls.map_err(|error| self.refused(error.to_string()))?;
        let stages = Stages::of(control, &before, &actions, &answers, &calls)?;
        let course = Course { parameters: &parameters, actions: &actions, stages };
        let (start, overwrote) =
            match course.stages.find(&control.touched_fields(&live, &actions)?, attempt.undo.as_ref()) {
                Found::After(number) => (number, None),
                Found::Changed(text) if self.request.overwrite => (0, Some(text)),
                Found::Changed(text) => return Err(self.refused(format!("changed since: {text}"))),
            };
        let now = Timestamp::now();
        let record = UndoRecord {
            by: self.request.by.clone(),
            started_at: now,
            finished_at: None,
            calls: calls.clone(),
            begun: Some(start),
            answered: start,
            overwrote,
        };
        attempt.undo = Some(record);
        // Otherwise the next delivery would resume an interrupted attempt despite the hold.
        attempt.state = State::Finished;
        attempt.finished_at.get_or_insert(now);
        let held_until = Box::pin(self.make_calls(&mut attempt, &earlier, &calls, &course, start)).await?;
        let prior = control.touched_fields(&before, &actions)?;
        if let Some(text) = self.read_back(&course, &prior).await? {
            return Err(self.failed(format!("every call succeeded, but the resource is not restored: {text}")));
        }
        if let Some(record) = &mut attempt.undo {
            record.finished_at = Some(Timestamp::now());
        }
        self.ledger.save(self.lease, &attempt).await?;
        Ok(Undone::Restored { calls: calls.iter().map(rectify_compliance::plan::call_text).collect(), held_until })
    }

    /// Settles actions without a known answer by the live state.
    async fn settle(&self, attempt: &mut Attempt, live: &StoredState) -> Result<(), Error> {
        let writer = self.writing.clients();
        settling::settle(self.control, self.ledger, self.lease, writer, attempt, live, None).await?;
        match attempt.actions.iter().find(|record| record.receipt.is_none()) {
            None => Ok(()),
            Some(unknown) => Err(self.refused(format!(
                "`{}` may have been applied, and the service is still changing the resource: try again when it is done",
                unknown.action
            ))),
        }
    }

    /// Makes the calls from number `start` on, each recorded before it is sent; returns when the hold ends.
    async fn make_calls(
        &self,
        attempt: &mut Attempt,
        earlier: &Attempt,
        calls: &[Value],
        course: &Course<'_>,
        start: usize,
    ) -> Result<Timestamp, Error> {
        let now = Timestamp::now();
        let current = self.ledger.hold_on(self.path, self.id, now).await?;
        let days = jiff::SignedDuration::from_hours(24 * i64::from(self.request.hold_days));
        let hold = Hold {
            control: self.id.to_owned(),
            by: self.request.by.clone(),
            reason: format!("undo of {}", attempt.id),
            until: now.saturating_add(days).unwrap_or(Timestamp::MAX),
        };
        // A longer hold is an operator's decision and stays.
        let longer = current.as_ref().filter(|it| it.until >= hold.until);
        let held_until = longer.map_or(hold.until, |it| it.until);
        let set = longer.is_none().then_some(&hold);
        let is_first = earlier.undo.is_none();
        if start >= calls.len() {
            self.ledger.begin_undo(self.lease, attempt, set, lease_end()).await?;
        }
        for (index, call) in calls.iter().enumerate().skip(start) {
            record_progress(attempt, index + 1, index);
            if index == start {
                self.ledger.begin_undo(self.lease, attempt, set, lease_end()).await?;
            }
            let sent = Box::pin(self.send(attempt, call, course, index, index == start)).await?;
            let Err(Failure { reason, lost }) = sent else { continue };
            let number = index + 1;
            let text = format!("call {number} of {}: {reason}", calls.len());
            if index == start && is_first && !lost {
                let ended = Hold { until: now, ..hold.clone() };
                let earlier_hold = set.map(|_| current.as_ref().unwrap_or(&ended));
                self.ledger.roll_back_undo(self.lease, earlier, earlier_hold).await?;
                return Err(self.refused(format!("{text}: nothing was changed")));
            }
            record_progress(attempt, if lost { number } else { index }, index);
            self.ledger.save_undo(self.lease, attempt, lease_end()).await?;
            let unknown = if lost { ", and perhaps this one" } else { "" };
            return Err(self
                .failed(format!("{text}: calls made before it: {index}{unknown}; another undo continues from there")));
        }
        record_progress(attempt, calls.len(), calls.len());
        Ok(held_until)
    }

    /// Sends one call after it was recorded. A transient failure is retried only if a live read shows that the call had
    /// no effect. `is_recorded` if the transaction that began the undo recorded it.
    async fn send(
        &self,
        attempt: &Attempt,
        call: &Value,
        course: &Course<'_>,
        index: usize,
        is_recorded: bool,
    ) -> Result<Result<(), Failure>, Error> {
        let overwrites = attempt.undo.as_ref().is_some_and(|it| it.overwrote.is_some());
        let mut lost = false;
        let mut tries = Backoff::ACTION.tries();
        loop {
            let is_repeated = tries.next().await.is_some_and(|number| number > 0);
            if is_repeated {
                let live = match self.reading.live(self.target, course.parameters).await {
                    Ok(live) => live,
                    Err(error) => return Ok(Err(Failure { reason: error.to_string(), lost })),
                };
                let seen = live.map(|live| self.control.touched_fields(&live.image, course.actions));
                let seen = seen.transpose()?.unwrap_or_default();
                let stages = &course.stages;
                if stages.is_after(index + 1, &seen) && !stages.is_after(index, &seen) {
                    return Ok(Ok(()));
                }
                let is_known = stages.knows(index) && stages.knows(index + 1);
                if is_known && !overwrites && !stages.is_after(index, &seen) {
                    let reason = "changed outside this undo before the call could be retried".to_owned();
                    return Ok(Err(Failure { reason, lost }));
                }
            }
            // Without the lease nothing is sent, and the lease outlasts the call.
            if is_repeated || !is_recorded {
                self.ledger.save_undo(self.lease, attempt, lease_end()).await?;
            }
            let mark = self.writing.mark();
            let Err(error) = self.writing.clients().revert(self.target, call).await else {
                return Ok(Ok(()));
            };
            lost |= self.writing.may_have_arrived(mark, &error);
            if !sending::is_passing(&error) || tries.is_last() {
                return Ok(Err(Failure { reason: error.to_string(), lost }));
            }
        }
    }

    /// Reads until the touched fields equal `prior`; the remaining difference when the tries are used up.
    async fn read_back(&self, course: &Course<'_>, prior: &Value) -> Result<Option<String>, Error> {
        let mut text = String::new();
        let mut tries = Backoff::VERIFY.tries();
        while tries.next().await.is_some() {
            let live = self.reading.live(self.target, course.parameters).await;
            let live = live.map_err(|error| {
                self.failed(format!("every call succeeded, but the resource cannot be read: {error}"))
            })?;
            let Some(live) = live else { return Ok(Some("the resource is gone".to_owned())) };
            text = difference::text(prior, &self.control.touched_fields(&live.image, course.actions)?);
            if text.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(text))
    }

    /// A refusal or failure that says whether the resource is held: if it is not, the fix may return.
    async fn with_hold(&self, error: Error) -> Error {
        if !matches!(error, Error::UndoRefused { .. } | Error::UndoFailed { .. }) {
            return error;
        }
        let held = match self.ledger.hold_on(self.path, self.id, Timestamp::now()).await {
            Ok(Some(hold)) => format!("; held by {} until {}", hold.by, hold.until),
            Ok(None) => "; the resource is not held".to_owned(),
            Err(error) => format!("; unknown whether the resource is held: {error}"),
        };
        match error {
            Error::UndoRefused { attempt, reason } => Error::UndoRefused { attempt, reason: reason + &held },
            Error::UndoFailed { attempt, reason } => Error::UndoFailed { attempt, reason: reason + &held },
            other => other,
        }
    }
}

fn record_progress(attempt: &mut Attempt, begun: usize, answered: usize) {
    if let Some(record) = &mut attempt.undo {
        (record.begun, record.answered) = (Some(begun), answered);
    }
}

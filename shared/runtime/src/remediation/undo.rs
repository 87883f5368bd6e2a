//! Undo: the way back, from the before-image, unless somebody changed the resource since.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, Declared, Remediation, ShapeError, Target, Timestamp};
use serde_json::Value;

use super::stages::{Found, Stages};
use super::{difference, sending, settling};
use crate::Fault;
use crate::clients::Pool;
use crate::edge::{Apply, Connect, ReadLive, Revert};
use crate::ledger::{Attempt, Hold, Lease, Ledger, ResourcePath, State, UndoRecord, new_id};
use crate::retry::Backoff;
use crate::writer::Writer;

/// How long the lease of an undo lives after each step of it: longer than any call with its live read.
const LEASE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Who undoes, and how long the control must leave the resource alone afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The attempt's id.
    pub attempt: String,
    /// Who undoes.
    pub by: String,
    /// How long the hold lasts, days; without it the next finding would redo the fix within seconds.
    pub hold_days: u16,
    /// Whether what somebody else changed since is overwritten: a person's decision, who has seen the difference.
    pub overwrite: bool,
}

/// How an undo ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// The footprint is as it was before.
    Restored {
        /// The calls that take the attempt back, as people read them.
        calls: Vec<String>,
        /// Until when the resource is held.
        held_until: Timestamp,
    },
    /// It had been undone before; nothing was called.
    AlreadyUndone,
    /// The attempt had changed nothing.
    NothingToUndo,
}

/// Takes an attempt back.
///
/// # Errors
/// [`Fault::UndoRefused`] when nothing was changed: the live footprint is neither what the attempt left nor what an undo of it
/// that broke off left (with the difference), something cannot be taken back, or the service refused the first call.
/// [`Fault::UndoFailed`] when a later call failed or the footprint does not read back as before. Both say whether the resource
/// is held. Other faults as for a remediation.
pub async fn undo<K, C>(
    control: &'static Declared<K>,
    ledger: &Ledger,
    pool: &Pool<C>,
    own: &AccountId,
    request: &UndoRequest,
) -> Result<Undone, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C> + Revert<C>,
    C: Connect,
{
    let refused = |reason: String| Fault::UndoRefused { attempt: request.attempt.clone(), reason };
    let unknown = || refused(format!("no such attempt of control `{}`", control.meta.id));
    let now = Timestamp::now();
    let attempt = ledger.attempt(control.meta.id, &request.attempt).await?.ok_or_else(unknown)?;
    let path = ResourcePath::of(&attempt.target);
    let target = attempt.target;
    let reading = pool.at(own, &target.account, &target.region).await?;
    let writing = pool.writer(own, &target.account, &target.region).await?;
    let lease = ledger.lease(&path, &format!("undo-{}", new_id(now)), now, lease_end()).await?;
    let way =
        Way { ledger, lease: &lease, path: &path, target: &target, reading: &*reading, writing: &writing, request };
    let result = Box::pin(way.go(control)).await;
    let result = match result {
        Err(fault) => Err(way.with_hold(control, fault).await),
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
struct Way<'a, C> {
    ledger: &'a Ledger,
    lease: &'a Lease,
    path: &'a ResourcePath,
    target: &'a Target,
    reading: &'a C,
    writing: &'a Writer<C>,
    request: &'a UndoRequest,
}

/// What every call of an undo is compared with.
struct Course<'a, K: Remediation> {
    params: &'a K::Params,
    actions: &'a [K::Action],
    stages: Stages,
}

/// Why a call of an undo is not known to be done.
struct Failure {
    reason: String,
    lost: bool,
}

impl<C: Connect> Way<'_, C> {
    fn refused(&self, reason: impl Into<String>) -> Fault {
        Fault::UndoRefused { attempt: self.request.attempt.clone(), reason: reason.into() }
    }

    fn failed(&self, reason: impl Into<String>) -> Fault {
        Fault::UndoFailed { attempt: self.request.attempt.clone(), reason: reason.into() }
    }

    async fn go<K>(&self, control: &'static Declared<K>) -> Result<Undone, Fault>
    where
        K: Remediation + ReadLive<C> + Apply<C> + Revert<C>,
    {
        // Read again under the lease: somebody may have undone it while we waited.
        let found = self.ledger.attempt(control.meta.id, &self.request.attempt).await?;
        let mut attempt =
            found.ok_or_else(|| self.refused(format!("no such attempt of control `{}`", control.meta.id)))?;
        if attempt.undo.as_ref().is_some_and(|record| record.finished_at.is_some()) {
            return Ok(Undone::AlreadyUndone);
        }
        let Some(before) = attempt.before.as_ref().filter(|_| attempt.has_acted()) else {
            return Ok(Undone::NothingToUndo);
        };
        let before: K::Subject = before.read()?;
        let params = RuleParameters::<K::Params>::parse(Some(&attempt.parameters))?.control;
        let live = control.logic.live(self.reading, self.target, &params).await?;
        let live = live.ok_or_else(|| self.refused("the resource is gone"))?;
        Box::pin(self.settle(control, &mut attempt, &live)).await?;
        let earlier = attempt.clone();
        let actions = settling::actions_of::<K>(&attempt)?;
        if actions.is_empty() {
            return Ok(Undone::NothingToUndo);
        }
        let answers: Vec<Value> = attempt.done().map(|(_, answer)| answer.clone()).collect();
        let calls = control.logic.undo_answered(&before, &actions, &answers);
        let calls = calls.map_err(|error| self.refused(error.to_string()))?;
        let stages = Stages::of(control, &before, &actions, &answers, &calls);
        let course = Course::<K> { params: &params, actions: &actions, stages };
        let (start, overwrote) =
            match course.stages.find(&control.logic.footprint(&live, &actions), attempt.undo.as_ref()) {
                Found::After(number) => (number, None),
                Found::Changed(text) if self.request.overwrite => (0, Some(text)),
                Found::Changed(text) => return Err(self.refused(format!("changed since: {text}"))),
            };
        let texts = calls.iter().map(json).collect::<Result<Vec<Value>, _>>()?;
        let now = Timestamp::now();
        let record = UndoRecord {
            by: self.request.by.clone(),
            started_at: now,
            finished_at: None,
            calls: texts,
            begun: Some(start),
            answered: start,
            overwrote,
        };
        attempt.undo = Some(record);
        // An attempt that broke off would be resumed by its next delivery, past the hold.
        attempt.state = State::Finished;
        attempt.finished_at.get_or_insert(now);
        let held_until = Box::pin(self.play(control, &mut attempt, &earlier, &calls, &course, start)).await?;
        let wanted = control.logic.footprint(&before, &actions);
        if let Some(text) = self.read_back(control, &course, &wanted).await? {
            return Err(self.failed(format!("every call was answered, and the resource is not restored: {text}")));
        }
        if let Some(record) = &mut attempt.undo {
            record.finished_at = Some(Timestamp::now());
        }
        self.ledger.save(self.lease, &attempt).await?;
        Ok(Undone::Restored { calls: calls.iter().map(rectify_compliance::plan::call_text).collect(), held_until })
    }

    /// Actions that nobody knows the answer of, settled by what is there.
    async fn settle<K>(
        &self,
        control: &'static Declared<K>,
        attempt: &mut Attempt,
        live: &K::Subject,
    ) -> Result<(), Fault>
    where
        K: Remediation + Apply<C>,
    {
        settling::settle(control, self.ledger, self.lease, self.writing, attempt, live, None).await?;
        match attempt.actions.iter().find(|record| record.receipt.is_none()) {
            None => Ok(()),
            Some(unknown) => Err(self.refused(format!(
                "`{}` may have arrived, and the service still works on the resource: try again when it is done",
                unknown.action
            ))),
        }
    }

    /// Plays the calls from number `start` on, each noted before it is sent; until when the resource is held.
    async fn play<K>(
        &self,
        control: &'static Declared<K>,
        attempt: &mut Attempt,
        earlier: &Attempt,
        calls: &[K::Undo],
        course: &Course<'_, K>,
        start: usize,
    ) -> Result<Timestamp, Fault>
    where
        K: Remediation + ReadLive<C> + Revert<C>,
    {
        let now = Timestamp::now();
        let standing = self.ledger.hold_on(self.path, control.meta.id, now).await?;
        let days = jiff::SignedDuration::from_hours(24 * i64::from(self.request.hold_days));
        let hold = Hold {
            control: control.meta.id.to_owned(),
            by: self.request.by.clone(),
            reason: format!("undo of {}", attempt.id),
            until: now.saturating_add(days).unwrap_or(Timestamp::MAX),
        };
        // A hold that lasts longer is somebody's decision, too.
        let longer = standing.as_ref().filter(|it| it.until >= hold.until);
        let held_until = longer.map_or(hold.until, |it| it.until);
        let set = longer.is_none().then_some(&hold);
        let is_first = earlier.undo.is_none();
        if start >= calls.len() {
            self.ledger.begin_undo(self.lease, attempt, set, lease_end()).await?;
        }
        for (index, call) in calls.iter().enumerate().skip(start) {
            note(attempt, index + 1, index);
            if index == start {
                self.ledger.begin_undo(self.lease, attempt, set, lease_end()).await?;
            }
            let sent = Box::pin(self.send(control, attempt, call, course, index, index == start)).await?;
            let Err(Failure { reason, lost }) = sent else { continue };
            let number = index + 1;
            let told = format!("call {number} of {}: {reason}", calls.len());
            if index == start && is_first && !lost {
                let ended = Hold { until: now, ..hold.clone() };
                let as_it_was = set.map(|_| standing.as_ref().unwrap_or(&ended));
                self.ledger.take_back_undo(self.lease, earlier, as_it_was).await?;
                return Err(self.refused(format!("{told}: nothing was changed")));
            }
            note(attempt, if lost { number } else { index }, index);
            self.ledger.save_undo(self.lease, attempt, lease_end()).await?;
            let unknown = if lost { ", and perhaps this one" } else { "" };
            return Err(
                self.failed(format!("{told}: calls made before it: {index}{unknown}; undo again goes on from there"))
            );
        }
        note(attempt, calls.len(), calls.len());
        Ok(held_until)
    }

    /// Sends one call after it was noted; again, where it failed in passing, only while the live read says that it did not
    /// arrive. `is_noted` where that was done in the transaction that began the undo.
    async fn send<K>(
        &self,
        control: &'static Declared<K>,
        attempt: &Attempt,
        call: &K::Undo,
        course: &Course<'_, K>,
        index: usize,
        is_noted: bool,
    ) -> Result<Result<(), Failure>, Fault>
    where
        K: Remediation + ReadLive<C> + Revert<C>,
    {
        let overwrites = attempt.undo.as_ref().is_some_and(|it| it.overwrote.is_some());
        let mut lost = false;
        let mut tries = Backoff::ACTION.tries();
        loop {
            let is_repeated = tries.next().await.is_some_and(|number| number > 0);
            if is_repeated {
                let live = match control.logic.live(self.reading, self.target, course.params).await {
                    Ok(live) => live,
                    Err(error) => return Ok(Err(Failure { reason: error.to_string(), lost })),
                };
                let seen = live.map(|live| control.logic.footprint(&live, course.actions)).unwrap_or_default();
                let stages = &course.stages;
                if stages.is_after(index + 1, &seen) && !stages.is_after(index, &seen) {
                    return Ok(Ok(()));
                }
                let is_known = stages.knows(index) && stages.knows(index + 1);
                if is_known && !overwrites && !stages.is_after(index, &seen) {
                    let reason = "changed by somebody else before it could be repeated".to_owned();
                    return Ok(Err(Failure { reason, lost }));
                }
            }
            // Whoever lost the lease sends nothing, and the lease outlives the call.
            if is_repeated || !is_noted {
                self.ledger.save_undo(self.lease, attempt, lease_end()).await?;
            }
            let mark = self.writing.mark();
            let Err(error) = control.logic.revert(self.writing.clients(), self.target, call).await else {
                return Ok(Ok(()));
            };
            lost |= self.writing.may_have_arrived(mark, &error);
            if !sending::is_passing(&error) || tries.is_last() {
                return Ok(Err(Failure { reason: error.to_string(), lost }));
            }
        }
    }

    /// Reads until the footprint is the wanted one; how it still differs when the tries are used up.
    async fn read_back<K>(
        &self,
        control: &'static Declared<K>,
        course: &Course<'_, K>,
        wanted: &Value,
    ) -> Result<Option<String>, Fault>
    where
        K: Remediation + ReadLive<C>,
    {
        let mut text = String::new();
        let mut tries = Backoff::VERIFY.tries();
        while tries.next().await.is_some() {
            let live = control.logic.live(self.reading, self.target, course.params).await;
            let live = live.map_err(|error| self.failed(format!("every call was answered, and then: {error}")))?;
            let Some(live) = live else { return Ok(Some("the resource is gone".to_owned())) };
            text = difference::text(wanted, &control.logic.footprint(&live, course.actions));
            if text.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(text))
    }

    /// A refusal or failure that says whether the resource is held: whoever reads it must know whether the fix stands guard.
    async fn with_hold<K: Remediation>(&self, control: &'static Declared<K>, fault: Fault) -> Fault {
        if !matches!(fault, Fault::UndoRefused { .. } | Fault::UndoFailed { .. }) {
            return fault;
        }
        let held = match self.ledger.hold_on(self.path, control.meta.id, Timestamp::now()).await {
            Ok(Some(hold)) => format!("; held by {} until {}", hold.by, hold.until),
            Ok(None) => "; the resource is not held".to_owned(),
            Err(error) => format!("; whether the resource is held is not known: {error}"),
        };
        match fault {
            Fault::UndoRefused { attempt, reason } => Fault::UndoRefused { attempt, reason: reason + &held },
            Fault::UndoFailed { attempt, reason } => Fault::UndoFailed { attempt, reason: reason + &held },
            other => other,
        }
    }
}

fn note(attempt: &mut Attempt, begun: usize, answered: usize) {
    if let Some(record) = &mut attempt.undo {
        (record.begun, record.answered) = (Some(begun), answered);
    }
}

fn json<T: serde::Serialize>(call: &T) -> Result<Value, ShapeError> {
    serde_json::to_value(call).map_err(|error| ShapeError::new("undo", "a JSON form", error))
}

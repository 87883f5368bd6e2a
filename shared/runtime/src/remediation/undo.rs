//! Undo: the way back, from the before-image, unless somebody changed the resource since.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, Remediation, ShapeError, Target, Timestamp};
use serde_json::Value;

use super::{acting, difference};
use crate::Fault;
use crate::clients::Pool;
use crate::edge::{Connect, ReadLive, Revert};
use crate::ledger::{Attempt, Hold, Ledger, ResourcePath, State, UndoRecord, new_id};
use crate::retry::Backoff;

/// How long an undo may take: its lease's life.
const LEASE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Who undoes, and how long the control must leave the resource alone afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The attempt's id.
    pub attempt: String,
    /// Who asked.
    pub by: String,
    /// How long the hold lasts, days; without it the next finding would redo the fix within seconds.
    pub hold_days: u16,
}

/// How an undo ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// The footprint is as it was before.
    Restored {
        /// The calls that were played, as people read them.
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
/// [`Fault::UndoRefused`] when the live footprint is no longer what the attempt left (with the difference), when something
/// cannot be taken back, or when the footprint does not read back as before; other faults as for a remediation.
pub async fn undo<K, C>(
    ledger: &Ledger,
    pool: &Pool<C>,
    own: &AccountId,
    request: &UndoRequest,
) -> Result<Undone, Fault>
where
    K: Remediation + ReadLive<C> + Revert<C>,
    C: Connect,
{
    let refused = |reason: String| Fault::UndoRefused { attempt: request.attempt.clone(), reason };
    let unknown = || refused(format!("no such attempt of control `{}`", K::META.id));
    let now = Timestamp::now();
    let attempt = ledger.attempt(K::META.id, &request.attempt).await?.ok_or_else(unknown)?;
    let path = ResourcePath::of(&attempt.target);
    let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
    let lease = ledger.lease(&path, &format!("undo-{}", new_id(now)), now, until).await?;
    let result = leased::<K, C>(ledger, pool, own, request, &lease, &path).await;
    let released = ledger.release(&lease).await;
    let undone = result?;
    released?;
    Ok(undone)
}

async fn leased<K, C>(
    ledger: &Ledger,
    pool: &Pool<C>,
    own: &AccountId,
    request: &UndoRequest,
    lease: &crate::ledger::Lease,
    path: &ResourcePath,
) -> Result<Undone, Fault>
where
    K: Remediation + ReadLive<C> + Revert<C>,
    C: Connect,
{
    let refused = |reason: String| Fault::UndoRefused { attempt: request.attempt.clone(), reason };
    let unknown = || refused(format!("no such attempt of control `{}`", K::META.id));
    // Read again under the lease: somebody may have undone it while we waited.
    let mut attempt = ledger.attempt(K::META.id, &request.attempt).await?.ok_or_else(unknown)?;
    if attempt.undo.as_ref().is_some_and(|record| record.finished_at.is_some()) {
        return Ok(Undone::AlreadyUndone);
    }
    if let Some(unknown) = attempt.actions.iter().find(|record| record.receipt.is_none()) {
        let action = &unknown.action;
        let until = "its answer is not known until the remediation runs again";
        return Err(refused(format!("`{action}` may have arrived: {until}")));
    }
    let done = done_of::<K>(&attempt)?;
    let Some(before) = attempt.before.as_ref().filter(|_| !done.is_empty()) else { return Ok(Undone::NothingToUndo) };
    let before: K::Subject = before.read()?;
    let actions = acting::actions_of::<K>(&attempt)?;
    let params = RuleParameters::<K::Params>::parse(Some(&attempt.parameters))?.control;
    let target = attempt.target.clone();
    let clients = pool.at(own, &target.account, &target.region).await?;
    let Some(live) = K::live(&clients, &target, &params).await? else {
        return Err(refused("the resource is gone".to_owned()));
    };
    // An undo that broke off half-way left a footprint of its own; its calls are safe to repeat.
    if attempt.undo.is_none()
        && let Some(text) = changed_since::<K>(&attempt, &before, &live, &actions)?
    {
        return Err(refused(format!("changed since: {text}")));
    }
    let calls = K::undo(&before, &done).map_err(|error| refused(error.to_string()))?;
    let now = Timestamp::now();
    let held_until = now
        .saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(request.hold_days)))
        .unwrap_or(Timestamp::MAX);
    let hold = Hold {
        control: attempt.control.clone(),
        by: request.by.clone(),
        reason: format!("undo of {}", attempt.id),
        until: held_until,
    };
    ledger.set_hold(path, &hold).await?;
    let as_json = |call| serde_json::to_value(call).map_err(|error| ShapeError::new("undo", "a JSON form", error));
    attempt.undo = Some(UndoRecord {
        by: request.by.clone(),
        started_at: now,
        finished_at: None,
        calls: calls.iter().map(as_json).collect::<Result<Vec<Value>, _>>()?,
    });
    // An attempt that broke off would be resumed by its next delivery, past the hold.
    attempt.state = State::Finished;
    attempt.finished_at.get_or_insert(now);
    ledger.save(lease, &attempt).await?;
    for call in &calls {
        K::revert(&clients, &target, call).await?;
    }
    let difference = read_back::<K, C>(&clients, &target, &params, &K::footprint(&before, &actions), &actions).await?;
    if let Some(text) = difference {
        return Err(refused(format!("not restored: {text}")));
    }
    if let Some(record) = &mut attempt.undo {
        record.finished_at = Some(Timestamp::now());
    }
    ledger.save(lease, &attempt).await?;
    Ok(Undone::Restored { calls: calls.iter().map(rectify_compliance::plan::call_text).collect(), held_until })
}

/// How the live footprint differs from the one the attempt left behind, if it does.
fn changed_since<K: Remediation>(
    attempt: &Attempt,
    before: &K::Subject,
    live: &K::Subject,
    actions: &[K::Action],
) -> Result<Option<String>, ShapeError> {
    let left: K::Subject = match &attempt.after {
        Some(after) => after.read()?,
        None => actions.iter().fold(before.clone(), K::expect),
    };
    let text = difference::text(&K::footprint(&left, actions), &K::footprint(live, actions));
    Ok((!text.is_empty()).then_some(text))
}

/// Reads until the footprint is the wanted one; how it still differs when the tries are used up.
async fn read_back<K, C>(
    clients: &C,
    target: &Target,
    params: &K::Params,
    wanted: &Value,
    actions: &[K::Action],
) -> Result<Option<String>, Fault>
where
    K: Remediation + ReadLive<C>,
    C: Connect,
{
    let mut text = String::new();
    let mut tries = Backoff::VERIFY.tries();
    while tries.next().await.is_some() {
        let Some(live) = K::live(clients, target, params).await? else {
            return Ok(Some("the resource is gone".to_owned()));
        };
        text = difference::text(wanted, &K::footprint(&live, actions));
        if text.is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(text))
}

/// What was done, typed: each action with its receipt.
type Done<K> = Vec<(<K as Remediation>::Action, <K as Remediation>::Receipt)>;

fn done_of<K: Remediation>(attempt: &Attempt) -> Result<Done<K>, ShapeError> {
    attempt
        .done()
        .map(|(action, receipt)| {
            let action = serde_json::from_value(action.clone())
                .map_err(|error| ShapeError::new("attempt.action", "an action of the control", error))?;
            let receipt = serde_json::from_value(receipt.clone())
                .map_err(|error| ShapeError::new("attempt.receipt", "a receipt of the control", error))?;
            Ok((action, receipt))
        })
        .collect()
}

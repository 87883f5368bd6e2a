//! Actions whose answer is not known, settled by a live read.

use rectify_compliance::{Declared, Remediation, ShapeError};
use serde::Serialize;
use serde_json::Value;

use super::difference;
use crate::edge::{Apply, Connect};
use crate::ledger::{Attempt, Fence, Lease, Ledger, Overruled};
use crate::writer::Writer;
use crate::{AwsError, Fault};

/// How a resource stands to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is as the action leaves it.
    Done,
    /// It is as it was before.
    Untouched,
    /// It is neither: how it differs from what it was before.
    Changed(String),
}

/// How `live` stands to `action`, by what the action touches; `before` is the subject without it.
pub(super) fn standing<K: Remediation>(
    control: &'static Declared<K>,
    live: &K::Subject,
    before: &K::Subject,
    action: &K::Action,
) -> Standing {
    let touched = std::slice::from_ref(action);
    let seen = control.logic.footprint(live, touched);
    let was = control.logic.footprint(before, touched);
    let will = control.logic.footprint(&control.logic.expect(before.clone(), action), touched);
    if seen == will && seen != was {
        Standing::Done
    } else if seen == was {
        Standing::Untouched
    } else if control.logic.expect(live.clone(), action) == *live {
        // Somebody else changed more, and the action is in it all the same.
        Standing::Done
    } else {
        Standing::Changed(difference::text(&was, &seen))
    }
}

/// Settles every action of `attempt` whose answer is not known by what `live` shows: one that is so is done, with its receipt;
/// one that is not is dropped. One the service still works on stays unknown.
///
/// Where undo needs something of the answer the action is sent again, which by contract of [`Apply`] changes nothing and
/// returns it; not while a stop switch is on, where `fence` is given. The answer says whether one kept it from that.
///
/// # Errors
/// [`Fault`] when a receipt cannot be had or the attempt cannot be read; what was settled before stays settled.
pub(super) async fn settle<K, C>(
    control: &'static Declared<K>,
    ledger: &Ledger,
    lease: &Lease,
    writer: &Writer<C>,
    attempt: &mut Attempt,
    live: &K::Subject,
    fence: Option<&Fence<'_>>,
) -> Result<bool, Fault>
where
    K: Remediation + Apply<C>,
    C: Connect,
{
    let Some(before) = &attempt.before else { return Ok(false) };
    let mut state: K::Subject = before.read()?;
    let mut index = 0;
    while let Some(record) = attempt.actions.get(index) {
        let action: K::Action = action_of::<K>(&record.action)?;
        if record.receipt.is_none() {
            match standing(control, live, &state, &action) {
                Standing::Done => {
                    let receipt = if control.logic.needs_answers() {
                        let overruled = match fence {
                            Some(fence) => ledger.save_before_action(lease, attempt, fence).await?,
                            None => ledger.save(lease, attempt).await.map(|()| None)?,
                        };
                        if overruled == Some(Overruled::Stopped) {
                            return Ok(true);
                        }
                        control.logic.apply_answered(writer.clients(), &attempt.target, &action).await?
                    } else {
                        Value::Null
                    };
                    if let Some(record) = attempt.actions.get_mut(index) {
                        record.receipt = Some(receipt);
                    }
                }
                Standing::Untouched if control.logic.is_settling(live, std::slice::from_ref(&action)) => {
                    index += 1;
                    continue;
                }
                Standing::Untouched | Standing::Changed(_) => {
                    attempt.actions.remove(index);
                    continue;
                }
            }
        }
        state = control.logic.expect(state, &action);
        index += 1;
    }
    Ok(false)
}

/// The actions of an attempt whose answer is known, typed.
pub(super) fn actions_of<K: Remediation>(attempt: &Attempt) -> Result<Vec<K::Action>, ShapeError> {
    attempt.done().map(|(action, _)| action_of::<K>(action)).collect()
}

/// One stored action, typed.
pub(super) fn action_of<K: Remediation>(action: &Value) -> Result<K::Action, ShapeError> {
    serde_json::from_value(action.clone())
        .map_err(|error| ShapeError::new("attempt.action", "an action of the control", error))
}

/// The stored form of an action, a receipt or a subject.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Value, AwsError> {
    Ok(serde_json::to_value(value).map_err(|error| ShapeError::new("action", "a JSON form", error))?)
}

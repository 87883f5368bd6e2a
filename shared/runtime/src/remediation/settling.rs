//! Settles actions without a known answer by a live read.

use rectify_compliance::StoredState;
use rectify_compliance::entry::{EntryError, ErasedRemediation};
use serde_json::Value;

use super::deployed::Calls;
use super::difference;
use crate::Error;
use crate::ledger::{Attempt, Fence, Lease, Ledger, Overruled};

/// Whether a resource shows the effect of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ActionState {
    /// It has the state after the action.
    Done,
    /// It has the state before the action.
    Untouched,
    /// It has neither: the difference from the state before.
    Changed(String),
}

/// Whether `live` shows the effect of `action`, by the fields that the action touches; `before` is the state without
/// it.
pub(super) fn action_state(
    control: &dyn ErasedRemediation,
    live: &StoredState,
    before: &StoredState,
    action: &Value,
) -> Result<ActionState, EntryError> {
    let touched = std::slice::from_ref(action);
    let seen = control.touched_fields(live, touched)?;
    let was = control.touched_fields(before, touched)?;
    let will = control.touched_fields(&control.predict(before, action)?.image, touched)?;
    Ok(if seen == will && seen != was {
        ActionState::Done
    } else if seen == was {
        ActionState::Untouched
    } else if control.same(&control.predict(live, action)?.image, live)? {
        // Other changes were made, too, but they include the action.
        ActionState::Done
    } else {
        ActionState::Changed(difference::text(&was, &seen))
    })
}

/// Settles every action of `attempt` without a known answer by the `live` state: an action that took effect is
/// completed with its receipt, one without effect is removed. An action that the service is still applying stays
/// unknown.
///
/// If undo needs a part of the answer, the action is sent again, which by contract of [`Calls::apply`] changes nothing
/// and returns it. With a `fence`, it is not sent while a stop switch is on; the answer says whether one was.
///
/// # Errors
/// [`Error`] when a receipt cannot be obtained or the attempt cannot be read; actions settled before stay settled.
pub(super) async fn settle(
    control: &dyn ErasedRemediation,
    ledger: &Ledger,
    lease: &Lease,
    writer: &dyn Calls,
    attempt: &mut Attempt,
    live: &StoredState,
    fence: Option<&Fence<'_>>,
) -> Result<bool, Error> {
    let Some(mut state) = attempt.before.clone() else { return Ok(false) };
    let mut index = 0;
    while let Some(record) = attempt.actions.get(index) {
        let action = record.action.clone();
        if record.receipt.is_none() {
            match action_state(control, live, &state, &action)? {
                ActionState::Done => {
                    let receipt = if control.needs_responses() {
                        let overruled = match fence {
                            Some(fence) => ledger.save_before_action(lease, attempt, fence).await?,
                            None => ledger.save(lease, attempt).await.map(|()| None)?,
                        };
                        if overruled == Some(Overruled::Stopped) {
                            return Ok(true);
                        }
                        writer.apply(&attempt.target, &action).await?
                    } else {
                        Value::Null
                    };
                    if let Some(record) = attempt.actions.get_mut(index) {
                        record.receipt = Some(receipt);
                    }
                }
                ActionState::Untouched if control.is_in_progress(live, std::slice::from_ref(&action))? => {
                    index += 1;
                    continue;
                }
                ActionState::Untouched | ActionState::Changed(_) => {
                    attempt.actions.remove(index);
                    continue;
                }
            }
        }
        state = control.predict(&state, &action)?.image;
        index += 1;
    }
    Ok(false)
}

/// The actions of an attempt whose answer is known.
pub(super) fn actions_of(attempt: &Attempt) -> Vec<Value> {
    attempt.done().map(|(action, _)| action.clone()).collect()
}

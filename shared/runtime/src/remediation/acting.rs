//! Applies a plan that passed the gates: each action is stored before the call and completed with its receipt; then a
//! live read is evaluated by the control itself.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{IdentifiedState, Timestamp, Verdict};
use serde_json::Value;

use super::clearance::Cleared;
use super::difference;
use super::gates::Disposition;
use super::run::RemediationRun;
use super::sending::{self, Unsent};
use super::settling::actions_of;
use crate::Error;
use crate::invocation::Invocation;
use crate::ledger::{ActionRecord, Attempt, Lease, Outcome, State};
use crate::retry::Backoff;

/// How long a service may take to apply an accepted change: longer than the week between two maintenance windows.
const PENDING_TIMEOUT: jiff::SignedDuration = jiff::SignedDuration::from_hours(8 * 24);

/// Applies a plan whose prior state is stored, then verifies.
pub(super) async fn apply(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    live: &IdentifiedState,
    mut cleared: Cleared,
    parameters: &str,
    log: &mut Invocation,
) -> Result<Disposition, Error> {
    let actions: Vec<Value> = cleared.plan.calls().into_iter().cloned().collect();
    log.note("actions", actions.len());
    let total = attempt.actions.len() + actions.len();
    let mut state = live.clone();
    for action in actions {
        attempt.actions.push(ActionRecord { action: action.clone(), receipt: None });
        let sent = sending::send(run, lease, &attempt, &mut cleared, &state, &action, parameters);
        match Box::pin(sent).await? {
            Ok(receipt) => {
                if let Some(record) = attempt.actions.last_mut() {
                    record.receipt = Some(receipt);
                }
                run.context.ledger.save(lease, &attempt).await?;
                state = run.control.predict(&state.image, &action)?;
            }
            Err(Unsent::Forbidden { by, lost }) => {
                if !lost {
                    attempt.actions.pop();
                }
                return by.end(run, lease, attempt, total).await;
            }
            Err(Unsent::Failed { reason, terminal, lost }) => {
                let number = attempt.actions.len();
                if !lost {
                    attempt.actions.pop();
                }
                let error = Error::ActionFailed { attempt: attempt.id.clone(), number, total, reason, terminal };
                return if terminal {
                    Box::pin(run.fail(lease, attempt, error)).await
                } else {
                    Box::pin(run.leave_open(lease, attempt, error)).await
                };
            }
        }
    }
    Box::pin(verify(run, lease, attempt, parameters)).await
}

/// Reads until the control evaluates the live state as compliant, or the tries are used up.
pub(super) async fn verify(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    parameters: &str,
) -> Result<Disposition, Error> {
    let done = actions_of(&attempt);
    let (mut live, mut reason) = (None, "nothing was read".to_owned());
    let mut tries = Backoff::VERIFY.tries();
    while tries.next().await.is_some() {
        live = match run.live(parameters).await {
            Ok(live) => live,
            Err(error) => return Box::pin(run.leave_open(lease, attempt, error)).await,
        };
        let verdict = |live: &IdentifiedState| run.control.evaluate(&live.image, parameters, Timestamp::now());
        match live.as_ref().map(verdict).transpose()? {
            Some(Verdict::NonCompliant(finding)) => reason = format!("still NON_COMPLIANT: {finding}"),
            Some(Verdict::Compliant(_) | Verdict::NotApplicable(_)) | None => {
                let note = unexpected(run.control, &attempt, live.as_ref(), &done)?;
                return ended(run, lease, attempt, live.as_ref(), Outcome::Verified, note).await;
            }
        }
    }
    if let Some(after) = &live {
        attempt.after = Some(after.image.clone());
        let age = Timestamp::now().duration_since(attempt.started_at);
        if age < PENDING_TIMEOUT && run.control.is_in_progress(&after.image, &done)? {
            return ended(run, lease, attempt, live.as_ref(), Outcome::Pending, reason).await;
        }
    }
    let error = Error::NotVerified { attempt: attempt.id.clone(), reason };
    Box::pin(run.leave_open(lease, attempt, error)).await
}

async fn ended(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    after: Option<&IdentifiedState>,
    outcome: Outcome,
    reason: String,
) -> Result<Disposition, Error> {
    attempt.after = after.map(|after| after.image.clone());
    // A pending outcome is not announced again; an announced failure does not replace the success that follows it.
    attempt.announced &= attempt.outcome == Some(outcome);
    attempt.outcome = Some(outcome);
    attempt.reason = reason;
    // A change that the service is still applying stays open: the next delivery reads it again and ends it.
    attempt.state = if outcome == Outcome::Pending { State::Open } else { State::Finished };
    attempt.finished_at = (outcome != Outcome::Pending).then(Timestamp::now);
    run.close(lease, attempt).await
}

/// How the complete resulting state differs from the planned one: a concurrent change, or a call that changed more than
/// predicted.
fn unexpected(
    control: &dyn ErasedRemediation,
    attempt: &Attempt,
    after: Option<&IdentifiedState>,
    done: &[Value],
) -> Result<String, Error> {
    let (Some(before), Some(after)) = (&attempt.before, after) else { return Ok("the resource is gone".to_owned()) };
    let mut expected = before.clone();
    for action in done {
        expected = control.predict(&expected, action)?.image;
    }
    // The subject knows which of its lists are ordered; its JSON does not.
    if control.same(&expected, &after.image)? {
        return Ok("as planned".to_owned());
    }
    let text = difference::text(&expected.subject, &after.image.subject);
    Ok(if text.is_empty() { "as planned".to_owned() } else { format!("differs from the plan: {text}") })
}

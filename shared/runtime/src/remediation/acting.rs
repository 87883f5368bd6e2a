//! What lies behind the gates: each action is written down before it is made and completed with its receipt; then the live read and
//! the control itself say whether it helped.

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

/// How long a service may work on what it accepted: longer than the week between two maintenance windows.
const PENDING_TIMEOUT: jiff::SignedDuration = jiff::SignedDuration::from_hours(8 * 24);

/// Applies a plan whose before-image is stored, then verifies.
pub(super) async fn apply(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    live: &IdentifiedState,
    mut cleared: Cleared,
    parameters: &str,
    line: &mut Invocation,
) -> Result<Disposition, Error> {
    let actions: Vec<Value> = cleared.plan.calls().into_iter().cloned().collect();
    line.note("actions", actions.len());
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

/// Reads again until the service shows what it accepted, and lets the control judge.
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
    // What is still pending has been told; a failure that was told does not stand for the success that follows.
    attempt.announced &= attempt.outcome == Some(outcome);
    attempt.outcome = Some(outcome);
    attempt.reason = reason;
    // What the service still works on stays open: the next delivery reads it again and ends it.
    attempt.state = if outcome == Outcome::Pending { State::Open } else { State::Finished };
    attempt.finished_at = (outcome != Outcome::Pending).then(Timestamp::now);
    run.close(lease, attempt).await
}

/// What became of the subject beyond the model's expectation, compared whole: somebody else's change at the same time, or
/// a call that did more than it should.
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
    // A subject knows what of it has an order; its JSON does not.
    if control.same(&expected, &after.image)? {
        return Ok("as planned".to_owned());
    }
    let text = difference::text(&expected.subject, &after.image.subject);
    Ok(if text.is_empty() { "as planned".to_owned() } else { format!("differs from the plan: {text}") })
}

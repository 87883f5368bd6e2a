//! Going on with an attempt that was begun and not ended: it first looks whether somebody else was there meanwhile.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{IdentifiedState, Plan, StoredState, Timestamp};
use serde_json::Value;

use super::acting;
use super::clearance::{Cleared, Forbidden, forbidden};
use super::difference;
use super::facts::Facts;
use super::gates::Disposition;
use super::run::RemediationRun;
use super::settling;
use crate::Error;
use crate::invocation::Invocation;
use crate::ledger::{Attempt, Lease, Outcome, State};

/// Goes on with an attempt whose owner died or failed after its first action: plans what is left of it from the live read.
/// `None` where somebody changed the resource meanwhile and the control does not hold: the attempt is closed, and a new one
/// may begin from what is there now.
pub(super) async fn resume(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    live: &IdentifiedState,
    line: &mut Invocation,
) -> Result<Option<Disposition>, Error> {
    line.note("resumed", true);
    let control = run.control;
    // The attempt's own parameters, not today's: what was begun is ended as it was meant.
    let parameters = attempt.parameters.clone();
    let read = async {
        let (writer, registry) = (run.writer().await?, run.registry().await?);
        let (ledger, fence) = (&run.context.ledger, run.fence(run.id, &registry));
        let settled =
            settling::settle(control, ledger, lease, writer.clients(), &mut attempt, &live.image, Some(&fence));
        let is_stopped = settled.await?;
        let done = settling::actions_of(&attempt);
        let plan = control.plan(&live.image, &parameters, Timestamp::now())?;
        let difference = interference(control, &attempt, &live.image, &done, &plan)?;
        let holds = !control.evaluate(&live.image, &parameters, Timestamp::now())?.is_non_compliant();
        let is_in_progress = !done.is_empty() && control.is_in_progress(&live.image, &done)?;
        Ok::<_, Error>((Cleared { plan, registry }, difference, is_stopped, holds, is_in_progress))
    };
    let (cleared, difference, is_stopped, holds, is_in_progress) = match Box::pin(read).await {
        Ok(read) => read,
        // What the ledger could not be told cannot be counted there either.
        Err(error @ Error::Ledger(_)) => return Err(error),
        Err(error) => return Box::pin(run.leave_open(lease, attempt, error)).await.map(Some),
    };
    if is_stopped {
        return run.stop(lease, attempt).await.map(Some);
    }
    if let Some(difference) = difference {
        let handled = interrupted(run, lease, attempt, holds, &difference).await?;
        return Ok(holds.then_some(handled));
    }
    if let Some(unknown) = attempt.actions.iter().find(|record| record.receipt.is_none()) {
        let reason = format!("`{}` may have arrived: the service still works on the resource", unknown.action);
        let error = Error::NotVerified { attempt: attempt.id.clone(), reason };
        return Box::pin(run.leave_open(lease, attempt, error)).await.map(Some);
    }
    if is_in_progress {
        // What the service accepted and works on is not asked for a second time.
        return Box::pin(acting::verify(run, lease, attempt, &parameters)).await.map(Some);
    }
    run.context.ledger.save(lease, &attempt).await?;
    // What is left to do passes the gates as they are today: what was decided meanwhile is obeyed.
    if cleared.plan != Plan::Noop
        && let Some(blocker) = forbidden(run, &cleared, live, &attempt).await?
    {
        let total = attempt.actions.len() + cleared.plan.calls().len();
        return Forbidden::By(blocker).end(run, lease, attempt, total).await.map(Some);
    }
    Box::pin(acting::apply(run, lease, attempt, live, cleared, &parameters, line)).await.map(Some)
}

/// What somebody else changed of that which the attempt touched or would touch, if anything. The before-image is what undo
/// restores: where it is no longer what lies under the attempt's own actions, undo would restore what was before *them*.
///
/// A service may show its last changes late, so what the first few actions left is as good as what all of them left.
fn interference(
    control: &dyn ErasedRemediation,
    attempt: &Attempt,
    live: &StoredState,
    done: &[Value],
    left: &Plan<Value>,
) -> Result<Option<String>, Error> {
    let Some(before) = &attempt.before else { return Ok(None) };
    let mut touched = done.to_vec();
    let recorded = attempt.actions.iter().map(|record| &record.action);
    touched.extend(attempt.plan.calls().into_iter().chain(recorded).chain(left.calls()).cloned());
    let seen = control.touched_fields(live, &touched)?;
    let mut state = before.clone();
    let mut expected = control.touched_fields(&state, &touched)?;
    let mut matches_attempt = expected == seen;
    for action in done {
        state = control.predict(&state, action)?.image;
        expected = control.touched_fields(&state, &touched)?;
        matches_attempt |= expected == seen;
    }
    Ok((!matches_attempt).then(|| difference::text(&expected, &seen)))
}

/// Closes an attempt that somebody interfered with. It keeps no after-image: what is there is not what it left.
async fn interrupted(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    holds: bool,
    difference: &str,
) -> Result<Disposition, Error> {
    let outcome = if holds { Outcome::Verified } else { Outcome::Failed };
    attempt.after = None;
    attempt.announced &= attempt.outcome == Some(outcome);
    attempt.outcome = Some(outcome);
    attempt.reason = format!("changed by somebody else before it was ended: {difference}");
    attempt.state = State::Finished;
    attempt.finished_at = Some(Timestamp::now());
    run.close(lease, attempt).await
}

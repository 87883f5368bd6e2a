//! Resumes an attempt that has not ended, unless the resource was changed outside it in the meantime.

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

/// Resumes an attempt whose owner died or failed after its first action: plans the rest from the live read. `None` if
/// the resource was changed outside the attempt and is noncompliant: the attempt is closed, and a new one may begin
/// from the current state.
pub(super) async fn resume(
    run: &RemediationRun<'_>,
    lease: &Lease,
    mut attempt: Attempt,
    live: &IdentifiedState,
    log: &mut Invocation,
) -> Result<Option<Disposition>, Error> {
    log.note("resumed", true);
    let control = run.control;
    // The attempt's own parameters, not the current ones: it ends as it began.
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
        // A ledger that failed cannot count the failure either.
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
        let reason = format!("`{}` may have been applied: the service is still changing the resource", unknown.action);
        let error = Error::NotVerified { attempt: attempt.id.clone(), reason };
        return Box::pin(run.leave_open(lease, attempt, error)).await.map(Some);
    }
    if is_in_progress {
        // A change that the service accepted and is still applying is not requested again.
        return Box::pin(acting::verify(run, lease, attempt, &parameters)).await.map(Some);
    }
    run.context.ledger.save(lease, &attempt).await?;
    // The rest passes the gates as they are now: decisions made in the meantime apply.
    if cleared.plan != Plan::Noop
        && let Some(blocker) = forbidden(run, &cleared, live, &attempt).await?
    {
        let total = attempt.actions.len() + cleared.plan.calls().len();
        return Forbidden::By(blocker).end(run, lease, attempt, total).await.map(Some);
    }
    Box::pin(acting::apply(run, lease, attempt, live, cleared, &parameters, log)).await.map(Some)
}

/// The outside changes to the fields that the attempt touched or would touch, if there are any. Undo restores the prior
/// state, so it would also revert an outside change that came before an action of the attempt.
///
/// A service may show its last changes late, so the state after any of the first actions is accepted, too.
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

/// Closes an attempt after an outside change. It keeps no resulting state: the current state is not its result.
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
    attempt.reason = format!("changed outside this attempt before it ended: {difference}");
    attempt.state = State::Finished;
    attempt.finished_at = Some(Timestamp::now());
    run.close(lease, attempt).await
}

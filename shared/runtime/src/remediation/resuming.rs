//! Going on with an attempt that was begun and not ended: it first looks whether somebody else was there meanwhile.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Control, Declared, Plan, Remediation, Timestamp};

use super::acting;
use super::clearance::{Cleared, Forbidden, forbidden};
use super::difference;
use super::gates::Handled;
use super::passage::Passage;
use super::settling;
use crate::Fault;
use crate::edge::{Apply, Connect, ReadLive};
use crate::invocation::Invocation;
use crate::ledger::{Attempt, Lease, Outcome, State};

/// Goes on with an attempt whose owner died or failed after its first action: plans what is left of it from the live read.
/// `None` where somebody changed the resource meanwhile and the control does not hold: the attempt is closed, and a new one
/// may begin from what is there now.
pub(super) async fn resume<K, C>(
    passage: &Passage<'_, K, C>,
    lease: &Lease,
    mut attempt: Attempt,
    live: &K::Subject,
    line: &mut Invocation,
) -> Result<Option<Handled>, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    line.note("resumed", true);
    let read = async {
        let (writer, registry) = (passage.writer().await?, passage.registry(passage.control.meta.id).await?);
        let (ledger, fence) = (&passage.shell.ledger, passage.fence(passage.control.meta.id, &registry));
        let is_stopped =
            settling::settle(passage.control, ledger, lease, &writer, &mut attempt, live, Some(&fence)).await?;
        // The attempt's own parameters, not today's: what was begun is ended as it was meant.
        let params = RuleParameters::<K::Params>::parse(Some(&attempt.parameters))?.control;
        let done = settling::actions_of::<K>(&attempt)?;
        let plan = passage.control.logic.plan(live, &params, Timestamp::now());
        let difference = interference(passage.control, &attempt, live, &done, &plan)?;
        Ok::<_, Fault>((params, done, Cleared { plan, registry }, difference, is_stopped))
    };
    let (params, done, cleared, difference, is_stopped) = match Box::pin(read).await {
        Ok(read) => read,
        // What the ledger could not be told cannot be counted there either.
        Err(fault @ Fault::Ledger(_)) => return Err(fault),
        Err(fault) => return Box::pin(passage.leave_open(lease, attempt, fault)).await.map(Some),
    };
    if is_stopped {
        return passage.stop(lease, attempt).await.map(Some);
    }
    if let Some(difference) = difference {
        let holds = !passage.control.logic.evaluate(live, &params, Timestamp::now()).is_non_compliant();
        let handled = interrupted(passage, lease, attempt, holds, &difference).await?;
        return Ok(holds.then_some(handled));
    }
    if let Some(unknown) = attempt.actions.iter().find(|record| record.receipt.is_none()) {
        let reason = format!("`{}` may have arrived: the service still works on the resource", unknown.action);
        let fault = Fault::NotVerified { attempt: attempt.id.clone(), reason };
        return Box::pin(passage.leave_open(lease, attempt, fault)).await.map(Some);
    }
    if passage.control.logic.is_settling(live, &done) && !done.is_empty() {
        // What the service accepted and works on is not asked for a second time.
        return Box::pin(acting::verify(passage, lease, attempt, &params)).await.map(Some);
    }
    passage.shell.ledger.save(lease, &attempt).await?;
    // What is left to do passes the gates as they are today: what was decided meanwhile is obeyed.
    if cleared.plan != Plan::Nothing
        && let Some(obstacle) = forbidden(passage, &cleared, live, &attempt).await?
    {
        let total = attempt.actions.len() + cleared.plan.calls().len();
        return Forbidden::By(obstacle).end(passage, lease, attempt, total).await.map(Some);
    }
    Box::pin(acting::apply(passage, lease, attempt, live, cleared, &params, line)).await.map(Some)
}

/// What somebody else changed of that which the attempt touched or would touch, if anything. The before-image is what undo
/// restores: where it is no longer what lies under the attempt's own actions, undo would restore what was before *them*.
///
/// A service may show its last changes late, so what the first few actions left is as good as what all of them left.
fn interference<K: Remediation>(
    control: &'static Declared<K>,
    attempt: &Attempt,
    live: &K::Subject,
    done: &[K::Action],
    left: &Plan<K::Action>,
) -> Result<Option<String>, Fault> {
    let Some(before) = &attempt.before else { return Ok(None) };
    let mut touched = done.to_vec();
    for action in attempt.plan.calls().into_iter().chain(attempt.actions.iter().map(|record| &record.action)) {
        touched.push(settling::action_of::<K>(action)?);
    }
    touched.extend(left.calls().into_iter().cloned());
    let seen = control.logic.footprint(live, &touched);
    let mut state: K::Subject = before.read()?;
    let mut expected = control.logic.footprint(&state, &touched);
    let mut is_ours = expected == seen;
    for action in done {
        state = control.logic.expect(state, action);
        expected = control.logic.footprint(&state, &touched);
        is_ours |= expected == seen;
    }
    Ok((!is_ours).then(|| difference::text(&expected, &seen)))
}

/// Closes an attempt that somebody interfered with. It keeps no after-image: what is there is not what it left.
async fn interrupted<K: Control, C: Connect>(
    passage: &Passage<'_, K, C>,
    lease: &Lease,
    mut attempt: Attempt,
    holds: bool,
    difference: &str,
) -> Result<Handled, Fault> {
    let outcome = if holds { Outcome::Verified } else { Outcome::Failed };
    attempt.after = None;
    attempt.announced &= attempt.outcome == Some(outcome);
    attempt.outcome = Some(outcome);
    attempt.reason = format!("changed by somebody else before it was ended: {difference}");
    attempt.state = State::Finished;
    attempt.finished_at = Some(Timestamp::now());
    passage.close(lease, attempt).await
}

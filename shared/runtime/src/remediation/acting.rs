//! Gates 11 and 12: each action is written down before it is made and completed with its receipt; then the live read and
//! the control itself say whether it helped.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Plan, Remediation, ShapeError, Timestamp, Verdict};
use serde::Serialize;
use serde_json::Value;

use super::clearance::{Cleared, Forbidden, forbidden, intend};
use super::difference;
use super::gates::Handled;
use super::passage::Passage;
use crate::edge::{Apply, Connect, ReadLive};
use crate::invocation::Invocation;
use crate::ledger::{ActionRecord, Attempt, Lease, Outcome, Overruled, State};
use crate::retry::Backoff;
use crate::{AwsError, CallErrorKind, Fault};

/// Codes after which trying again cannot help: parameters the service refuses, operations it does not permit, keys, roles and
/// log groups that do not let it in.
const TERMINAL_PREFIXES: [&str; 8] = [
    "InvalidParameter",
    "OperationNotPermitted",
    "InvalidHomeRegion",
    "NotOrganizationMasterAccount",
    "InsufficientEncryptionPolicy",
    "KmsKey",
    "InvalidCloudWatchLogs",
    "UnmodifiableEntity",
];

/// How long a service may work on what it accepted: longer than the week between two maintenance windows.
const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(8 * 24);

/// Applies a plan whose before-image is stored, then verifies.
pub(super) async fn apply<K, C>(
    passage: &Passage<'_, C>,
    lease: &Lease,
    mut attempt: Attempt,
    live: K::Subject,
    mut cleared: Cleared<K::Action>,
    params: &K::Params,
    line: &mut Invocation,
) -> Result<Handled, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    let actions: Vec<K::Action> = cleared.plan.calls().into_iter().cloned().collect();
    line.note("actions", actions.len());
    let total = attempt.actions.len() + actions.len();
    for action in actions {
        attempt.actions.push(ActionRecord { action: json(&action)?, receipt: None });
        if let Some(forbidden) = intend::<K, C>(passage, lease, &attempt, &mut cleared, &live).await? {
            attempt.actions.pop();
            return forbidden.end(passage, lease, attempt, total).await;
        }
        match K::apply(&passage.clients, &passage.target, &action).await {
            Ok(receipt) => {
                let receipt = json(&receipt)?;
                if let Some(record) = attempt.actions.last_mut() {
                    record.receipt = Some(receipt);
                }
                passage.shell.ledger.save(lease, &attempt).await?;
            }
            Err(error) => {
                let number = attempt.actions.len();
                if !may_have_arrived(&error) {
                    attempt.actions.pop();
                }
                let terminal = is_terminal(&error);
                let fault = Fault::ActionFailed {
                    attempt: attempt.id.clone(),
                    number,
                    total,
                    reason: error.to_string(),
                    terminal,
                };
                return if terminal {
                    passage.fail(lease, attempt, fault).await
                } else {
                    passage.leave_open(lease, attempt, fault).await
                };
            }
        }
    }
    verify::<K, C>(passage, lease, attempt, Some(live), params).await
}

/// Goes on with an attempt whose owner died after its first action: plans what is left of it from the live read.
pub(super) async fn resume<K, C>(
    passage: &Passage<'_, C>,
    lease: &Lease,
    mut attempt: Attempt,
    live: K::Subject,
    line: &mut Invocation,
) -> Result<Handled, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    line.note("resumed", true);
    // The attempt's own parameters, not today's: what was begun is ended as it was meant.
    let params = RuleParameters::<K::Params>::parse(Some(&attempt.parameters))?.control;
    let done = actions_of::<K>(&attempt)?;
    if done.len() == attempt.actions.len() && K::is_settling(&live, &done) {
        // What the service accepted and works on is not asked for a second time.
        return verify::<K, C>(passage, lease, attempt, Some(live), &params).await;
    }
    let plan = K::plan(&live, &params, Timestamp::now());
    let left: Vec<K::Action> = plan.calls().into_iter().cloned().collect();
    let registry = passage.registry(K::META.id).await?;
    for index in 0..attempt.actions.len() {
        let Some(record) = attempt.actions.get(index).filter(|record| record.receipt.is_none()) else { continue };
        let action: K::Action = serde_json::from_value(record.action.clone())
            .map_err(|error| ShapeError::new("attempt.action", "an action of the control", error))?;
        // Nobody knows whether this call arrived. What is still to be done is in the new plan; what is already so is asked
        // for again, which changes nothing and returns the receipt that undo needs.
        if !left.contains(&action) && K::expect(live.clone(), &action) == live {
            let fence = passage.fence(K::META.id, &registry);
            if passage.shell.ledger.save_before_action(lease, &attempt, &fence).await? == Some(Overruled::Stopped) {
                return passage.stop(lease, attempt).await;
            }
            let receipt = K::apply(&passage.clients, &passage.target, &action).await?;
            if let Some(record) = attempt.actions.get_mut(index) {
                record.receipt = Some(json(&receipt)?);
            }
        }
    }
    attempt.actions.retain(|record| record.receipt.is_some());
    passage.shell.ledger.save(lease, &attempt).await?;
    // What is left to do passes the gates as they are today: what was decided meanwhile is obeyed.
    let cleared = Cleared { plan, registry };
    if cleared.plan != Plan::Nothing
        && let Some(obstacle) = forbidden::<K, C>(passage, &cleared, &live, &attempt).await?
    {
        let total = attempt.actions.len() + cleared.plan.calls().len();
        return Forbidden::By(obstacle).end(passage, lease, attempt, total).await;
    }
    apply::<K, C>(passage, lease, attempt, live, cleared, &params, line).await
}

/// Reads again until the service shows what it accepted, and lets the control judge.
async fn verify<K, C>(
    passage: &Passage<'_, C>,
    lease: &Lease,
    mut attempt: Attempt,
    mut live: Option<K::Subject>,
    params: &K::Params,
) -> Result<Handled, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    let done = actions_of::<K>(&attempt)?;
    let mut reason = "nothing was read".to_owned();
    let mut tries = Backoff::VERIFY.tries();
    while tries.next().await.is_some() {
        live = K::live(&passage.clients, &passage.target, params).await?;
        let verdict = live.as_ref().map(|live| K::evaluate(live, params, Timestamp::now()));
        match verdict {
            Some(Verdict::NonCompliant(finding)) => reason = format!("still NON_COMPLIANT: {finding}"),
            Some(Verdict::Compliant(_) | Verdict::NotApplicable(_)) | None => {
                let note = unexpected::<K>(&attempt, live.as_ref(), &done)?;
                return ended(passage, lease, attempt, live.as_ref(), Outcome::Verified, note).await;
            }
        }
    }
    if let Some(after) = &live {
        attempt.after = Some(rectify_compliance::StoredImage::of(after)?);
        let age = Timestamp::now().duration_since(attempt.started_at);
        if K::is_settling(after, &done) && age < PATIENCE {
            return ended(passage, lease, attempt, live.as_ref(), Outcome::Pending, reason).await;
        }
    }
    let fault = Fault::NotVerified { attempt: attempt.id.clone(), reason };
    passage.leave_open(lease, attempt, fault).await
}

async fn ended<S: rectify_compliance::Image, C: Connect>(
    passage: &Passage<'_, C>,
    lease: &Lease,
    mut attempt: Attempt,
    after: Option<&S>,
    outcome: Outcome,
    reason: String,
) -> Result<Handled, Fault> {
    attempt.after = after.map(rectify_compliance::StoredImage::of).transpose()?;
    // What is still pending has been told; a failure that was told does not stand for the success that follows.
    attempt.announced &= attempt.outcome == Some(outcome);
    attempt.outcome = Some(outcome);
    attempt.reason = reason;
    // What the service still works on stays open: the next delivery reads it again and ends it.
    attempt.state = if outcome == Outcome::Pending { State::Open } else { State::Finished };
    attempt.finished_at = (outcome != Outcome::Pending).then(Timestamp::now);
    passage.close(lease, attempt).await
}

/// What became of the subject beyond the model's expectation, compared whole: somebody else's change at the same time, or
/// a call that did more than it should.
fn unexpected<K: Remediation>(
    attempt: &Attempt,
    after: Option<&K::Subject>,
    done: &[K::Action],
) -> Result<String, Fault> {
    let (Some(before), Some(after)) = (&attempt.before, after) else { return Ok("the resource is gone".to_owned()) };
    let expected = done.iter().fold(before.read::<K::Subject>()?, K::expect);
    // A subject knows what of it has an order; its JSON does not.
    if expected == *after {
        return Ok("as planned".to_owned());
    }
    let text = difference::text(&json(&expected)?, &json(after)?);
    Ok(if text.is_empty() { "as planned".to_owned() } else { format!("differs from the plan: {text}") })
}

/// The actions of an attempt whose answer is known, typed.
pub(super) fn actions_of<K: Remediation>(attempt: &Attempt) -> Result<Vec<K::Action>, ShapeError> {
    attempt
        .done()
        .map(|(action, _)| {
            serde_json::from_value(action.clone())
                .map_err(|error| ShapeError::new("attempt.action", "an action of the control", error))
        })
        .collect()
}

fn json<T: Serialize>(value: &T) -> Result<Value, ShapeError> {
    serde_json::to_value(value).map_err(|error| ShapeError::new("action", "a JSON form", error))
}

/// Whether the service may have carried the call out although it failed.
fn may_have_arrived(error: &AwsError) -> bool {
    match error.kind() {
        Some(CallErrorKind::AccessDenied | CallErrorKind::Throttled | CallErrorKind::Rejected) => false,
        Some(CallErrorKind::Unavailable) | None => true,
    }
}

fn is_terminal(error: &AwsError) -> bool {
    error.kind() == Some(CallErrorKind::AccessDenied)
        || error.code().is_some_and(|code| TERMINAL_PREFIXES.iter().any(|prefix| code.starts_with(prefix)))
}

//! Clearance for the next action of an attempt in progress: operators may stop, hold or exempt at any time.

use rectify_compliance::{IdentifiedState, Plan, Timestamp};
use serde_json::Value;

use super::blocker::{Blocker, Considered, blocker};
use super::facts::Facts;
use super::gates::Disposition;
use super::run::RemediationRun;
use crate::Error;
use crate::ledger::{Attempt, Lease, Overruled, Registry};

/// How often operators' decisions may change between reading them and acting.
const MAX_DECISION_REREADS: u32 = 5;

/// A plan that passed the gates, and the exemptions with which it did.
pub(super) struct Cleared {
    pub(super) plan: Plan<Value>,
    pub(super) registry: Registry,
}

/// What forbids the next action of an attempt in progress.
pub(super) enum Forbidden {
    /// A stop switch: the attempt continues once it is released.
    Stopped,
    /// An exemption, a hold, a lower mode or an open breaker: the attempt ends with the actions made so far.
    By(Blocker),
}

impl Forbidden {
    /// Ends the delivery; `total` is the number of actions the attempt would have made.
    pub(super) async fn end(
        self,
        run: &RemediationRun<'_>,
        lease: &Lease,
        attempt: Attempt,
        total: usize,
    ) -> Result<Disposition, Error> {
        let Self::By(blocker) = self else { return run.stop(lease, attempt).await };
        let (outcome, mut reason) = (blocker.outcome(), blocker.reason);
        if attempt.has_acted() {
            reason = format!("{reason}; {} of {total} actions were already made", attempt.actions.len());
        }
        run.end(lease, attempt, outcome, reason, None).await
    }
}

/// Stores the attempt before its last action is made, unless an operator's decision since the gates forbids it.
/// Decisions that do not concern the resource are read again and do not block it.
pub(super) async fn intend(
    run: &RemediationRun<'_>,
    lease: &Lease,
    attempt: &Attempt,
    cleared: &mut Cleared,
    live: &IdentifiedState,
) -> Result<Option<Forbidden>, Error> {
    let (ledger, id) = (&run.context.ledger, run.id);
    for _ in 0..MAX_DECISION_REREADS {
        match ledger.save_before_action(lease, attempt, &run.fence(id, &cleared.registry)).await? {
            None => return Ok(None),
            Some(Overruled::Stopped) => return Ok(Some(Forbidden::Stopped)),
            Some(Overruled::Decided) => {
                cleared.registry = run.registry().await?;
                if let Some(blocker) = forbidden(run, cleared, live, attempt).await? {
                    return Ok(Some(Forbidden::By(blocker)));
                }
            }
        }
    }
    Err(Error::ConcurrentModification { resource: run.target.resource.to_string(), times: MAX_DECISION_REREADS })
}

/// Why the rest of an attempt is not applied, if it is blocked: an exemption, a hold, a lower mode, an open breaker.
pub(super) async fn forbidden(
    run: &RemediationRun<'_>,
    cleared: &Cleared,
    live: &IdentifiedState,
    attempt: &Attempt,
) -> Result<Option<Blocker>, Error> {
    let now = Timestamp::now();
    let it = Considered { registry: &cleared.registry, plan: &cleared.plan, live };
    if let Some(blocker) = blocker(run, it, now).await? {
        return Ok(Some(blocker));
    }
    let open = run.breaker(Some(&attempt.id), now).await?;
    Ok(open.map(|open| Blocker::breaker(&open)))
}

//! What lets an attempt that was begun make its next action, and what keeps it from that: people may decide at any time.

use rectify_compliance::{IdentifiedState, Plan, Timestamp};
use serde_json::Value;

use super::blocker::{Blocker, blocker};
use super::facts::Facts;
use super::gates::Disposition;
use super::run::RemediationRun;
use crate::Error;
use crate::ledger::{Attempt, Lease, Outcome, Overruled, Registry};

/// How often what people decide may change between reading it and acting.
const DECIDED_TRIES: u32 = 5;

/// A plan that passed the gates, and the exemptions by which it did.
pub(super) struct Cleared {
    pub(super) plan: Plan<Value>,
    pub(super) registry: Registry,
}

/// What keeps an attempt that was begun from its next action.
pub(super) enum Forbidden {
    /// A stop switch: it goes on once that is released.
    Stopped,
    /// An exemption, a hold, a lower mode, an open breaker: it ends with what was done.
    By(Blocker),
}

impl Forbidden {
    /// Ends the delivery; `total` is how many actions the attempt would have made.
    pub(super) async fn end(
        self,
        run: &RemediationRun<'_>,
        lease: &Lease,
        attempt: Attempt,
        total: usize,
    ) -> Result<Disposition, Error> {
        let Self::By(Blocker { outcome, mut reason }) = self else { return run.stop(lease, attempt).await };
        if attempt.has_acted() {
            reason = format!("{reason}; {} of {total} actions were made before", attempt.actions.len());
        }
        run.end(lease, attempt, outcome, reason, None).await
    }
}

/// Stores the attempt whose last action is about to be made, unless people decided otherwise since the gates read what they
/// decide; what does not concern the resource is read anew and does not keep it from being fixed.
pub(super) async fn intend(
    run: &RemediationRun<'_>,
    lease: &Lease,
    attempt: &Attempt,
    cleared: &mut Cleared,
    live: &IdentifiedState,
) -> Result<Option<Forbidden>, Error> {
    let (ledger, id) = (&run.context.ledger, run.id);
    for _ in 0..DECIDED_TRIES {
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
    Err(Error::ConcurrentModification { resource: run.target.resource.to_string(), times: DECIDED_TRIES })
}

/// Why what is left of an attempt is not done, if it is not: an exemption, a hold, a lower mode, an open breaker.
pub(super) async fn forbidden(
    run: &RemediationRun<'_>,
    cleared: &Cleared,
    live: &IdentifiedState,
    attempt: &Attempt,
) -> Result<Option<Blocker>, Error> {
    let now = Timestamp::now();
    if let Some(blocker) = blocker(run, &cleared.registry, &cleared.plan, live, now).await? {
        return Ok(Some(blocker));
    }
    let open = run.breaker(Some(&attempt.id), now).await?;
    Ok(open.map(|reason| Blocker { outcome: Outcome::BreakerOpen, reason }))
}

//! The end of a delivery: the outcome is stored, then announced, so that none is lost or announced before it is stored.
//! The next delivery for the same control and resource announces a stored outcome that was not announced.

use rectify_compliance::Timestamp;

use super::facts::Facts;
use super::gates::Disposition;
use super::run::RemediationRun;
use super::settling;
use crate::Error;
use crate::bus::{self, Announcement};
use crate::ledger::{Attempt, Finding, Lease, Outcome, State};

/// How many deliveries of one attempt may fail before it ends as failed: Lambda's own three, and a few requested ones.
const MAX_FAILURES: u32 = 6;

impl RemediationRun<'_> {
    /// Ends an attempt that changed nothing. The same outcome of the same finding is neither recorded nor announced
    /// twice.
    pub(super) async fn end(
        &self,
        lease: &Lease,
        mut attempt: Attempt,
        outcome: Outcome,
        reason: String,
        previous: Option<&Finding>,
    ) -> Result<Disposition, Error> {
        if let Some(finding) = previous
            && finding.outcome == outcome
            && finding.reason == reason
            // An attempt in progress must be ended, even with the same outcome as before.
            && !attempt.budgeted
        {
            return Ok(Disposition::Acknowledged(finding.clone()));
        }
        attempt.state = State::Finished;
        attempt.finished_at = Some(Timestamp::now());
        attempt.outcome = Some(outcome);
        attempt.reason = reason;
        attempt.announced = false;
        self.close(lease, attempt).await
    }

    /// Ends a delivery because of a stop switch before an action: the attempt stays open, and continues once the switch
    /// is released.
    pub(super) async fn stop(&self, lease: &Lease, mut attempt: Attempt) -> Result<Disposition, Error> {
        attempt.reason = self.stop_reason(&attempt.control).await?;
        attempt.announced &= attempt.outcome == Some(Outcome::Stopped);
        attempt.outcome = Some(Outcome::Stopped);
        self.close(lease, attempt).await
    }

    /// Ends an attempt as permanently failed, and the delivery with `error`. No delivery resumes it: actions without a
    /// known answer are settled now, if the resource can be read.
    pub(super) async fn fail(&self, lease: &Lease, mut attempt: Attempt, error: Error) -> Result<Disposition, Error> {
        if attempt.actions.iter().any(|record| record.receipt.is_none()) {
            // Actions that cannot be settled stay as they are: undo settles them.
            let _unsettled = Box::pin(self.settle(lease, &mut attempt)).await;
        }
        attempt.state = State::Finished;
        attempt.finished_at = Some(Timestamp::now());
        attempt.outcome = Some(Outcome::Failed);
        attempt.terminal = matches!(error, Error::ActionFailed { terminal: true, .. });
        attempt.reason = error.to_string();
        attempt.announced = false;
        self.close(lease, attempt).await?;
        Err(error)
    }

    async fn settle(&self, lease: &Lease, attempt: &mut Attempt) -> Result<(), Error> {
        let Some(live) = self.live(&attempt.parameters).await? else { return Ok(()) };
        let (writer, registry) = (self.writer().await?, self.registry().await?);
        let (ledger, fence) = (&self.context.ledger, self.fence(self.id, &registry));
        let settled =
            settling::settle(self.control, ledger, lease, writer.clients(), attempt, &live.image, Some(&fence));
        settled.await.map(drop)
    }

    /// Fails the delivery and leaves the attempt open for the next one, up to a limit; the failure is announced once.
    pub(super) async fn leave_open(
        &self,
        lease: &Lease,
        mut attempt: Attempt,
        error: Error,
    ) -> Result<Disposition, Error> {
        attempt.failures += 1;
        if attempt.failures >= MAX_FAILURES {
            return Box::pin(self.fail(lease, attempt, error)).await;
        }
        attempt.announced &= attempt.outcome == Some(Outcome::Failed);
        attempt.outcome = Some(Outcome::Failed);
        attempt.reason = error.to_string();
        self.context.ledger.save(lease, &attempt).await?;
        self.announce(lease, &mut attempt).await?;
        Err(error)
    }

    /// Stores the outcome, then announces it; after a crash in between, the next delivery announces it.
    pub(super) async fn close(&self, lease: &Lease, mut attempt: Attempt) -> Result<Disposition, Error> {
        let Some(outcome) = attempt.outcome else {
            return Err(Error::Ledger(format!("attempt {}: closed without an outcome", attempt.id)));
        };
        self.context.ledger.finish(lease, &attempt).await?;
        self.announce(lease, &mut attempt).await?;
        Ok(Disposition::Ended { attempt: attempt.id, outcome })
    }

    /// Announces the outcome of an attempt once and marks it as announced; after a crash in between it is announced
    /// twice rather than never.
    pub(super) async fn announce(&self, lease: &Lease, attempt: &mut Attempt) -> Result<(), Error> {
        let Some(announcement) = Announcement::due(attempt) else { return Ok(()) };
        let (ledger, bus) = (&self.context.ledger, &self.context.bus);
        // Five hundred findings of a first deployment become a few plans and one digest, not five hundred tickets.
        if announcement == Announcement::Plan {
            let limit = self.context.settings.plans_per_hour;
            let number = ledger.count_plan(attempt, Timestamp::now()).await?;
            if number <= limit {
                bus.announce(announcement, &bus::detail(attempt)).await?;
            } else if number == limit + 1 {
                bus.announce(Announcement::Digest, &bus::digest(attempt, limit)).await?;
            }
        } else if !ledger.is_announced(attempt).await? {
            bus.announce(announcement, &bus::detail(attempt)).await?;
            ledger.mark_announced(attempt).await?;
        }
        attempt.announced = true;
        ledger.save(lease, attempt).await
    }
}

//! Attempts in progress, or ended without an announcement: the function died, or the service is still applying a
//! change.

use jiff::SignedDuration;
use rectify_runtime::Error;
use rectify_runtime::ledger::{Attempt, AttemptInProgress, ResourcePath, State};

use super::settings::Watched;
use super::{PendingRequest, Run};

/// The minimum age of an open attempt before it is requested: Lambda's own retries come within three minutes.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Run<'_> {
    /// Requests every open attempt of a control whose resource is not leased, whatever AWS Config reports about it now.
    ///
    /// # Errors
    /// [`Error`] when the register cannot be read; an attempt that cannot be read is recorded as a failure, and the
    /// others are requested.
    pub(super) async fn attempts_in_progress(&mut self, control: &Watched) -> Result<(), Error> {
        let mut requests = 0;
        let reconciler = self.reconciler;
        for open in reconciler.ledger.attempts_in_progress(control.id).await? {
            if requests >= reconciler.settings.requests_per_run {
                self.tally.left_out(control.id, "limit", 1);
                continue;
            }
            match self.request_for(control, &open).await {
                Ok(Err(reason)) => self.tally.left_out(control.id, reason, 1),
                Ok(Ok(request)) => {
                    requests += 1;
                    self.send_requests("open-attempt", vec![request]).await;
                }
                Err(error) => self.failed(control.id, &error),
            }
        }
        Ok(())
    }

    /// The request for an attempt, or why it is left out.
    async fn request_for(
        &self,
        control: &Watched,
        open: &AttemptInProgress,
    ) -> Result<Result<PendingRequest, &'static str>, Error> {
        if !control.handles_requests() {
            return Ok(Err("mode"));
        }
        if self.now.duration_since(open.started_at) < SETTLED_AFTER {
            return Ok(Err("too-recent"));
        }
        let ledger = &self.reconciler.ledger;
        if ledger.stop_switch_for(control.id).await?.is_some() {
            return Ok(Err("stopped"));
        }
        // The attempt may have ended and been announced since the register was read.
        let has_work = |attempt: &Attempt| attempt.state == State::Open || attempt.is_unannounced();
        let attempt = ledger.attempt(control.id, &open.id).await?.filter(has_work);
        let Some(attempt) = attempt else { return Ok(Err("ended")) };
        let account = &attempt.target.account;
        if account != self.account && !self.reconciler.settings.members.contains(account) {
            return Ok(Err("account"));
        }
        if ledger.is_leased(&ResourcePath::of(&attempt.target), self.now).await? {
            return Ok(Err("leased"));
        }
        let Attempt { target, recorded_at, .. } = attempt;
        let history = ledger.request_history(control.id, &target, self.now).await?;
        if history.as_ref().is_some_and(|it| it.must_wait(self.now)) {
            return Ok(Err("waiting"));
        }
        // The attempt's own finding, with the current name of its rule.
        Ok(Ok(PendingRequest::new(control, target, recorded_at, history)))
    }
}

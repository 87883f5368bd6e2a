//! What was begun and has not ended, or ended and was not announced: its function died, or the service still works on what it
//! accepted.

use jiff::SignedDuration;
use rectify_runtime::Error;
use rectify_runtime::ledger::{Attempt, AttemptInProgress, ResourcePath, State};

use super::settings::Watched;
use super::{Question, Run};

/// How old an open attempt is before somebody asks: Lambda's own retries come within three minutes.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Run<'_> {
    /// RequestHistory about every open attempt of a control that nobody works on, whatever AWS Config says about its resource by now.
    ///
    /// # Errors
    /// [`Error`] when the register cannot be read; an attempt that cannot be read is noted, and the others are asked about.
    pub(super) async fn open_attempts(&mut self, control: &Watched) -> Result<(), Error> {
        let mut requests = 0;
        let shell = self.shell;
        for open in shell.ledger.open_attempts(control.id).await? {
            if requests >= shell.settings.requests_per_run {
                self.tally.left_out(control.id, "limit", 1);
                continue;
            }
            match self.waits_for(control, &open).await {
                Ok(Err(reason)) => self.tally.left_out(control.id, reason, 1),
                Ok(Ok(question)) => {
                    requests += 1;
                    self.ask("open-attempt", vec![question]).await;
                }
                Err(fault) => self.failed(control.id, &fault),
            }
        }
        Ok(())
    }

    /// The question about an attempt, if asking helps; else why it is left alone.
    async fn waits_for(
        &self,
        control: &Watched,
        open: &AttemptInProgress,
    ) -> Result<Result<Question, &'static str>, Error> {
        if !control.answers() {
            return Ok(Err("mode"));
        }
        if self.now.duration_since(open.started_at) < SETTLED_AFTER {
            return Ok(Err("young"));
        }
        let ledger = &self.shell.ledger;
        if ledger.stop_for(control.id).await?.is_some() {
            return Ok(Err("stopped"));
        }
        // The register is written with the attempt; one that ended and was announced meanwhile needs nobody.
        let has_work = |attempt: &Attempt| attempt.state == State::Open || attempt.is_unannounced();
        let attempt = ledger.attempt(control.id, &open.id).await?.filter(has_work);
        let Some(attempt) = attempt else { return Ok(Err("ended")) };
        if attempt.target.account != *self.account {
            return Ok(Err("account"));
        }
        if ledger.is_leased(&ResourcePath::of(&attempt.target), self.now).await? {
            return Ok(Err("leased"));
        }
        let Attempt { target, recorded_at, .. } = attempt;
        let asks = ledger.asks(control.id, &target, self.now).await?;
        if asks.as_ref().is_some_and(|it| it.must_wait(self.now)) {
            return Ok(Err("waiting"));
        }
        // The finding that the attempt began with; its rule is named as it is today.
        Ok(Ok(Question::new(control, target, recorded_at, asks)))
    }
}

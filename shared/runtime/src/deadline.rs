//! The deadline of an invocation, and work that is canceled before it: a killed invocation logs and stores nothing.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{Either, select};

use crate::Error;
use crate::retry::sleep;

/// The time at which Lambda ends an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Epoch milliseconds.
    pub epoch_ms: u64,
}

impl Deadline {
    /// `span` from now.
    pub fn after(span: Duration) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + span;
        Self { epoch_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX) }
    }

    /// The time left; zero after the deadline.
    pub fn left(self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_millis(self.epoch_ms).saturating_sub(now)
    }

    /// Runs `work`, or cancels it when only `spare` is left.
    ///
    /// # Errors
    /// [`Error::OutOfTime`] names the canceled work, `what`.
    pub async fn leaving<T>(
        self,
        spare: Duration,
        what: impl Fn() -> String,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let allowed = self.left().saturating_sub(spare);
        match select(pin!(work), pin!(sleep(allowed))).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(Error::OutOfTime { what: what(), allowed_s: allowed.as_secs() }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endless_work_is_canceled_before_the_deadline() {
        let spare = Duration::from_secs(20);
        let what = || "live read of AWS::::Account 111122223333".to_owned();
        for deadline in [Deadline::after(spare), Deadline { epoch_ms: 0 }] {
            let error = deadline.leaving(spare, what, std::future::pending::<()>()).await.unwrap_err();
            assert_eq!(error.kind(), "OutOfTime");
            assert!(error.to_string().starts_with("live read of AWS::::Account 111122223333: not done within 0 s"));
        }
        let deadline = Deadline::after(Duration::from_secs(60));
        assert_eq!(deadline.leaving(spare, what, std::future::ready(7)).await, Ok(7));
        assert!(deadline.left() > Duration::from_secs(50) && deadline.left() <= Duration::from_secs(60));
    }
}

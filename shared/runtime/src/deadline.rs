//! When Lambda ends an invocation, and what must be given up before that: what is killed says nothing and stores nothing.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{Either, select};

use crate::Error;
use crate::retry::sleep;

/// When Lambda ends an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Milliseconds since 1970.
    pub epoch_ms: u64,
}

impl Deadline {
    /// So long from now.
    pub fn after(span: Duration) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + span;
        Self { epoch_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX) }
    }

    /// What is left; nothing once it is over.
    pub fn left(self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_millis(self.epoch_ms).saturating_sub(now)
    }

    /// Does `work`, or gives it up when no more than `spare` is left.
    ///
    /// # Errors
    /// [`Error::OutOfTime`] names `what` was given up.
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
    async fn work_that_does_not_end_is_given_up_while_there_is_time_to_say_so() {
        let spare = Duration::from_secs(20);
        let what = || "live read of AWS::::Account 111122223333".to_owned();
        for deadline in [Deadline::after(spare), Deadline { epoch_ms: 0 }] {
            let fault = deadline.leaving(spare, what, std::future::pending::<()>()).await.unwrap_err();
            assert_eq!(fault.kind(), "OutOfTime");
            assert!(fault.to_string().starts_with("live read of AWS::::Account 111122223333: not done within 0 s"));
        }
        let deadline = Deadline::after(Duration::from_secs(60));
        assert_eq!(deadline.leaving(spare, what, std::future::ready(7)).await, Ok(7));
        assert!(deadline.left() > Duration::from_secs(50) && deadline.left() <= Duration::from_secs(60));
    }
}

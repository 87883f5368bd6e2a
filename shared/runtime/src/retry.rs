//! Bounded backoff with jitter, for retries that the SDK does not cover.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};

tokio::task_local! {
    /// Replaces the real clock of a task in tests.
    pub static SLEEP: SharedAsyncSleep;
}

/// Waits for `time`, by the clock of the task.
pub(crate) async fn sleep(time: Duration) {
    match SLEEP.try_with(Clone::clone) {
        Ok(own) => own.sleep(time).await,
        Err(_) => tokio::time::sleep(time).await,
    }
}

/// How often and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// The number of tries, including the first.
    pub attempts: u32,
}

impl Backoff {
    /// For calls to AWS Config: four tries, about three seconds in the worst case.
    pub const CONFIG: Self = Self { base: Duration::from_millis(200), cap: Duration::from_secs(2), attempts: 4 };

    /// For reads after a write, until the service shows the accepted change: six tries, about six seconds.
    pub const VERIFY: Self = Self { base: Duration::from_millis(100), cap: Duration::from_secs(3), attempts: 6 };

    /// For the lease of a resource: four tries, about three seconds. Two controls with findings for the same account
    /// need a second each; Lambda retries only twice, minutes apart.
    pub const LEASE: Self = Self { base: Duration::from_millis(400), cap: Duration::from_secs(2), attempts: 4 };

    /// For a call that changes a resource and may succeed on a retry: four tries, about seven seconds.
    pub const ACTION: Self = Self { base: Duration::from_millis(500), cap: Duration::from_secs(4), attempts: 4 };

    /// For transactions of the ledger: twelve tries, about eight seconds. Every action of every control checks the stop
    /// switches, and DynamoDB cancels one of two concurrent transactions on the same item.
    pub const TRANSACTION: Self = Self { base: Duration::from_millis(50), cap: Duration::from_secs(1), attempts: 12 };

    /// The tries, numbered from 0, with a wait before each but the first.
    pub fn tries(self) -> Tries {
        Tries { backoff: self, next: 0 }
    }

    /// The wait before try `number`: random between half of a doubling bound and the bound, so that many functions do
    /// not retry at the same time.
    fn wait(self, number: u32) -> Duration {
        let doubled = self.base.saturating_mul(1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.cap).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// The tries of a [`Backoff`].
#[derive(Debug)]
pub struct Tries {
    backoff: Backoff,
    next: u32,
}

impl Tries {
    /// Waits before the next try and returns its number; `None` when all are used up.
    pub async fn next(&mut self) -> Option<u32> {
        let number = self.next;
        if number >= self.backoff.attempts {
            return None;
        }
        self.next += 1;
        if number > 0 {
            sleep(self.backoff.wait(number)).await;
        }
        Some(number)
    }

    /// Whether this was the last one.
    pub const fn is_last(&self) -> bool {
        self.next >= self.backoff.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_are_never_less_than_half() {
        let backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_millis(350), attempts: 40 };
        for (number, bound) in [(1, 100), (2, 200), (3, 350), (39, 350)] {
            let wait = backoff.wait(number).as_millis();
            assert!((bound / 2..=bound).contains(&wait), "{number}: {wait}");
        }
    }
}

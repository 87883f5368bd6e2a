//! Bounded back-off with full jitter, for what the SDK's own retries do not cover.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};

tokio::task_local! {
    /// How the task waits, where it is to wait otherwise than in real time: a test's own clock.
    pub static SLEEP: SharedAsyncSleep;
}

/// Waits for so long, by the clock of the task.
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
    /// The longest wait of all.
    pub cap: Duration,
    /// How many times to try, the first included.
    pub attempts: u32,
}

impl Backoff {
    /// For calls to AWS Config: four tries, about three seconds in the worst case.
    pub const CONFIG: Self = Self { base: Duration::from_millis(200), cap: Duration::from_secs(2), attempts: 4 };

    /// For reads after a write, until the service shows what it accepted: six tries, about six seconds.
    pub const VERIFY: Self = Self { base: Duration::from_millis(100), cap: Duration::from_secs(3), attempts: 6 };

    /// For the lease of a resource: four tries, about three seconds. Two controls that find fault with one account at the same
    /// time need a second each; Lambda's own retries are minutes apart, and there are two of them.
    pub const LEASE: Self = Self { base: Duration::from_millis(400), cap: Duration::from_secs(2), attempts: 4 };

    /// For a call that changes something and may succeed a moment later: four tries, about seven seconds.
    pub const ACTION: Self = Self { base: Duration::from_millis(500), cap: Duration::from_secs(4), attempts: 4 };

    /// For transactions of the ledger: twelve tries, about eight seconds. Every action of every control checks the stop
    /// switches, and of two transactions that touch one item at the same moment DynamoDB cancels one.
    pub const TRANSACTION: Self = Self { base: Duration::from_millis(50), cap: Duration::from_secs(1), attempts: 12 };

    /// The tries, numbered from 0; waits before each but the first.
    pub fn tries(self) -> Tries {
        Tries { backoff: self, next: 0 }
    }

    /// The wait before try `number`: anything up to a bound that doubles, so that many functions do not come back at once.
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
    /// Waits as long as this try demands; `None` when all are used up.
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

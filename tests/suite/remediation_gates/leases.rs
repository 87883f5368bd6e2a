//! One lease owner at a time, even with clocks that disagree; and how long a dead owner's lease lasts.

use jiff::SignedDuration;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_runtime::ledger::{CLOCK_TOLERANCE, Ledger};
use rectify_tests::emulator::Sandbox;

use super::*;

/// A lease owner: the skew of its clock and the term of its lease.
#[derive(Debug, Clone, Copy)]
struct Owner {
    is_operator: bool,
    skew: SignedDuration,
    term: SignedDuration,
}

impl Owner {
    /// A function has AWS's clock and Lambda's timeout; the clock of an operator's computer may be wrong.
    fn any() -> impl Strategy<Value = Self> {
        let of = |is_operator, skew, term| {
            let (skew, term) = (SignedDuration::from_millis(skew), SignedDuration::from_secs(term));
            Self { is_operator, skew, term }
        };
        let function = (1_i64..=150).prop_map(move |term| of(false, 0, term));
        let operator = (-600_000_i64..=600_000, 1_i64..=300).prop_map(move |(skew, term)| of(true, skew, term));
        prop_oneof![1 => function, 3 => operator]
    }

    fn ledger(self, sandbox: &Sandbox) -> Ledger {
        let ledger = Ledger::new(&sandbox.sdk, &sandbox.name);
        if self.is_operator { ledger.tolerating(CLOCK_TOLERANCE) } else { ledger }
    }

    /// Tries to take the lease of a widget at the true time `at`.
    async fn take(self, sandbox: &Sandbox, id: &str, name: &str, at: Timestamp) -> Result<(), Error> {
        let now = at + self.skew;
        self.ledger(sandbox).lease(&path(id), name, now, now + self.term).await.map(drop)
    }
}

/// `safety/22`: for any two clocks within ten minutes, the second owner waits for the whole term of the first, and at
/// most 41 minutes more.
#[tokio::test]
async fn two_owners_never_hold_one_lease_despite_clock_skew() {
    let sandbox = Sandbox::create().await;
    let mut runner = TestRunner::deterministic();
    let cases = (Owner::any(), Owner::any(), 0.0..=1.0);
    for number in 0..150 {
        let (first, second, part) = cases.new_tree(&mut runner).unwrap().current();
        let case = format!("{number}: {first:?} {second:?} after {part} of its term");
        let id = format!("d-{number}");
        let start: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        first.take(&sandbox, &id, "first", start).await.unwrap();
        let meanwhile = start + SignedDuration::from_secs_f64(first.term.as_secs_f64() * part);
        let error = second.take(&sandbox, &id, "second", meanwhile).await.expect_err(&case);
        assert!(matches!(&error, Error::LeaseHeld { owner, .. } if owner == "first"), "{case}: {error}");
        let later = start + first.term + SignedDuration::from_mins(41);
        second.take(&sandbox, &id, "second", later).await.unwrap_or_else(|error| panic!("{case}: {error}"));
    }
}

/// Lambda tries an event three times: again a minute after the first failure, and two minutes after the second. A
/// function that holds the lease may die at once or at its timeout of 120 seconds; its lease is 30 seconds longer.
#[tokio::test]
async fn last_retry_takes_the_lease_of_a_function_that_died_in_the_first() {
    let sandbox = Sandbox::create().await;
    let start: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
    let function = Owner { is_operator: false, skew: SignedDuration::ZERO, term: SignedDuration::from_secs(150) };
    for died_after in [0, 5, 60, 120] {
        let id = format!("d-{died_after}");
        function.take(&sandbox, &id, "first", start).await.unwrap();
        let second = start + SignedDuration::from_secs(died_after + 60);
        let taken = match function.take(&sandbox, &id, "second", second).await {
            Ok(()) => true,
            // It waits a little for the lease, and fails.
            Err(Error::LeaseHeld { .. }) => {
                let third = second + SignedDuration::from_secs(3 + 120);
                function.take(&sandbox, &id, "third", third).await.is_ok()
            }
            Err(error) => panic!("{error}"),
        };
        assert!(taken, "died after {died_after} s");
    }
}

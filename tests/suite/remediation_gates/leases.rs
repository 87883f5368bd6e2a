//! One owner at a time, by clocks that disagree; and how long a dead owner is in the way.

use jiff::SignedDuration;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_runtime::ledger::{CLOCK_TOLERANCE, Ledger};
use rectify_tests::emulator::Surroundings;

use super::*;

/// Somebody who takes leases: how wrong its clock is, and for how long it works at most.
#[derive(Debug, Clone, Copy)]
struct Owner {
    is_person: bool,
    skew: SignedDuration,
    term: SignedDuration,
}

impl Owner {
    /// AWS sets a function's clock, and Lambda ends it; nobody sets a laptop's.
    fn any() -> impl Strategy<Value = Self> {
        let of = |is_person, skew, term| {
            let (skew, term) = (SignedDuration::from_millis(skew), SignedDuration::from_secs(term));
            Self { is_person, skew, term }
        };
        let function = (1_i64..=150).prop_map(move |term| of(false, 0, term));
        let person = (-600_000_i64..=600_000, 1_i64..=300).prop_map(move |(skew, term)| of(true, skew, term));
        prop_oneof![1 => function, 3 => person]
    }

    fn ledger(self, around: &Surroundings) -> Ledger {
        let ledger = Ledger::new(&around.sdk, &around.name);
        if self.is_person { ledger.tolerating(CLOCK_TOLERANCE) } else { ledger }
    }

    /// Tries to take the lease of a widget at this true time.
    async fn take(self, around: &Surroundings, id: &str, name: &str, at: Timestamp) -> Result<(), Error> {
        let now = at + self.skew;
        self.ledger(around).lease(&path(id), name, now, now + self.term).await.map(drop)
    }
}

/// `safety/22`: whatever two clocks say within ten minutes, the second owner waits as long as the first may work, and no
/// longer than 41 minutes more.
#[tokio::test]
async fn two_owners_never_hold_one_lease_however_wrong_their_clocks() {
    let around = Surroundings::create().await;
    let mut runner = TestRunner::deterministic();
    let cases = (Owner::any(), Owner::any(), 0.0..=1.0);
    for number in 0..150 {
        let (first, second, part) = cases.new_tree(&mut runner).unwrap().current();
        let case = format!("{number}: {first:?} {second:?} after {part} of its term");
        let id = format!("d-{number}");
        let start: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        first.take(&around, &id, "first", start).await.unwrap();
        let meanwhile = start + SignedDuration::from_secs_f64(first.term.as_secs_f64() * part);
        let fault = second.take(&around, &id, "second", meanwhile).await.expect_err(&case);
        assert!(matches!(&fault, Error::LeaseHeld { owner, .. } if owner == "first"), "{case}: {fault}");
        let later = start + first.term + SignedDuration::from_mins(41);
        second.take(&around, &id, "second", later).await.unwrap_or_else(|fault| panic!("{case}: {fault}"));
    }
}

/// Lambda tries an event three times: a minute after the first try failed, and two minutes after the second. A function
/// whose lease is in the way may die at once or at its limit of 120 seconds; its lease is 30 seconds longer.
#[tokio::test]
async fn last_try_of_an_event_takes_the_lease_of_a_function_that_died_in_the_first() {
    let around = Surroundings::create().await;
    let start: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
    let function = Owner { is_person: false, skew: SignedDuration::ZERO, term: SignedDuration::from_secs(150) };
    for died_after in [0, 5, 60, 120] {
        let id = format!("d-{died_after}");
        function.take(&around, &id, "first", start).await.unwrap();
        let second = start + SignedDuration::from_secs(died_after + 60);
        let taken = match function.take(&around, &id, "second", second).await {
            Ok(()) => true,
            // It waits a little for the lease, and fails.
            Err(Error::LeaseHeld { .. }) => {
                let third = second + SignedDuration::from_secs(3 + 120);
                function.take(&around, &id, "third", third).await.is_ok()
            }
            Err(fault) => panic!("{fault}"),
        };
        assert!(taken, "died after {died_after} s");
    }
}

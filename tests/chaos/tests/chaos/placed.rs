//! One thing that goes wrong at one moment, in the world of the chaos test.

use std::time::Duration;

use rectify_chaos::actor::{Decision, Event, Rates};
use rectify_chaos::vaults::{LOCK, LOCKED, OPEN, PRIVATE, Vault};
use rectify_chaos::{ACCOUNT, REGION};
use rectify_compliance::Timestamp;
use rectify_runtime::Error;

use super::world::{Act, Ended, Finding, World};

/// A vault whose policy is open and has no lock.
const ID: &str = "v-00";

/// Runs an act to its end.
fn run(world: &World, act: Act) -> Ended {
    world.stage.clock.run(act).1.expect("nobody dies")
}

fn policy(vault: &Vault) -> Vec<&str> {
    vault.policy.iter().map(String::as_str).collect()
}

/// Both controls replace the whole policy. What a person adds to it after the call and before the verifying read is in the
/// after-image, and still is not what the attempt left.
#[test]
fn undo_refuses_what_a_person_changed_between_the_last_call_and_the_verifying_read() {
    for control in [LOCK, PRIVATE] {
        let world = World::with(0..2);
        // A delivery reads the vault, reads it again, calls, and reads it to verify.
        world.vaults.edit_after(2, ID, |vault| {
            vault.policy.insert("allow-person".to_owned());
        });
        let finding = Finding {
            control,
            id: ID.to_owned(),
            recorded_at: Timestamp::now(),
            region: REGION,
            account: ACCOUNT,
            asked: false,
        };
        let luck = || fastrand::Rng::with_seed(0);
        let (_, act) = world.deliver(&finding, luck(), usize::MAX, usize::MAX);
        let Ended::Delivered(Ok(handled)) = run(&world, act) else { panic!("{control}: not delivered") };
        assert_eq!(handled.name(), "verified", "{control}");
        let left = world.vaults.vault(ID);
        let expected: &[&str] = match control {
            LOCK => &["allow-auditor", OPEN, "allow-person", LOCKED],
            _ => &["allow-auditor", "allow-person"],
        };
        assert_eq!(policy(&left), expected, "{control}: the call and the person's change");
        let attempt = handled.attempt().unwrap();
        let undone = run(&world, world.undo(control, ID, attempt, luck(), usize::MAX));
        let Ended::Undone(Err(Error::UndoRefused { reason, .. })) = undone else { panic!("{control}: {undone:?}") };
        assert!(reason.starts_with("changed since: policy["), "{control}: {reason}");
        assert!(reason.contains("allow-person"), "{control}: {reason}");
        assert_eq!(world.vaults.vault(ID), left, "{control}: what the person changed stands");
    }
}

/// The SDK repeats a transaction whose answer was lost, and DynamoDB knows it by its token: the decision is made once, and
/// whoever ended it meanwhile ended it for good.
#[test]
fn transaction_that_is_repeated_after_a_lost_answer_is_committed_once() {
    let world = World::with(0..2);
    world.stage.set(Rates { ledger: 10_000, vaults: 0 });
    let mut committed = [0, 0, 0];
    for seed in 0..20 {
        let exempt = Decision::Exempt(format!("exemption-{seed}"), Some(LOCK), ID.to_owned());
        run(&world, world.decide(&exempt, Duration::ZERO, fastrand::Rng::with_seed(seed)));
        let times = world.stage.news().iter().filter(|it| matches!(it.event, Event::Committed(..))).count();
        committed[times] += 1;
    }
    assert!(committed[1] > 0, "nothing was carried out");
    assert_eq!(committed[2], 0, "committed twice");
}

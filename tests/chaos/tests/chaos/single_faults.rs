//! Single faults at a chosen step, in the world of the chaos test.

use std::time::Duration;

use rectify_chaos::actor::{Decision, Event, Rates};
use rectify_chaos::vaults::{LOCK, LOCKED, OPEN, PRIVATE, Vault};
use rectify_chaos::{ACCOUNT, REGION};
use rectify_compliance::Timestamp;
use rectify_runtime::Error;

use super::world::{Ended, Finding, Task, World};

/// A vault whose policy is open and not locked.
const ID: &str = "v-00";

/// Runs a task to its end.
fn run(world: &World, task: Task) -> Ended {
    world.env.clock.run(task).1.expect("no actor dies")
}

fn policy(vault: &Vault) -> Vec<&str> {
    vault.policy.iter().map(String::as_str).collect()
}

/// Both controls replace the whole policy. A statement that an operator adds between the call and the verifying read is
/// in the resulting state, but is not a change of the attempt.
#[test]
fn undo_refuses_a_change_made_between_the_last_call_and_the_verifying_read() {
    for control in [LOCK, PRIVATE] {
        let world = World::with(0..2);
        // A delivery reads the vault, reads it again, calls, and reads it to verify.
        world.vaults.edit_after(2, ID, |vault| {
            vault.policy.insert("allow-operator".to_owned());
        });
        let finding = Finding {
            control,
            id: ID.to_owned(),
            recorded_at: Timestamp::now(),
            region: REGION,
            account: ACCOUNT,
            requested: false,
        };
        let random = || fastrand::Rng::with_seed(0);
        let (_, task) = world.deliver(&finding, random(), usize::MAX, usize::MAX);
        let Ended::Delivered(Ok(disposition)) = run(&world, task) else { panic!("{control}: not delivered") };
        assert_eq!(disposition.name(), "verified", "{control}");
        let left = world.vaults.vault(ID);
        let expected: &[&str] = match control {
            LOCK => &["allow-auditor", OPEN, "allow-operator", LOCKED],
            _ => &["allow-auditor", "allow-operator"],
        };
        assert_eq!(policy(&left), expected, "{control}: the call and the operator's change");
        let attempt = disposition.attempt().unwrap();
        let undone = run(&world, world.undo(control, ID, attempt, random(), usize::MAX));
        let Ended::Undone(Err(Error::UndoRefused { reason, .. })) = undone else { panic!("{control}: {undone:?}") };
        assert!(reason.starts_with("changed since: policy["), "{control}: {reason}");
        assert!(reason.contains("allow-operator"), "{control}: {reason}");
        assert_eq!(world.vaults.vault(ID), left, "{control}: the operator's change is kept");
    }
}

/// The SDK repeats a transaction whose answer was lost, and DynamoDB recognizes its token: the decision is made once,
/// and its end is not reverted by the repetition.
#[test]
fn transaction_repeated_after_a_lost_answer_is_committed_once() {
    let world = World::with(0..2);
    world.env.set(Rates { ledger: 10_000, vaults: 0 });
    let mut committed = [0, 0, 0];
    for seed in 0..20 {
        let exempt = Decision::Exempt(format!("exemption-{seed}"), Some(LOCK), ID.to_owned());
        run(&world, world.decide(&exempt, Duration::ZERO, fastrand::Rng::with_seed(seed)));
        let times = world.env.new_entries().iter().filter(|it| matches!(it.event, Event::Committed(..))).count();
        committed[times] += 1;
    }
    assert!(committed[1] > 0, "no transaction was committed");
    assert_eq!(committed[2], 0, "committed twice");
}

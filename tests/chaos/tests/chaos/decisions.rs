//! Random actions of operators: change a vault, set and release kill switches, set and end holds and exemptions, reset
//! breakers, and hold leases with wrong clocks.

use std::time::Duration;

use rectify_chaos::ACCOUNT;
use rectify_chaos::actor::{ActorKind, Decision};
use rectify_chaos::vaults::{CONTROLS, DAYS, LOCKED, OPEN, Vault, id_of};
use rectify_compliance::Timestamp;
use rectify_compliance::exemption::{ANY, Ended, Exemption, Selector};
use rectify_runtime::ledger::{AuditEntry, CLOCK_TOLERANCE, Hold, StopSwitch, new_id};

use super::world::{Task, World, path};

const YEAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(365 * 24);

/// Changes one field of a vault, into a compliant or a violating value.
pub(super) fn change(random: &mut fastrand::Rng, vault: &mut Vault) {
    let on = random.bool();
    match random.u32(..10) {
        0 | 1 => drop(vault.bolts.insert(["bottom", "middle", "top"][random.usize(..3)].to_owned(), on)),
        2 if on => drop(vault.policy.insert(OPEN.to_owned())),
        2 => drop(vault.policy.remove(LOCKED)),
        3 if on => drop(vault.policy.insert(format!("allow-operator-{}", random.u32(..20)))),
        3 => drop(vault.policy.pop_last()),
        // A vault with a pending change cannot be modified.
        4 | 5 if !vault.busy => vault.retention = if on { DAYS + 1 } else { random.u32(..DAYS) },
        6 => drop(vault.keys.insert(["old-1", "old-2"][random.usize(..2)].to_owned(), on)),
        7 => vault.logging = on,
        8 => drop(vault.bolts.insert(format!("bolt-{}", random.u32(..3)), true)),
        _ => drop(vault.tags.insert("team".to_owned(), format!("{}", random.u32(..4)))),
    }
}

/// The next decision, given those in force: about a control and a resource, or the end of a decision in force.
pub(super) fn decision(random: &mut fastrand::Rng, in_force: &[Decision], (control, id): (u8, String)) -> Decision {
    // Decisions end more often than they begin, or soon nothing would be fixed.
    let stops = in_force.iter().any(|it| matches!(it, Decision::Stop(_)));
    if !in_force.is_empty() && (stops || in_force.len() > 12 || random.u32(..5) < 2) {
        let first = in_force.iter().find(|it| matches!(it, Decision::Stop(_)) && random.u32(..3) > 0);
        return ending(first.unwrap_or(&in_force[random.usize(..in_force.len())]));
    }
    let of = (random.u32(..4) > 0).then_some(control);
    match random.u32(..12) {
        0 => Decision::Stop(of),
        1..=3 => Decision::Hold(control, id),
        4..=5 => Decision::Exempt(new_id(Timestamp::now()), of, id),
        _ => Decision::Reset(control, id),
    }
}

/// The decision that ends this one.
pub(super) fn ending(decision: &Decision) -> Decision {
    match decision.clone() {
        Decision::Stop(of) => Decision::Resume(of),
        Decision::Hold(control, id) => Decision::EndHold(control, id),
        Decision::Exempt(exemption, ..) => Decision::EndExemption(exemption),
        other => other,
    }
}

impl World {
    /// Carries a decision out after a delay, as the command line does. Its errors are ignored: an operator would see
    /// them.
    pub(super) fn decide(&self, decision: &Decision, after: Duration, random: fastrand::Rng) -> Task {
        let (kind, decision) = (ActorKind::Decision(decision.clone()), decision.clone());
        let clock = self.env.clock.clone();
        self.task(kind, random, async move |ledger| {
            clock.wait(after).await;
            let scope = |of: Option<u8>| of.map_or(ANY, id_of).to_owned();
            let (by, now) = ("jane".to_owned(), Timestamp::now());
            let until = now + YEAR;
            let done = match decision {
                Decision::Stop(of) => {
                    ledger.stop(&StopSwitch { scope: scope(of), by, reason: "too much".to_owned(), since: now }).await
                }
                Decision::Resume(of) => ledger.resume(&scope(of), &by).await,
                Decision::Hold(control, id) => {
                    let hold = Hold { control: id_of(control).to_owned(), by, reason: "wait".to_owned(), until };
                    ledger.set_hold(&path(&id), &hold).await
                }
                Decision::EndHold(control, id) => ledger.end_hold(&path(&id), id_of(control), &by).await,
                Decision::Exempt(exemption, of, id) => {
                    let exemption = Exemption {
                        id: exemption,
                        control: scope(of),
                        account: ACCOUNT.to_owned(),
                        selector: Selector::Resource(id),
                        reason: "vendor".to_owned(),
                        approver: by.clone(),
                        ticket: "SEC-1".to_owned(),
                        created: now,
                        until,
                        ended: None,
                    };
                    ledger.exempt(&exemption, &AuditEntry::now(by, "exempt add", "")).await
                }
                Decision::EndExemption(id) => {
                    let mut scopes: Vec<&str> = (0..CONTROLS).map(id_of).collect();
                    scopes.push(ANY);
                    let (ended, audit_entry) =
                        (Ended { by: by.clone(), at: now }, AuditEntry::now(by, "exempt end", ""));
                    ledger.end_exemption(&id, &scopes, &ended, &audit_entry).await.map(drop)
                }
                Decision::Reset(control, id) => {
                    let audit_entry = AuditEntry::now(by, "breaker reset", "");
                    let own = ledger.reset_control_breaker(id_of(control), &audit_entry).await;
                    own.and(ledger.reset_resource_breaker(&path(&id), id_of(control), &audit_entry).await)
                }
            };
            // The history shows whether it took effect; the answer may have been lost.
            drop(done);
        })
    }

    /// An owner whose clock is wrong by minutes takes the lease of a vault if possible, and releases it.
    pub(super) fn wrong_clock(&self, id: &str, mut random: fastrand::Rng) -> Task {
        let (path, minutes) = (path(id), random.i64(-9..10));
        let clock = self.env.clock.clone();
        let name = format!("wrong-clock-{}", random.u32(..));
        self.task(ActorKind::WrongClock, random, async move |ledger| {
            let now = Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
            let until = now + jiff::SignedDuration::from_mins(5);
            let ledger = ledger.tolerating(CLOCK_TOLERANCE);
            if let Ok(lease) = ledger.lease(&path, &name, now, until).await {
                clock.wait(Duration::from_secs(2)).await;
                drop(ledger.release(&lease).await);
            }
        })
    }
}

//! What people do at random: change a vault, stop and resume, hold and release, exempt and end it, reset breakers, and hold
//! leases by clocks that are wrong.

use std::time::Duration;

use rectify_chaos::ACCOUNT;
use rectify_chaos::actor::{Decision, Who};
use rectify_chaos::vaults::{CONTROLS, DAYS, LOCKED, OPEN, Vault, id_of};
use rectify_compliance::Timestamp;
use rectify_compliance::exemption::{ANY, Ended, Exemption, Selector};
use rectify_runtime::ledger::{AuditEntry as Recorded, CLOCK_TOLERANCE, Hold, StopSwitch, new_id};

use super::world::{Act, World, path};

const YEAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(365 * 24);

/// Changes one thing of a vault, for better or worse.
pub(super) fn change(luck: &mut fastrand::Rng, vault: &mut Vault) {
    let on = luck.bool();
    match luck.u32(..10) {
        0 | 1 => drop(vault.bolts.insert(["bottom", "middle", "top"][luck.usize(..3)].to_owned(), on)),
        2 if on => drop(vault.policy.insert(OPEN.to_owned())),
        2 => drop(vault.policy.remove(LOCKED)),
        3 if on => drop(vault.policy.insert(format!("allow-person-{}", luck.u32(..20)))),
        3 => drop(vault.policy.pop_last()),
        // Nobody modifies a vault that is being modified.
        4 | 5 if !vault.busy => vault.retention = if on { DAYS + 1 } else { luck.u32(..DAYS) },
        6 => drop(vault.keys.insert(["old-1", "old-2"][luck.usize(..2)].to_owned(), on)),
        7 => vault.logging = on,
        8 => drop(vault.bolts.insert(format!("bolt-{}", luck.u32(..3)), true)),
        _ => drop(vault.tags.insert("team".to_owned(), format!("{}", luck.u32(..4)))),
    }
}

/// What somebody decides next, given what is in force: about a control and a resource, and whatever else that ends or stops.
pub(super) fn decision(luck: &mut fastrand::Rng, in_force: &[Decision], (control, id): (u8, String)) -> Decision {
    // More is ended than begun, or soon nothing would be done at all.
    let stops = in_force.iter().any(|it| matches!(it, Decision::Stop(_)));
    if !in_force.is_empty() && (stops || in_force.len() > 12 || luck.u32(..5) < 2) {
        let first = in_force.iter().find(|it| matches!(it, Decision::Stop(_)) && luck.u32(..3) > 0);
        return ending(first.unwrap_or(&in_force[luck.usize(..in_force.len())]));
    }
    let of = (luck.u32(..4) > 0).then_some(control);
    match luck.u32(..12) {
        0 => Decision::Stop(of),
        1..=3 => Decision::Hold(control, id),
        4..=5 => Decision::Exempt(new_id(Timestamp::now()), of, id),
        _ => Decision::Reset(control, id),
    }
}

/// The act that ends this one.
pub(super) fn ending(decision: &Decision) -> Decision {
    match decision.clone() {
        Decision::Stop(of) => Decision::Resume(of),
        Decision::Hold(control, id) => Decision::EndHold(control, id),
        Decision::Exempt(exemption, ..) => Decision::EndExemption(exemption),
        other => other,
    }
}

impl World {
    /// Carries a decision out after a while, as the command line does. One that fails is one that somebody sees fail.
    pub(super) fn decide(&self, decision: &Decision, after: Duration, luck: fastrand::Rng) -> Act {
        let (who, decision) = (Who::Decision(decision.clone()), decision.clone());
        let clock = self.stage.clock.clone();
        self.act(who, luck, async move |ledger| {
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
                    ledger.exempt(&exemption, &Recorded::now(by, "exempt add", "")).await
                }
                Decision::EndExemption(id) => {
                    let mut scopes: Vec<&str> = (0..CONTROLS).map(id_of).collect();
                    scopes.push(ANY);
                    let (ended, act) = (Ended { by: by.clone(), at: now }, Recorded::now(by, "exempt end", ""));
                    ledger.end_exemption(&id, &scopes, &ended, &act).await.map(drop)
                }
                Decision::Reset(control, id) => {
                    let act = Recorded::now(by, "breaker reset", "");
                    let own = ledger.reset_control_breaker(id_of(control), &act).await;
                    own.and(ledger.reset_resource_breaker(&path(&id), id_of(control), &act).await)
                }
            };
            // Whether it was carried out is what the history says, not the answer: that may have been lost.
            drop(done);
        })
    }

    /// A laptop whose clock is minutes wrong takes the lease of a vault if it can, and gives it back.
    pub(super) fn wrong_clock(&self, id: &str, mut luck: fastrand::Rng) -> Act {
        let (path, minutes) = (path(id), luck.i64(-9..10));
        let clock = self.stage.clock.clone();
        let name = format!("laptop-{}", luck.u32(..));
        self.act(Who::Laptop, luck, async move |ledger| {
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

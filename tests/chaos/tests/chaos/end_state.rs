//! Checks after the faults end: every finding is answered, no attempt is in progress, and every change can be undone or
//! its undo is refused with the difference.

use std::collections::BTreeSet;
use std::time::Duration;

use rectify_chaos::ACCOUNT;
use rectify_chaos::actor::{ActorKind, Decision, Rates};
use rectify_chaos::vaults::service::Vaults;
use rectify_chaos::vaults::{CONTROLS, Call, Vault, complies, id_of, predict, touched_fields};
use rectify_compliance::Timestamp;
use rectify_runtime::Error;
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, State};
use rectify_runtime::remediation::undo::Undone;
use serde_json::Value;

use super::Chaos;
use super::decisions::ending;
use super::world::{Ended, Finding, PLANS, path};

/// The maximum number of rounds in which open findings are delivered again.
const ROUNDS: usize = 12;

impl Chaos {
    /// Without faults, decisions and leases of dead actors, delivers until no finding and no attempt is left.
    pub(super) fn drain(&mut self) {
        self.world.env.set(Rates::default());
        self.world.vaults.clear_edits();
        self.finish_all();
        for left in std::mem::take(&mut self.left) {
            left.end_lease("time passes");
        }
        // An undo with a lost answer leaves its hold, too.
        let of_undos = self.model.attempts.values().filter(|known| known.stored.undo.is_some());
        let held = of_undos.map(|known| Decision::Hold(known.control, known.stored.target.resource.id.clone()));
        let held: Vec<Decision> = held.collect();
        for decision in self.model.in_force().into_iter().chain(held) {
            let random = self.fork();
            let task = self.world.decide(&ending(&decision), Duration::ZERO, random);
            self.finish(task);
        }
        assert_eq!(self.model.in_force(), [], "decisions end");
        for control in 0..CONTROLS {
            self.world.deploy(control, true);
        }
        for round in 0.. {
            self.world.by_hand(ActorKind::Operator, Vaults::settle);
            self.evaluate_all();
            let mut waiting: BTreeSet<_> = self.renewed_findings().into_iter().collect();
            waiting.extend(std::mem::take(&mut self.unanswered).into_iter().map(|mut finding| {
                finding.requested = true;
                finding
            }));
            let open = self.attempts_in_progress();
            waiting.extend(open.iter().map(|attempt| Finding { requested: true, ..self.finding_of(attempt) }));
            if waiting.is_empty() && open.is_empty() {
                break;
            }
            assert!(
                round < ROUNDS,
                "not drained: {open:#?} {waiting:#?}\n{}",
                self.history_of(waiting.first().map(|it| it.id.clone()))
            );
            self.close_breakers(&waiting);
            for finding in waiting {
                self.begin_delivery(&finding, super::TRIES, usize::MAX, usize::MAX);
                self.next();
                self.left.pop();
            }
        }
    }

    /// The findings that AWS Config reports now, recorded again. AWS Config evaluates a resource after every change and
    /// records the result again even if it is the same; the reconciler requests the finding with that time.
    fn renewed_findings(&mut self) -> Vec<Finding> {
        let mut found = self.findings_now();
        for finding in &mut found {
            finding.recorded_at = self.next_record();
            finding.requested = true;
        }
        found
    }

    fn history_of(&self, id: Option<String>) -> String {
        id.map_or_else(String::new, |id| self.model.history(&id))
    }

    /// Resets the breakers that may block the fixes of these findings.
    fn close_breakers(&mut self, of: &BTreeSet<Finding>) {
        let places: BTreeSet<(u8, String)> = of.iter().map(|it| (it.control, it.id.clone())).collect();
        for (control, id) in places {
            let random = self.fork();
            let task = self.world.decide(&Decision::Reset(control, id), Duration::ZERO, random);
            self.finish(task);
        }
    }

    /// The attempts in progress, as the reconciler finds them.
    fn attempts_in_progress(&mut self) -> Vec<Attempt> {
        let ids = self.query(async |ledger, _| {
            let mut ids = Vec::new();
            for control in 0..CONTROLS {
                ids.extend(ledger.attempts_in_progress(id_of(control)).await.unwrap().into_iter().map(|it| it.id));
            }
            ids
        });
        ids.iter().map(|id| self.model.attempts[id].stored.clone()).collect()
    }

    /// Checks that stored attempts are complete, announced, and equal to the history.
    pub(super) fn check_ledger(&mut self) {
        for id in self.world.ids.clone() {
            let vault = self.world.vaults.vault(&id);
            for control in 0..CONTROLS {
                let compliant = complies(control, &vault) || self.world.excluded.contains(&id);
                assert!(compliant, "{} is not enforced: {vault:?}\n{}", id_of(control), self.model.history(&id));
            }
        }
        let leases = self.world.env.table.items();
        let held = leases
            .iter()
            .filter(|item| item["sk"]["S"] == "LEASE")
            .find(|item| item.contains_key("owner") && item.get("until").is_some_and(|until| until["N"] != "0"));
        assert_eq!(held, None, "a lease is held");
        let stored = self.query(async |ledger, ids| {
            let mut attempts = Vec::new();
            for id in ids {
                for control in 0..CONTROLS {
                    attempts.extend(ledger.attempts(&path(&id), id_of(control)).await.unwrap());
                }
            }
            let now = Timestamp::now();
            let mut used = 0;
            for control in 0..CONTROLS {
                for hour in 0..2 {
                    let then = now - jiff::SignedDuration::from_hours(hour);
                    used += ledger.budget_used(id_of(control), ACCOUNT, then).await.unwrap();
                }
            }
            (attempts, used)
        });
        let (stored, used) = stored;
        let text = |detail: &Value, field: &str| detail[field].as_str().map(str::to_owned);
        let events = self.world.env.table.events();
        let about = |(_, detail): &(String, Value)| Some((text(detail, "attempt")?, text(detail, "outcome")?));
        let announced: BTreeSet<(String, String)> = events.iter().filter_map(about).collect();
        let plans = |control: &str| {
            events.iter().filter(|(kind, detail)| kind == "Rectify Plan" && detail["control"] == control).count()
        };
        assert_eq!(stored.len(), self.model.attempts.len(), "attempts stored and seen");
        for attempt in &stored {
            let history = || self.model.history(&attempt.target.resource.id);
            let known = &self.model.attempts[&attempt.id];
            assert_eq!(*attempt, known.stored, "{}", history());
            assert_eq!(attempt.state, State::Finished, "{}", history());
            let is_announced = |outcome: Outcome| announced.contains(&(attempt.id.clone(), outcome.name().to_owned()));
            match attempt.outcome {
                None => assert!(attempt.undo.is_some(), "{} ended without an outcome: {}", attempt.id, history()),
                Some(outcome) => {
                    let was_announced = match outcome {
                        Outcome::Gone | Outcome::AlreadyCompliant | Outcome::NotApplicable => {
                            attempt.actions.is_empty() || is_announced(outcome)
                        }
                        // One announcement covers many of these.
                        Outcome::BreakerOpen | Outcome::OverBudget => attempt.announced,
                        // Those beyond the hourly limit are in one digest.
                        Outcome::Planned | Outcome::Exempt if plans(&attempt.control) >= PLANS => attempt.announced,
                        _ => attempt.announced && is_announced(outcome),
                    };
                    assert!(was_announced, "{} ({}) was not announced: {}", attempt.id, outcome.name(), history());
                }
            }
            let mut named: Vec<Call> = calls(attempt);
            for change in &known.changes {
                let place = named.iter().position(|call| call == change);
                let place = place.unwrap_or_else(|| panic!("{} does not name {change:?}: {}", attempt.id, history()));
                named.remove(place);
            }
        }
        let acted = stored.iter().filter(|attempt| attempt.budgeted && attempt.has_acted()).count();
        assert_eq!(usize::try_from(used).unwrap(), acted, "the budget equals the attempts that acted");
    }

    /// Undoes every change that was not changed since; every other undo is refused with the difference.
    pub(super) fn undo_everything(&mut self) {
        let attempts: Vec<String> = self.model.attempts.keys().rev().cloned().collect();
        for id in attempts {
            self.world.by_hand(ActorKind::Operator, Vaults::settle);
            self.check_history();
            let known = &self.model.attempts[&id];
            let (attempt, control, lefts) = (known.stored.clone(), known.control, known.left.clone());
            let resource = attempt.target.resource.id.clone();
            let before: Option<Vault> = attempt.before.as_ref().map(|state| state.read().unwrap());
            let parts = calls(&attempt);
            let live = self.world.vaults.vault(&resource);
            let is_undone = attempt.undo.as_ref().is_some_and(|undo| undo.finished_at.is_some());
            let random = self.fork();
            let task = self.world.undo(control, &resource, &id, random, usize::MAX);
            let Some(Ended::Undone(result)) = self.finish(task) else { panic!("{id} died") };
            self.world.by_hand(ActorKind::Operator, Vaults::settle);
            let after = self.world.vaults.vault(&resource);
            let history = || self.model.history(&resource);
            match before {
                _ if is_undone => assert_eq!(result, Ok(Undone::AlreadyUndone), "{}", history()),
                Some(before) if !parts.is_empty() => {
                    let (restored, found) = (touched_fields(&before, &parts), touched_fields(&live, &parts));
                    let is_left = |left: &Vault| touched_fields(left, &parts) == found;
                    let made = parts.iter().fold(before.clone(), predict);
                    // If no call took effect and an operator made the same change, that change counts as the attempt's.
                    let must = is_left(lefts.last().unwrap_or(&made));
                    // An interrupted undo may find the restored state, or the state after any of its calls,
                    // whichever actor made it.
                    let may = must
                        || is_left(&made)
                        || (attempt.undo.is_some() && (found == restored || lefts.iter().any(is_left)));
                    match result {
                        Ok(Undone::Restored { .. }) => {
                            assert!(may, "{id}: undone over another change: {}", history());
                            assert_eq!(touched_fields(&after, &parts), restored, "{id}: {}", history());
                        }
                        Err(Error::UndoRefused { reason, .. }) => {
                            assert!(!must, "{id}: refused without reason: {reason}: {live:?}\n{}", history());
                            assert!(reason.contains("changed since"), "{reason}");
                            assert_eq!(after, live, "{id}: refused and changed: {}", history());
                            self.model.count("an undo was refused with the difference at the end");
                            continue;
                        }
                        // No call took effect: undo drops them and has nothing to restore.
                        Ok(Undone::NothingToUndo) => {
                            assert!(lefts.is_empty() && !must, "{id}: nothing to undo of {attempt:?}: {}", history());
                            assert_eq!(after, live, "{id}: nothing to undo, and changed: {}", history());
                            continue;
                        }
                        other => panic!("{id}: {other:?}: {}", history()),
                    }
                    self.model.count("a change was undone at the end");
                }
                _ => assert_eq!(result, Ok(Undone::NothingToUndo), "{}", history()),
            }
        }
    }

    /// Reads the ledger without faults.
    fn query<T: 'static>(&mut self, read: impl AsyncFnOnce(Ledger, Vec<String>) -> T + 'static) -> T {
        let answer = std::rc::Rc::new(std::cell::RefCell::new(None));
        let (result, ids) = (std::rc::Rc::clone(&answer), self.world.ids.clone());
        let random = self.fork();
        let task = self.world.task(ActorKind::Operator, random, async move |ledger| {
            let value = read(ledger, ids).await;
            *result.borrow_mut() = Some(value);
        });
        self.finish(task);
        answer.take().unwrap()
    }

    fn finding_of(&self, attempt: &Attempt) -> Finding {
        let known = &self.model.attempts[&attempt.id];
        self.finding(known.control, &attempt.target.resource.id, attempt.recorded_at)
    }
}

fn calls(attempt: &Attempt) -> Vec<Call> {
    attempt.actions.iter().map(|record| serde_json::from_value(record.action.clone()).unwrap()).collect()
}

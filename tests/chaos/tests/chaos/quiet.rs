//! What must be true when nothing goes wrong any more: every finding answered, nothing under way, every change undoable or
//! the person who changed it since named.

use std::collections::BTreeSet;
use std::time::Duration;

use rectify_chaos::ACCOUNT;
use rectify_chaos::actor::{Decision, Rates, Who};
use rectify_chaos::vaults::service::Vaults;
use rectify_chaos::vaults::{CONTROLS, Call, Vault, complies, id_of, predict, touched_fields};
use rectify_compliance::Timestamp;
use rectify_runtime::Error;
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, State};
use rectify_runtime::remediation::undo::Undone;
use serde_json::Value;

use super::Chaos;
use super::acts::ending;
use super::world::{Ended, Finding, PLANS, path};

/// How often everything that is open is delivered again.
const ROUNDS: usize = 12;

impl Chaos {
    /// No trouble any more, nothing forbidden, all that died is over: everything is delivered until nothing is left.
    pub(super) fn come_to_rest(&mut self) {
        self.world.stage.set(Rates::default());
        self.world.vaults.calm();
        self.finish_all();
        for left in std::mem::take(&mut self.left) {
            left.end_lease("time passes");
        }
        // An undo of which nobody knows whether it changed something leaves its hold, too.
        let of_undos = self.model.attempts.values().filter(|known| known.stored.undo.is_some());
        let held = of_undos.map(|known| Decision::Hold(known.control, known.stored.target.resource.id.clone()));
        let held: Vec<Decision> = held.collect();
        for decision in self.model.in_force().into_iter().chain(held) {
            let luck = self.fork();
            let act = self.world.decide(&ending(&decision), Duration::ZERO, luck);
            self.finish(act);
        }
        assert_eq!(self.model.in_force(), [], "decisions end");
        for control in 0..CONTROLS {
            self.world.deploy(control, true);
        }
        for round in 0.. {
            self.world.by_hand(Who::Person, Vaults::settle);
            self.judge_all();
            let mut waiting: BTreeSet<_> = self.findings_anew().into_iter().collect();
            waiting.extend(std::mem::take(&mut self.unanswered).into_iter().map(|mut finding| {
                finding.asked = true;
                finding
            }));
            let open = self.open_attempts();
            waiting.extend(open.iter().map(|attempt| Finding { asked: true, ..self.finding_of(attempt) }));
            if waiting.is_empty() && open.is_empty() {
                break;
            }
            assert!(
                round < ROUNDS,
                "no rest: {open:#?} {waiting:#?}\n{}",
                self.story_of(waiting.first().map(|it| it.id.clone()))
            );
            self.close_breakers(&waiting);
            for finding in waiting {
                self.begin_delivery(&finding, super::TRIES, usize::MAX, usize::MAX);
                self.next();
                self.left.pop();
            }
        }
    }

    /// What AWS Config reports now. It judges a resource after every change and records the result anew, whether or not it is
    /// another one; the reconciler asks about it by that time.
    fn findings_anew(&mut self) -> Vec<Finding> {
        let mut found = self.findings_now();
        for finding in &mut found {
            finding.recorded_at = self.next_record();
            finding.asked = true;
        }
        found
    }

    fn story_of(&self, id: Option<String>) -> String {
        id.map_or_else(String::new, |id| self.model.story(&id))
    }

    /// Those that may keep these findings from being fixed.
    fn close_breakers(&mut self, of: &BTreeSet<Finding>) {
        let places: BTreeSet<(u8, String)> = of.iter().map(|it| (it.control, it.id.clone())).collect();
        for (control, id) in places {
            let luck = self.fork();
            let act = self.world.decide(&Decision::Reset(control, id), Duration::ZERO, luck);
            self.finish(act);
        }
    }

    /// The attempts that have work left, as the reconciler finds them.
    fn open_attempts(&mut self) -> Vec<Attempt> {
        let ids = self.ask(async |ledger, _| {
            let mut ids = Vec::new();
            for control in 0..CONTROLS {
                ids.extend(ledger.open_attempts(id_of(control)).await.unwrap().into_iter().map(|it| it.id));
            }
            ids
        });
        ids.iter().map(|id| self.model.attempts[id].stored.clone()).collect()
    }

    /// Everything that is stored is whole, announced, and what the history says.
    pub(super) fn check_ledger(&mut self) {
        for id in self.world.ids.clone() {
            let vault = self.world.vaults.vault(&id);
            for control in 0..CONTROLS {
                let right = complies(control, &vault) || self.world.excluded.contains(&id);
                assert!(right, "{} is not enforced: {vault:?}\n{}", id_of(control), self.model.story(&id));
            }
        }
        let leases = self.world.stage.table.items();
        let held = leases
            .iter()
            .filter(|item| item["sk"]["S"] == "LEASE")
            .find(|item| item.contains_key("owner") && item.get("until").is_some_and(|until| until["N"] != "0"));
        assert_eq!(held, None, "a lease is held");
        let stored = self.ask(async |ledger, ids| {
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
        let word = |detail: &Value, field: &str| detail[field].as_str().map(str::to_owned);
        let events = self.world.stage.table.events();
        let about = |(_, detail): &(String, Value)| Some((word(detail, "attempt")?, word(detail, "outcome")?));
        let announced: BTreeSet<(String, String)> = events.iter().filter_map(about).collect();
        let plans = |control: &str| {
            events.iter().filter(|(kind, detail)| kind == "Rectify Plan" && detail["control"] == control).count()
        };
        assert_eq!(stored.len(), self.model.attempts.len(), "attempts stored and seen");
        for attempt in &stored {
            let story = || self.model.story(&attempt.target.resource.id);
            let known = &self.model.attempts[&attempt.id];
            assert_eq!(*attempt, known.stored, "{}", story());
            assert_eq!(attempt.state, State::Finished, "{}", story());
            let is_announced = |outcome: Outcome| announced.contains(&(attempt.id.clone(), outcome.name().to_owned()));
            match attempt.outcome {
                None => assert!(attempt.undo.is_some(), "{} ended without an outcome: {}", attempt.id, story()),
                Some(outcome) => {
                    let said = match outcome {
                        Outcome::Gone | Outcome::AlreadyCompliant | Outcome::NotApplicable => {
                            attempt.actions.is_empty() || is_announced(outcome)
                        }
                        // One announcement is about many of these.
                        Outcome::BreakerOpen | Outcome::OverBudget => attempt.announced,
                        // Those beyond the limit of the hour are one digest.
                        Outcome::Planned | Outcome::Exempt if plans(&attempt.control) >= PLANS => attempt.announced,
                        _ => attempt.announced && is_announced(outcome),
                    };
                    assert!(said, "{} ({}) was not announced: {}", attempt.id, outcome.name(), story());
                }
            }
            let mut named: Vec<Call> = calls(attempt);
            for change in &known.changes {
                let place = named.iter().position(|call| call == change);
                let place = place.unwrap_or_else(|| panic!("{} does not name {change:?}: {}", attempt.id, story()));
                named.remove(place);
            }
        }
        let acted = stored.iter().filter(|attempt| attempt.budgeted && attempt.has_acted()).count();
        assert_eq!(usize::try_from(used).unwrap(), acted, "the budget is what acted");
    }

    /// Every change that nobody changed since is taken back; every other one is refused, and says how it differs.
    pub(super) fn undo_everything(&mut self) {
        let attempts: Vec<String> = self.model.attempts.keys().rev().cloned().collect();
        for id in attempts {
            self.world.by_hand(Who::Person, Vaults::settle);
            self.take_news();
            let known = &self.model.attempts[&id];
            let (attempt, control, lefts) = (known.stored.clone(), known.control, known.left.clone());
            let resource = attempt.target.resource.id.clone();
            let before: Option<Vault> = attempt.before.as_ref().map(|image| image.read().unwrap());
            let parts = calls(&attempt);
            let live = self.world.vaults.vault(&resource);
            let is_undone = attempt.undo.as_ref().is_some_and(|undo| undo.finished_at.is_some());
            let luck = self.fork();
            let act = self.world.undo(control, &resource, &id, luck, usize::MAX);
            let Some(Ended::Undone(result)) = self.finish(act) else { panic!("{id} died") };
            self.world.by_hand(Who::Person, Vaults::settle);
            let after = self.world.vaults.vault(&resource);
            let story = || self.model.story(&resource);
            match before {
                _ if is_undone => assert_eq!(result, Ok(Undone::AlreadyUndone), "{}", story()),
                Some(before) if !parts.is_empty() => {
                    let (wanted, found) = (touched_fields(&before, &parts), touched_fields(&live, &parts));
                    let is_left = |left: &Vault| touched_fields(left, &parts) == found;
                    let made = parts.iter().fold(before.clone(), predict);
                    // Where no call arrived and a person made the same change, that change is what the attempt left.
                    let must = is_left(lefts.last().unwrap_or(&made));
                    // An undo that broke off may find what it wanted, or what any of its calls left, whoever made it so.
                    let may = must
                        || is_left(&made)
                        || (attempt.undo.is_some() && (found == wanted || lefts.iter().any(is_left)));
                    match result {
                        Ok(Undone::Restored { .. }) => {
                            assert!(may, "{id}: undone over somebody's change: {}", story());
                            assert_eq!(touched_fields(&after, &parts), wanted, "{id}: {}", story());
                        }
                        Err(Error::UndoRefused { reason, .. }) => {
                            assert!(!must, "{id}: refused without reason: {reason}: {live:?}\n{}", story());
                            assert!(reason.contains("changed since"), "{reason}");
                            assert_eq!(after, live, "{id}: refused and changed: {}", story());
                            self.model.count("an undo was refused with the difference at the end");
                            continue;
                        }
                        // No call arrived, nothing is as a call would leave it: undo drops them and has nothing to take back.
                        Ok(Undone::NothingToUndo) => {
                            assert!(lefts.is_empty() && !must, "{id}: nothing to undo of {attempt:?}: {}", story());
                            assert_eq!(after, live, "{id}: nothing to undo, and changed: {}", story());
                            continue;
                        }
                        other => panic!("{id}: {other:?}: {}", story()),
                    }
                    self.model.count("a change was undone at the end");
                }
                _ => assert_eq!(result, Ok(Undone::NothingToUndo), "{}", story()),
            }
        }
    }

    /// Asks the ledger as somebody who meets no trouble.
    fn ask<T: 'static>(&mut self, question: impl AsyncFnOnce(Ledger, Vec<String>) -> T + 'static) -> T {
        let answer = std::rc::Rc::new(std::cell::RefCell::new(None));
        let (told, ids) = (std::rc::Rc::clone(&answer), self.world.ids.clone());
        let luck = self.fork();
        let act = self.world.act(Who::Person, luck, async move |ledger| {
            let answered = question(ledger, ids).await;
            *told.borrow_mut() = Some(answered);
        });
        self.finish(act);
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

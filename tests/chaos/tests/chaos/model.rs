//! The model, independent of the code under test: the history of changes to resources and of operators' decisions, and
//! the rules that no entry may break.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use rectify_chaos::REGION;
use rectify_chaos::actor::{ActorKind, Decision, Entry, Event};
use rectify_chaos::vaults::{Call, Vault, id_of, predict, touched_fields};
use rectify_runtime::ledger::{Attempt, State};
use serde_json::Value;

use super::history::{line, stored};

/// How many of the last steps about a resource are kept, to be printed with a violation.
const HISTORY_LIMIT: usize = 200;

/// A decision of an operator, from one step of the history to another.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    /// The decision.
    pub(super) decision: Decision,
    from: usize,
    to: Option<usize>,
}

/// The state of an actor.
#[derive(Debug, Default)]
struct Acting {
    lease: Option<usize>,
    committed: usize,
    attempt: Option<String>,
    read: Option<Vault>,
}

/// An attempt: as it was stored, and by its calls.
#[derive(Debug)]
pub(super) struct Known {
    /// The last stored version.
    pub(super) stored: Attempt,
    /// Its control.
    pub(super) control: u8,
    /// The vault after each call of the attempt and of its undos, and after each completion of a pending change.
    pub(super) left: Vec<Vault>,
    /// The calls that changed the vault.
    pub(super) changes: Vec<Call>,
    /// Whether an undo of it changed something.
    pub(super) undoing: bool,
}

/// The prior state of an attempt that has made a call.
fn prior_state(attempt: &Attempt) -> Result<Vault, String> {
    let prior = attempt.before.as_ref().ok_or("a call without a prior state")?;
    prior.read().map_err(|error| error.to_string())
}

impl Known {
    /// A change may be missing in the stored attempt only if it was reverted.
    fn forget_reverted(&mut self, stored: &Attempt, read: Option<&Vault>) -> Result<(), String> {
        let is_named = |call: &Call| stored.actions.iter().any(|it| it.action == serde_json::json!(call));
        let is_in_effect = |call: &Call, read: &Vault| {
            predict(read.clone(), call) == *read || (read.busy && matches!(call, Call::ModifyRetention { .. }))
        };
        if let Some(lost) =
            self.changes.iter().find(|call| !is_named(call) && read.is_none_or(|it| is_in_effect(call, it)))
        {
            return Err(format!("{} no longer names {lost:?}, which is in effect", stored.id));
        }
        self.changes.retain(is_named);
        Ok(())
    }
}

/// The model.
#[derive(Debug, Default)]
pub(super) struct Model {
    now: usize,
    excluded: BTreeSet<String>,
    decided: Vec<Decided>,
    acting: HashMap<usize, Acting>,
    /// The holder of the lease of a partition.
    leases: HashMap<String, usize>,
    /// By id, and therefore in the order in which they began.
    pub(super) attempts: BTreeMap<String, Known>,
    /// The attempt with a pending change, by resource.
    pending: HashMap<String, String>,
    /// The changes of a resource by functions: step and actor.
    changed_by: HashMap<String, Vec<(usize, usize)>>,
    histories: HashMap<String, VecDeque<(usize, Rc<Entry>)>>,
    /// The counts of events by kind.
    pub(super) counts: BTreeMap<String, usize>,
}

impl Model {
    /// A model in which these resources are excluded by parameter.
    pub(super) fn excluding(excluded: &[String]) -> Self {
        Self { excluded: excluded.iter().cloned().collect(), ..Self::default() }
    }

    /// Checks new entries; panics with the history of the resource if one is forbidden.
    pub(super) fn take(&mut self, new_entries: Vec<Entry>) {
        for entry in new_entries.into_iter().map(Rc::new) {
            self.now += 1;
            if let Err(violation) = self.step(&entry) {
                let id = match &entry.kind {
                    ActorKind::Delivery { id, .. } | ActorKind::Undo { id, .. } => id.clone(),
                    _ => String::new(),
                };
                panic!("step {}: {}: {violation}\n{}", self.now, line(&entry), self.history(&id));
            }
        }
    }

    /// The last steps about a resource.
    pub(super) fn history(&self, id: &str) -> String {
        self.histories
            .get(id)
            .into_iter()
            .flatten()
            .map(|(at, entry)| format!("{at:>7} {}", line(entry)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The decisions in force.
    pub(super) fn in_force(&self) -> Vec<Decision> {
        self.decided.iter().filter(|it| it.to.is_none()).map(|it| it.decision.clone()).collect()
    }

    fn step(&mut self, entry: &Rc<Entry>) -> Result<(), String> {
        self.note(entry);
        match &entry.event {
            Event::Committed(_, input) => self.committed(entry, input),
            Event::Read(vault) => {
                self.acting.entry(entry.actor).or_default().read = Some(vault.clone());
                Ok(())
            }
            Event::Wrote(call, region, before, after) => match (&entry.kind, call) {
                (ActorKind::Delivery { .. }, Some(call)) => self.remediated(entry, call, region, before, after),
                (ActorKind::Undo { attempt, .. }, Some(call)) => self.undone(entry, attempt, call, before, after),
                _ => {
                    self.count("an operator changed a resource");
                    Ok(())
                }
            },
            Event::Settled(_, after) => {
                if let Some(known) = self.pending.remove(&after.id).and_then(|id| self.attempts.get_mut(&id)) {
                    known.left.push(after.clone());
                }
                Ok(())
            }
            Event::LeaseOver(_) => {
                // Later calls of the actor are allowed as long as no other actor takes the lease.
                self.leases.retain(|_, holder| *holder != entry.actor);
                Ok(())
            }
            Event::Ended(_) => {
                self.acting.remove(&entry.actor);
                Ok(())
            }
        }
    }

    fn committed(&mut self, entry: &Entry, input: &Value) -> Result<(), String> {
        let now = self.now;
        if input["Key"]["sk"]["S"] == "LEASE" {
            let update = input["UpdateExpression"].as_str().unwrap_or_default();
            // An update that neither takes nor releases a lease extends it.
            let (taken, released) = (update.contains("ADD fence"), update.starts_with("REMOVE"));
            let partition = input["Key"]["pk"]["S"].as_str().unwrap_or_default().to_owned();
            match self.leases.get(&partition) {
                Some(holder) if taken && *holder != entry.actor => {
                    return Err(format!("a lease of {partition} that actor {holder} holds"));
                }
                _ if taken => drop(self.leases.insert(partition, entry.actor)),
                _ if released => drop(self.leases.remove(&partition)),
                _ => {}
            }
            if taken || released {
                self.acting.entry(entry.actor).or_default().lease = taken.then_some(now);
            }
            if let (true, ActorKind::WrongClock) = (taken, &entry.kind) {
                self.count("a wrong clock took a lease");
            }
        }
        self.acting.entry(entry.actor).or_default().committed = now;
        if let ActorKind::Decision(decision) = &entry.kind {
            self.decide(decision.clone(), now);
        }
        let Some(attempt) = stored(input)? else { return Ok(()) };
        let id = attempt.id.clone();
        self.acting.entry(entry.actor).or_default().attempt = Some(id.clone());
        let control = (0..rectify_chaos::vaults::CONTROLS).find(|it| id_of(*it) == attempt.control);
        let control = control.ok_or_else(|| format!("unknown control {}", attempt.control))?;
        match self.attempts.get_mut(&id) {
            Some(known) => {
                let read = self.acting.get(&entry.actor).and_then(|it| it.read.as_ref());
                known.forget_reverted(&attempt, read)?;
                known.stored = attempt;
            }
            None => {
                let known = Known { stored: attempt, control, left: vec![], changes: vec![], undoing: false };
                self.attempts.insert(id, known);
            }
        }
        Ok(())
    }

    fn decide(&mut self, decision: Decision, now: usize) {
        let ends = |it: &Decision| match (&decision, it) {
            (Decision::Resume(of), Decision::Stop(it)) => of == it,
            (Decision::EndHold(control, id), Decision::Hold(it, held)) => control == it && id == held,
            (Decision::EndExemption(id), Decision::Exempt(it, ..)) => id == it,
            _ => false,
        };
        for it in self.decided.iter_mut().filter(|it| it.to.is_none() && ends(&it.decision)) {
            it.to = Some(now);
        }
        let begins = matches!(decision, Decision::Stop(_) | Decision::Hold(..) | Decision::Exempt(..));
        if begins && !self.in_force().contains(&decision) {
            self.count("an operator decided");
            self.decided.push(Decided { decision, from: now, to: None });
        }
    }

    /// The decision that forbade this control to change this resource at step `at`, if any.
    fn forbidden(&self, control: u8, id: &str, at: usize) -> Option<String> {
        let applies = |decision: &Decision| match decision {
            Decision::Stop(of) => of.is_none_or(|it| it == control),
            Decision::Hold(of, held) => *of == control && held == id,
            Decision::Exempt(_, of, exempt) => of.is_none_or(|it| it == control) && exempt == id,
            _ => false,
        };
        let in_force = |it: &&Decided| it.from < at && it.to.is_none_or(|to| to > at);
        let found = self.decided.iter().filter(in_force).find(|it| applies(&it.decision))?;
        Some(format!("{:?} since step {}", found.decision, found.from))
    }

    fn remediated(
        &mut self,
        entry: &Entry,
        call: &Call,
        region: &str,
        before: &Vault,
        after: &Vault,
    ) -> Result<(), String> {
        let ActorKind::Delivery { control, id, forbidden } = &entry.kind else { unreachable!() };
        let changed = before != after;
        let acting = self.acting.entry(entry.actor).or_default();
        let (saved, lease, read) = (acting.committed, acting.lease, acting.read.clone());
        let own = acting.attempt.clone();
        // A resumed attempt is not stored again before one of its calls is repeated.
        let open = |known: &&Known| {
            known.control == *control && known.stored.target.resource.id == *id && known.stored.state == State::Open
        };
        let own = own.or_else(|| self.attempts.values().rev().find(open).map(|known| known.stored.id.clone()));
        if changed {
            if let Some(reason) = forbidden {
                return Err(format!("a change although {reason}"));
            }
            if region != REGION || self.excluded.contains(id) {
                return Err("a change of a resource in another region, or of an excluded one".to_owned());
            }
            if let Some(reason) = self.forbidden(*control, id, saved) {
                return Err(format!("a change although the save before it, step {saved}, was after {reason}"));
            }
            self.interleaved(entry.actor, id, lease)?;
        }
        let own = own.ok_or("a call without a stored attempt")?;
        let known = self.attempts.get_mut(&own).ok_or("a call of an unknown attempt")?;
        if !known.stored.actions.iter().any(|record| record.action == serde_json::json!(call)) {
            return Err(format!("a call that attempt {own} does not name: {:?}", known.stored.actions));
        }
        let prior = prior_state(&known.stored)?;
        let read = read.ok_or("a call without a live read")?;
        let parts: Vec<Call> =
            known.stored.actions.iter().map(|it| serde_json::from_value(it.action.clone()).unwrap()).collect();
        if changed && known.changes.is_empty() && touched_fields(&prior, &parts) != touched_fields(&read, &parts) {
            return Err(format!(
                "the prior state of {own} is not what was read before its first change: {} and {}",
                touched_fields(&prior, &parts),
                touched_fields(&read, &parts)
            ));
        }
        known.left.push(after.clone());
        if changed {
            // A call that changes it again follows a change whose answer was lost and that was reverted.
            if !known.changes.contains(call) {
                known.changes.push(call.clone());
            }
            self.changed_by.entry(id.clone()).or_default().push((self.now, entry.actor));
            self.count("a remediation changed a resource");
        }
        // Other calls may find it busy, too.
        if after.busy && !before.busy {
            self.pending.insert(id.clone(), own);
        }
        Ok(())
    }

    fn undone(
        &mut self,
        entry: &Entry,
        attempt: &str,
        call: &Call,
        before: &Vault,
        after: &Vault,
    ) -> Result<(), String> {
        let ActorKind::Undo { control, id, .. } = &entry.kind else { unreachable!() };
        let acting = self.acting.entry(entry.actor).or_default();
        let (saved, lease, read) = (acting.committed, acting.lease, acting.read.clone());
        let known = self.attempts.get_mut(attempt).ok_or("an undo of an unknown attempt")?;
        if before != after {
            let read = read.ok_or("an undo without a live read")?;
            let parts: Vec<Call> =
                known.stored.actions.iter().map(|it| serde_json::from_value(it.action.clone()).unwrap()).collect();
            let found = touched_fields(&read, &parts);
            // A call with a lost answer counts as made if its effect is there, even if an operator made the change.
            let made = parts.iter().fold(prior_state(&known.stored)?, predict);
            if !known.left.iter().chain([&made]).any(|left| touched_fields(left, &parts) == found) {
                let left: Vec<String> =
                    known.left.iter().map(|left| touched_fields(left, &parts).to_string()).collect();
                return Err(format!("undo of another change: {call:?}: found {found}, left {}", left.join(" or ")));
            }
            self.interleaved(entry.actor, id, lease)?;
            self.changed_by.entry(id.clone()).or_default().push((self.now, entry.actor));
            self.count("an undo changed a resource");
            let hold = Decision::Hold(*control, id.clone());
            if !self.in_force().contains(&hold) {
                self.decided.push(Decided { decision: hold, from: saved, to: None });
            }
        }
        let known = self.attempts.get_mut(attempt).ok_or("an undo of an unknown attempt")?;
        known.left.push(after.clone());
        known.undoing |= before != after;
        if after.busy && !before.busy {
            self.pending.insert(id.clone(), attempt.to_owned());
        }
        Ok(())
    }

    /// Checks that no other actor changed the resource since this actor took its lease.
    fn interleaved(&self, actor: usize, id: &str, lease: Option<usize>) -> Result<(), String> {
        let lease = lease.ok_or("a change without a lease")?;
        let others = self.changed_by.get(id).into_iter().flatten();
        match others.rev().take_while(|(at, _)| *at > lease).find(|(_, other)| *other != actor) {
            Some((at, other)) => {
                Err(format!("actor {other} changed it at step {at}, within the lease since step {lease}"))
            }
            None => Ok(()),
        }
    }

    /// Counts an event of this kind.
    pub(super) fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// Counts a delivery by its result.
    pub(super) fn count_delivery(&mut self, result: &str) {
        *self.counts.entry(format!("a delivery ended as {result}")).or_default() += 1;
    }

    fn note(&mut self, entry: &Rc<Entry>) {
        let ids: Vec<String> = match (&entry.kind, &entry.event) {
            (ActorKind::Delivery { id, .. } | ActorKind::Undo { id, .. }, _) => vec![id.clone()],
            (_, Event::Wrote(_, _, vault, _) | Event::Settled(vault, _)) => vec![vault.id.clone()],
            (
                ActorKind::Decision(
                    Decision::Hold(_, id)
                    | Decision::EndHold(_, id)
                    | Decision::Exempt(_, _, id)
                    | Decision::Reset(_, id),
                ),
                _,
            ) => {
                vec![id.clone()]
            }
            (ActorKind::Decision(_), _) => self.histories.keys().cloned().collect(),
            _ => vec![],
        };
        for id in ids {
            let history = self.histories.entry(id).or_default();
            history.push_back((self.now, Rc::clone(entry)));
            if history.len() > HISTORY_LIMIT {
                history.pop_front();
            }
        }
    }
}

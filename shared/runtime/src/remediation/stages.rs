//! What an undo may find: the resource as the attempt left it, or as a first part of the undo's own calls left it.

use rectify_compliance::StoredState;
use rectify_compliance::entry::{EntryError, ErasedRemediation};
use serde_json::Value;

use super::difference;
use crate::ledger::UndoRecord;

/// The footprints of a resource on its way back.
#[derive(Debug)]
pub(super) struct Stages {
    /// What the attempt left, as the model has it. What was read after the last action does not count: it may hold what
    /// a person changed just before.
    left: Value,
    /// What each call leaves, where the model knows it; the last one leaves what is wanted.
    after: Vec<Option<Value>>,
}

/// What was found on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The resource is as it is after this many calls.
    After(usize),
    /// It is as nothing of this left it: how it differs from what is nearest.
    Changed(String),
}

impl Stages {
    /// The stages of taking `done` back by `calls`.
    ///
    /// The calls that take the last few actions back are the first ones of an undo. Where they are, what they leave is what
    /// the actions before those had made.
    ///
    /// # Errors
    /// [`EntryError`] when the image, an action or a call cannot be read.
    pub(super) fn of(
        control: &dyn ErasedRemediation,
        before: &StoredState,
        actions: &[Value],
        answers: &[Value],
        calls: &[Value],
    ) -> Result<Self, EntryError> {
        let mut made = vec![before.clone()];
        let mut last = before.clone();
        for action in actions {
            last = control.predict(&last, action)?.image;
            made.push(last.clone());
        }
        let left = control.touched_fields(&last, actions)?;
        let mut after = vec![None; calls.len()];
        let mut reverted = Some(last);
        for (slot, call) in after.iter_mut().zip(calls) {
            let Some(live) = &reverted else { break };
            reverted = control.reverted(live, call)?;
            *slot = reverted.as_ref().map(|live| control.touched_fields(live, actions)).transpose()?;
        }
        // From the whole undo to the undo of the last action, so that of two the shorter way back decides.
        for (kept, state) in made.iter().enumerate() {
            let (last, answered) = (actions.get(kept..).unwrap_or_default(), answers.get(kept..).unwrap_or_default());
            let Ok(first) = control.undo(before, last, answered)? else { continue };
            if let Some(index) = first.len().checked_sub(1)
                && calls.starts_with(&first)
                && let Some(slot) = after.get_mut(index)
            {
                *slot = Some(control.touched_fields(state, actions)?);
            }
        }
        if let Some(last) = after.last_mut() {
            *last = Some(control.touched_fields(before, actions)?);
        }
        Ok(Self { left, after })
    }

    /// Where `live` stands. A first undo must find what the attempt left. One that broke off may find that, what is wanted, or
    /// what its calls left, as many of them as were answered at least and begun at most.
    pub(super) fn find(&self, live: &Value, record: Option<&UndoRecord>) -> Found {
        let calls = self.after.len();
        if self.left == *live {
            return Found::After(0);
        }
        let allowed = |it: &UndoRecord| (it.answered.max(1)..=it.begun.unwrap_or(calls).min(calls)).chain([calls]);
        let numbers: Vec<usize> = record.into_iter().flat_map(allowed).collect();
        if let Some(number) = numbers.iter().find(|number| self.is_after(**number, live)) {
            return Found::After(*number);
        }
        let reached = numbers.iter().filter_map(|number| self.after.get(number.checked_sub(1)?)?.as_ref());
        let nearest = [&self.left].into_iter().chain(reached).min_by_key(|it| difference::between(it, live).len());
        Found::Changed(nearest.map(|it| difference::text(it, live)).unwrap_or_default())
    }

    /// Whether `live` is what the first `number` calls leave.
    pub(super) fn is_after(&self, number: usize, live: &Value) -> bool {
        match number.checked_sub(1) {
            None => self.left == *live,
            Some(index) => self.after.get(index).is_some_and(|it| it.as_ref() == Some(live)),
        }
    }

    /// Whether the model knows what the first `number` calls leave.
    pub(super) fn knows(&self, number: usize) -> bool {
        number.checked_sub(1).is_none_or(|index| self.after.get(index).is_some_and(Option::is_some))
    }
}

//! The states that an undo may find: the one after the attempt, and those after the first calls of an interrupted undo.

use rectify_compliance::StoredState;
use rectify_compliance::entry::{EntryError, ErasedRemediation};
use serde_json::Value;

use super::difference;
use crate::ledger::UndoRecord;

/// The touched fields of a resource at each stage of an undo.
#[derive(Debug)]
pub(super) struct Stages {
    /// The predicted fields after the attempt. The live read after the last action does not count: it may contain a
    /// change that an operator made just before.
    left: Value,
    /// The fields after each call, if the model can predict them; the last one leaves the prior state.
    after: Vec<Option<Value>>,
}

/// The stage at which the resource was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The resource has the state after this many calls.
    After(usize),
    /// It has none of these states: the difference from the nearest one.
    Changed(String),
}

impl Stages {
    /// The stages of undoing `actions` with `calls`.
    ///
    /// If the calls that undo the last few actions are the first calls of the undo, they leave the state that the
    /// earlier actions had made.
    ///
    /// # Errors
    /// [`EntryError`] when the prior state, an action or a call cannot be read.
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
        // From the complete undo to the undo of the last action, so that the shorter one decides.
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

    /// The stage of `live`. A first undo must find the state after the attempt. A retry of an interrupted undo may find
    /// that state, the prior state, or the state after any number of calls from those answered to those begun.
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

    /// Whether `live` is the state after the first `number` calls.
    pub(super) fn is_after(&self, number: usize, live: &Value) -> bool {
        match number.checked_sub(1) {
            None => self.left == *live,
            Some(index) => self.after.get(index).is_some_and(|it| it.as_ref() == Some(live)),
        }
    }

    /// Whether the model can predict the state after the first `number` calls.
    pub(super) fn knows(&self, number: usize) -> bool {
        number.checked_sub(1).is_none_or(|index| self.after.get(index).is_some_and(Option::is_some))
    }
}

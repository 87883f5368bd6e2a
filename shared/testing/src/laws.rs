//! What holds of every remediation, over generated subjects.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRng, TestRunner};
use rectify_compliance::{Level, Plan, Remediation, StoredState, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::NOW;

/// How many subjects a run judges.
const SUBJECTS: u32 = 600;
/// The share of findings, and of what is none, without which a run proves nothing: one in so many.
const SHARE: u32 = 10;
/// The share of findings whose plan is of a kind that the author names.
const KIND_SHARE: u32 = 40;

/// What a call of an undo makes of a subject.
type Reverted<K> = fn(
    &K,
    <K as rectify_compliance::Control>::Subject,
    &<K as Remediation>::Undo,
) -> <K as rectify_compliance::Control>::Subject;

/// The laws of one remediation.
///
/// - There is a plan exactly where there is a finding.
/// - A plan that a machine could apply ends the finding, or the service still works on it; after the calls of any plan there
///   is none left to make.
/// - Its calls change the fields that the author names and no others, each of them something, and twice what once.
/// - The touched fields show the change, and after the undo they are as before.
/// - Subjects, actions and undos read back as they are stored.
pub struct Laws<'a, K: Remediation> {
    control: &'a K,
    touched: &'a [&'a str],
    reverted: Reverted<K>,
    now: Timestamp,
    weakened: fn(&K::Subject, &K::Subject) -> bool,
    is_irreversible: fn(&K::Subject) -> bool,
    restores_whole: bool,
    then: fn(K::Subject) -> K::Subject,
    is_by_hand: bool,
    kinds: &'a [Kind<'a, K>],
    held_for_a_lack: bool,
}

/// A name, and the plans that it is for.
type Kind<'a, K> = (&'a str, fn(&Plan<<K as Remediation>::Action>) -> bool);

/// How many subjects of each kind a run has met.
#[derive(Debug, Default)]
struct Met {
    findings: u32,
    others: u32,
    applied: u32,
    of_kind: Vec<u32>,
    held: u32,
}

impl<'a, K: Remediation> Laws<'a, K> {
    /// The laws of `control`, whose calls change the fields at these JSON pointers of the stored subject and whose undo calls
    /// `reverted` models.
    pub const fn of(control: &'a K, touched: &'a [&'a str], reverted: Reverted<K>) -> Self {
        Self {
            control,
            touched,
            reverted,
            now: NOW,
            weakened: |_, _| false,
            is_irreversible: |_| false,
            restores_whole: false,
            then: |subject| subject,
            is_by_hand: false,
            kinds: &[],
            held_for_a_lack: false,
        }
    }

    /// At this event time.
    #[must_use]
    pub const fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// And never `weakened(before, after)`.
    #[must_use]
    pub const fn never(self, weakened: fn(&K::Subject, &K::Subject) -> bool) -> Self {
        Self { weakened, ..self }
    }

    /// With subjects that cannot be brought back, and no others without an undo.
    #[must_use]
    pub const fn irreversible(self, is_irreversible: fn(&K::Subject) -> bool) -> Self {
        Self { is_irreversible, ..self }
    }

    /// And the whole subject is as before after the undo, not the touched fields alone.
    #[must_use]
    pub const fn restoring_whole(self) -> Self {
        Self { restores_whole: true, ..self }
    }

    /// And this happens after the calls without a call: the service records a time, a user registers a device. The finding
    /// ends with it.
    #[must_use]
    pub const fn then(self, then: fn(K::Subject) -> K::Subject) -> Self {
        Self { then, ..self }
    }

    /// And no plan has a call, nor a step above level L0.
    #[must_use]
    pub const fn by_hand(self) -> Self {
        Self { is_by_hand: true, ..self }
    }

    /// And at least one finding in forty has a plan of each of these kinds.
    #[must_use]
    pub const fn meeting(self, kinds: &'a [Kind<'a, K>]) -> Self {
        Self { kinds, ..self }
    }

    /// With plans that are held for something no call of theirs supplies: those need not end the finding, and there must be
    /// some.
    #[must_use]
    pub const fn held_for_a_lack(self) -> Self {
        Self { held_for_a_lack: true, ..self }
    }

    /// Checks them over generated subjects and parameters.
    ///
    /// # Panics
    /// When one does not hold, with the smallest subject found; when the generator makes too few findings, too few others, or
    /// no finding that a machine could fix.
    pub fn hold(&self, subjects: impl Strategy<Value = (K::Subject, K::Params)>) {
        let met = RefCell::new(Met { of_kind: vec![0; self.kinds.len()], ..Met::default() });
        let config = Config { cases: SUBJECTS, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let run = TestRunner::new_with_rng(config, rng)
            .run(&subjects, |(subject, params)| self.check(&subject, &params, &mut met.borrow_mut()));
        if let Err(broken) = run {
            panic!("{broken}");
        }
        let Met { findings, others, applied, of_kind, held } = met.into_inner();
        let least = SUBJECTS / SHARE;
        assert!(
            findings >= least
                && others >= least
                && (applied > 0 || self.is_by_hand)
                && (held > 0 || !self.held_for_a_lack),
            "too few of a kind: {findings} findings, {others} others, {applied} fixed by machine, {held} held"
        );
        for ((name, _), count) in self.kinds.iter().zip(of_kind) {
            assert!(count * KIND_SHARE >= findings, "too few of a kind: {count} {name} of {findings} findings");
        }
    }

    fn check(&self, subject: &K::Subject, params: &K::Params, met: &mut Met) -> TestCaseResult {
        let control = self.control;
        let plan = control.plan(subject, params, self.now);
        let stored = StoredState::of(subject).map_err(fail)?;
        let read: K::Subject = stored.read().map_err(fail)?;
        prop_assert_eq!(&read, subject, "the stored subject reads back");
        let again = StoredState::of(&read).map_err(fail)?;
        prop_assert_eq!(&again, &stored, "with what its equality leaves out");
        if !control.evaluate(subject, params, self.now).is_non_compliant() {
            met.others += 1;
            return Ok(());
        }
        met.findings += 1;
        prop_assert_ne!(&plan, &Plan::Noop, "a finding has a plan");
        for ((_, is_it), count) in self.kinds.iter().zip(&mut met.of_kind) {
            *count += u32::from(is_it(&plan));
        }

        let actions: Vec<K::Action> = plan.calls().into_iter().cloned().collect();
        let mut after = subject.clone();
        for action in &actions {
            reads_back(action)?;
            let next = control.predict(after.clone(), action);
            prop_assert_ne!(&next, &after, "an action changes something: {:?}", action);
            prop_assert_eq!(&control.predict(next.clone(), action), &next, "twice is once: {:?}", action);
            after = next;
        }
        if plan.blocker(true).is_none() {
            met.applied += 1;
        }
        let is_held = matches!(plan, Plan::Blocked { .. });
        met.held += u32::from(is_held);
        let lacks = is_held && self.held_for_a_lack;
        let settles = control.is_in_progress(&after, &actions);
        if plan.steps().len() == actions.len() && !lacks {
            let verdict = control.evaluate(&(self.then)(after.clone()), params, self.now);
            prop_assert!(!verdict.is_non_compliant() || settles, "the fix ends the finding: {:?}", verdict);
        }
        let is_by_hand = actions.is_empty() && plan.level() == Some(Level::L0);
        prop_assert!(!self.is_by_hand || is_by_hand, "not by hand alone: {:?}", plan);
        let is_done = control.plan(&after, params, self.now).calls().is_empty();
        prop_assert!(is_done || lacks || settles, "no call is left after the calls");
        let touched = changed("", &stored.subject, &StoredState::of(&after).map_err(fail)?.subject);
        for path in touched {
            let is_named = self.touched.iter().any(|it| path == *it || path.starts_with(&format!("{it}/")));
            prop_assert!(is_named, "the calls change {} besides", path);
        }
        prop_assert!(!(self.weakened)(subject, &after), "the fix weakens something: {:?}", after);
        self.check_undo(subject, &after, &actions)
    }

    fn check_undo(&self, subject: &K::Subject, after: &K::Subject, actions: &[K::Action]) -> TestCaseResult {
        let control = self.control;
        let before = control.touched_fields(subject, actions);
        if !actions.is_empty() {
            prop_assert_ne!(&control.touched_fields(after, actions), &before, "the touched fields show the change");
        }
        match control.undo(subject, actions) {
            Ok(calls) => {
                let mut restored = after.clone();
                for call in &calls {
                    reads_back(call)?;
                    restored = (self.reverted)(control, restored, call);
                }
                prop_assert_eq!(control.touched_fields(&restored, actions), before, "undo restores what was touched");
                prop_assert!(!self.restores_whole || restored == *subject, "undo leaves {:?} behind", restored);
            }
            Err(irreversible) => prop_assert!((self.is_irreversible)(subject), "{}", irreversible),
        }
        Ok(())
    }
}

/// The paths at which two values differ, as JSON pointers; a list is one value.
fn changed(path: &str, before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        (Value::Object(was), Value::Object(is)) => {
            let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            let at = |name: &String| {
                let of = |it: &serde_json::Map<String, Value>| it.get(name).cloned().unwrap_or_default();
                changed(&format!("{path}/{name}"), &of(was), &of(is))
            };
            names.into_iter().flat_map(at).collect()
        }
        _ if before == after => Vec::new(),
        _ => vec![path.to_owned()],
    }
}

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(call: &T) -> TestCaseResult {
    let stored = serde_json::to_value(call).map_err(fail)?;
    prop_assert_eq!(&serde_json::from_value::<T>(stored.clone()).map_err(fail)?, call, "{} reads back", stored);
    Ok(())
}

fn fail(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

#[cfg(test)]
#[path = "laws_tests.rs"]
mod tests;

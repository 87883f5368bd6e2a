//! Properties of every remediation, over generated subjects.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRng, TestRunner};
use rectify_compliance::{Level, Plan, Remediation, StoredState, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::NOW;

/// Number of subjects that a run evaluates.
const SUBJECTS: u32 = 600;
/// Minimum share of findings, and of subjects without one, that makes a run meaningful: one in this many subjects.
const SHARE: u32 = 10;
/// Minimum share of plans of each kind that the author names: one in this many findings.
const KIND_SHARE: u32 = 40;

/// The subject after one call of an undo.
type Reverted<K> = fn(
    &K,
    <K as rectify_compliance::Control>::Subject,
    &<K as Remediation>::Undo,
) -> <K as rectify_compliance::Control>::Subject;

/// The laws of one remediation.
///
/// - There is a plan if and only if there is a finding.
/// - A plan of calls only ends the finding, or the service is still applying it. After the calls of any plan, no call is
///   left.
/// - Its calls change only the fields that the author names. Each call changes something and is idempotent.
/// - The touched fields show the change, and the undo restores them.
/// - Subjects, actions and undo calls round-trip through their stored form.
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
    blocked_by_lack: bool,
}

/// A kind of plans: its name and its predicate.
type Kind<'a, K> = (&'a str, fn(&Plan<<K as Remediation>::Action>) -> bool);

/// Number of subjects of each kind in a run.
#[derive(Debug, Default)]
struct Counts {
    findings: u32,
    others: u32,
    applied: u32,
    of_kind: Vec<u32>,
    blocked: u32,
}

impl<'a, K: Remediation> Laws<'a, K> {
    /// The laws of `control`. `touched` are JSON pointers into the stored subject to the fields that its calls change;
    /// `reverted` is the model of its undo calls.
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
            blocked_by_lack: false,
        }
    }

    /// At this event time.
    #[must_use]
    pub const fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Asserts that `weakened(before, after)` is never true.
    #[must_use]
    pub const fn never(self, weakened: fn(&K::Subject, &K::Subject) -> bool) -> Self {
        Self { weakened, ..self }
    }

    /// Allows changes without an undo for these subjects, and for no others.
    #[must_use]
    pub const fn irreversible(self, is_irreversible: fn(&K::Subject) -> bool) -> Self {
        Self { is_irreversible, ..self }
    }

    /// Asserts that the undo restores the whole subject, not only the touched fields.
    #[must_use]
    pub const fn restores_full_state(self) -> Self {
        Self { restores_whole: true, ..self }
    }

    /// Models a change after the calls that is not a call: the service records a time, a user registers a device. The
    /// finding ends with this change.
    #[must_use]
    pub const fn then(self, then: fn(K::Subject) -> K::Subject) -> Self {
        Self { then, ..self }
    }

    /// Asserts that no plan has a call, and that its steps are manual ones of level L0 or L3.
    #[must_use]
    pub const fn by_hand(self) -> Self {
        Self { is_by_hand: true, ..self }
    }

    /// Asserts that at least one finding in forty has a plan of each of these kinds.
    #[must_use]
    pub const fn meeting(self, kinds: &'a [Kind<'a, K>]) -> Self {
        Self { kinds, ..self }
    }

    /// Allows plans that are blocked by a lack that their calls do not fill: they need not end the finding. There must
    /// be at least one.
    #[must_use]
    pub const fn blocked_by_lack(self) -> Self {
        Self { blocked_by_lack: true, ..self }
    }

    /// Checks the laws over generated subjects and parameters.
    ///
    /// # Panics
    /// If a law does not hold, with the smallest subject found; if the generator makes too few findings, too few
    /// others, or no finding that can be fixed automatically.
    pub fn hold(&self, subjects: impl Strategy<Value = (K::Subject, K::Params)>) {
        let counts = RefCell::new(Counts { of_kind: vec![0; self.kinds.len()], ..Counts::default() });
        let config = Config { cases: SUBJECTS, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let run = TestRunner::new_with_rng(config, rng)
            .run(&subjects, |(subject, params)| self.check(&subject, &params, &mut counts.borrow_mut()));
        if let Err(error) = run {
            panic!("{error}");
        }
        let Counts { findings, others, applied, of_kind, blocked } = counts.into_inner();
        let minimum = SUBJECTS / SHARE;
        assert!(
            findings >= minimum
                && others >= minimum
                && (applied > 0 || self.is_by_hand)
                && (blocked > 0 || !self.blocked_by_lack),
            "too few of a kind: {findings} findings, {others} others, {applied} fixed, {blocked} blocked"
        );
        for ((name, _), count) in self.kinds.iter().zip(of_kind) {
            assert!(count * KIND_SHARE >= findings, "too few of a kind: {count} {name} of {findings} findings");
        }
    }

    fn check(&self, subject: &K::Subject, params: &K::Params, counts: &mut Counts) -> TestCaseResult {
        let control = self.control;
        let plan = control.plan(subject, params, self.now);
        let stored = StoredState::of(subject).map_err(fail)?;
        let read: K::Subject = stored.read().map_err(fail)?;
        prop_assert_eq!(&read, subject, "the stored subject round-trips");
        let again = StoredState::of(&read).map_err(fail)?;
        prop_assert_eq!(&again, &stored, "fields that equality ignores round-trip too");
        if !control.evaluate(subject, params, self.now).is_non_compliant() {
            counts.others += 1;
            return Ok(());
        }
        counts.findings += 1;
        prop_assert_ne!(&plan, &Plan::Noop, "a finding has a plan");
        for ((_, is_of_kind), count) in self.kinds.iter().zip(&mut counts.of_kind) {
            *count += u32::from(is_of_kind(&plan));
        }

        let actions: Vec<K::Action> = plan.calls().into_iter().cloned().collect();
        let mut after = subject.clone();
        for action in &actions {
            round_trips(action)?;
            let next = control.predict(after.clone(), action);
            prop_assert_ne!(&next, &after, "an action changes something: {:?}", action);
            prop_assert_eq!(&control.predict(next.clone(), action), &next, "an action is idempotent: {:?}", action);
            after = next;
        }
        if plan.blocker(true).is_none() {
            counts.applied += 1;
        }
        let is_blocked = matches!(plan, Plan::Blocked { .. });
        counts.blocked += u32::from(is_blocked);
        let lacks = is_blocked && self.blocked_by_lack;
        let in_progress = control.is_in_progress(&after, &actions);
        if plan.steps().len() == actions.len() && !lacks {
            let verdict = control.evaluate(&(self.then)(after.clone()), params, self.now);
            prop_assert!(!verdict.is_non_compliant() || in_progress, "the fix ends the finding: {:?}", verdict);
        }
        let is_by_hand = actions.is_empty() && matches!(plan.level(), Some(Level::L0 | Level::L3));
        prop_assert!(!self.is_by_hand || is_by_hand, "every step is manual: {:?}", plan);
        let is_done = control.plan(&after, params, self.now).calls().is_empty();
        prop_assert!(is_done || lacks || in_progress, "no call is left after the calls");
        let touched = changed("", &stored.subject, &StoredState::of(&after).map_err(fail)?.subject);
        for path in touched {
            let is_named = self.touched.iter().any(|it| path == *it || path.starts_with(&format!("{it}/")));
            prop_assert!(is_named, "the calls must not change {}", path);
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
                    round_trips(call)?;
                    restored = (self.reverted)(control, restored, call);
                }
                prop_assert_eq!(control.touched_fields(&restored, actions), before, "undo restores the touched fields");
                prop_assert!(!self.restores_whole || restored == *subject, "undo restores only {:?}", restored);
            }
            Err(irreversible) => prop_assert!((self.is_irreversible)(subject), "{}", irreversible),
        }
        Ok(())
    }
}

/// The paths at which two values differ, as JSON pointers; a list is one value.
fn changed(path: &str, before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let at = |name: &String| {
                let of = |it: &serde_json::Map<String, Value>| it.get(name).cloned().unwrap_or_default();
                changed(&format!("{path}/{name}"), &of(old), &of(new))
            };
            names.into_iter().flat_map(at).collect()
        }
        _ if before == after => Vec::new(),
        _ => vec![path.to_owned()],
    }
}

fn round_trips<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(call: &T) -> TestCaseResult {
    let stored = serde_json::to_value(call).map_err(fail)?;
    prop_assert_eq!(&serde_json::from_value::<T>(stored.clone()).map_err(fail)?, call, "{} round-trips", stored);
    Ok(())
}

fn fail(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

#[cfg(test)]
#[path = "laws_tests.rs"]
mod tests;

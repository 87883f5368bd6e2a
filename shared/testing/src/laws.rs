//! What holds of every remediation, over generated subjects.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRng, TestRunner};
use rectify_compliance::{Plan, Remediation, StoredImage, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::NOW;

/// How many subjects a run judges.
const SUBJECTS: u32 = 600;
/// The share of findings, and of what is none, without which a run proves nothing: one in so many.
const SHARE: u32 = 10;

/// What a call of an undo makes of a subject.
type Reverted<K> = fn(
    &K,
    <K as rectify_compliance::Control>::Subject,
    &<K as Remediation>::Undo,
) -> <K as rectify_compliance::Control>::Subject;

/// The laws of one remediation.
///
/// - There is a plan exactly where there is a finding.
/// - A plan that a machine could apply ends the finding, and nothing is planned after it.
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
}

/// How many subjects of each kind a run has met.
#[derive(Debug, Default)]
struct Met {
    findings: u32,
    others: u32,
    applied: u32,
}

impl<'a, K: Remediation> Laws<'a, K> {
    /// The laws of `control`, whose calls change the fields at these JSON pointers of the stored subject and whose undo calls
    /// `reverted` models.
    pub const fn of(control: &'a K, touched: &'a [&'a str], reverted: Reverted<K>) -> Self {
        Self { control, touched, reverted, now: NOW, weakened: |_, _| false, is_irreversible: |_| false }
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

    /// Checks them over generated subjects and parameters.
    ///
    /// # Panics
    /// When one does not hold, with the smallest subject found; when the generator makes too few findings, too few others, or
    /// no finding that a machine could fix.
    pub fn hold(&self, subjects: impl Strategy<Value = (K::Subject, K::Params)>) {
        let met = RefCell::new(Met::default());
        let config = Config { cases: SUBJECTS, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let run = TestRunner::new_with_rng(config, rng)
            .run(&subjects, |(subject, params)| self.check(&subject, &params, &mut met.borrow_mut()));
        if let Err(broken) = run {
            panic!("{broken}");
        }
        let Met { findings, others, applied } = met.into_inner();
        let least = SUBJECTS / SHARE;
        assert!(
            findings >= least && others >= least && applied > 0,
            "too few of a kind: {findings} findings, {others} others, {applied} fixed by machine"
        );
    }

    fn check(&self, subject: &K::Subject, params: &K::Params, met: &mut Met) -> TestCaseResult {
        let control = self.control;
        let plan = control.plan(subject, params, self.now);
        let stored = StoredImage::of(subject).map_err(fail)?;
        prop_assert_eq!(stored.read(), Ok(subject.clone()), "the stored subject reads back");
        if !control.evaluate(subject, params, self.now).is_non_compliant() {
            met.others += 1;
            return Ok(());
        }
        met.findings += 1;
        prop_assert_ne!(&plan, &Plan::Nothing, "a finding has a plan");

        let actions: Vec<K::Action> = plan.calls().into_iter().cloned().collect();
        let mut after = subject.clone();
        for action in &actions {
            reads_back(action)?;
            let next = control.expect(after.clone(), action);
            prop_assert_ne!(&next, &after, "an action changes something: {:?}", action);
            prop_assert_eq!(&control.expect(next.clone(), action), &next, "twice is once: {:?}", action);
            after = next;
        }
        if plan.obstacle(true).is_none() {
            met.applied += 1;
        }
        if plan.steps().len() == actions.len() {
            let verdict = control.evaluate(&after, params, self.now);
            prop_assert!(!verdict.is_non_compliant(), "the fix ends the finding: {:?}", verdict);
        }
        let touched = changed("", &stored.subject, &StoredImage::of(&after).map_err(fail)?.subject);
        for path in touched {
            let is_named = self.touched.iter().any(|it| path == *it || path.starts_with(&format!("{it}/")));
            prop_assert!(is_named, "the calls change {} besides", path);
        }
        prop_assert!(!(self.weakened)(subject, &after), "the fix weakens something: {:?}", after);
        self.check_undo(subject, &after, &actions)
    }

    fn check_undo(&self, subject: &K::Subject, after: &K::Subject, actions: &[K::Action]) -> TestCaseResult {
        let control = self.control;
        let before = control.footprint(subject, actions);
        if !actions.is_empty() {
            prop_assert_ne!(&control.footprint(after, actions), &before, "the touched fields show the change");
        }
        match control.undo(subject, actions) {
            Ok(calls) => {
                let mut restored = after.clone();
                for call in &calls {
                    reads_back(call)?;
                    restored = (self.reverted)(control, restored, call);
                }
                prop_assert_eq!(control.footprint(&restored, actions), before, "undo restores what was touched");
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

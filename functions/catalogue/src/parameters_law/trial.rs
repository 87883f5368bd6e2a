//! A control with its subjects, to try settings on.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use rectify_compliance::{Entry, Plan, Step, StoredState, Work};
use serde_json::{Map, Value};

use super::changes::SeenValues;
use super::subjects::Subject;
use super::values::Setting;

/// The maximum number of generated variants: enough to contradict the table, few enough to run in seconds.
const MAX_VARIANTS: usize = 80;

/// The maximum number of subjects that each change of the table is applied to.
const MAX_CHANGED: usize = 2;

/// The result for a subject: the compliance type and the plan without its texts. `None` on an error.
type Outcome = Option<(&'static str, Option<Plan<Value>>)>;

/// The effect of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// A change, described.
    Change(String),
    /// No change on this number of subjects; zero if the control accepts no value of the setting.
    None { tried: usize },
}

/// A control, its subjects, and its cached results.
pub(super) struct Trial<'a> {
    pub(super) control: &'a Entry,
    stored: Vec<Subject>,
    generated: OnceCell<Vec<Subject>>,
    outcomes: RefCell<BTreeMap<(String, usize), Outcome>>,
}

impl<'a> Trial<'a> {
    /// Uses the stored subjects, first unchanged, then with each change of the table.
    pub(super) fn of<'t>(
        control: &'a Entry,
        mut stored: Vec<Subject>,
        changes: impl Iterator<Item = &'t [(&'t str, &'t str)]>,
    ) -> Self {
        let changed: Vec<Subject> = changes
            .flat_map(|places| stored.iter().filter_map(|subject| subject.with(places)).take(MAX_CHANGED))
            .collect();
        stored.extend(changed);
        Self { control, stored, generated: OnceCell::new(), outcomes: RefCell::default() }
    }

    /// Whether the control accepts these parameters.
    pub(super) fn accepts(&self, parameters: &Map<String, Value>) -> bool {
        self.control.check_parameters(&Value::Object(parameters.clone()).to_string()).is_ok()
    }

    /// Compares a setting combined with other parameters to those parameters alone, or to the defaults if those are
    /// rejected.
    pub(super) fn run(&self, others: &Map<String, Value>, setting: &Setting) -> Effect {
        let without = if self.accepts(others) { Value::Object(others.clone()).to_string() } else { "{}".to_owned() };
        let with = setting.values.iter().map(|value| {
            let mut all = others.clone();
            all.insert(setting.name.clone(), value.clone());
            Value::Object(all).to_string()
        });
        let with: Vec<String> = with.filter(|it| self.control.check_parameters(it).is_ok()).collect();
        if with.is_empty() {
            return Effect::None { tried: 0 };
        }
        let mut tried = 0;
        for (index, subject) in self.subjects() {
            let base = self.cached_outcome(index, subject, &without);
            // There are many generated subjects, so each is tried with only one of the values, in turn.
            let values = if index < self.stored.len() { with.as_slice() } else { &with[index % with.len()..][..1] };
            for text in values {
                let outcome = self.outcome(subject, text);
                match (&base, &outcome) {
                    (Some((before, plan)), Some((after, other))) if before != after || plan != other => {
                        let change = if before == after { "a plan".to_owned() } else { format!("{before} to {after}") };
                        return Effect::Change(format!("{change} by {text}"));
                    }
                    _ => {}
                }
            }
            tried += usize::from(base.is_some());
        }
        Effect::None { tried }
    }

    /// Every subject with its index; variants are generated only after the stored subjects are done.
    fn subjects(&self) -> impl Iterator<Item = (usize, &Subject)> {
        let generated = std::iter::once_with(|| self.generated.get_or_init(|| generated(&self.stored))).flatten();
        self.stored.iter().chain(generated).enumerate()
    }

    /// The cached outcome, for parameters that are tried many times.
    fn cached_outcome(&self, index: usize, subject: &Subject, parameters: &str) -> Outcome {
        let key = (parameters.to_owned(), index);
        if let Some(cached) = self.outcomes.borrow().get(&key) {
            return cached.clone();
        }
        let outcome = self.outcome(subject, parameters);
        self.outcomes.borrow_mut().insert(key, outcome.clone());
        outcome
    }

    fn outcome(&self, subject: &Subject, parameters: &str) -> Outcome {
        let verdict = self.control.evaluate(&subject.state, parameters, subject.now).ok()?;
        let plan = match self.control.remediation {
            None => None,
            Some(remediation) => Some(without_texts(remediation.plan(&subject.state, parameters, subject.now).ok()?)),
        };
        Some((verdict.compliance_type(), plan))
    }
}

/// Variants of the stored subjects that differ in one place, sampled evenly across all of them.
fn generated(stored: &[Subject]) -> Vec<Subject> {
    let mut seen = SeenValues::default();
    stored.iter().for_each(|subject| seen.record("", &subject.state.subject));
    let all: Vec<Subject> = stored
        .iter()
        .flat_map(|Subject { state, now }| {
            let variants = seen.variants("", &state.subject).into_iter();
            variants.map(|subject| Subject { state: StoredState { version: state.version, subject }, now: *now })
        })
        .collect();
    let step = all.len().div_ceil(MAX_VARIANTS).max(1);
    all.into_iter().step_by(step).collect()
}

/// A plan without its texts.
fn without_texts(plan: Plan<Value>) -> Plan<Value> {
    let strip = |steps: Vec<Step<Value>>| {
        let steps = steps.into_iter().map(|step| match step.work {
            Work::Api(_) => step,
            Work::Manual(_) => Step::manual(step.level, ""),
        });
        steps.collect()
    };
    match plan {
        Plan::Noop => Plan::Noop,
        Plan::Blocked { steps, .. } => Plan::blocked("", strip(steps)),
        Plan::Apply { steps } => Plan::Apply { steps: strip(steps) },
    }
}

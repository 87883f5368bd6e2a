//! A control with what it is tried on.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use rectify_compliance::{Entry, Plan, Step, StoredState, Work};
use serde_json::{Map, Value};

use super::changes::Seen;
use super::subjects::Subject;
use super::values::Setting;

/// The most subjects that differ from a stored one in one place: enough to contradict the table, few enough for seconds.
const MOST: usize = 80;

/// The most subjects that get one change of the table.
const CHANGED: usize = 2;

/// What a control says of a subject: the compliance type and what its plan does. None where it cannot say anything.
type Answer = Option<(&'static str, Option<Plan<Value>>)>;

/// Whether a setting changes what a control says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// How.
    Change(String),
    /// On none of these many subjects; zero where the control takes no value of the setting.
    Nothing { tried: usize },
}

/// A control, its subjects, and what it says of them.
pub(super) struct Trial<'a> {
    pub(super) control: &'a Entry,
    stored: Vec<Subject>,
    generated: OnceCell<Vec<Subject>>,
    answers: RefCell<BTreeMap<(String, usize), Answer>>,
}

impl<'a> Trial<'a> {
    /// On the stored subjects, first as they are, then with each of the table's changes.
    pub(super) fn of<'t>(
        control: &'a Entry,
        mut stored: Vec<Subject>,
        changes: impl Iterator<Item = &'t [(&'t str, &'t str)]>,
    ) -> Self {
        let changed: Vec<Subject> =
            changes.flat_map(|places| stored.iter().filter_map(|subject| subject.with(places)).take(CHANGED)).collect();
        stored.extend(changed);
        Self { control, stored, generated: OnceCell::new(), answers: RefCell::default() }
    }

    /// Whether the control takes these parameters.
    pub(super) fn takes(&self, parameters: &Map<String, Value>) -> bool {
        self.control.check_parameters(&Value::Object(parameters.clone()).to_string()).is_ok()
    }

    /// Tries a setting beside other parameters, against those alone; against the defaults where those are refused.
    pub(super) fn run(&self, beside: &Map<String, Value>, setting: &Setting) -> Found {
        let without = if self.takes(beside) { Value::Object(beside.clone()).to_string() } else { "{}".to_owned() };
        let with = setting.values.iter().map(|value| {
            let mut all = beside.clone();
            all.insert(setting.name.clone(), value.clone());
            Value::Object(all).to_string()
        });
        let with: Vec<String> = with.filter(|it| self.control.check_parameters(it).is_ok()).collect();
        if with.is_empty() {
            return Found::Nothing { tried: 0 };
        }
        let mut tried = 0;
        for (at, subject) in self.subjects() {
            let base = self.known_answer(at, subject, &without);
            // A generated subject is tried with one of the values, in turn: there are many of them.
            let values = if at < self.stored.len() { with.as_slice() } else { &with[at % with.len()..][..1] };
            for text in values {
                let answer = self.answer(subject, text);
                match (&base, &answer) {
                    (Some((before, plan)), Some((after, other))) if before != after || plan != other => {
                        let what = if before == after { "a plan".to_owned() } else { format!("{before} to {after}") };
                        return Found::Change(format!("{what} by {text}"));
                    }
                    _ => {}
                }
            }
            tried += usize::from(base.is_some());
        }
        Found::Nothing { tried }
    }

    /// Every subject with its number; those that differ in one place are made when the others are through.
    fn subjects(&self) -> impl Iterator<Item = (usize, &Subject)> {
        let generated = std::iter::once_with(|| self.generated.get_or_init(|| generated(&self.stored))).flatten();
        self.stored.iter().chain(generated).enumerate()
    }

    /// The answer under parameters that are tried many times.
    fn known_answer(&self, at: usize, subject: &Subject, parameters: &str) -> Answer {
        let key = (parameters.to_owned(), at);
        if let Some(known) = self.answers.borrow().get(&key) {
            return known.clone();
        }
        let answer = self.answer(subject, parameters);
        self.answers.borrow_mut().insert(key, answer.clone());
        answer
    }

    fn answer(&self, subject: &Subject, parameters: &str) -> Answer {
        let verdict = self.control.evaluate(&subject.image, parameters, subject.now).ok()?;
        let plan = match self.control.remediation {
            None => None,
            Some(half) => Some(deeds(half.plan(&subject.image, parameters, subject.now).ok()?)),
        };
        Some((verdict.compliance_type(), plan))
    }
}

/// Subjects that differ from a stored one in one place, from all of them in equal parts.
fn generated(stored: &[Subject]) -> Vec<Subject> {
    let mut seen = Seen::default();
    stored.iter().for_each(|subject| seen.note("", &subject.image.subject));
    let all: Vec<Subject> = stored
        .iter()
        .flat_map(|Subject { image, now }| {
            let changed = seen.changed("", &image.subject).into_iter();
            changed.map(|subject| Subject { image: StoredState { version: image.version, subject }, now: *now })
        })
        .collect();
    let step = all.len().div_ceil(MOST).max(1);
    all.into_iter().step_by(step).collect()
}

/// A plan without its words.
fn deeds(plan: Plan<Value>) -> Plan<Value> {
    let silent = |steps: Vec<Step<Value>>| {
        let steps = steps.into_iter().map(|step| match step.work {
            Work::Api(_) => step,
            Work::Manual(_) => Step::manual(step.level, ""),
        });
        steps.collect()
    };
    match plan {
        Plan::Noop => Plan::Noop,
        Plan::Blocked { steps, .. } => Plan::blocked("", silent(steps)),
        Plan::Apply { steps } => Plan::Apply { steps: silent(steps) },
    }
}

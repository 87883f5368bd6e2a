//! A table of subjects, each with its verdict and plan.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{Control, Plan, Remediation, Timestamp, Verdict, Work};
use serde::Serialize;

use crate::NOW;

/// The base subject of a control's cases.
#[derive(Debug)]
pub struct Cases<'a, K: Control> {
    control: &'a K,
    base: K::Subject,
}

/// One subject, to compare with the expected verdict and plan.
#[derive(Debug)]
#[must_use = "a case without a verdict proves nothing"]
pub struct Case<'a, K: Control> {
    control: &'a K,
    name: &'a str,
    subject: K::Subject,
    params: K::Params,
    now: Timestamp,
}

impl<'a, K: Control> Cases<'a, K> {
    /// Cases of `control`; each changes `base`.
    pub const fn of(control: &'a K, base: K::Subject) -> Self {
        Self { control, base }
    }

    /// A case with this name, without parameters and at [`NOW`].
    pub fn case(&self, name: &'a str, change: impl FnOnce(&mut K::Subject)) -> Case<'a, K> {
        let mut subject = self.base.clone();
        change(&mut subject);
        Case { control: self.control, name, subject, params: K::Params::default(), now: NOW }
    }
}

impl<K: Control> Case<'_, K> {
    /// With these rule parameters, as AWS Config sends them.
    ///
    /// # Panics
    /// If the control rejects them.
    pub fn with(mut self, parameters: &str) -> Self {
        match RuleParameters::parse(Some(parameters)) {
            Ok(parsed) => self.params = parsed.control,
            Err(error) => panic!("{}: {error}", self.name),
        }
        self
    }

    /// At this event time.
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Asserts COMPLIANT without an annotation.
    ///
    /// # Panics
    /// If the verdict differs.
    pub fn compliant(self) {
        self.is(&Verdict::COMPLIANT);
    }

    /// Asserts COMPLIANT with this annotation.
    ///
    /// # Panics
    /// If the verdict differs.
    pub fn compliant_with(self, annotation: &str) {
        self.is(&Verdict::Compliant(Some(annotation.into())));
    }

    /// Asserts NOT_APPLICABLE for this reason.
    ///
    /// # Panics
    /// If the verdict differs.
    pub fn not_applicable(self, reason: &str) {
        self.is(&Verdict::not_applicable(reason));
    }

    /// Asserts NON_COMPLIANT with this finding.
    ///
    /// # Panics
    /// If the verdict differs.
    pub fn non_compliant(self, finding: &str) -> Found<Self> {
        self.is(&Verdict::non_compliant(finding));
        Found(self)
    }

    /// Asserts this verdict.
    ///
    /// # Panics
    /// If the verdict differs.
    pub fn is(&self, verdict: &Verdict) {
        assert_eq!(self.control.evaluate(&self.subject, &self.params, self.now), *verdict, "{}", self.name);
    }
}

/// A finding, whose plan can be asserted.
#[derive(Debug)]
pub struct Found<C>(C);

impl<K: Remediation> Found<Case<'_, K>> {
    /// Asserts this plan, one line per step: `L1 ModifyDBInstance {…}` with the input as JSON, or `L0 manual: …`. The
    /// first line is `held: …` if the plan is blocked.
    ///
    /// # Panics
    /// If the plan differs.
    pub fn planned(&self, expected: &[&str]) {
        let Case { control, name, subject, params, now } = &self.0;
        assert_eq!(lines(&control.plan(subject, params, *now)), expected, "{name}");
    }
}

/// A plan as readable lines: the reason of a blocked plan, and one line per step.
pub fn lines<A: Serialize>(plan: &Plan<A>) -> Vec<String> {
    let blocked = if let Plan::Blocked { reason, .. } = plan { vec![format!("blocked: {reason}")] } else { Vec::new() };
    let steps = plan.steps().iter().map(|step| match &step.work {
        Work::Api(call) => format!("{} {}", step.level, call_text(call)),
        Work::Manual(text) => format!("{} manual: {text}", step.level),
    });
    blocked.into_iter().chain(steps).collect()
}

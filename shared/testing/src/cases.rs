//! A table of subjects with the verdict and the plan of each.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{Control, Plan, Remediation, Timestamp, Verdict, Work};
use serde::Serialize;

use crate::NOW;

/// The subject that the cases of a control start from.
#[derive(Debug)]
pub struct Cases<'a, K: Control> {
    control: &'a K,
    base: K::Subject,
}

/// One subject, to be compared with what is expected of it.
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
    /// Cases of `control`, each of which changes `base`.
    pub const fn of(control: &'a K, base: K::Subject) -> Self {
        Self { control, base }
    }

    /// A case of this name, without parameters and at [`NOW`].
    pub fn case(&self, name: &'a str, change: impl FnOnce(&mut K::Subject)) -> Case<'a, K> {
        let mut subject = self.base.clone();
        change(&mut subject);
        Case { control: self.control, name, subject, params: K::Params::default(), now: NOW }
    }
}

impl<K: Control> Case<'_, K> {
    /// Under these rule parameters, as AWS Config sends them.
    ///
    /// # Panics
    /// When the control refuses them.
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

    /// Is COMPLIANT without a remark.
    ///
    /// # Panics
    /// When it is not.
    pub fn compliant(self) {
        self.is(&Verdict::COMPLIANT);
    }

    /// Is COMPLIANT with this remark.
    ///
    /// # Panics
    /// When it is not.
    pub fn compliant_with(self, remark: &str) {
        self.is(&Verdict::Compliant(Some(remark.into())));
    }

    /// Is NOT_APPLICABLE for this reason.
    ///
    /// # Panics
    /// When it is not.
    pub fn not_applicable(self, reason: &str) {
        self.is(&Verdict::not_applicable(reason));
    }

    /// Is NON_COMPLIANT with this finding.
    ///
    /// # Panics
    /// When it is not.
    pub fn non_compliant(self, finding: &str) -> Found<Self> {
        self.is(&Verdict::non_compliant(finding));
        Found(self)
    }

    /// Has this verdict.
    ///
    /// # Panics
    /// When it has another.
    pub fn is(&self, verdict: &Verdict) {
        assert_eq!(self.control.evaluate(&self.subject, &self.params, self.now), *verdict, "{}", self.name);
    }
}

/// A finding, of which a plan may be expected.
#[derive(Debug)]
pub struct Found<C>(C);

impl<K: Remediation> Found<Case<'_, K>> {
    /// And this is planned, a line a step: `L1 ModifyDBInstance {"DBInstanceIdentifier":"orders","DeletionProtection":true}`,
    /// `L0 by hand: …`, after `held: …` where something stands against it.
    ///
    /// # Panics
    /// When something else is planned.
    pub fn planned(&self, expected: &[&str]) {
        let Case { control, name, subject, params, now } = &self.0;
        assert_eq!(lines(&control.plan(subject, params, *now)), expected, "{name}");
    }
}

/// A plan as people read it: what holds it, and a line a step.
pub fn lines<A: Serialize>(plan: &Plan<A>) -> Vec<String> {
    let held = if let Plan::Blocked { reason, .. } = plan { vec![format!("held: {reason}")] } else { Vec::new() };
    let steps = plan.steps().iter().map(|step| match &step.work {
        Work::Api(call) => format!("{} {}", step.level, call_text(call)),
        Work::Manual(text) => format!("{} by hand: {text}", step.level),
    });
    held.into_iter().chain(steps).collect()
}

//! Controls that evaluate the item alone, and whose findings only an operator fixes: every fix interrupts the workload.
//!
//! A control is a value of [`ByHand`]: its verdict, and the steps of level L3 for a finding.

use rectify_compliance::{
    Control, Irreversible, Level, Never, Parameters, Permission, Plan, Remediation, RemediationPermissions,
    ResourceState, Step, Timestamp, Verdict,
};
use serde_json::{Value, json};

/// A control without calls.
#[derive(Debug)]
pub struct ByHand<S: 'static, P: 'static> {
    /// Evaluates the resource.
    pub judge: fn(&S, &P) -> Verdict,
    /// The manual steps for a finding, in order.
    pub instructions: fn(&S, &P) -> Vec<String>,
    /// The permissions of the live read.
    pub read: &'static [Permission],
}

impl<S: ResourceState, P: Parameters> Control for ByHand<S, P> {
    type Params = P;
    type Subject = S;

    fn evaluate(&self, subject: &S, params: &P, _now: Timestamp) -> Verdict {
        (self.judge)(subject, params)
    }
}

impl<S: ResourceState, P: Parameters> Remediation for ByHand<S, P> {
    type Action = Never;
    type Undo = Never;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: self.read, fix: &[], undo: &[] }
    }

    fn fix(&self, live: &S, params: &P, _now: Timestamp) -> Plan<Never> {
        let steps = (self.instructions)(live, params).into_iter().map(|text| Step::manual(Level::L3, text));
        Plan::steps_in_order(steps.collect())
    }

    fn predict(&self, _live: S, action: &Never) -> S {
        match *action {}
    }

    fn touched_fields(&self, _subject: &S, _done: &[Never]) -> Value {
        json!({})
    }

    fn undo(&self, _before: &S, _done: &[Never]) -> Result<Vec<Never>, Irreversible> {
        Ok(Vec::new())
    }
}

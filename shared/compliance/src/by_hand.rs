//! Controls whose findings only an operator ends: no call fixes them, or every fix interrupts the workload.
//!
//! A control is a value of [`ByHand`]: its verdict, and the steps for a finding. Its plan has no API calls.

use crate::{
    Control, Irreversible, Level, ManagedBy, Never, Parameters, Periodic, Permission, Plan, Remediation,
    RemediationPermissions, ResourceState, Step, Timestamp, Verdict,
};
use serde_json::{Value, json};

/// A control with manual steps only.
#[derive(Debug)]
pub struct ByHand<S: 'static, P: 'static> {
    /// Evaluates a subject.
    pub judge: fn(&S, &P) -> Verdict,
    /// The manual steps for a finding, in order, each with its actor.
    pub instructions: fn(&S, &P) -> Vec<String>,
    /// The level of these steps.
    pub level: Level,
    /// The permissions to list subjects; none for a control without a schedule.
    pub list: &'static [Permission],
    /// The permissions for the live read.
    pub read: &'static [Permission],
    /// Whether the live read needs the resource's name, as [`Remediation::needs_name`].
    pub needs_name: bool,
}

impl<S: ResourceState, P: Parameters> Control for ByHand<S, P> {
    type Params = P;
    type Subject = S;

    fn evaluate(&self, subject: &S, params: &P, _now: Timestamp) -> Verdict {
        (self.judge)(subject, params)
    }
}

impl<S: ResourceState, P: Parameters> Periodic for ByHand<S, P> {
    fn list_permissions(&self) -> &'static [Permission] {
        self.list
    }
}

impl<S: ResourceState, P: Parameters> Remediation for ByHand<S, P> {
    type Action = Never;
    type Undo = Never;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: self.read, fix: &[], undo: &[] }
    }

    fn needs_name(&self) -> bool {
        self.needs_name
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("the remediation changes nothing")
    }

    fn fix(&self, live: &S, params: &P, _now: Timestamp) -> Plan<Never> {
        let step = |instruction| Step::manual(self.level, instruction);
        Plan::steps_in_order((self.instructions)(live, params).into_iter().map(step).collect())
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

//! The plan of a remediation as people read it: changes, calls, commands.

use rectify_compliance::plan::call_text;
use rectify_compliance::{Level, Plan, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A plan as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The highest level of its steps; none if nothing can be automated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What changes: lines that begin with `- ` or `+ `, as in a diff.
    pub changes: Vec<String>,
    /// Its steps, in order.
    pub steps: Vec<StepView>,
    /// Why it must not be applied automatically, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocker: Option<String>,
    /// Whether it is only applied where the control's `allowL2` is set.
    pub needs_opt_in: bool,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Its level.
    pub level: Level,
    /// The operation with its input, or the instruction to a person.
    pub text: String,
    /// The call, `{"Operation": {input}}`; none for a manual step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Value>,
    /// The AWS CLI command that makes the call; none for a manual step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl PlanView {
    /// The view of a plan.
    #[must_use]
    pub fn of(plan: &Plan<Value>) -> Self {
        let step = |step: &rectify_compliance::Step<Value>| match &step.work {
            Work::Api(action) => {
                StepView { level: step.level, text: call_text(action), call: Some(action.clone()), command: None }
            }
            Work::Manual(instruction) => {
                StepView { level: step.level, text: instruction.clone(), call: None, command: None }
            }
        };
        let blocker = plan.blocker(true);
        Self {
            level: plan.level(),
            changes: Vec::new(),
            steps: plan.steps().iter().map(step).collect(),
            needs_opt_in: blocker.is_none() && plan.blocker(false).is_some(),
            blocker,
        }
    }
}

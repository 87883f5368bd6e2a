//! The plan of a remediation as people read it: changes, calls, commands.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::plan::call_text;
use rectify_compliance::{Entry, Level, Plan, StoredState, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{changes, command};

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
    /// The view of a plan without the state it was made from: neither changes nor commands.
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

    /// The view of the plan that the control made from this state, with changes and commands. [`PlanView::in_region`]
    /// completes the commands.
    #[must_use]
    pub fn of_finding(control: &Entry, state: &StoredState, plan: &Plan<Value>) -> Self {
        let mut view = Self::of(plan);
        let actions: Vec<Value> = plan.calls().into_iter().cloned().collect();
        view.changes = changes_of(control, state, &actions);
        for step in &mut view.steps {
            step.command = step.call.as_ref().and_then(|call| command::of(control, call));
        }
        view
    }

    /// The view with the region in its commands. Without it, a command changes the region that is configured where it is
    /// run.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        for step in &mut self.steps {
            if let (Some(command), Some(call)) = (&mut step.command, &step.call) {
                *command = command::in_region(command, call, region);
            }
        }
        self
    }

    /// How much changes: `1 removed, 2 added`; none without changes.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        changes::summary(&self.changes)
    }

    /// The commands as a shell script, one per line; what is not a command is a comment.
    #[must_use]
    pub fn script(&self) -> String {
        // A line break in a name must not end the comment.
        let escaped = |it: char| if "'\"".contains(it) { it.to_string() } else { it.escape_debug().to_string() };
        let comment = |kind: &str, text: &str| format!("# {kind}: {}\n", text.chars().map(escaped).collect::<String>());
        let mut script: String = self.blocker.iter().map(|it| comment("not automatic", it)).collect();
        for step in &self.steps {
            script += &match (&step.command, &step.call) {
                (Some(command), _) => format!("{command}\n"),
                (None, Some(_)) => comment("no command", &step.text),
                (None, None) => comment("manual", &step.text),
            };
        }
        script
    }
}

/// What these actions change in the resource, according to the control; nothing if they are not actions on this state.
#[must_use]
pub fn changes_of(control: &Entry, before: &StoredState, actions: &[Value]) -> Vec<String> {
    let Some(remediation) = control.remediation else { return Vec::new() };
    let after = predicted(remediation, before, actions);
    after.map_or_else(Vec::new, |after| difference(remediation, before, &after, actions))
}

/// What changes in the resource when these actions are undone.
#[must_use]
pub fn changes_of_undo(control: &Entry, before: &StoredState, actions: &[Value]) -> Vec<String> {
    let Some(remediation) = control.remediation else { return Vec::new() };
    let after = predicted(remediation, before, actions);
    after.map_or_else(Vec::new, |after| difference(remediation, &after, before, actions))
}

fn predicted(remediation: &dyn ErasedRemediation, before: &StoredState, actions: &[Value]) -> Option<StoredState> {
    let predict = |state: StoredState, action| Some(remediation.predict(&state, action).ok()?.image);
    actions.iter().try_fold(before.clone(), predict)
}

/// The difference of two states. A state also has facts that a plan needs and that are not read again, such as whether a
/// new key can be used: a member that the touched fields do not depend on is not shown.
fn difference(
    remediation: &dyn ErasedRemediation,
    from: &StoredState,
    to: &StoredState,
    actions: &[Value],
) -> Vec<String> {
    let mut shown = to.subject.clone();
    let touched = remediation.touched_fields(from, actions);
    for (name, value) in to.subject.as_object().into_iter().flatten() {
        let old = from.subject.get(name).cloned().unwrap_or_default();
        if *value == old {
            continue;
        }
        let mut with_it = from.clone();
        set(&mut with_it.subject, name, value.clone());
        if touched.is_ok() && remediation.touched_fields(&with_it, actions) == touched {
            set(&mut shown, name, old);
        }
    }
    changes::lines(&from.subject, &shown)
}

fn set(subject: &mut Value, name: &str, value: Value) {
    if let Some(fields) = subject.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;

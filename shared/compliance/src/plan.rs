//! The plan of a remediation, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::sorted;

/// The risk of a step. The highest level of its steps decides whether a plan may be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Level {
    /// No call can fix it, or an operator must act.
    L0,
    /// Additive, reversible, no effect on availability: applied in mode `enforce`.
    L1,
    /// Reversible, but may break access or cost money: applied only if the control is opted in.
    L2,
    /// Disruptive or irreversible: never applied automatically.
    L3,
}

impl std::fmt::Display for Level {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::L0 => "L0",
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        })
    }
}

/// The work of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Work<A> {
    /// One API call, with its full input. Stored as `call`.
    #[serde(rename = "call")]
    Api(A),
    /// An instruction to an operator; nothing executes it. Stored as `person`.
    #[serde(rename = "person")]
    Manual(String),
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step<A> {
    /// Its risk.
    pub level: Level,
    /// The call or instruction.
    #[serde(flatten)]
    pub work: Work<A>,
}

impl<A> Step<A> {
    /// A call at this level.
    pub const fn call(level: Level, action: A) -> Self {
        Self { level, work: Work::Api(action) }
    }

    /// An instruction to an operator.
    pub fn manual(level: Level, instruction: impl Into<String>) -> Self {
        Self { level, work: Work::Manual(instruction.into()) }
    }

    /// The call; `None` for a manual step.
    pub const fn action(&self) -> Option<&A> {
        match &self.work {
            Work::Api(action) => Some(action),
            Work::Manual(_) => None,
        }
    }
}

/// What a remediation would do for one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Plan<A> {
    /// The resource is compliant: nothing to do. Stored as `nothing`.
    #[serde(rename = "nothing")]
    Noop,
    /// These steps would fix it, but Rectify must not apply them. Stored as `hold`.
    #[serde(rename = "hold")]
    Blocked {
        /// The failed precondition, with its values.
        reason: String,
        /// The steps that an operator may take.
        steps: Vec<Step<A>>,
    },
    /// Apply these steps, in order. Stored as `do`.
    #[serde(rename = "do")]
    Apply {
        /// Never empty.
        steps: Vec<Step<A>>,
    },
}

impl<A> Plan<A> {
    /// A plan of these steps; [`Plan::Noop`] if there are none.
    pub fn steps_in_order(steps: Vec<Step<A>>) -> Self {
        if steps.is_empty() { Self::Noop } else { Self::Apply { steps } }
    }

    /// These steps, blocked for `reason`.
    pub fn blocked(reason: impl Into<String>, steps: Vec<Step<A>>) -> Self {
        Self::Blocked { reason: reason.into(), steps }
    }

    /// These steps, blocked if there are reasons not to apply them automatically.
    pub fn unless(reasons: impl IntoIterator<Item: Into<String>>, steps: Vec<Step<A>>) -> Self {
        let reasons: Vec<String> = reasons.into_iter().map(Into::into).collect();
        if reasons.is_empty() { Self::steps_in_order(steps) } else { Self::blocked(reasons.join("; "), steps) }
    }

    /// All steps, blocked or not.
    pub fn steps(&self) -> &[Step<A>] {
        match self {
            Self::Noop => &[],
            Self::Blocked { steps, .. } | Self::Apply { steps } => steps,
        }
    }

    /// The calls in order, blocked or not.
    pub fn calls(&self) -> Vec<&A> {
        self.steps().iter().filter_map(Step::action).collect()
    }

    /// The highest level of any step.
    pub fn level(&self) -> Option<Level> {
        self.steps().iter().map(|step| step.level).max()
    }

    /// Why this plan may not be applied automatically: it is blocked, has a manual step, or has a step above the
    /// allowed level. `None` if it may.
    pub fn blocker(&self, allow_l2: bool) -> Option<String> {
        match self {
            Self::Noop => None,
            Self::Blocked { reason, .. } => Some(reason.clone()),
            Self::Apply { steps } if steps.iter().any(|step| step.level == Level::L3) => {
                Some("a step of level L3 is never applied automatically".to_owned())
            }
            Self::Apply { steps } if steps.iter().any(|step| step.action().is_none()) => {
                Some("a step requires an operator".to_owned())
            }
            Self::Apply { steps } if !allow_l2 && steps.iter().any(|step| step.level == Level::L2) => {
                Some("a step of level L2 is not allowed for this control".to_owned())
            }
            Self::Apply { .. } => None,
        }
    }
}

/// The action of controls whose plans have only manual steps: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

/// Why an action cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: cannot be undone: {reason}")]
pub struct Irreversible {
    /// The action, by its API operation.
    pub action: String,
    /// The reason.
    pub reason: String,
}

/// The API operation and input of an action, for readers: `Operation {"Field": …}`.
///
/// Actions serialize as one-key objects named by their API operation, with the input in the API's spelling.
pub fn call_text<A: Serialize>(action: &A) -> String {
    match serde_json::to_value(action) {
        Ok(Value::Object(call)) if call.len() == 1 => call
            .into_iter()
            .next()
            .map(|(operation, input)| format!("{operation} {}", sorted(input)))
            .unwrap_or_default(),
        Ok(Value::String(operation)) => operation,
        Ok(other) => other.to_string(),
        Err(error) => format!("unprintable action: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocker_is_the_most_severe_reason() {
        let call = |level| Step::call(level, "x");
        let rows: [(Plan<&str>, bool, Option<&str>); 8] = [
            (Plan::Noop, false, None),
            (Plan::steps_in_order(vec![]), false, None),
            (Plan::steps_in_order(vec![call(Level::L1)]), false, None),
            (Plan::steps_in_order(vec![call(Level::L2)]), true, None),
            (Plan::steps_in_order(vec![call(Level::L2)]), false, Some("level L2")),
            (Plan::steps_in_order(vec![call(Level::L1), call(Level::L3)]), true, Some("level L3")),
            (Plan::steps_in_order(vec![Step::manual(Level::L0, "delete the key")]), true, Some("requires an operator")),
            (Plan::blocked("website configured", vec![call(Level::L1)]), true, Some("website configured")),
        ];
        for (plan, allow_l2, expected) in rows {
            let blocker = plan.blocker(allow_l2);
            match expected {
                None => assert_eq!(blocker, None, "{plan:?}"),
                Some(text) => {
                    assert!(blocker.as_deref().is_some_and(|it| it.contains(text)), "{plan:?}: {blocker:?}");
                }
            }
        }
    }

    #[test]
    fn call_text_does_not_depend_on_key_order() {
        let call = serde_json::json!({"PutThing": {"Zone": 1, "Area": [{"b": 1, "a": 2}]}});
        assert_eq!(call_text(&call), r#"PutThing {"Area":[{"a":2,"b":1}],"Zone":1}"#);
    }

    #[test]
    fn a_plan_round_trips() {
        let plan = Plan::blocked("why", vec![Step::call(Level::L2, "A".to_owned()), Step::manual(Level::L0, "B")]);
        let text = serde_json::to_string(&plan).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Plan<String>>(&text).ok(), Some(plan));
    }
}

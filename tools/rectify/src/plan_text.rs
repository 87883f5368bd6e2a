//! A plan as text and as JSON.

use rectify_compliance::plan::call_text;
use rectify_compliance::{Plan, Work};
use serde_json::{Value, json};

use crate::style::Style;

/// The steps, one per line, and what blocks their automatic application.
pub(crate) fn lines(plan: &Plan<Value>, style: Style) -> Vec<String> {
    let mut lines = vec![match (plan, plan.level()) {
        (Plan::Noop, _) => "plan: nothing to do".to_owned(),
        (Plan::Blocked { .. } | Plan::Apply { .. }, None) => "plan: nothing can be automated".to_owned(),
        (Plan::Blocked { .. } | Plan::Apply { .. }, Some(level)) => format!("plan: {level}"),
    }];
    for (number, step) in (1..).zip(plan.steps()) {
        let work = match &step.work {
            Work::Api(action) => call_text(action),
            Work::Manual(instruction) => format!("{} {instruction}", style.warning("manual:")),
        };
        lines.push(format!("  {number}. {} {work}", step.level));
    }
    if let Some(blocker) = plan.blocker(true) {
        lines.push(format!("  {} {blocker}", style.warning("not automatic:")));
    } else if plan.blocker(false).is_some() {
        lines.push(format!("  {} enforced only if ALLOW_L2 is true for this control", style.warning("opt-in:")));
    }
    lines
}

/// The plan as JSON; `call` is operation and input, `text` the same as a line of text.
pub(crate) fn as_json(plan: &Plan<Value>) -> Value {
    let steps: Vec<Value> = plan
        .steps()
        .iter()
        .map(|step| match &step.work {
            Work::Api(action) => json!({ "level": step.level, "call": action, "text": call_text(action) }),
            Work::Manual(instruction) => json!({ "level": step.level, "person": instruction }),
        })
        .collect();
    let kind = match plan {
        Plan::Noop => "nothing",
        Plan::Blocked { .. } => "hold",
        Plan::Apply { .. } => "do",
    };
    json!({
        "kind": kind,
        "level": plan.level(),
        "steps": steps,
        "blocker": plan.blocker(true),
        "needs_opt_in": plan.blocker(true).is_none() && plan.blocker(false).is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::PLAIN;
    use rectify_compliance::{Level, Step};

    fn call(level: Level) -> Step<Value> {
        Step::call(level, json!({ "DeleteThing": { "Id": "t-1" } }))
    }

    #[test]
    fn a_plan_shows_its_calls_and_its_blocker() {
        let rows = [
            (Plan::Noop, "plan: nothing to do"),
            (Plan::steps_in_order(vec![call(Level::L1)]), "plan: L1\n  1. L1 DeleteThing {\"Id\":\"t-1\"}"),
            (
                Plan::steps_in_order(vec![call(Level::L2)]),
                "plan: L2\n  1. L2 DeleteThing {\"Id\":\"t-1\"}\n  opt-in: enforced only if ALLOW_L2 is true for this control",
            ),
            (
                Plan::steps_in_order(vec![call(Level::L1), Step::manual(Level::L0, "delete the key")]),
                "plan: L1\n  1. L1 DeleteThing {\"Id\":\"t-1\"}\n  2. L0 manual: delete the key\n  not automatic: a step requires an operator",
            ),
            (
                Plan::blocked("a website", vec![call(Level::L2)]),
                "plan: L2\n  1. L2 DeleteThing {\"Id\":\"t-1\"}\n  not automatic: a website",
            ),
            (Plan::blocked("a website", vec![]), "plan: nothing can be automated\n  not automatic: a website"),
        ];
        for (plan, expected) in rows {
            assert_eq!(lines(&plan, PLAIN).join("\n"), expected);
        }
    }

    #[test]
    fn json_contains_the_call() {
        let plan = Plan::steps_in_order(vec![call(Level::L2)]);
        let expected = json!({
            "kind": "do", "level": "L2", "blocker": null, "needs_opt_in": true,
            "steps": [{ "level": "L2", "call": { "DeleteThing": { "Id": "t-1" } }, "text": "DeleteThing {\"Id\":\"t-1\"}" }],
        });
        assert_eq!(as_json(&plan), expected);
    }
}

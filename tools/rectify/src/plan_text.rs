//! A plan as text and as JSON.

use rectify_compliance::{Entry, Plan, Region, StoredState};
use rectify_scan::PlanView;
use serde_json::{Value, json};

use crate::style::Style;

/// The view of a plan; without the state that it was made from, it has no changes and no commands.
pub(crate) fn view(control: &Entry, state: Option<&StoredState>, plan: &Plan<Value>, region: &Region) -> PlanView {
    state.map_or_else(
        || PlanView::of(plan),
        |state| PlanView::of_finding(control, state, plan).in_region(region.as_str()),
    )
}

/// The changes, the steps that make them, and what blocks their automatic application.
pub(crate) fn lines(view: &PlanView, style: Style) -> Vec<String> {
    let mut lines = steps(view, style);
    if let Some(blocker) = &view.blocker {
        lines.push(format!("  {} {blocker}", style.warning("not automatic:")));
    } else if view.needs_opt_in {
        lines.push(format!("  {} applied only if allowL2 is true for this control", style.warning("opt-in:")));
    }
    lines
}

/// The changes, and the steps that make them.
pub(crate) fn steps(view: &PlanView, style: Style) -> Vec<String> {
    let mut lines = vec![match (view.level, &view.blocker) {
        (None, None) => "plan: nothing to do".to_owned(),
        (None, Some(_)) => "plan: nothing can be automated".to_owned(),
        (Some(level), _) => {
            let summary = view.summary().map_or_else(String::new, |it| format!(", {it}"));
            format!("plan: {level}{summary}")
        }
    }];
    lines.extend(change_lines(&view.changes, style));
    for (number, step) in (1..).zip(&view.steps) {
        let number: u32 = number;
        let manual = if step.call.is_none() { style.warning("manual:") + " " } else { String::new() };
        lines.push(format!("  {number}. {} {manual}{}", step.level, step.text));
    }
    lines
}

/// Changes as in a diff: removed red, added green.
pub(crate) fn change_lines(changes: &[String], style: Style) -> impl Iterator<Item = String> {
    let colored = move |line: &String| if line.starts_with('-') { style.error(line) } else { style.success(line) };
    changes.iter().map(move |line| format!("  {}", colored(line)))
}

/// The plan as JSON; `call` is operation and input, `text` the same as a line of text, `command` the same for the AWS CLI.
pub(crate) fn as_json(plan: &Plan<Value>, view: &PlanView) -> Value {
    let steps: Vec<Value> = view
        .steps
        .iter()
        .map(|step| match &step.call {
            Some(call) => {
                json!({ "level": step.level, "call": call, "text": step.text, "command": step.command })
            }
            None => json!({ "level": step.level, "person": step.text }),
        })
        .collect();
    let kind = match plan {
        Plan::Noop => "nothing",
        Plan::Blocked { .. } => "hold",
        Plan::Apply { .. } => "do",
    };
    json!({
        "kind": kind,
        "level": view.level,
        "changes": view.changes,
        "steps": steps,
        "blocker": view.blocker,
        "needs_opt_in": view.needs_opt_in,
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
                "plan: L2\n  1. L2 DeleteThing {\"Id\":\"t-1\"}\n  opt-in: applied only if allowL2 is true for this control",
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
            assert_eq!(lines(&PlanView::of(&plan), PLAIN).join("\n"), expected);
        }
    }

    #[test]
    fn json_contains_the_call() {
        let plan = Plan::steps_in_order(vec![call(Level::L2)]);
        let expected = json!({
            "kind": "do", "level": "L2", "changes": [], "blocker": null, "needs_opt_in": true,
            "steps": [{ "level": "L2", "call": { "DeleteThing": { "Id": "t-1" } }, "text": "DeleteThing {\"Id\":\"t-1\"}",
                "command": null }],
        });
        assert_eq!(as_json(&plan, &PlanView::of(&plan)), expected);
    }

    #[test]
    fn changes_precede_the_calls() {
        let mut view = PlanView::of(&Plan::steps_in_order(vec![call(Level::L1)]));
        view.changes = vec!["- a: 1".to_owned(), "+ a: 2".to_owned()];
        let expected = "plan: L1, 1 changed\n  - a: 1\n  + a: 2\n  1. L1 DeleteThing {\"Id\":\"t-1\"}";
        assert_eq!(lines(&view, PLAIN).join("\n"), expected);
    }
}

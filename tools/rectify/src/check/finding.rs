//! What was found about one resource, as it is shown.

use rectify_compliance::{Entry, Plan, ResourceKey, StoredState, Verdict};
use serde_json::{Value, json};

use crate::plan_text;
use crate::report::{Ending, Report};
use crate::style::Style;

/// A verdict about one resource, with what a remediation would do.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    /// The resource.
    pub(super) resource: ResourceKey,
    /// The control's answer.
    pub(super) verdict: Verdict,
    /// The plan, where the control does not hold and has a remediation.
    pub(super) plan: Option<Plan<Value>>,
    /// What was judged, where the control was asked.
    pub(super) subject: Option<StoredState>,
    /// The CloudFormation stack that manages what the plan would change, or why that is not known; nothing where it was not
    /// looked for.
    pub(super) stack: Result<Option<String>, String>,
    /// Where it was read.
    pub(super) seen: Seen,
}

/// Where a subject came from: plans for an event are a preview only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// In an event or a file.
    Recorded,
    /// In the account, now.
    Live,
}

impl Finding {
    /// An answer that was given without asking the control.
    pub(super) const fn answer(resource: ResourceKey, verdict: Verdict) -> Self {
        Self { resource, verdict, plan: None, subject: None, stack: Ok(None), seen: Seen::Recorded }
    }
}

/// All findings as one answer.
pub(super) fn report(control: &Entry, findings: &[Finding], style: Style) -> Report {
    let found = findings.iter().any(|it| it.verdict.is_non_compliant());
    let text: Vec<String> = findings.iter().map(|it| text(control, it, style)).collect();
    let json = json!({ "control": control.meta.id, "findings": findings.iter().map(as_json).collect::<Vec<_>>() });
    Report { text: text.join("\n"), json, ending: if found { Ending::Finding } else { Ending::Fine } }
}

fn text(control: &Entry, finding: &Finding, style: Style) -> String {
    let mut lines = vec![format!("{} {}", style.verdict(&finding.verdict), finding.resource)];
    lines.extend(finding.verdict.annotation().map(|annotation| format!("  {annotation}")));
    if let Some(plan) = &finding.plan {
        lines.extend(plan_text::lines(plan, style).into_iter().map(|line| format!("  {line}")));
        lines.extend(managed(&finding.stack).map(|line| format!("    {} {line}", style.warning("stack:"))));
        if finding.seen == Seen::Recorded {
            let id = &finding.resource.id;
            let live = format!("rectify check --control {} --live {id}", control.meta.id);
            lines.push(style.muted(&format!("  a remediation plans from a live read, never from an event: {live}")));
        }
    } else if finding.verdict.is_non_compliant() {
        lines.push("  plan: this control has no remediation".to_owned());
    }
    lines.join("\n") + "\n"
}

/// What a stack means for the plan; nothing where none manages what it would change.
fn managed(stack: &Result<Option<String>, String>) -> Option<String> {
    match stack {
        Ok(None) => None,
        Ok(Some(stack)) => Some(format!(
            "managed by CloudFormation stack `{stack}`: planned only, unless RemediateManagedStacks is true"
        )),
        Err(why) => Some(format!("not known, so a remediation fails here: {why}")),
    }
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "resource": finding.resource,
        "verdict": finding.verdict.compliance_type(),
        "annotation": finding.verdict.annotation(),
        "plan": finding.plan.as_ref().map(plan_text::as_json),
        "stack": finding.stack.as_ref().ok().and_then(Option::as_ref),
        "stack_not_known": finding.stack.as_ref().err(),
        "live": finding.seen == Seen::Live,
        "subject": finding.subject.as_ref().map(|it| &it.subject),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::style::PLAIN;
    use rectify_compliance::{Level, Step};

    fn finding(seen: Seen) -> Finding {
        Finding {
            resource: ResourceKey::new("AWS::EC2::SecurityGroup", "sg-1"),
            verdict: Verdict::non_compliant("sg-1 is open"),
            plan: Some(Plan::steps_in_order(vec![Step::manual(Level::L0, "close it")])),
            subject: None,
            stack: Ok(None),
            seen,
        }
    }

    #[test]
    fn a_plan_made_from_an_event_says_how_to_see_the_real_one() {
        let control = rectify_catalogue::find("restricted-ssh").unwrap();
        let report = report(control, &[finding(Seen::Recorded)], PLAIN);
        let expected = "NON_COMPLIANT AWS::EC2::SecurityGroup sg-1\n  sg-1 is open\n  plan: L0\n    1. L0 by a person: close it\n    \
                        not by machine: a step must be taken by a person\n  a remediation plans from a live read, never from an event: \
                        rectify check --control restricted-ssh --live sg-1\n";
        assert_eq!((report.text.as_str(), report.ending), (expected, Ending::Finding));
    }

    #[test]
    fn a_stack_that_manages_the_resource_or_is_not_known_is_shown_with_the_plan() {
        let control = rectify_catalogue::find("cmk-backing-key-rotation-enabled").unwrap();
        for (stack, line, json) in [
            (
                Ok(Some("keys".to_owned())),
                "    stack: managed by CloudFormation stack `keys`: planned only, unless RemediateManagedStacks is true",
                json!(["keys", null]),
            ),
            (
                Err("AccessDenied".to_owned()),
                "    stack: not known, so a remediation fails here: AccessDenied",
                json!([null, "AccessDenied"]),
            ),
        ] {
            let report = report(control, &[Finding { stack, ..finding(Seen::Live) }], PLAIN);
            assert!(report.text.lines().any(|it| it == line), "{}", report.text);
            let told = report.json.pointer("/findings/0").unwrap();
            assert_eq!(json!([told["stack"], told["stack_not_known"]]), json);
        }
        let none = report(control, &[finding(Seen::Live)], PLAIN);
        assert!(!none.text.contains("stack:"), "{}", none.text);
    }

    #[test]
    fn one_finding_among_others_is_a_finding() {
        let control = rectify_catalogue::find("restricted-ssh").unwrap();
        let fine = Finding::answer(ResourceKey::new("AWS::EC2::SecurityGroup", "sg-2"), Verdict::COMPLIANT);
        assert_eq!(report(control, &[fine], PLAIN).ending, Ending::Fine);
        let fine = Finding::answer(ResourceKey::new("AWS::EC2::SecurityGroup", "sg-2"), Verdict::COMPLIANT);
        assert_eq!(report(control, &[finding(Seen::Live), fine], PLAIN).ending, Ending::Finding);
    }
}

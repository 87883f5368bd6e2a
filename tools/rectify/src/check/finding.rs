//! The finding about one resource, and its output.

use rectify_compliance::{Entry, Plan, Region, ResourceKey, StoredState, Verdict};
use rectify_scan::PlanView;
use serde_json::{Value, json};

use super::outlook::Outlook;
use crate::plan_text;
use crate::report::{Ending, Report};
use crate::style::Style;

/// A verdict about one resource, with the plan of the remediation.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    /// The resource.
    pub(super) resource: ResourceKey,
    /// The verdict of the control.
    pub(super) verdict: Verdict,
    /// The plan and the region of its calls, if the resource is noncompliant and the control has a remediation.
    pub(super) plan: Option<(Plan<Value>, Region)>,
    /// The evaluated subject, if the control was evaluated.
    pub(super) subject: Option<StoredState>,
    /// The CloudFormation stack that manages what the plan would change, or why it is unknown; `Ok(None)` if there is
    /// none or it
    /// was not looked up.
    pub(super) stack: Result<Option<String>, String>,
    /// The source of the subject.
    pub(super) seen: Seen,
    /// What keeps the plan from being applied, if that was looked at.
    pub(super) outlook: Option<Outlook>,
}

/// The source of a subject: a plan for a recorded one is only a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// An event or a file.
    Recorded,
    /// A live read of the account.
    Live,
}

impl Finding {
    /// A verdict without evaluating the control.
    pub(super) const fn answer(resource: ResourceKey, verdict: Verdict) -> Self {
        Self { resource, verdict, plan: None, subject: None, stack: Ok(None), seen: Seen::Recorded, outlook: None }
    }
}

impl Finding {
    fn view(&self, control: &Entry) -> Option<PlanView> {
        let (plan, region) = self.plan.as_ref()?;
        Some(plan_text::view(control, self.subject.as_ref(), plan, region))
    }
}

/// All findings as one report.
pub(super) fn report(control: &Entry, findings: &[Finding], style: Style) -> Report {
    let found = findings.iter().any(|it| it.verdict.is_non_compliant());
    let text: Vec<String> = findings.iter().map(|it| text(control, it, style)).collect();
    let json: Vec<Value> = findings.iter().map(|it| as_json(control, it)).collect();
    let json = json!({ "control": control.meta.id, "findings": json });
    Report { text: text.join("\n"), json, ending: if found { Ending::Finding } else { Ending::Fine } }
}

/// The commands of all plans as a shell script.
pub(super) fn script(control: &Entry, findings: &[Finding]) -> String {
    findings.iter().filter_map(|it| it.view(control)).map(|view| view.script()).collect()
}

fn text(control: &Entry, finding: &Finding, style: Style) -> String {
    let mut lines = vec![format!("{} {}", style.verdict(&finding.verdict), finding.resource)];
    lines.extend(finding.verdict.annotation().map(|annotation| format!("  {annotation}")));
    if let (Some(view), Some(outlook)) = (finding.view(control), &finding.outlook) {
        let all = plan_text::steps(&view, style).into_iter().chain(outlook.lines(style));
        lines.extend(all.map(|line| format!("  {line}")));
    } else if let Some(view) = finding.view(control) {
        lines.extend(plan_text::lines(&view, style).into_iter().map(|line| format!("  {line}")));
        lines.extend(managed(&finding.stack).map(|line| format!("    {} {line}", style.warning("stack:"))));
        if finding.seen == Seen::Recorded {
            let id = &finding.resource.id;
            let live = format!("rectify check {} {id}", control.meta.id);
            lines.push(style.muted(&format!("  preview from the event; a remediation plans from a live read: {live}")));
        }
    } else if finding.verdict.is_non_compliant() {
        lines.push("  plan: this control has no remediation".to_owned());
    }
    lines.join("\n") + "\n"
}

/// The effect of a stack on the plan; `None` if no stack manages what the plan would change.
fn managed(stack: &Result<Option<String>, String>) -> Option<String> {
    match stack {
        Ok(None) => None,
        Ok(Some(stack)) => Some(format!(
            "managed by CloudFormation stack `{stack}`: only planned, unless RemediateManagedStacks is true"
        )),
        Err(why) => Some(format!("unknown, so the remediation would fail: {why}")),
    }
}

fn as_json(control: &Entry, finding: &Finding) -> Value {
    let view = finding.view(control);
    let plan = finding.plan.as_ref().zip(view.as_ref());
    json!({
        "resource": finding.resource,
        "verdict": finding.verdict.compliance_type(),
        "annotation": finding.verdict.annotation(),
        "plan": plan.map(|((plan, _), view)| plan_text::as_json(plan, view)),
        "stack": finding.stack.as_ref().ok().and_then(Option::as_ref),
        "stack_not_known": finding.stack.as_ref().err(),
        "blockers": finding.outlook.as_ref().map(Outlook::as_json),
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
            plan: Some((Plan::steps_in_order(vec![Step::manual(Level::L0, "close it")]), Region::new("eu-west-1"))),
            subject: None,
            stack: Ok(None),
            seen,
            outlook: None,
        }
    }

    #[test]
    fn a_plan_from_an_event_shows_how_to_get_the_live_one() {
        let control = rectify_catalogue::find("restricted-ssh").unwrap();
        let report = report(control, &[finding(Seen::Recorded)], PLAIN);
        let expected = "NON_COMPLIANT AWS::EC2::SecurityGroup sg-1\n  sg-1 is open\n  plan: L0\n    1. L0 manual: close it\n    \
                        not automatic: a step requires an operator\n  preview from the event; a remediation plans from a live read: \
                        rectify check restricted-ssh sg-1\n";
        assert_eq!((report.text.as_str(), report.ending), (expected, Ending::Finding));
    }

    #[test]
    fn a_managing_or_unknown_stack_is_shown_with_the_plan() {
        let control = rectify_catalogue::find("cmk-backing-key-rotation-enabled").unwrap();
        for (stack, line, json) in [
            (
                Ok(Some("keys".to_owned())),
                "    stack: managed by CloudFormation stack `keys`: only planned, unless RemediateManagedStacks is true",
                json!(["keys", null]),
            ),
            (
                Err("AccessDenied".to_owned()),
                "    stack: unknown, so the remediation would fail: AccessDenied",
                json!([null, "AccessDenied"]),
            ),
        ] {
            let report = report(control, &[Finding { stack, ..finding(Seen::Live) }], PLAIN);
            assert!(report.text.lines().any(|it| it == line), "{}", report.text);
            let finding = report.json.pointer("/findings/0").unwrap();
            assert_eq!(json!([finding["stack"], finding["stack_not_known"]]), json);
        }
        let none = report(control, &[finding(Seen::Live)], PLAIN);
        assert!(!none.text.contains("stack:"), "{}", none.text);
    }

    #[test]
    fn one_noncompliant_resource_makes_the_report_a_finding() {
        let control = rectify_catalogue::find("restricted-ssh").unwrap();
        let fine = Finding::answer(ResourceKey::new("AWS::EC2::SecurityGroup", "sg-2"), Verdict::COMPLIANT);
        assert_eq!(report(control, &[fine], PLAIN).ending, Ending::Fine);
        let fine = Finding::answer(ResourceKey::new("AWS::EC2::SecurityGroup", "sg-2"), Verdict::COMPLIANT);
        assert_eq!(report(control, &[finding(Seen::Live), fine], PLAIN).ending, Ending::Finding);
    }
}

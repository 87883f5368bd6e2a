//! What was found about one resource, as it is shown.

use rectify_compliance::{Entry, Plan, ResourceKey, StoredImage, Verdict};
use serde_json::{Value, json};

use crate::paint::Paint;
use crate::plan_text;
use crate::report::{Ending, Report};

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
    pub(super) subject: Option<StoredImage>,
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
        Self { resource, verdict, plan: None, subject: None, seen: Seen::Recorded }
    }
}

/// All findings as one answer.
pub(super) fn report(control: &Entry, findings: &[Finding], paint: Paint) -> Report {
    let found = findings.iter().any(|it| it.verdict.is_non_compliant());
    let text: Vec<String> = findings.iter().map(|it| text(control, it, paint)).collect();
    let json = json!({ "control": control.meta.id, "findings": findings.iter().map(as_json).collect::<Vec<_>>() });
    Report { text: text.join("\n"), json, ending: if found { Ending::Finding } else { Ending::Fine } }
}

fn text(control: &Entry, finding: &Finding, paint: Paint) -> String {
    let mut lines = vec![format!("{} {}", paint.verdict(&finding.verdict), finding.resource)];
    lines.extend(finding.verdict.annotation().map(|annotation| format!("  {annotation}")));
    if let Some(plan) = &finding.plan {
        lines.extend(plan_text::lines(plan, paint).into_iter().map(|line| format!("  {line}")));
        if finding.seen == Seen::Recorded {
            let id = &finding.resource.id;
            let live = format!("rectify check --control {} --live {id}", control.meta.id);
            lines.push(paint.aside(&format!("  a remediation plans from a live read, never from an event: {live}")));
        }
    } else if finding.verdict.is_non_compliant() {
        lines.push("  plan: this control has no remediation".to_owned());
    }
    lines.join("\n") + "\n"
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "resource": finding.resource,
        "verdict": finding.verdict.compliance_type(),
        "annotation": finding.verdict.annotation(),
        "plan": finding.plan.as_ref().map(plan_text::as_json),
        "live": finding.seen == Seen::Live,
        "subject": finding.subject.as_ref().map(|it| &it.subject),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::paint::PLAIN;
    use rectify_compliance::{Level, Step};

    fn finding(seen: Seen) -> Finding {
        Finding {
            resource: ResourceKey::new("AWS::EC2::SecurityGroup", "sg-1"),
            verdict: Verdict::non_compliant("sg-1 is open"),
            plan: Some(Plan::steps_in_order(vec![Step::person(Level::L0, "close it")])),
            subject: None,
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
    fn one_finding_among_others_is_a_finding() {
        let control = rectify_catalogue::find("restricted-ssh").unwrap();
        let fine = Finding::answer(ResourceKey::new("AWS::EC2::SecurityGroup", "sg-2"), Verdict::COMPLIANT);
        assert_eq!(report(control, &[fine], PLAIN).ending, Ending::Fine);
        let fine = Finding::answer(ResourceKey::new("AWS::EC2::SecurityGroup", "sg-2"), Verdict::COMPLIANT);
        assert_eq!(report(control, &[finding(Seen::Live), fine], PLAIN).ending, Ending::Finding);
    }
}

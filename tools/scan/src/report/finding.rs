//! Parts of a row that several formats write.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rectify_catalogue::frameworks;
use rectify_compliance::{ControlMeta, Framework, Severity, finding};

use crate::{Outcome, PlanView, Row, Scan};

/// The declaration of a control; none for one that this version does not have.
pub(super) fn meta(control: &str) -> Option<&'static ControlMeta> {
    rectify_catalogue::find(control).map(|entry| entry.meta)
}

/// The title of the row's control, or its id.
pub(super) fn title(row: &Row) -> &str {
    meta(&row.control).map_or(&row.control, |meta| meta.title)
}

/// The page of a control, relative to the root of the repository.
pub(super) fn docs(control: &str) -> String {
    format!("docs/controls/{control}.md")
}

/// The text below a heading of a control's page, without the heading.
pub(super) fn section(meta: &ControlMeta, heading: &str) -> String {
    let lines = meta.docs.lines().map(str::trim).skip_while(|line| line.strip_prefix("## ") != Some(heading)).skip(1);
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    text.join("\n").trim().to_owned()
}

/// The requirements that the control covers and that hold on the day of the scan.
pub(super) fn requirements(scan: &Scan, control: &str) -> Vec<(Framework, &'static str)> {
    let Some(meta) = meta(control) else { return Vec::new() };
    let day: Date = scan.finished.to_zoned(TimeZone::UTC).date();
    let of = |framework| frameworks::covered(meta, framework).into_iter().map(move |id| (framework, id));
    Framework::ALL.into_iter().flat_map(of).filter(|(framework, id)| frameworks::holds(*framework, id, day)).collect()
}

/// A severity as reports write it.
pub(super) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// The status of an outcome, as in JSON.
pub(super) const fn status(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed { .. } => "passed",
        Outcome::Failed { .. } => "failed",
        Outcome::NotApplicable { .. } => "not-applicable",
        Outcome::Unreadable { .. } => "unreadable",
        Outcome::NotScanned { .. } => "not-scanned",
    }
}

/// The reason of an outcome; empty if there is none.
pub(super) fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Passed { reason } => reason.as_deref().unwrap_or_default(),
        Outcome::Failed { reason, .. }
        | Outcome::NotApplicable { reason }
        | Outcome::Unreadable { reason }
        | Outcome::NotScanned { reason } => reason,
    }
}

/// The plan of a finding.
pub(super) const fn plan(outcome: &Outcome) -> Option<&PlanView> {
    match outcome {
        Outcome::Failed { plan, .. } => plan.as_ref(),
        Outcome::Passed { .. }
        | Outcome::NotApplicable { .. }
        | Outcome::Unreadable { .. }
        | Outcome::NotScanned { .. } => None,
    }
}

/// How to fix it: a command or an instruction per step, in order.
pub(super) fn fixes(plan: &PlanView) -> Vec<&str> {
    plan.steps.iter().map(|step| step.command.as_deref().unwrap_or(&step.text)).collect()
}

/// An id that every scan gives to this control about this resource: 32 hexadecimal digits.
/// Two templates may declare resources of the same name, so a file is part of it; a line is not, since it moves.
pub(super) fn id(row: &Row) -> String {
    let key = [&row.control, &row.place.account, &row.place.region, &row.resource_type, &row.resource_id];
    let file = row.source.as_ref().map(|source| &source.file);
    finding::id(key.into_iter().chain(file).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::report::sample::{example, hostile};
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_stable_and_differ_between_rows() {
        let rows = [example().rows, hostile().rows].concat();
        let ids: BTreeSet<String> = rows.iter().map(id).collect();
        assert_eq!(ids.len(), rows.len());
        assert_eq!(id(&rows[0]), "287cd204470ad068eb6296b927c6a652");
        let with = |kind: &str, name: &str| {
            id(&Row { resource_type: kind.to_owned(), resource_id: name.to_owned(), ..rows[0].clone() })
        };
        assert_ne!(with("ab", "c"), with("a", "bc"));
        let mut moved = rows[0].clone();
        moved.outcome = Outcome::Passed { reason: None };
        assert_eq!(id(&moved), id(&rows[0]));
        let declared =
            |file: &str, line| id(&Row { source: Some(Source { file: file.to_owned(), line }), ..rows[0].clone() });
        assert_eq!(declared("a.yaml", Some(1)), declared("a.yaml", Some(2)));
        assert_ne!(declared("a.yaml", None), declared("b.yaml", None));
    }

    #[test]
    fn sections_of_every_control_are_found() {
        for control in rectify_catalogue::controls() {
            for heading in ["What it checks", "Why it matters", "Remediation"] {
                let text = section(control.meta, heading);
                assert!(!text.is_empty() && !text.contains("## "), "{}: {heading}", control.meta.id);
            }
        }
    }

    #[test]
    fn requirements_are_those_in_force_on_the_day_of_the_scan() {
        let ids = requirements(&example(), "restricted-ssh");
        assert!(ids.contains(&(Framework::Cis50, "5.3")) && ids.contains(&(Framework::Cis30, "5.2")), "{ids:?}");
        // Security Hub has it outside of FSBP.
        assert!(!ids.contains(&(Framework::Fsbp, "EC2.13")), "{ids:?}");
        assert_eq!(requirements(&example(), "no-such-control"), []);
    }
}

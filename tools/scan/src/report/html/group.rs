//! The results of one control.

use std::collections::BTreeMap;

use rectify_compliance::{Entry, Severity};

use crate::{Outcome, PlanView, Row, Scan};

/// A control that was scanned, with its rows.
pub(super) struct Group<'a> {
    pub(super) id: &'a str,
    /// None if this version does not have the control.
    pub(super) entry: Option<&'static Entry>,
    pub(super) rows: Vec<&'a Row>,
}

/// What would fix a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fix {
    /// Rectify, in mode `enforce`.
    Automatic,
    /// The same, if the control's `allowL2` is set.
    OptIn,
    /// An operator, for the reason that the plan states.
    Operator,
    /// No plan was made.
    Unplanned,
}

/// The statuses as the filter offers them: value and name.
pub(super) const STATUSES: [(&str, &str); 5] = [
    ("failed", "failed"),
    ("unreadable", "unreadable"),
    ("not-scanned", "not scanned"),
    ("passed", "passed"),
    ("not-applicable", "not applicable"),
];

impl Group<'_> {
    pub(super) fn title(&self) -> &str {
        self.entry.map_or(self.id, |entry| entry.meta.title)
    }

    /// As [`crate::result::severity`].
    pub(super) fn severity(&self) -> Severity {
        self.entry.map_or(Severity::Low, |entry| entry.meta.severity)
    }

    pub(super) fn service(&self) -> &'static str {
        self.entry.map_or("unknown", rectify_catalogue::service)
    }

    pub(super) fn failed(&self) -> impl Iterator<Item = (&Row, &str, Option<&PlanView>)> {
        self.rows.iter().filter_map(|row| match &row.outcome {
            Outcome::Failed { reason, plan } => Some((*row, reason.as_str(), plan.as_ref())),
            Outcome::Passed { .. }
            | Outcome::NotApplicable { .. }
            | Outcome::Unreadable { .. }
            | Outcome::NotScanned { .. } => None,
        })
    }

    pub(super) fn count(&self, is_counted: impl Fn(&Outcome) -> bool) -> usize {
        self.rows.iter().filter(|row| is_counted(&row.outcome)).count()
    }

    /// How many findings each fix has.
    pub(super) fn fixes(&self) -> BTreeMap<Fix, usize> {
        let mut counts = BTreeMap::new();
        for (_, _, plan) in self.failed() {
            *counts.entry(Fix::of(plan)).or_default() += 1;
        }
        counts
    }
}

impl Fix {
    pub(super) const ALL: [Self; 4] = [Self::Automatic, Self::OptIn, Self::Operator, Self::Unplanned];

    pub(super) fn of(plan: Option<&PlanView>) -> Self {
        match plan {
            None => Self::Unplanned,
            Some(plan) if plan.blocker.is_some() => Self::Operator,
            Some(plan) if plan.needs_opt_in => Self::OptIn,
            Some(plan) if plan.steps.is_empty() => Self::Unplanned,
            Some(_) => Self::Automatic,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::OptIn => "with opt-in",
            Self::Operator => "by an operator",
            Self::Unplanned => "not planned",
        }
    }
}

/// The controls of a scan: the most severe first, of these the one with the most findings.
pub(super) fn groups(scan: &Scan) -> Vec<Group<'_>> {
    let mut rows: BTreeMap<&str, Vec<&Row>> = scan.controls.iter().map(|id| (id.as_str(), Vec::new())).collect();
    for row in &scan.rows {
        rows.entry(&row.control).or_default().push(row);
    }
    let group = |(id, rows)| Group { id, entry: rectify_catalogue::find(id), rows };
    let mut groups: Vec<Group<'_>> = rows.into_iter().map(group).collect();
    groups.sort_by_cached_key(|group| {
        (std::cmp::Reverse(group.severity()), std::cmp::Reverse(group.count(Outcome::is_failed)))
    });
    groups
}

pub(super) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// The status as in [`STATUSES`], and the reason; empty if there is none.
pub(super) fn status(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Passed { reason } => ("passed", reason.as_deref().unwrap_or_default()),
        Outcome::Failed { reason, .. } => ("failed", reason),
        Outcome::NotApplicable { reason } => ("not-applicable", reason),
        Outcome::Unreadable { reason } => ("unreadable", reason),
        Outcome::NotScanned { reason } => ("not-scanned", reason),
    }
}

/// The status in words.
pub(super) fn status_name(outcome: &Outcome) -> &'static str {
    let (value, _) = status(outcome);
    STATUSES.iter().find(|(it, _)| *it == value).map_or(value, |(_, name)| name)
}

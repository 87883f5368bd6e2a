//! The summary by severity, service and framework.

use std::cmp::Reverse;

use super::cells::{fit, width_of};
use super::{BOLD, Layout, MUTED, RED, YELLOW};
use crate::Scan;
use crate::report::finding::{requirements, severity_name};
use crate::report::summary::{Counts, counts_by};
use crate::result::severity;

/// The heading and the count of a column, and its color if there are any.
type Column = (&'static str, fn(&Counts) -> usize, Option<&'static str>);

const COLUMNS: [Column; 5] = [
    ("failed", |counts| counts.failed, Some(RED)),
    ("passed", |counts| counts.passed, None),
    ("unreadable", |counts| counts.unreadable, Some(YELLOW)),
    ("unscanned", |counts| counts.not_scanned, Some(YELLOW)),
    ("n/a", |counts| counts.not_applicable, None),
];

/// The cells of the names; with the columns 60.
const NAMES: usize = 16;

/// Results, not resources: a row counts for each framework that its control covers.
pub(super) fn lines(scan: &Scan, layout: Layout) -> Vec<String> {
    let severities = counts_by(scan, |row| vec![Reverse(severity(row))]);
    let services = counts_by(scan, |row| vec![service(&row.control)]);
    let frameworks = counts_by(scan, |row| {
        let mut frameworks: Vec<_> = requirements(scan, &row.control).into_iter().map(|(it, _)| it).collect();
        frameworks.dedup();
        frameworks
    });
    let headings: String = COLUMNS.iter().map(|(heading, _, _)| format!("  {heading}")).collect();
    let heading = format!("{:<NAMES$}{headings}", "RESULTS");
    let mut lines = vec![layout.paint(BOLD, &heading)];
    let mut section = |name: &str, counts: Vec<(&str, Counts)>| {
        lines.push(layout.paint(MUTED, name));
        lines.extend(counts.iter().map(|(name, counts)| line(&format!("  {name}"), counts, layout)));
    };
    section("by severity", severities.iter().map(|(it, counts)| (severity_name(it.0), *counts)).collect());
    section("by service", services.iter().map(|(it, counts)| (*it, *counts)).collect());
    section("by framework", frameworks.iter().map(|(it, counts)| (it.title(), *counts)).collect());
    lines.push(line("all", &Counts::of(&scan.rows), layout));
    lines
}

fn service(control: &str) -> &'static str {
    rectify_catalogue::find(control).map_or("other", rectify_catalogue::service)
}

fn line(name: &str, counts: &Counts, layout: Layout) -> String {
    let name = fit(name, NAMES);
    let mut line = format!("{name}{}", " ".repeat(NAMES - width_of(&name)));
    for (heading, count, color) in COLUMNS {
        let count = count(counts);
        let cell = format!("  {count:>width$}", width = heading.len());
        line.push_str(&match color {
            Some(color) if count > 0 => layout.paint(color, &cell),
            None if count > 0 => cell,
            _ => layout.paint(MUTED, &cell),
        });
    }
    line
}

//! The scan for a terminal: the most severe first, the numbers last, where the eye is when it ends.

mod cells;
mod table;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rectify_compliance::Severity;

use self::cells::{fit, fit_end, width_of, wrap};
use super::finding::{docs, plan, reason, severity_name, title};
use super::safe::visible;
use super::summary::Counts;
use crate::judges::ALL;
use crate::result::{LIVE, severity};
use crate::{PlanView, Row, Scan};

/// What a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Its columns; at least 60 are used.
    pub width: usize,
    /// Whether it shows color.
    pub color: bool,
    /// Whether each finding is followed by its whole reason, its changes and how to fix it.
    pub verbose: bool,
}

impl Layout {
    fn columns(self) -> usize {
        self.width.max(60)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

const BOLD: &str = "1";
const MUTED: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const ALARM: &str = "31;1";

const fn color_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => ALARM,
        Severity::High => RED,
        Severity::Medium => YELLOW,
        Severity::Low => BOLD,
    }
}

/// The report of a scan, as wide as the terminal. Only commands, which are for copying, are never broken.
#[must_use]
pub fn text(scan: &Scan, layout: Layout) -> String {
    let places = Places::of(scan);
    let mut lines = head(scan, layout);
    let mut findings: Vec<&Row> = scan.rows.iter().filter(|row| row.outcome.is_failed()).collect();
    findings.sort_by_key(|row| Reverse(severity(row)));
    for rows in findings.chunk_by(|left, right| left.control == right.control) {
        lines.push(String::new());
        lines.extend(rows.first().map(|row| title_line(row, layout)));
        lines.extend(row_lines(rows, &places, layout, 2));
        if layout.verbose {
            lines.extend(rows.first().map(|row| {
                layout.paint(MUTED, &fit(&format!("  {}", visible(&docs(&row.control))), layout.columns()))
            }));
        }
    }
    let unknown: Vec<&Row> = scan.rows.iter().filter(|row| row.outcome.is_unknown()).collect();
    if !unknown.is_empty() {
        lines.extend([String::new(), layout.paint(YELLOW, "NO VERDICT")]);
    }
    let (everything, unknown): (Vec<&Row>, Vec<&Row>) = unknown.into_iter().partition(|row| is_everything(scan, row));
    if let Some(first) = everything.first() {
        let of_one: Vec<&Row> = everything.iter().filter(|row| row.control == first.control).copied().collect();
        lines.push("  all controls".to_owned());
        lines.extend(row_lines(&of_one, &places, layout, 4));
    }
    for rows in unknown.chunk_by(|left, right| left.control == right.control) {
        let control = |row: &&Row| if row.control == ALL { "every control".to_owned() } else { visible(&row.control) };
        lines.extend(rows.first().map(|row| format!("  {}", fit(&control(row), layout.columns() - 2))));
        lines.extend(row_lines(rows, &places, layout, 4));
    }
    lines.push(String::new());
    lines.extend(table::lines(scan, layout));
    lines.push(String::new());
    lines.extend(ending(scan, layout));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Whether no control could be evaluated there, for this one reason: an account that cannot be entered.
fn is_everything(scan: &Scan, row: &Row) -> bool {
    let is_same = |it: &&Row| it.place == row.place && it.resource_id == "*" && it.outcome == row.outcome;
    scan.controls.len() > 1 && row.resource_id == "*" && scan.rows.iter().filter(is_same).count() == scan.controls.len()
}

fn head(scan: &Scan, layout: Layout) -> Vec<String> {
    let distinct = |of: fn(&crate::Place) -> &String| scan.places.iter().map(of).collect::<BTreeSet<_>>();
    let list = |noun: &str, values: BTreeSet<&String>| match values.iter().next() {
        Some(only) if values.len() == 1 => format!("{noun} {}", visible(only)),
        _ => format!("{} {noun}s", values.len()),
    };
    let accounts = list("account", distinct(|place| &place.account));
    let regions = list("region", distinct(|place| &place.region));
    let seconds = scan.finished.duration_since(scan.started).as_secs();
    let (controls, results) = (number(scan.controls.len(), "control"), number(scan.rows.len(), "result"));
    let source = if scan.source == LIVE { String::new() } else { format!(" from {}", visible(&scan.source)) };
    let moment = scan.started.strftime("%Y-%m-%d %H:%M:%SZ");
    let what = fit(&format!("Scan of {accounts}, {regions}{source}"), layout.columns());
    let when = fit(&format!("{moment}, {seconds} s: {controls}, {results}"), layout.columns());
    let mut lines = vec![layout.paint(BOLD, &what), layout.paint(MUTED, &when)];
    let since = scan.since.as_ref().map(|since| wrap(&visible(&since.text(scan)), layout.columns()));
    lines.extend(since.unwrap_or_default());
    lines
}

/// The severity, the control and its title.
fn title_line(row: &Row, layout: Layout) -> String {
    let severity = severity(row);
    let word = format!("{:<8}", severity_name(severity).to_uppercase());
    let control = visible(&row.control);
    let rest = fit(&format!("{control}  {}", visible(title(row))), layout.columns() - 10);
    let rest = match rest.strip_prefix(&control) {
        Some(title) => format!("{}{title}", layout.paint(BOLD, &control)),
        None => rest,
    };
    format!("{}  {rest}", layout.paint(color_of(severity), &word))
}

/// A line per row; with the details of each if they are shown.
fn row_lines(rows: &[&Row], places: &Places, layout: Layout, indent: usize) -> Vec<String> {
    let most = (layout.columns() - indent) * 3 / 5;
    let labels: Vec<String> = rows.iter().map(|row| label(row, places, most)).collect();
    let column = labels.iter().map(|label| width_of(label)).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (row, label) in rows.iter().zip(labels) {
        let blank = " ".repeat(indent);
        let gap = " ".repeat(column - width_of(&label) + 2);
        let reason = visible(reason(&row.outcome));
        let space = layout.columns() - indent - column - 2;
        let shown = fit(&reason, space);
        lines.push(format!("{blank}{label}{gap}{shown}"));
        if layout.verbose {
            let cut = if shown == reason { Vec::new() } else { wrap(&reason, layout.columns() - indent - 2) };
            let details =
                cut.into_iter().chain(plan(&row.outcome).map(|it| plan_lines(it, layout)).unwrap_or_default());
            lines.extend(details.map(|line| format!("{blank}  {line}")));
        }
    }
    lines
}

/// What changes, how to fix it, and why it is not applied automatically.
fn plan_lines(plan: &PlanView, layout: Layout) -> Vec<String> {
    let width = layout.columns() - 4;
    let mut lines = Vec::new();
    for change in plan.changes.iter().map(|change| visible(change)) {
        let color = if change.starts_with('-') { RED } else { GREEN };
        lines.extend(wrap(&change, width).iter().map(|line| layout.paint(color, line)));
    }
    for step in &plan.steps {
        match &step.command {
            Some(command) => lines.push(format!("{}: {}", step.level, visible(command))),
            None => lines.extend(wrap(&format!("{}: {}", step.level, visible(&step.text)), width)),
        }
    }
    let caution = match &plan.blocker {
        Some(blocker) => Some(format!("not automatic: {}", visible(blocker))),
        None if plan.needs_opt_in => Some("opt-in: applied only where allowL2 is set for this control".to_owned()),
        None => None,
    };
    let caution = caution.map(|caution| wrap(&caution, width)).unwrap_or_default();
    lines.extend(caution.iter().map(|line| layout.paint(YELLOW, line)));
    lines
}

/// Whether rows must say their account and region.
struct Places {
    accounts: bool,
    regions: bool,
}

impl Places {
    fn of(scan: &Scan) -> Self {
        let rows = || scan.rows.iter().map(|row| &row.place);
        let accounts = rows().map(|place| &place.account).collect::<BTreeSet<_>>().len() > 1;
        Self { accounts, regions: rows().map(|place| &place.region).collect::<BTreeSet<_>>().len() > 1 }
    }

    fn text(&self, row: &Row) -> String {
        if let Some(source) = &row.source {
            return visible(&source.to_string());
        }
        let parts = [(self.accounts, &row.place.account), (self.regions, &row.place.region)];
        let shown: Vec<String> =
            parts.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, it)| visible(it)).collect();
        shown.join("/")
    }
}

/// The resource: its id, its name and its place, as far as they fit. The end of an id distinguishes it.
fn label(row: &Row, places: &Places, most: usize) -> String {
    let id = if row.resource_id == "*" { "all resources".to_owned() } else { visible(&row.resource_id) };
    let place = places.text(row);
    let place = if place.is_empty() { place } else { format!("  {place}") };
    let named = row.name.as_ref().map(|name| format!("{id} ({}){place}", visible(name)));
    match named {
        Some(named) if width_of(&named) <= most => named,
        _ => fit(&format!("{}{place}", fit_end(&id, most.saturating_sub(width_of(&place)).max(8))), most),
    }
}

/// The findings by severity, and how many results have no verdict.
fn ending(scan: &Scan, layout: Layout) -> Vec<String> {
    let counts = Counts::of(&scan.rows);
    let of = |level| scan.rows.iter().filter(|row| row.outcome.is_failed() && severity(row) == level).count();
    let levels = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low].map(|level| (of(level), level));
    let levels = levels.iter().filter(|(count, _)| *count > 0);
    let levels: Vec<String> = levels.map(|(count, level)| format!("{count} {}", severity_name(*level))).collect();
    let mut lines = vec![match counts.failed {
        0 if scan.since.is_some() => layout.paint(GREEN, "No new findings"),
        0 => layout.paint(GREEN, "No findings"),
        failed => layout.paint(ALARM, &format!("{}: {}", number(failed, "finding"), levels.join(", "))),
    }];
    let unknown = counts.unreadable + counts.not_scanned;
    if unknown > 0 {
        lines.push(layout.paint(YELLOW, &format!("{} without a verdict", number(unknown, "result"))));
    }
    lines
}

fn number(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests;

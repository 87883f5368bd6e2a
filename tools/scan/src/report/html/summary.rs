//! What a reader needs first: how much is wrong, how urgent it is, and what to do.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use rectify_compliance::{Framework, Severity};

use super::SEVERITIES;
use super::compliance::{self, Requirement};
use super::group::{Fix, Group, severity_name};
use super::text::{count, text};
use crate::{Outcome, Place};

/// As many controls are named as the place to start.
const NAMED: usize = 8;

pub(super) fn render(
    groups: &[Group<'_>],
    places: &BTreeSet<&Place>,
    frameworks: &[(Framework, Vec<Requirement>)],
) -> Markup {
    let missing = groups.iter().map(|group| group.count(Outcome::is_unknown)).sum();
    html! {
        section #summary aria-labelledby="summary-title" {
            h2 #summary-title { "Summary" }
            (lead(groups, missing))
            (next(groups, missing))
            @if groups.iter().any(|group| group.failed().next().is_some()) {
                (by_severity(groups))
                (by_control(groups))
            }
            @if places.len() > 1 { (by_place(groups, places)) }
            (compliance::counts(frameworks))
        }
    }
}

fn findings(groups: &[Group<'_>], severity: Severity) -> usize {
    groups.iter().filter(|group| group.severity() == severity).map(|group| group.failed().count()).sum()
}

fn lead(groups: &[Group<'_>], missing: usize) -> Markup {
    let total: usize = groups.iter().map(|group| group.failed().count()).sum();
    let resources: BTreeSet<_> = groups
        .iter()
        .flat_map(Group::failed)
        .map(|(row, ..)| (&row.place.account, &row.place.region, &row.resource_type, &row.resource_id))
        .collect();
    let parts: Vec<String> = SEVERITIES
        .iter()
        .map(|severity| (findings(groups, *severity), severity_name(*severity)))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {name}"))
        .collect();
    html! {
        p.lead {
            @if total == 0 { strong { "No findings" } "." }
            @else { strong { (count(total, "finding")) } " on " (count(resources.len(), "resource")) ": " (parts.join(", ")) "." }
            @if missing > 0 { " " strong { (count(missing, "result")) " missing" } ": what could not be read or evaluated is never a pass." }
        }
    }
}

/// The next steps, the most urgent first.
fn next(groups: &[Group<'_>], missing: usize) -> Markup {
    let urgent: Vec<&Group<'_>> =
        groups.iter().filter(|group| group.severity() >= Severity::High && group.failed().next().is_some()).collect();
    let mut fixes: BTreeMap<Fix, usize> = BTreeMap::new();
    for (fix, number) in groups.iter().flat_map(Group::fixes) {
        *fixes.entry(fix).or_default() += number;
    }
    let number = |fix: Fix| fixes.get(&fix).copied().unwrap_or_default();
    html! {
        @if !fixes.is_empty() || missing > 0 {
            h3 { "What to do next" }
            ol.next {
                @if !urgent.is_empty() {
                    li { "Start with what is critical and high: "
                        @for (position, group) in urgent.iter().take(NAMED).enumerate() {
                            @if position > 0 { "; " }
                            a href={ "#c-" (text(group.id)) } { (text(group.title())) }
                            " (" (group.failed().count()) ")"
                        }
                        @if urgent.len() > NAMED { "; and " (count(urgent.len() - NAMED, "more control")) }
                        "."
                    }
                }
                @if number(Fix::Automatic) > 0 {
                    li { (count(number(Fix::Automatic), "finding")) " can be fixed without a known risk: review the plan and run its \
                         command, or set the control's mode to " code { "enforce" } "." }
                }
                @if number(Fix::OptIn) > 0 {
                    li { (count(number(Fix::OptIn), "finding")) " can be fixed by a change that is reversible, but may break access or cost money: \
                         decide with the owner of the resource, then run the command or opt in." }
                }
                @if number(Fix::Operator) > 0 {
                    li { (count(number(Fix::Operator), "finding")) " must be handled by an operator; each states the reason and the steps." }
                }
                @if number(Fix::Unplanned) > 0 {
                    li { "There is no plan for " (count(number(Fix::Unplanned), "finding")) ": the control's page describes what to do." }
                }
                @if missing > 0 {
                    li { a href="#missing" { (count(missing, "result")) " without a verdict" } ": grant the missing permissions or scan live, \
                         then scan again." }
                }
            }
        }
    }
}

/// How soon to act, as [`Severity`] defines it.
const fn urgency(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "when convenient",
        Severity::Medium => "plan a fix",
        Severity::High => "this week",
        Severity::Critical => "now",
    }
}

fn by_severity(groups: &[Group<'_>]) -> Markup {
    html! {
        h3 { "Findings by severity" }
        table.stack {
            thead { tr {
                th scope="col" { "Severity" } th scope="col" { "Act" } th.number scope="col" { "Findings" } th.number scope="col" { "Controls" }
                @for fix in Fix::ALL { th.number scope="col" { "Fix " (fix.name()) } }
            } }
            tbody {
                @for severity in SEVERITIES {
                    @let of: Vec<&Group<'_>> = groups.iter().filter(|it| it.severity() == severity && it.failed().next().is_some()).collect();
                    @let fixes = |fix: Fix| of.iter().filter_map(|it| it.fixes().get(&fix).copied()).sum::<usize>();
                    tr {
                        th scope="row" { (badge(severity)) }
                        td data-label="Act" { (urgency(severity)) }
                        (number("Findings", findings(groups, severity)))
                        (number("Controls", of.len()))
                        @for fix in Fix::ALL { (number(&format!("Fix {}", fix.name()), fixes(fix))) }
                    }
                }
            }
        }
    }
}

fn by_control(groups: &[Group<'_>]) -> Markup {
    html! {
        h3 { "Findings by control" }
        table.stack {
            thead { tr {
                th scope="col" { "Control" } th scope="col" { "Severity" } th.number scope="col" { "Failed" } th.number scope="col" { "No verdict" }
                th.number scope="col" { "Passed" } th scope="col" { "Fix" }
            } }
            tbody {
                @for group in groups.iter().filter(|group| group.failed().next().is_some()) {
                    tr {
                        th scope="row" { a href={ "#c-" (text(group.id)) } { (text(group.title())) } }
                        td data-label="Severity" { (badge(group.severity())) }
                        (number("Failed", group.failed().count()))
                        (number("No verdict", group.count(Outcome::is_unknown)))
                        (number("Passed", group.count(|it| matches!(it, Outcome::Passed { .. }))))
                        td data-label="Fix" { (fixes_in_words(group)) }
                    }
                }
            }
        }
    }
}

fn by_place(groups: &[Group<'_>], places: &BTreeSet<&Place>) -> Markup {
    let mut counts: BTreeMap<&Place, BTreeMap<Severity, usize>> = BTreeMap::new();
    let mut missing: BTreeMap<&Place, usize> = BTreeMap::new();
    for group in groups {
        for row in &group.rows {
            if row.outcome.is_failed() {
                *counts.entry(&row.place).or_default().entry(group.severity()).or_default() += 1;
            } else if row.outcome.is_unknown() {
                *missing.entry(&row.place).or_default() += 1;
            }
        }
    }
    html! {
        h3 { "Findings by account and region" }
        table.stack {
            thead { tr {
                th scope="col" { "Account" } th scope="col" { "Region" }
                @for severity in SEVERITIES { th.number scope="col" { (capital(severity)) } }
                th.number scope="col" { "No verdict" }
            } }
            tbody {
                @for place in places {
                    tr {
                        th scope="row" { (text(&place.account)) }
                        td data-label="Region" { (text(&place.region)) }
                        @for severity in SEVERITIES {
                            (number(capital(severity), counts.get(place).and_then(|it| it.get(&severity)).copied().unwrap_or_default()))
                        }
                        (number("No verdict", missing.get(place).copied().unwrap_or_default()))
                    }
                }
            }
        }
    }
}

/// E.g. `2 with opt-in, 1 by an operator`; only the fix if all findings have the same.
fn fixes_in_words(group: &Group<'_>) -> String {
    let fixes = group.fixes();
    match fixes.len() {
        1 => fixes.keys().map(|fix| fix.name()).collect(),
        _ => fixes.iter().map(|(fix, number)| format!("{number} {}", fix.name())).collect::<Vec<_>>().join(", "),
    }
}

/// A cell with a number; zero recedes.
pub(super) fn number(label: &str, value: usize) -> Markup {
    html! { td.number.zero[value == 0] data-label=(label) { (value) } }
}

pub(super) const fn capital(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

pub(super) fn badge(severity: Severity) -> Markup {
    html! { span class={ "badge " (severity_name(severity)) } { (capital(severity)) } }
}

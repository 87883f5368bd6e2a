//! Rows that are not findings: those without a verdict, and those with another one.

use maud::{Markup, html};

use super::findings::{place, resource};
use super::group::{Group, severity_name, status, status_name};
use super::text::{count, text};
use crate::{Outcome, Row};

/// What could not be read or evaluated.
pub(super) fn missing(groups: &[Group<'_>]) -> Markup {
    let number: usize = groups.iter().map(|group| group.count(Outcome::is_unknown)).sum();
    html! {
        section #missing aria-labelledby="missing-title" {
            h2 #missing-title { "Without a verdict" }
            @if number == 0 { p { "Everything could be read and evaluated." } }
            @else {
                p { (count(number, "result")) " missing. The resource may or may not violate the control: nothing here is a pass." }
                (table(groups, Outcome::is_unknown))
            }
        }
    }
}

/// What passed, and what controls do not apply to.
pub(super) fn verdicts(groups: &[Group<'_>]) -> Markup {
    let passed = groups.iter().map(|group| group.count(|it| matches!(it, Outcome::Passed { .. }))).sum();
    let not_applicable: usize =
        groups.iter().map(|group| group.count(|it| matches!(it, Outcome::NotApplicable { .. }))).sum();
    html! {
        section #verdicts aria-labelledby="verdicts-title" {
            h2 #verdicts-title { "Passed and not applicable" }
            @if passed + not_applicable == 0 { p { "None." } }
            @else {
                details {
                    summary { (count(passed, "result")) " passed, " (not_applicable) " not applicable" }
                    (table(groups, |it| matches!(it, Outcome::Passed { .. } | Outcome::NotApplicable { .. })))
                }
            }
        }
    }
}

fn table(groups: &[Group<'_>], is_listed: impl Fn(&Outcome) -> bool) -> Markup {
    html! {
        table.results {
            thead { tr {
                th scope="col" { "Resource" } th scope="col" { "Control" } th scope="col" { "Account, region" }
                th scope="col" { "Status" } th scope="col" { "Reason" }
            } }
            tbody {
                @for group in groups {
                    @for row in group.rows.iter().filter(|row| is_listed(&row.outcome)) { (line(group, row)) }
                }
            }
        }
    }
}

fn line(group: &Group<'_>, row: &Row) -> Markup {
    let (value, reason) = status(&row.outcome);
    html! {
        tr data-severity=(severity_name(group.severity())) data-service=(group.service()) data-status=(value)
            data-account=(text(&row.place.account)) data-region=(text(&row.place.region)) {
            th scope="row" { (resource(row)) }
            td { (text(group.id)) }
            (place(row))
            td { (status_name(&row.outcome)) }
            td { bdi { (text(reason)) } }
        }
    }
}

//! The findings, by control: what is wrong with which resource, and what fixes it.

use jiff::civil::Date;
use maud::{Markup, html};
use rectify_catalogue::frameworks::{covered, holds};
use rectify_compliance::{Entry, Framework};

use super::group::{Fix, Group, severity_name};
use super::summary::badge;
use super::text::{block, count, first_sentence, sentence, text};
use crate::plan::StepView;
use crate::{PlanView, Row};

/// What the levels in the headings of plans mean.
const LEVELS: &str = "Levels of a plan: L1 is reversible without an effect on availability; L2 is reversible, but may break \
                      access or cost money; L3 is disruptive or irreversible; L0 has no call.";

pub(super) fn render(groups: &[Group<'_>], on: Date) -> Markup {
    let groups = || groups.iter().filter(|group| group.failed().next().is_some());
    html! {
        section #findings aria-labelledby="findings-title" {
            h2 #findings-title { "Findings" }
            @if groups().next().is_none() { p { "No resource failed." } }
            @else { p.fine { (LEVELS) } }
            @for group in groups() { (control(group, on)) }
        }
    }
}

fn control(group: &Group<'_>, on: Date) -> Markup {
    html! {
        section.control id={ "c-" (text(group.id)) } data-severity=(severity_name(group.severity())) data-service=(group.service()) {
            h3 { (badge(group.severity())) " " (text(group.title())) }
            @match group.entry {
                Some(entry) => (about(entry, on)),
                None => p { "This version of Rectify does not have the control " code { (text(group.id)) } "." },
            }
            table.findings {
                caption { (count(group.failed().count(), "finding")) }
                thead { tr {
                    th scope="col" { "Resource" } th scope="col" { "Account, region" }
                    th scope="col" { "What is wrong" } th scope="col" { "Fix" }
                } }
                @for (row, reason, plan) in group.failed() { (finding(group, row, reason, plan)) }
            }
        }
    }
}

/// What the control checks and why, the requirements that hold on the day, and its page.
fn about(entry: &Entry, on: Date) -> Markup {
    let meta = entry.meta;
    let requirements: Vec<String> = Framework::ALL
        .iter()
        .filter_map(|framework| {
            let mut ids = covered(meta, *framework);
            ids.retain(|id| holds(*framework, id, on));
            (!ids.is_empty()).then(|| format!("{} {}", framework.title(), ids.join(", ")))
        })
        .collect();
    html! {
        p.about { span.label { "What it checks" } ": " (sentence(first_sentence(meta.docs, "What it checks"))) }
        p.about { span.label { "Why it matters" } ": " (sentence(first_sentence(meta.docs, "Why it matters"))) }
        p.fine {
            "Control " code { (meta.id) } ", described in " code { "docs/controls/" (meta.id) ".md" } "."
            @if !requirements.is_empty() { " Evidence against " (requirements.join("; ")) "." }
        }
    }
}

fn finding(group: &Group<'_>, row: &Row, reason: &str, plan: Option<&PlanView>) -> Markup {
    let fix = Fix::of(plan);
    html! {
        tbody data-status="failed" data-account=(text(&row.place.account)) data-region=(text(&row.place.region)) {
            tr {
                th scope="row" { (resource(row)) }
                (place(row))
                td { bdi { (text(reason)) } }
                td { (fix.name()) }
            }
            tr.fix { td colspan="4" {
                details {
                    summary { (heading(fix, plan)) }
                    @match plan {
                        Some(plan) => (steps(group, fix, plan)),
                        None => p { (unplanned(group, row)) },
                    }
                    @if let Some(arn) = &row.arn { p.fine { "ARN " code { (text(arn)) } } }
                }
            } }
        }
    }
}

/// The name, or the id; then the id if it differs, the type, and where it is declared.
pub(super) fn resource(row: &Row) -> Markup {
    html! {
        @match (&row.name, row.resource_id.as_str()) {
            (Some(name), id) => { bdi { (text(name)) } " " bdi.fine { (text(id)) } },
            (None, "*") => "all resources",
            (None, id) => bdi { (text(id)) },
        }
        " " span.fine { (text(&row.resource_type)) }
        @if let Some(source) = &row.source { " " code { (text(&source.to_string())) } }
    }
}

/// The cell with the account and the region.
pub(super) fn place(row: &Row) -> Markup {
    html! { td.place { (text(&row.place.account)) " " span.fine { (text(&row.place.region)) } } }
}

/// The line that opens the plan.
fn heading(fix: Fix, plan: Option<&PlanView>) -> String {
    let level = plan.and_then(|plan| plan.level).map(|level| format!(" ({level})")).unwrap_or_default();
    match fix {
        Fix::Automatic => format!("Plan: automatic in mode enforce{level}"),
        Fix::OptIn => format!("Plan: reversible, requires an opt-in{level}"),
        Fix::Operator => format!("Plan: requires an operator{level}"),
        Fix::Unplanned => "No plan".to_owned(),
    }
}

fn unplanned(group: &Group<'_>, row: &Row) -> &'static str {
    if row.source.is_some() {
        return "The resource does not exist yet: fix its declaration in the file. The control's page describes a compliant resource.";
    }
    match group.entry.is_some_and(|entry| entry.remediation.is_some()) {
        true => "The plan could not be made in this scan: use rectify plan with the control and the resource.",
        false => "The control has no remediation: its page describes a compliant resource.",
    }
}

fn steps(group: &Group<'_>, fix: Fix, plan: &PlanView) -> Markup {
    html! {
        @if let Some(blocker) = &plan.blocker { p.note { strong { "Not automatic: " } (text(blocker)) "."
            @if plan.steps.iter().any(|step| step.call.is_some()) { " Run a command only once an operator has resolved this." } } }
        @if fix == Fix::OptIn {
            p.note { strong { "Opt-in: " } "it may break access or cost money. Rectify applies it only where rectify.yaml has, below "
                code { (text(group.id)) } ", " code { "mode: enforce" } " and " code { "allowL2: true" } "." }
        }
        @if !plan.changes.is_empty() {
            h4 { "What changes" }
            pre.diff { @for line in &plan.changes { (change(line)) "\n" } }
        }
        @if !plan.steps.is_empty() {
            h4 { (if plan.steps.len() == 1 { "Step" } else { "Steps, in this order" }) }
            ol.steps { @for it in &plan.steps { li { (step(it)) } } }
        }
    }
}

fn change(line: &str) -> Markup {
    html! {
        @match line.get(..2) {
            Some("- ") => del { (block(line)) },
            Some("+ ") => ins { (block(line)) },
            _ => span { (block(line)) },
        }
    }
}

fn step(step: &StepView) -> Markup {
    html! {
        @match (&step.command, &step.call) {
            (Some(command), _) => (copyable(command)),
            (None, Some(_)) => (copyable(&step.text)),
            (None, None) => p { "By an operator: " (text(&step.text)) },
        }
    }
}

/// The script shows the button.
fn copyable(value: &str) -> Markup {
    html! { div.copy { button type="button" { "Copy" } pre { code { (block(value)) } } } }
}

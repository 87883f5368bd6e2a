//! The requirements of the frameworks, and what the scan says about each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use maud::{Markup, html};
use rectify_catalogue::frameworks::{Extent, covered, fsbp_len, holds, natural, recommendations};
use rectify_compliance::Framework;

use super::group::Group;
use super::summary::number;
use super::text::{count, sentence, text};
use crate::Outcome;

/// What the scan says about a requirement, from the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    /// A resource violates a control.
    Failed,
    /// No resource does, but one could not be read.
    Unreadable,
    /// A control that answers it was not evaluated, does not exist, or found nothing to evaluate.
    NotJudged,
    /// Every control that answers it was evaluated, and nothing violates one.
    Passed,
}

/// One requirement.
pub(super) struct Requirement {
    pub(super) id: &'static str,
    subject: Option<&'static str>,
    /// The controls that answer it, also those that this version does not have.
    controls: Vec<&'static str>,
    pub(super) answer: Answer,
    /// Why it was not judged, or the limits of the answer.
    note: Cow<'static, str>,
}

impl Answer {
    const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Unreadable, Self::NotJudged];

    const fn name(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Unreadable => "Unreadable",
            Self::NotJudged => "Not judged",
            Self::Passed => "Passed",
        }
    }

    /// The class of its cell.
    const fn class(self) -> &'static str {
        match self {
            Self::Failed => "answer failed",
            Self::Unreadable => "answer unreadable",
            Self::NotJudged => "answer not-judged",
            Self::Passed => "answer passed",
        }
    }
}

/// The frameworks, each with its requirements that hold on a day.
pub(super) fn frameworks(groups: &[Group<'_>], on: Date) -> Vec<(Framework, Vec<Requirement>)> {
    let by_id: BTreeMap<&str, &Group<'_>> = groups.iter().map(|group| (group.id, group)).collect();
    Framework::ALL.map(|framework| (framework, requirements(framework, &by_id, on))).into()
}

/// How many requirements of each framework have which answer.
pub(super) fn counts(frameworks: &[(Framework, Vec<Requirement>)]) -> Markup {
    html! {
        h3 { "Requirements by framework" }
        table.stack {
            thead { tr {
                th scope="col" { "Framework" } th.number scope="col" { "Requirements" }
                @for answer in Answer::ALL { th.number scope="col" { (answer.name()) } }
            } }
            tbody { @for (framework, requirements) in frameworks {
                @let others = uncovered(*framework, requirements);
                tr {
                    th scope="row" { a href={ "#" (anchor(*framework)) } { (framework.title()) } }
                    (number("Requirements", requirements.len() + others))
                    @for answer in Answer::ALL {
                        @let extra = if answer == Answer::NotJudged { others } else { 0 };
                        (number(answer.name(), counted(requirements, answer) + extra))
                    }
                }
            } }
        }
        p.fine { "A requirement is passed if every control that answers it was evaluated, at least one resource passed and none failed; \
                  not judged if a control is missing or had nothing to evaluate. \
                  Of NIST 800-53 and PCI DSS only the requirements are counted for which Rectify has a control." }
    }
}

/// Every requirement with its answer.
pub(super) fn lists(frameworks: &[(Framework, Vec<Requirement>)], groups: &[Group<'_>]) -> Markup {
    let failed: BTreeSet<&str> = groups.iter().filter(|it| it.failed().next().is_some()).map(|it| it.id).collect();
    html! {
        section #compliance aria-labelledby="compliance-title" {
            h2 #compliance-title { "Compliance" }
            @for (framework, requirements) in frameworks { (list(*framework, requirements, &failed)) }
        }
    }
}

const fn anchor(framework: Framework) -> &'static str {
    match framework {
        Framework::Cis30 => "cis-3",
        Framework::Cis50 => "cis-5",
        Framework::Fsbp => "fsbp",
        Framework::Nist80053r5 => "nist",
        Framework::Pci40 => "pci",
    }
}

fn counted(requirements: &[Requirement], answer: Answer) -> usize {
    requirements.iter().filter(|it| it.answer == answer).count()
}

/// How many requirements of the framework are not in the list, since no control answers them.
fn uncovered(framework: Framework, requirements: &[Requirement]) -> usize {
    match framework {
        Framework::Fsbp => fsbp_len().saturating_sub(requirements.len()),
        Framework::Cis30 | Framework::Cis50 | Framework::Nist80053r5 | Framework::Pci40 => 0,
    }
}

fn list(framework: Framework, requirements: &[Requirement], failed: &BTreeSet<&str>) -> Markup {
    let others = uncovered(framework, requirements);
    html! {
        details id=(anchor(framework)) {
            summary { (framework.title()) ", " (count(counted(requirements, Answer::Failed), "requirement")) " failed" }
            table.stack.requirements {
                thead { tr {
                    th scope="col" { "Requirement" } th scope="col" { "Result" } th scope="col" { "Controls" } th scope="col" { "Note" }
                } }
                tbody { @for it in requirements {
                    tr {
                        th scope="row" { (it.id) @if let Some(subject) = it.subject { " " span.fine { (sentence(subject)) } } }
                        td data-label="Result" { span class=(it.answer.class()) { (it.answer.name()) } }
                        td data-label="Controls" { @for (position, id) in it.controls.iter().enumerate() {
                            @if position > 0 { ", " }
                            @if failed.contains(id) { a href={ "#c-" (id) } { (id) } } @else { (id) }
                        } }
                        td data-label="Note" { (sentence(&text(&it.note))) }
                    }
                } }
            }
            @if others > 0 { p.fine { "For the other " (others) " controls of the standard Rectify has no control." } }
        }
    }
}

/// The requirements that hold on a day: all of CIS, and those of the others that a control covers.
pub(super) fn requirements(framework: Framework, groups: &BTreeMap<&str, &Group<'_>>, on: Date) -> Vec<Requirement> {
    let mut controls: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for control in rectify_catalogue::controls() {
        for id in covered(control.meta, framework) {
            controls.entry(id).or_default().push(control.meta.id);
        }
    }
    let known: BTreeMap<_, _> = recommendations(framework).collect();
    for (id, recommendation) in &known {
        let planned = recommendation.more.iter().filter(|it| rectify_catalogue::find(it).is_none());
        controls.entry(id).or_default().extend(planned);
    }
    let requirement = |(id, controls): (&'static str, Vec<&'static str>)| {
        let recommendation = known.get(id);
        let (answer, note) = answer(&controls, recommendation.map_or(Extent::Whole, |it| it.extent), groups);
        Requirement { id, subject: recommendation.map(|it| it.subject), controls, answer, note }
    };
    let held = controls.into_iter().filter(|(id, _)| holds(framework, id, on));
    let mut requirements: Vec<Requirement> = held.map(requirement).collect();
    requirements.sort_by_cached_key(|it| natural(it.id));
    requirements
}

fn answer(
    controls: &[&'static str],
    extent: Extent,
    groups: &BTreeMap<&str, &Group<'_>>,
) -> (Answer, Cow<'static, str>) {
    let any = |is_such: fn(&Outcome) -> bool| {
        controls.iter().filter_map(|id| groups.get(id)).any(|group| group.count(is_such) > 0)
    };
    let limits = match extent {
        Extent::Whole => "",
        Extent::Limited(limits) => limits,
        Extent::Unseen(why) => return (Answer::NotJudged, why.into()),
    };
    if any(Outcome::is_failed) {
        return (Answer::Failed, limits.into());
    }
    if any(|it| matches!(it, Outcome::Unreadable { .. })) {
        return (Answer::Unreadable, limits.into());
    }
    let is_not_scanned = |it: &Outcome| matches!(it, Outcome::NotScanned { .. });
    let (existing, planned): (Vec<&str>, Vec<&str>) =
        controls.iter().partition(|id| rectify_catalogue::find(id).is_some());
    let unscanned = existing.into_iter().filter(|id| groups.get(id).is_none_or(|it| it.count(is_not_scanned) > 0));
    let absent: Vec<String> = [("not scanned", unscanned.collect()), ("not in this version", planned)]
        .into_iter()
        .filter(|(_, ids): &(_, Vec<&str>)| !ids.is_empty())
        .map(|(why, ids)| format!("{why}: {}", ids.join(", ")))
        .collect();
    if controls.is_empty() {
        (Answer::NotJudged, "no control of this version answers it".into())
    } else if !absent.is_empty() {
        (Answer::NotJudged, absent.join("; ").into())
    } else if !any(|it| matches!(it, Outcome::Passed { .. })) {
        (Answer::NotJudged, "there was no resource to evaluate".into())
    } else {
        (Answer::Passed, limits.into())
    }
}

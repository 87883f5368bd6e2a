//! The history of resources: when each finding of a control began and ended.
//!
//! Follows from recorded items alone. Between two items nothing is known, so a moment is that of the item which shows
//! the change.

use std::collections::BTreeSet;

use rectify_compliance::{ItemStatus, ResourceKey, Timestamp};
use serde::{Deserialize, Serialize};

use crate::snapshot::Judged;
use crate::snapshot::collection::in_order;
use crate::{Outcome, Place, Row};

/// One control about one resource over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The control's id.
    pub control: String,
    /// The resource's account and region.
    #[serde(flatten)]
    pub place: Place,
    /// AWS Config's type.
    pub resource_type: String,
    /// AWS Config's id.
    pub resource_id: String,
    /// The latest name, if it differs from the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The capture time of the first item.
    pub first: Timestamp,
    /// The capture time of the last item.
    pub last: Timestamp,
    /// How many items were judged.
    pub items: u64,
    /// How many of them could not be evaluated; they neither begin nor end a finding.
    pub unreadable: u64,
    /// The findings, oldest first.
    pub findings: Vec<Period>,
}

/// A finding, from the item that first shows it to the one that no longer does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// The capture time of the first item with the finding.
    pub began: Timestamp,
    /// Whether no earlier item passes: the finding may have begun earlier.
    pub began_earlier: bool,
    /// Its end; none if the last item still has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<End>,
    /// What was wrong, at first and after each change.
    pub reasons: Vec<Reason>,
}

/// What was wrong, from a moment on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The capture time of the item.
    pub at: Timestamp,
    /// The annotation of the verdict.
    pub text: String,
}

/// The end of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The capture time of the first item without the finding.
    pub at: Timestamp,
    /// How it ended.
    pub how: Ending,
}

/// How a finding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The resource meets the requirement.
    Passed,
    /// The control no longer applies to it.
    NotApplicable,
    /// It was deleted.
    Deleted,
    /// AWS Config no longer records it: whether it still violates is not known.
    NotRecorded,
}

/// The items of the resources with this id, name or ARN: all of them, since an item may have another name than the last
/// one, and that of a deleted resource none.
pub fn of_resource(judged: Vec<Judged>, wanted: &str) -> Vec<Judged> {
    let is_wanted = |it: &&Judged| {
        let arns = it.rows.iter().filter_map(|row| row.arn.as_deref());
        std::iter::once(it.resource.id.as_str()).chain(it.name.as_deref()).chain(arns).any(|text| text == wanted)
    };
    let found: BTreeSet<(Place, ResourceKey)> =
        judged.iter().filter(is_wanted).map(|it| (it.place.clone(), it.resource.clone())).collect();
    judged.into_iter().filter(|it| found.contains(&(it.place.clone(), it.resource.clone()))).collect()
}

/// The timelines of judged items, which may come in any order and more than once, by resource, then in the order of
/// the controls.
pub fn timelines(mut judged: Vec<Judged>) -> Vec<Timeline> {
    in_order(&mut judged);
    // Snapshots repeat the items of histories.
    judged.dedup_by(|one, other| {
        (&one.place, &one.resource, one.captured_at, one.status, &one.rows)
            == (&other.place, &other.resource, other.captured_at, other.status, &other.rows)
    });
    let resources = judged.chunk_by(|one, other| one.place == other.place && one.resource == other.resource);
    resources.flat_map(resource_timelines).collect()
}

/// The timelines of one resource, from its items in the order of time.
fn resource_timelines(items: &[Judged]) -> Vec<Timeline> {
    let mut timelines: Vec<Timeline> = Vec::new();
    for item in items {
        for row in &item.rows {
            match timelines.iter_mut().find(|it| it.control == row.control) {
                Some(timeline) => timeline.add(item.captured_at, row),
                None => timelines.push(Timeline::beginning(item.captured_at, row)),
            }
        }
        let ending = match item.status {
            ItemStatus::Ok | ItemStatus::Discovered => continue,
            ItemStatus::Deleted | ItemStatus::DeletedNotRecorded => Ending::Deleted,
            ItemStatus::NotRecorded => Ending::NotRecorded,
        };
        for timeline in &mut timelines {
            timeline.count(item.captured_at);
            timeline.end(item.captured_at, ending);
        }
    }
    timelines
}

impl Timeline {
    fn beginning(at: Timestamp, row: &Row) -> Self {
        let mut timeline = Self {
            control: row.control.clone(),
            place: row.place.clone(),
            resource_type: row.resource_type.clone(),
            resource_id: row.resource_id.clone(),
            name: None,
            first: at,
            last: at,
            items: 0,
            unreadable: 0,
            findings: Vec::new(),
        };
        timeline.add(at, row);
        timeline
    }

    fn add(&mut self, at: Timestamp, row: &Row) {
        self.name = row.name.clone().or(self.name.take());
        match &row.outcome {
            Outcome::Failed { reason, .. } => self.fail(Reason { at, text: reason.clone() }),
            Outcome::Passed { .. } => self.end(at, Ending::Passed),
            Outcome::NotApplicable { .. } => self.end(at, Ending::NotApplicable),
            Outcome::Unreadable { .. } | Outcome::NotScanned { .. } => self.unreadable += 1,
        }
        self.count(at);
    }

    fn count(&mut self, at: Timestamp) {
        self.items += 1;
        self.last = at;
    }

    fn open(&mut self) -> Option<&mut Period> {
        self.findings.last_mut().filter(|period| period.ended.is_none())
    }

    fn fail(&mut self, reason: Reason) {
        // Every item so far could not be evaluated, so the finding may be older than this one.
        let began_earlier = self.findings.is_empty() && self.items == self.unreadable;
        match self.open() {
            Some(period) if period.reasons.last().is_some_and(|it| it.text == reason.text) => {}
            Some(period) => period.reasons.push(reason),
            None => self.findings.push(Period { began: reason.at, began_earlier, ended: None, reasons: vec![reason] }),
        }
    }

    fn end(&mut self, at: Timestamp, how: Ending) {
        if let Some(period) = self.open() {
            period.ended = Some(End { at, how });
        }
    }

    /// Whether the last item has the finding.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.findings.last().is_some_and(|period| period.ended.is_none())
    }
}

/// The timelines as text: a paragraph each, with a line per finding and the reasons below.
#[must_use]
pub fn text(timelines: &[Timeline]) -> String {
    timelines.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

fn paragraph(timeline: &Timeline) -> String {
    let Timeline { control, place, resource_type, resource_id, name, first, last, items, unreadable, findings } =
        timeline;
    let name = name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let noun = if *items == 1 { "item" } else { "items" };
    let mut lines = vec![
        format!("{control}: {resource_type} {resource_id}{name} in {} {}", place.account, place.region),
        format!("  {items} {noun} from {} to {}", moment(*first), moment(*last)),
    ];
    if *unreadable > 0 {
        lines.push(format!("  {unreadable} of them could not be evaluated"));
    }
    if findings.is_empty() {
        lines.push("  no finding".to_owned());
    }
    for period in findings {
        lines.push(format!("  {}", sentence(period)));
        let indented = |reason: &Reason| format!("    {} {}", moment(reason.at), reason.text.replace('\n', "\n    "));
        lines.extend(period.reasons.iter().map(indented));
    }
    lines.join("\n") + "\n"
}

fn sentence(period: &Period) -> String {
    let began = moment(period.began);
    let began = if period.began_earlier { format!("{began} or earlier") } else { began };
    let Some(End { at, how }) = &period.ended else { return format!("finding since {began}, still open") };
    let how = match how {
        Ending::Passed => "passed",
        Ending::NotApplicable => "the control no longer applies",
        Ending::Deleted => "the resource was deleted",
        Ending::NotRecorded => "AWS Config no longer records the resource",
    };
    let lasted = duration(at.as_second().saturating_sub(period.began.as_second()));
    let lasted = if period.began_earlier { format!("at least {lasted}") } else { lasted };
    format!("finding from {began} to {}, {lasted}: {how}", moment(*at))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The two largest units of a duration in seconds, e.g. `3 d 4 h`.
fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests;

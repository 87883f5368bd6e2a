//! The rows of several files: the newest item of a resource decides.
//!
//! Unlike the stream it holds every row, as a [`Scan`](crate::Scan) does.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{Entry, ResourceKey, Timestamp};

use super::{Found, Judged, Summary};
use crate::judges::{ALL, Judges, about_all, has_region};
use crate::{Outcome, Place, Row};

/// What was found in the files so far.
#[derive(Default)]
pub struct Collection {
    judged: Vec<Judged>,
    /// Unreadable items by type; those without a type may be of any.
    malformed: BTreeMap<Option<String>, Unread>,
    stopped: Vec<String>,
}

#[derive(Default)]
struct Unread {
    count: u64,
    first: String,
}

impl Collection {
    /// Adds what one item turned out to be.
    pub fn add(&mut self, source_name: &str, found: Found) {
        match found {
            Found::Judged(judged) => self.judged.push(judged),
            Found::Malformed(malformed) => {
                let text = format!("{source_name}: {malformed}");
                self.unread(malformed.resource_type, text);
            }
        }
    }

    /// Adds that something about resources of a type could not be read; of any type without one.
    pub fn unread(&mut self, resource_type: Option<String>, reason: String) {
        let unread = self.malformed.entry(resource_type).or_default();
        if unread.count == 0 {
            unread.first = reason;
        }
        unread.count += 1;
    }

    /// Adds the end of a file.
    pub fn end(&mut self, summary: &Summary) {
        self.stopped.extend(summary.stopped.as_ref().map(|reason| {
            let Summary { source_name, items, .. } = summary;
            format!("{source_name}: stopped after item {items}: {reason}; later resources are missing")
        }));
    }

    /// The places of the resources, and the rows in the order of a [`Scan`](crate::Scan).
    ///
    /// A row about all resources of a control says that it cannot evaluate items alone, or that items are missing.
    pub fn finish(self, judges: &Judges) -> (Vec<Place>, Vec<Row>) {
        self.finish_with(judges, |everywhere| judges.not_scanned(everywhere))
    }

    /// The same with these rows about what was not evaluated, at the place that all resources have in common.
    pub fn finish_with(mut self, judges: &Judges, others: impl FnOnce(&Place) -> Vec<Row>) -> (Vec<Place>, Vec<Row>) {
        self.keep_newest();
        let places: Vec<Place> =
            self.judged.iter().map(|it| it.place.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let everywhere = common_place(&places);
        let missing = judges.evaluated().filter_map(|control| {
            let reason = self.missing(control)?;
            Some(about_all(control, &everywhere, Outcome::Unreadable { reason }))
        });
        let mut rows: Vec<Row> = missing.chain(others(&everywhere)).collect();
        rows.extend(self.judged.into_iter().flat_map(|it| it.rows));
        let order: BTreeMap<&str, usize> =
            judges.controls().iter().enumerate().map(|(at, control)| (control.meta.id, at)).collect();
        let key = |row: &Row| {
            let resource = (row.resource_type.clone(), row.resource_id.clone());
            (order.get(row.control.as_str()).copied(), row.place.clone(), resource)
        };
        rows.sort_by_cached_key(key);
        (places, rows)
    }

    /// Drops all items of a resource but the newest; of two of the same time, the later in the files.
    fn keep_newest(&mut self) {
        in_order(&mut self.judged);
        // `dedup_by` keeps the first of a run.
        self.judged.reverse();
        self.judged.dedup_by(|one, other| one.place == other.place && one.resource == other.resource);
    }

    /// What is missing about the resources of a control.
    fn missing(&self, control: &Entry) -> Option<String> {
        let of_control = |kind: &Option<String>| {
            kind.as_ref().is_none_or(|kind| control.meta.resource_types.contains(&kind.as_str()))
        };
        let unread: Vec<&Unread> =
            self.malformed.iter().filter(|(kind, _)| of_control(kind)).map(|(_, unread)| unread).collect();
        let count: u64 = unread.iter().map(|it| it.count).sum();
        let malformed = unread.first().map(|it| match count {
            1 => it.first.clone(),
            _ => format!("{} and {} more", it.first, count - 1),
        });
        let reasons: Vec<String> = self.stopped.iter().cloned().chain(malformed).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// Sorts items by resource, then time; those of the same time keep their order.
pub(crate) fn in_order(judged: &mut [Judged]) {
    fn key(it: &Judged) -> (&Place, &ResourceKey, Timestamp) {
        (&it.place, &it.resource, it.captured_at)
    }
    judged.sort_by(|one, other| key(one).cmp(&key(other)));
}

/// The place of a row about all resources: theirs, if they have one in common.
fn common_place(places: &[Place]) -> Place {
    let regions: Vec<&Place> = places.iter().filter(|place| has_region(place)).collect();
    match (regions.as_slice(), places) {
        ([one], all) if all.iter().all(|place| place.account == one.account) => (*one).clone(),
        ([], [one]) => one.clone(),
        _ => {
            let accounts: BTreeSet<&str> = places.iter().map(|place| place.account.as_str()).collect();
            let account = accounts.first().filter(|_| accounts.len() == 1).copied().unwrap_or(ALL);
            Place { account: account.to_owned(), region: ALL.to_owned() }
        }
    }
}

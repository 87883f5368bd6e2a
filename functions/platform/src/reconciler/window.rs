//! Selects the next findings of a rule: all of them in turn, independent of their number and of the order of the
//! listing.
//!
//! Findings are placed on a ring by the hash of their resource. A run examines those that follow the place where the
//! last run stopped. No finding starves: after enough runs, every place of the ring has been passed. A compiler version
//! with another hash reorders the ring, which costs one round.

use std::collections::BinaryHeap;

use rectify_runtime::config_service::key_hash;

use crate::client::Finding;

/// The next findings, at most `capacity`; the others are only counted.
#[derive(Debug)]
pub(super) struct Window {
    after: u64,
    capacity: usize,
    nearest: BinaryHeap<Candidate>,
    seen: u64,
}

/// A finding with its place on the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    distance: u64,
    /// Its place on the ring.
    pub(super) place: u64,
    /// The finding.
    pub(super) finding: Finding,
}

/// By distance, so that the heap removes the farthest.
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |it: &Self| (it.distance, it.finding.resource.clone(), it.finding.recorded_at);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Window {
    /// A window that starts after `cursor`; without one, at the ring's start.
    pub(super) fn new(cursor: Option<u64>, capacity: usize) -> Self {
        Self { after: cursor.unwrap_or(u64::MAX), capacity, nearest: BinaryHeap::new(), seen: 0 }
    }

    /// Adds a finding, if it is among the nearest so far.
    pub(super) fn offer(&mut self, finding: Finding) {
        self.seen += 1;
        let place = key_hash(&finding.resource);
        // The place right after the cursor is the nearest, the cursor's own the farthest.
        let distance = place.wrapping_sub(self.after).wrapping_sub(1);
        self.nearest.push(Candidate { distance, place, finding });
        if self.nearest.len() > self.capacity {
            self.nearest.pop();
        }
    }

    /// The number of findings offered.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    /// The findings kept, nearest first.
    pub(super) fn in_order(self) -> Vec<Candidate> {
        self.nearest.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rectify_compliance::{ResourceKey, Timestamp};

    use super::*;

    fn finding(number: usize) -> Finding {
        Finding {
            resource: ResourceKey::new("AWS::EC2::Volume", format!("vol-{number}")),
            recorded_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn select(cursor: Option<u64>, capacity: usize, findings: &[usize]) -> Vec<Candidate> {
        let mut window = Window::new(cursor, capacity);
        findings.iter().for_each(|number| window.offer(finding(*number)));
        assert_eq!(window.seen(), findings.len() as u64);
        window.in_order()
    }

    #[test]
    fn every_finding_is_examined_once_per_round_in_any_listing_order() {
        let mut listed: Vec<usize> = (0..250).collect();
        let mut cursor = None;
        let mut examined = BTreeSet::new();
        for _run in 0..5 {
            listed.reverse();
            let next = select(cursor, 50, &listed);
            assert_eq!(next.len(), 50);
            cursor = next.last().map(|it| it.place);
            examined.extend(next.into_iter().map(|it| it.finding.resource.id));
        }
        assert_eq!(examined.len(), 250);
    }

    #[test]
    fn new_round_starts_at_the_same_place() {
        let listed: Vec<usize> = (0..7).collect();
        let first = select(None, 7, &listed);
        let second = select(first.last().map(|it| it.place), 7, &listed);
        let ids = |round: &[Candidate]| round.iter().map(|it| it.finding.resource.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&first), ids(&second));
        let behind = select(first.get(2).map(|it| it.place), 1, &listed);
        assert_eq!(ids(&behind).first(), ids(&first).get(3));
    }

    #[test]
    fn only_finding_is_examined_every_time() {
        let place = select(None, 5, &[1]).first().map(|it| it.place);
        assert_eq!(select(place, 5, &[1]).len(), 1);
        assert_eq!(select(None, 5, &[]), []);
    }
}

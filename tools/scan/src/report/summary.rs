//! The numbers of a scan.

use std::collections::BTreeMap;

use crate::{Outcome, Row, Scan};

/// The number of rows with each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings.
    pub failed: usize,
    /// Requirements that are met.
    pub passed: usize,
    /// What could not be read.
    pub unreadable: usize,
    /// What was not evaluated.
    pub not_scanned: usize,
    /// What the control does not apply to.
    pub not_applicable: usize,
}

impl Counts {
    /// The counts of these rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            counts.add(&row.outcome);
        }
        counts
    }

    fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Failed { .. } => &mut self.failed,
            Outcome::Passed { .. } => &mut self.passed,
            Outcome::Unreadable { .. } => &mut self.unreadable,
            Outcome::NotScanned { .. } => &mut self.not_scanned,
            Outcome::NotApplicable { .. } => &mut self.not_applicable,
        } += 1;
    }
}

/// The counts per key; a row with several keys counts for each.
pub fn counts_by<K: Ord>(scan: &Scan, keys: impl Fn(&Row) -> Vec<K>) -> BTreeMap<K, Counts> {
    let mut counts: BTreeMap<K, Counts> = BTreeMap::new();
    for row in &scan.rows {
        for key in keys(row) {
            counts.entry(key).or_default().add(&row.outcome);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::example;

    #[test]
    fn every_outcome_has_its_own_count() {
        let expected = Counts { failed: 5, passed: 2, unreadable: 1, not_scanned: 1, not_applicable: 1 };
        assert_eq!(Counts::of(&example().rows), expected);
    }

    #[test]
    fn a_row_counts_once_for_each_key() {
        let counts = counts_by(&example(), |row| vec![row.place.region.clone(), "all".to_owned()]);
        assert_eq!(counts["all"], Counts::of(&example().rows));
        assert_eq!(
            counts["us-east-1"],
            Counts { failed: 1, passed: 1, unreadable: 1, not_scanned: 1, not_applicable: 0 }
        );
    }
}

//! The changes of a resource, and which of them can be behind a finding.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{Actor, Change};
use crate::{AccountId, Timestamp};

/// How far the clocks of AWS Config and CloudTrail may differ. CloudTrail writes whole seconds, cut off.
pub const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

/// The roles that act for this suite.
///
/// A role's name is unique in its account, so nobody can have another one of the name, and these can be assumed by Lambda
/// alone. What a caller chooses is not asked: anybody may name a session after a function of ours. Only who may change our
/// functions or the trust of their roles can act as one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    account: AccountId,
    roles: BTreeSet<String>,
}

impl Ours {
    /// The roles of these names in this account.
    pub fn new(account: AccountId, roles: impl IntoIterator<Item = String>) -> Self {
        Self { account, roles: roles.into_iter().collect() }
    }

    /// Whether one of them acted.
    pub fn acted(&self, actor: &Actor) -> bool {
        actor.role().is_some_and(|(role, account)| {
            account == Some(self.account.as_str()) && self.roles.contains(role) && actor.via.is_none()
        })
    }
}

/// What CloudTrail was read to say about one resource: each event once, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    changes: Vec<Change>,
    /// Records that were read, changes or not.
    pub records: usize,
    /// Records that could not be read.
    pub unreadable: usize,
}

impl History {
    /// Adds a record: `CloudTrailEvent` of an event.
    pub fn add(&mut self, record: Option<&str>) {
        self.records += 1;
        match record.map(Change::read) {
            Some(Ok(Some(change))) => {
                let place = |it: &Change| (std::cmp::Reverse(it.at), it.event_id.clone());
                if let Err(at) = self.changes.binary_search_by_key(&place(&change), place) {
                    self.changes.insert(at, change);
                }
            }
            Some(Ok(None)) => {}
            Some(Err(_)) | None => self.unreadable += 1,
        }
    }

    /// The changes that can be behind a finding, newest first: not later than it, not ours, and later than the last time that
    /// `fixer`, the finding's own remediation, set the resource right. What lies before that was fixed.
    pub fn behind(&self, found: Timestamp, ours: &Ours, fixer: &str) -> Vec<&Change> {
        let later = self.until(found).take_while(|it| !is_fix(it, found, ours, fixer));
        later.filter(|it| !ours.acted(&it.actor)).collect()
    }

    /// Whether it goes back to that last time, before which nothing can be behind the finding.
    pub fn reaches_a_fix(&self, found: Timestamp, ours: &Ours, fixer: &str) -> bool {
        self.until(found).any(|it| is_fix(it, found, ours, fixer))
    }

    /// The oldest instant a change was read of.
    pub fn since(&self) -> Option<Timestamp> {
        self.changes.last().map(|it| it.at)
    }

    /// The changes of others within a time before the finding, newest first, our fixes between them or not.
    pub fn within(&self, found: Timestamp, before: SignedDuration, ours: &Ours) -> Vec<&Change> {
        let since = found.saturating_sub(before).unwrap_or(Timestamp::MIN);
        self.until(found).take_while(|it| it.at >= since).filter(|it| !ours.acted(&it.actor)).collect()
    }

    fn until(&self, found: Timestamp) -> impl Iterator<Item = &Change> {
        let end = found.saturating_add(CLOCKS).unwrap_or(Timestamp::MAX);
        self.changes.iter().filter(move |it| it.at <= end)
    }
}

/// Whether a finding's own remediation made this change before the finding. Lambda names a role's session after the function.
/// What it changed about the finding itself comes after it, by more than the clocks differ.
fn is_fix(change: &Change, found: Timestamp, ours: &Ours, fixer: &str) -> bool {
    let before = found.saturating_sub(CLOCKS).unwrap_or(Timestamp::MIN);
    change.at < before && change.actor.session() == Some(fixer) && ours.acted(&change.actor)
}

/// Who made these changes and how many each, the busiest first.
pub fn tally<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        *counts.entry(change.actor.to_string()).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

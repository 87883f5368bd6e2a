//! The changes of a resource, and which of them can have caused a finding.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{Actor, Change};
use crate::{AccountId, Timestamp};

/// Maximum clock skew between AWS Config and CloudTrail. CloudTrail truncates its times to whole seconds.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The roles of Rectify's own functions, by their unique ids.
///
/// IAM never gives an id to another role, and only Lambda may assume these roles. The session name is ignored: any
/// principal can name a session after one of Rectify's functions. Only a principal that may change these functions or
/// their roles' trust policies can act as one of the roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRoles {
    account: AccountId,
    ids: BTreeSet<String>,
}

impl OwnRoles {
    /// The roles with these ids, `AROA…`, in this account.
    pub fn new(account: AccountId, ids: impl IntoIterator<Item = String>) -> Self {
        Self { account, ids: ids.into_iter().collect() }
    }

    /// Whether one of these roles made the call, and no service made it on the role's behalf.
    pub fn acted(&self, actor: &Actor) -> bool {
        actor.role().is_some_and(|(id, account)| {
            account == self.account.as_str() && self.ids.contains(id) && actor.via.is_none()
        })
    }
}

/// The CloudTrail records read about one resource: each event once, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    changes: Vec<Change>,
    /// Number of records, changes or not.
    pub records: usize,
    /// Number of records that could not be read.
    pub unreadable: usize,
}

impl History {
    /// Adds a record: the `CloudTrailEvent` of an event.
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

    /// The changes that can have caused a finding, newest first: not later than the finding, not made by Rectify, and
    /// later than the last fix by `fixer`, the finding's own remediation. That fix corrected all earlier changes.
    pub fn behind(&self, found: Timestamp, own_roles: &OwnRoles, fixer: &str) -> Vec<&Change> {
        let later = self.until(found).take_while(|it| !is_fix(it, found, own_roles, fixer));
        later.filter(|it| !own_roles.acted(&it.actor)).collect()
    }

    /// Whether the history reaches back to that last fix. No earlier change can have caused the finding.
    pub fn includes_fix(&self, found: Timestamp, own_roles: &OwnRoles, fixer: &str) -> bool {
        self.until(found).any(|it| is_fix(it, found, own_roles, fixer))
    }

    /// The time of the oldest change.
    pub fn since(&self) -> Option<Timestamp> {
        self.changes.last().map(|it| it.at)
    }

    /// The changes not made by Rectify in the period `before` the finding, newest first. Fixes in between do not end
    /// it.
    pub fn within(&self, found: Timestamp, before: SignedDuration, own_roles: &OwnRoles) -> Vec<&Change> {
        let since = found.saturating_sub(before).unwrap_or(Timestamp::MIN);
        self.until(found).take_while(|it| it.at >= since).filter(|it| !own_roles.acted(&it.actor)).collect()
    }

    fn until(&self, found: Timestamp) -> impl Iterator<Item = &Change> {
        let end = found.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        self.changes.iter().filter(move |it| it.at <= end)
    }
}

/// Whether a finding's own remediation made this change before the finding. Lambda names a role session after the
/// function. The change that fixes this finding is later than the finding by more than the clock skew.
fn is_fix(change: &Change, found: Timestamp, own_roles: &OwnRoles, fixer: &str) -> bool {
    let before = found.saturating_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN);
    change.at < before && change.actor.session() == Some(fixer) && own_roles.acted(&change.actor)
}

/// The actors of these changes with the number of changes of each, highest first.
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

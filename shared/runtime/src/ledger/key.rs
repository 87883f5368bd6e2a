//! Where things lie in the table.

use rectify_compliance::{Target, Timestamp};

/// Sort key of items that are alone under their partition key.
pub(super) const ALONE: &str = "-";
/// Sort key of the lease.
pub(super) const LEASE: &str = "LEASE";
/// Partition key of the stop switches.
pub(super) const STOP: &str = "STOP";

/// The partition of one resource: lease, attempts and holds lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePath(String);

impl ResourcePath {
    /// The partition of `target`.
    pub fn of(target: &Target) -> Self {
        let Target { account, region, resource, .. } = target;
        Self(format!("R#{account}#{region}#{}#{}", resource.kind, resource.id))
    }

    /// The partition key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn attempt(control: &str, id: &str) -> String {
    format!("A#{control}#{id}")
}

pub(super) fn attempts_of(control: &str) -> String {
    format!("A#{control}#")
}

pub(super) fn hold(control: &str) -> String {
    format!("HOLD#{control}")
}

pub(super) fn pointer(id: &str) -> String {
    format!("ID#{id}")
}

pub(super) fn finding(control: &str, target: &Target, recorded_at: Timestamp) -> String {
    let Target { account, region, resource, .. } = target;
    format!("E#{control}#{account}#{region}#{}#{}#{recorded_at}", resource.kind, resource.id)
}

/// The counter of the fixed hour that `now` falls into.
pub(super) fn budget(control: &str, account: &str, now: Timestamp) -> String {
    format!("B#{control}#{account}#{}", hour(now))
}

/// The note that the budget stop of that hour was announced.
pub(super) fn budget_stop(control: &str, account: &str, now: Timestamp) -> String {
    format!("N#budget#{control}#{account}#{}", hour(now))
}

fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3600)
}

//! Where things lie in the table.

use rectify_compliance::{Target, Timestamp};

/// Sort key of items that are alone under their partition key.
pub(super) const ALONE: &str = "-";
/// Sort key of the lease.
pub(super) const LEASE: &str = "LEASE";
/// Partition key of the register of open attempts.
pub(super) const OPEN: &str = "OPEN";
/// Sort key of a control's breaker.
pub(super) const BREAKER: &str = "BREAKER";
/// Partition key of the register of resources that an open breaker kept from being fixed.
pub(super) const HELD_BACK: &str = "BREAKERS";
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

/// The note of who was told to be behind a finding.
pub(super) fn attributed(control: &str, target: &Target, recorded_at: Timestamp) -> String {
    format!("N#attribution#{}", finding(control, target, recorded_at))
}

/// The lowest id an attempt that began at `since` can have.
pub(super) fn lowest_id(since: Timestamp) -> String {
    let milliseconds = u64::try_from(since.as_millisecond()).unwrap_or_default();
    ulid::Ulid::from_parts(milliseconds, 0).to_string()
}

/// The parts of one image of an attempt.
pub(super) fn image(id: &str, name: &str) -> String {
    format!("I#{id}#{name}#")
}

pub(super) fn image_part(id: &str, name: &str, number: usize) -> String {
    format!("{}{number:03}", image(id, name))
}

/// The mark a person leaves who closes a control's breaker on a resource.
pub(super) fn breaker(control: &str) -> String {
    format!("BREAKER#{control}")
}

/// Where a control and a resource stand in the register of open breakers.
pub(super) fn held_back(control: &str, path: &ResourcePath) -> String {
    format!("{control}#{}", path.as_str())
}

/// The partition of a control's own breaker.
pub(super) fn breaker_of(control: &str) -> String {
    format!("C#{control}")
}

/// The partition of the exemptions of a control, or of all.
pub(super) fn exemptions_of(control: &str) -> String {
    format!("X#{control}")
}

pub(super) fn exemption(account: &str, selector: &str, id: &str) -> String {
    format!("{account}#{selector}#{id}")
}

/// The acts of a month, `2026-11`.
pub(super) fn acts_of(month: &str) -> String {
    format!("ACTS#{month}")
}

/// The counter of the fixed hour that `now` falls into.
pub(super) fn budget(control: &str, account: &str, now: Timestamp) -> String {
    format!("B#{control}#{account}#{}", hour(now))
}

/// The note that something was announced once for many: its kind, what it is about, and the window it stands for.
pub(super) fn told(kind: &str, about: &str, window: i64) -> String {
    format!("N#{kind}#{about}#{window}")
}

/// How far the reconciler got in the findings of a rule.
pub(super) fn cursor(rule: &str) -> String {
    format!("CURSOR#{rule}")
}

/// A request for another look at a finding.
pub(super) fn request(id: &str) -> String {
    format!("reconciler#REQUEST#{id}")
}

/// The requests of the reconciler to a control about a resource.
pub(super) fn asks(control: &str, target: &Target) -> String {
    let Target { account, region, resource, .. } = target;
    format!("reconciler#ASKS#{control}#{account}#{region}#{}#{}", resource.kind, resource.id)
}

/// The request that a control answered last about a resource.
pub(super) fn answered(control: &str, target: &Target) -> String {
    let Target { account, region, resource, .. } = target;
    format!("{control}#N#answered#{account}#{region}#{}#{}", resource.kind, resource.id)
}

/// When a rule was last evaluated anew.
pub(super) fn evaluation(rule: &str) -> String {
    format!("reconciler#EVALUATION#{rule}")
}

/// What a rule's function failed at: a resource, or a scheduled run.
pub(super) fn unjudged(rule: &str, subject: &str) -> String {
    format!("reconciler#UNJUDGED#{rule}#{subject}")
}

/// The fixed hour that `now` falls into.
pub(super) fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3600)
}

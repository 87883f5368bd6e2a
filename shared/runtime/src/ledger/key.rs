//! Where things lie in the table.
//!
//! What a remediation writes begins with `L#` or its own control, so that `dynamodb:LeadingKeys` can say so; what people
//! decide begins with neither.

use rectify_compliance::{Target, Timestamp};

/// Sort key of items that are alone under their partition key, and of a control's own row among those of its resources.
pub(super) const SINGLETON: &str = "-";
/// Sort key of the lease.
pub(super) const LEASE: &str = "LEASE";
/// Sort key of a person's reset of a control's breaker.
pub(super) const RESET: &str = "RESET";
/// Partition key of the stop switches.
pub(super) const STOP: &str = "STOP";
/// Sort key of the counter of a registry's changes: a query reads it before the entries.
pub(super) const REVISION: &str = "!revision";

/// What every key about one resource holds: `account#region#type#id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePath(String);

impl ResourcePath {
    /// The path of `target`.
    pub fn of(target: &Target) -> Self {
        let Target { account, region, resource, .. } = target;
        Self(format!("{account}#{region}#{}#{}", resource.kind, resource.id))
    }

    /// As it stands in keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The partition of a resource's lease, which all controls share.
pub(super) fn lease_of(path: &ResourcePath) -> String {
    format!("L#{}", path.0)
}

/// The partition of a control's attempts on a resource; their ids are the sort keys.
pub(super) fn attempts_of(control: &str, path: &ResourcePath) -> String {
    format!("{control}#A#{}", path.0)
}

/// The partition of a control's attempts that changed a resource; their ids are the sort keys.
pub(super) fn acted_of(control: &str, path: &ResourcePath) -> String {
    format!("{control}#ACTED#{}", path.0)
}

/// The partition of the parts of an attempt's images.
pub(super) fn images_of(control: &str, id: &str) -> String {
    format!("{control}#I#{id}")
}

/// The sort key that the parts of one image begin with.
pub(super) fn image(name: &str) -> String {
    format!("{name}#")
}

pub(super) fn image_part(name: &str, number: usize) -> String {
    format!("{}{number:03}", image(name))
}

/// The partition of the places of a control's attempts; their ids are the sort keys.
pub(super) fn places_of(control: &str) -> String {
    format!("{control}#ID")
}

/// The partition of a control's register of open attempts.
pub(super) fn open_of(control: &str) -> String {
    format!("{control}#OPEN")
}

/// Where an open attempt stands in its register, so that those on one resource stand together.
pub(super) fn open_entry(path: &ResourcePath, id: &str) -> String {
    format!("{}{id}", open_entries(path))
}

/// The sort key that the entries of one resource begin with; so may those of a resource whose id goes on after a `#`.
pub(super) fn open_entries(path: &ResourcePath) -> String {
    format!("{}#", path.0)
}

/// The partition of what came of a finding.
pub(super) fn finding(control: &str, target: &Target, recorded_at: Timestamp) -> String {
    format!("{control}#E#{}#{recorded_at}", ResourcePath::of(target).0)
}

/// The note of who is behind a finding.
pub(super) fn attributed(control: &str, target: &Target, recorded_at: Timestamp) -> String {
    format!("attribution#{}", finding(control, target, recorded_at))
}

/// The lowest id an attempt that began at `since` can have.
pub(super) fn lowest_id(since: Timestamp) -> String {
    let milliseconds = u64::try_from(since.as_millisecond()).unwrap_or_default();
    ulid::Ulid::from_parts(milliseconds, 0).to_string()
}

/// The partition of a control's breaker.
pub(super) fn breaker_of(control: &str) -> String {
    format!("{control}#BREAKER")
}

/// The partition of the failures that a control's breaker counts, by time.
pub(super) fn failed_of(control: &str) -> String {
    format!("{control}#FAILED")
}

/// The partition of the resources that an open breaker keeps a control from fixing.
pub(super) fn held_back_of(control: &str) -> String {
    format!("{control}#HELD")
}

/// The partition of what people decided about a resource.
pub(super) fn decisions_on(path: &ResourcePath) -> String {
    format!("D#{}", path.0)
}

/// The partition of what people decided about a control.
pub(super) fn decisions_about(control: &str) -> String {
    format!("D#C#{control}")
}

/// The sort key of a hold.
pub(super) fn hold(control: &str) -> String {
    format!("HOLD#{control}")
}

/// The sort key of a person's reset of a control's breaker on one resource.
pub(super) fn reset(control: &str) -> String {
    format!("{RESET}#{control}")
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
    format!("{control}#B#{account}#{}", hour(now))
}

/// The note that something was announced once for many: its kind, what it is about, and the window it stands for.
pub(super) fn announced(control: &str, kind: &str, about: &str, window: i64) -> String {
    format!("{control}#N#{kind}#{about}#{window}")
}

/// How far the reconciler got in the findings of a rule.
pub(super) fn cursor(rule: &str) -> String {
    format!("reconciler#CURSOR#{rule}")
}

/// A request for another look at a finding.
pub(super) fn request(id: &str) -> String {
    format!("reconciler#REQUEST#{id}")
}

/// The requests of the reconciler to a control about a resource.
pub(super) fn asks(control: &str, target: &Target) -> String {
    format!("reconciler#ASKS#{control}#{}", ResourcePath::of(target).0)
}

/// The request that a control answered last about a resource.
pub(super) fn answered(control: &str, target: &Target) -> String {
    format!("{control}#N#answered#{}", ResourcePath::of(target).0)
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

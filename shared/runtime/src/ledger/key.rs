//! The keys of the table.
//!
//! A remediation writes partitions that begin with `L#` or its own control, so that `dynamodb:LeadingKeys` can restrict
//! it to them. Operators' decisions begin with neither.

use rectify_compliance::{AccountId, Region, ResourceKey, Target, Timestamp};

/// Sort key of a partition's only item, and of a control's own row among those of its resources.
pub(super) const SINGLETON: &str = "-";
/// Sort key of the lease.
pub(super) const LEASE: &str = "LEASE";
/// Sort key of an operator's reset of a control's breaker.
pub(super) const RESET: &str = "RESET";
/// Partition key of the stop switches.
pub(super) const STOP: &str = "STOP";
/// Partition key of the longest duration of an exemption; no control has this name.
pub(super) const EXEMPTION_LIMIT: &str = "X#LIMIT";
/// Partition key of the register of all holds.
pub(super) const HOLDS: &str = "D#HOLDS";
/// Sort key of the revision counter of a registry: a query reads it before the entries.
pub(super) const REVISION: &str = "!revision";

/// The part that all keys of one resource share: `account#region#type#id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePath(String);

impl ResourcePath {
    /// The path of `target`.
    pub fn of(target: &Target) -> Self {
        let Target { account, region, resource, .. } = target;
        Self(format!("{account}#{region}#{}#{}", resource.kind, resource.id))
    }

    /// The text in keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The resource with this text in keys; its id may contain `#`.
    pub(super) fn target(text: &str) -> Option<Target> {
        let mut parts = text.splitn(4, '#');
        let (account, region, kind, id) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (account, region) = (AccountId::new(account), Region::new(region));
        Some(Target { account, region, resource: ResourceKey::new(kind, id), name: None, arn: None })
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

/// The prefix of the partitions of a control's attempts, in one account or in all.
pub(super) fn attempts_in(control: &str, account: Option<&str>) -> String {
    format!("{control}#A#{}", account.map_or_else(String::new, |account| format!("{account}#")))
}

/// The partition of a control's attempts that changed a resource; their ids are the sort keys.
pub(super) fn acted_of(control: &str, path: &ResourcePath) -> String {
    format!("{control}#ACTED#{}", path.0)
}

/// The partition of the parts of an attempt's large states.
pub(super) fn state_parts_of(control: &str, id: &str) -> String {
    format!("{control}#I#{id}")
}

/// The sort key prefix of the parts of one state.
pub(super) fn state_part_prefix(name: &str) -> String {
    format!("{name}#")
}

pub(super) fn state_part_key(name: &str, number: usize) -> String {
    format!("{}{number:03}", state_part_prefix(name))
}

/// The partition of the locations of a control's attempts; their ids are the sort keys.
pub(super) fn places_of(control: &str) -> String {
    format!("{control}#ID")
}

/// The partition of a control's register of open attempts.
pub(super) fn open_of(control: &str) -> String {
    format!("{control}#OPEN")
}

/// The sort key of an open attempt in its register, which groups the attempts on one resource.
pub(super) fn open_entry(path: &ResourcePath, id: &str) -> String {
    format!("{}{id}", open_entries(path))
}

/// The sort key prefix of the entries of one resource; a resource whose id continues after a `#` shares it.
pub(super) fn open_entries(path: &ResourcePath) -> String {
    format!("{}#", path.0)
}

/// The partition of the outcome of a finding.
pub(super) fn finding(control: &str, target: &Target, recorded_at: Timestamp) -> String {
    format!("{control}#E#{}#{recorded_at}", ResourcePath::of(target).0)
}

/// The partition of the announced attribution of a finding.
pub(super) fn attributed(control: &str, target: &Target, recorded_at: Timestamp) -> String {
    format!("attribution#{}", finding(control, target, recorded_at))
}

/// The partition of the findings of a control; their resources are the sort keys.
pub(super) fn routed_of(control: &str) -> String {
    format!("router#{control}")
}

/// The lowest id of an attempt that began at `since`.
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
pub(super) fn breaker_blocked_of(control: &str) -> String {
    format!("{control}#HELD")
}

/// The partition of operators' decisions about a resource.
pub(super) fn decisions_on(path: &ResourcePath) -> String {
    format!("D#{}", path.0)
}

/// The partition of operators' decisions about a control.
pub(super) fn decisions_about(control: &str) -> String {
    format!("D#C#{control}")
}

/// The sort key of a hold.
pub(super) fn hold(control: &str) -> String {
    format!("HOLD#{control}")
}

/// The sort key of a hold in the register of all.
pub(super) fn registered_hold(control: &str, path: &ResourcePath) -> String {
    format!("{control}#{}", path.0)
}

/// The sort key of an operator's reset of a control's breaker on one resource.
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

/// The partition of the audit entries of a month, `2026-11`.
pub(super) fn audit_log_of(month: &str) -> String {
    format!("ACTS#{month}")
}

/// The counter of the fixed hour that `now` falls into.
pub(super) fn budget(control: &str, account: &str, now: Timestamp) -> String {
    format!("{control}#B#{account}#{}", hour(now))
}

/// The mark of an announcement that covers many attempts: its kind, its subject and its window.
pub(super) fn announced(control: &str, kind: &str, about: &str, window: i64) -> String {
    format!("{control}#N#{kind}#{about}#{window}")
}

/// The reconciler's cursor in the findings of a rule.
pub(super) fn cursor(rule: &str) -> String {
    format!("reconciler#CURSOR#{rule}")
}

/// A request to handle a finding again.
pub(super) fn request(id: &str) -> String {
    format!("reconciler#REQUEST#{id}")
}

/// The reconciler's requests to a control about a resource.
pub(super) fn request_history(control: &str, target: &Target) -> String {
    format!("reconciler#ASKS#{control}#{}", ResourcePath::of(target).0)
}

/// The last request about a resource that a control answered.
pub(super) fn answered(control: &str, target: &Target) -> String {
    format!("{control}#N#answered#{}", ResourcePath::of(target).0)
}

/// The reevaluations of a rule.
pub(super) fn evaluation(rule: &str) -> String {
    format!("reconciler#EVALUATION#{rule}")
}

/// A resource or scheduled run that a rule's function failed to evaluate.
pub(super) fn unjudged(rule: &str, subject: &str) -> String {
    format!("reconciler#UNJUDGED#{rule}#{subject}")
}

/// The fixed hour that `now` falls into.
pub(super) fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3600)
}

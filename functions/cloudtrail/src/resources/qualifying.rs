//! Qualifying trails: which trails record the management events of a whole account, and which check the others fail.
//!
//! Knows no control and no SDK. The Lambda crate reads an [`ObservedTrail`], the caller gives a [`Requirement`], and
//! [`Qualification`] is the result. The caller's parameter `trustOrganizationTrail` decides whether an unverified trail counts.

use std::collections::BTreeSet;
use std::fmt;

use rectify_compliance::{Permission, offenders};
use serde::{Deserialize, Serialize};

use crate::resources::selectors::{ManagementEvents, Selectors};
use crate::resources::trail::{Trail, TrailOwnership};

/// The calls that read the trails of an account: each trail of the account is read in its home region.
pub const OBSERVE: &[Permission] = &[
    Permission::unscoped("cloudtrail:DescribeTrails"),
    Permission::on("cloudtrail:GetTrailStatus", ANY_TRAIL),
    Permission::on("cloudtrail:GetEventSelectors", ANY_TRAIL),
];

/// Trails of any account and region: an organization trail belongs to the management account.
const ANY_TRAIL: &str = "arn:${AWS::Partition}:cloudtrail:*:*:trail/*";

/// A trail with the facts that decide whether it qualifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObservedTrail {
    /// As `DescribeTrails` returned it.
    pub trail: Trail,
    /// `None` when the trail belongs to another account, which denies reading it. Always known for a trail of this
    /// account.
    pub status: Option<Status>,
    /// Its selectors; `None` as for the status.
    pub selectors: Option<Selectors>,
}

/// The fields of `GetTrailStatus` that matter here; those that change with every delivery are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// `IsLogging`.
    pub is_logging: bool,
    /// `LatestDeliveryError`: the S3 error code of the latest attempt, if it failed.
    pub latest_delivery_error: Option<String>,
}

/// What a trail must do to qualify, besides being multi-region and delivering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// The management events it must record.
    pub events: Events,
    /// Whether it must be logging.
    pub logging: bool,
}

impl Requirement {
    /// All management events, and logging.
    pub const EVERYTHING: Self = Self { events: Events::All, logging: true };
}

/// The management events that a trail must record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Events {
    /// None.
    NotRequired,
    /// All read events or all write events.
    ReadsOrWrites,
    /// All read events.
    Reads,
    /// All write events.
    Writes,
    /// All events.
    All,
}

/// Whether a trail qualifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualification {
    /// It qualifies.
    Qualifies,
    /// It is multi-region and belongs to another account, which denies reading the rest.
    Unverified,
    /// It does not qualify: the first check it fails.
    Fails(FailedCheck),
}

/// The check that a trail fails, in the order of the checks: the greatest is the closest to qualifying.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailedCheck {
    /// `IsMultiRegionTrail` is not true.
    SingleRegion,
    /// Status or selectors of a trail of this account are unknown.
    Unread,
    /// `IsLogging` is false.
    NotLogging,
    /// No selector records management events.
    NoManagementEvents,
    /// The selectors for management events filter by these fields and do not count.
    Narrowed(BTreeSet<String>),
    /// Write events are required but not recorded.
    OnlyReads,
    /// Read events are required but not recorded.
    OnlyWrites,
    /// These event sources are excluded.
    Excludes(BTreeSet<String>),
    /// The latest delivery failed with this code.
    DeliveryError(String),
}

impl fmt::Display for FailedCheck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleRegion => out.write_str("single region"),
            Self::Unread => out.write_str("not read"),
            Self::NotLogging => out.write_str("not logging"),
            Self::NoManagementEvents => out.write_str("no management events"),
            Self::Narrowed(fields) => write!(out, "narrowed by {}", offenders(fields.iter().cloned())),
            Self::OnlyReads => out.write_str("read events only"),
            Self::OnlyWrites => out.write_str("write events only"),
            Self::Excludes(sources) => write!(out, "excludes {}", offenders(sources.iter().cloned())),
            Self::DeliveryError(code) => write!(out, "delivery fails with {code}"),
        }
    }
}

impl ObservedTrail {
    /// Whether it qualifies, and if not, the first check it fails.
    pub fn qualification(&self, required: Requirement) -> Qualification {
        if self.trail.settings.is_multi_region_trail != Some(true) {
            return Qualification::Fails(FailedCheck::SingleRegion);
        }
        let (Some(status), Some(selectors)) = (&self.status, &self.selectors) else {
            return match self.trail.ownership() {
                TrailOwnership::OtherAccount => Qualification::Unverified,
                TrailOwnership::Local | TrailOwnership::Replica => Qualification::Fails(FailedCheck::Unread),
            };
        };
        if required.logging && !status.is_logging {
            return Qualification::Fails(FailedCheck::NotLogging);
        }
        if let Some(check) = selectors.management_events().failed_check(required.events) {
            return Qualification::Fails(check);
        }
        match status.latest_delivery_error.as_deref() {
            None | Some("") => Qualification::Qualifies,
            Some(code) => Qualification::Fails(FailedCheck::DeliveryError(code.to_owned())),
        }
    }

    /// Whether it counts: it qualifies, or it cannot be verified and is trusted.
    pub fn counts(&self, required: Requirement, trust_organization_trail: bool) -> bool {
        match self.qualification(required) {
            Qualification::Qualifies => true,
            Qualification::Unverified => trust_organization_trail,
            Qualification::Fails(_) => false,
        }
    }
}

impl ManagementEvents {
    /// The check that fails for the required events.
    pub fn failed_check(&self, required: Events) -> Option<FailedCheck> {
        let sides = match required {
            Events::NotRequired => return None,
            Events::ReadsOrWrites => return self.fails_reads_and_writes(),
            Events::Reads => vec![(&self.reads, FailedCheck::OnlyWrites)],
            Events::Writes => vec![(&self.writes, FailedCheck::OnlyReads)],
            Events::All => vec![(&self.reads, FailedCheck::OnlyWrites), (&self.writes, FailedCheck::OnlyReads)],
        };
        let mut excluded = BTreeSet::new();
        for (side, missing) in sides {
            match side {
                None if self.reads.is_none() && self.writes.is_none() => return Some(self.no_events()),
                None => return Some(missing),
                Some(sources) => excluded.extend(sources.iter().cloned()),
            }
        }
        (!excluded.is_empty()).then_some(FailedCheck::Excludes(excluded))
    }

    fn fails_reads_and_writes(&self) -> Option<FailedCheck> {
        let recorded: Vec<&BTreeSet<String>> = self.reads.iter().chain(&self.writes).collect();
        match recorded.as_slice() {
            [] => Some(self.no_events()),
            some if some.iter().any(|sources| sources.is_empty()) => None,
            some => Some(FailedCheck::Excludes(some.iter().copied().flatten().cloned().collect())),
        }
    }

    fn no_events(&self) -> FailedCheck {
        if self.narrowed_by.is_empty() {
            FailedCheck::NoManagementEvents
        } else {
            FailedCheck::Narrowed(self.narrowed_by.clone())
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

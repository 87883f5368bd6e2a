//! Qualifying trails: which trails record the management events of a whole account, and what keeps the others from it.
//!
//! Knows no control and no SDK. [`ObservedTrail`] is what the Lambda crate reads, [`Requirement`] what a caller requires,
//! [`Standing`] the result. Whether an unverified trail counts is the caller's parameter `trustOrganizationTrail`.

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

/// Trails of any account and region: an organization's trail is the management account's.
const ANY_TRAIL: &str = "arn:${AWS::Partition}:cloudtrail:*:*:trail/*";

/// A trail with what decides whether it qualifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObservedTrail {
    /// As `DescribeTrails` showed it.
    pub trail: Trail,
    /// `None` when the trail is of another account, which lets nobody read it. Of ours it is always known.
    pub status: Option<Status>,
    /// The same of its selectors.
    pub selectors: Option<Selectors>,
}

/// `GetTrailStatus`, as far as it matters here; what changes with every delivery is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// `IsLogging`.
    pub is_logging: bool,
    /// `LatestDeliveryError`: the S3 error code of the latest try, where it failed.
    pub latest_delivery_error: Option<String>,
}

/// What a trail must do to qualify, beside being multi-region and delivering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// The management events it must record.
    pub events: Events,
    /// Whether it must be logging.
    pub logging: bool,
}

impl Requirement {
    /// Records every management event, now.
    pub const EVERYTHING: Self = Self { events: Events::All, logging: true };
}

/// Management events, as a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Events {
    /// None need be recorded.
    Unasked,
    /// One half at least: all read events or all write events.
    AnyHalf,
    /// All read events.
    Reads,
    /// All write events.
    Writes,
    /// All.
    All,
}

/// Whether a trail qualifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Qualifies,
    /// It is multi-region and of another account, which does not let us see the rest.
    Unverified,
    /// It does not: the first test it fails.
    Fails(Shortcoming),
}

/// What keeps a trail from qualifying, in the order of the tests: the greatest is the nearest to qualifying.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortcoming {
    /// `IsMultiRegionTrail` is not true.
    SingleRegion,
    /// Status or selectors of a trail of this account are not known.
    Unread,
    /// `IsLogging` is false.
    NotLogging,
    /// No selector counts.
    NoManagementEvents,
    /// Selectors of management events are narrowed by these fields and do not count.
    Narrowed(BTreeSet<String>),
    /// Write events are wanted and not recorded.
    OnlyReads,
    /// Read events are wanted and not recorded.
    OnlyWrites,
    /// These sources are left out.
    Excludes(BTreeSet<String>),
    /// The latest delivery failed with this code.
    DeliveryError(String),
}

impl fmt::Display for Shortcoming {
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
    /// Whether it qualifies, and if not, the first test it fails.
    pub fn standing(&self, wanted: Requirement) -> Standing {
        if self.trail.settings.is_multi_region_trail != Some(true) {
            return Standing::Fails(Shortcoming::SingleRegion);
        }
        let (Some(status), Some(selectors)) = (&self.status, &self.selectors) else {
            return match self.trail.custody() {
                TrailOwnership::Foreign => Standing::Unverified,
                TrailOwnership::Ours | TrailOwnership::Replica => Standing::Fails(Shortcoming::Unread),
            };
        };
        if wanted.logging && !status.is_logging {
            return Standing::Fails(Shortcoming::NotLogging);
        }
        if let Some(shortcoming) = selectors.management_events().shortcoming(wanted.events) {
            return Standing::Fails(shortcoming);
        }
        match status.latest_delivery_error.as_deref() {
            None | Some("") => Standing::Qualifies,
            Some(code) => Standing::Fails(Shortcoming::DeliveryError(code.to_owned())),
        }
    }

    /// Whether it counts as one that qualifies: it does, or it cannot be verified and is trusted.
    pub fn counts(&self, wanted: Requirement, trust_organization_trail: bool) -> bool {
        match self.standing(wanted) {
            Standing::Qualifies => true,
            Standing::Unverified => trust_organization_trail,
            Standing::Fails(_) => false,
        }
    }
}

impl ManagementEvents {
    /// What is missing of the wanted events.
    pub fn shortcoming(&self, wanted: Events) -> Option<Shortcoming> {
        let halves = match wanted {
            Events::Unasked => return None,
            Events::AnyHalf => return self.lacks_both_halves(),
            Events::Reads => vec![(&self.reads, Shortcoming::OnlyWrites)],
            Events::Writes => vec![(&self.writes, Shortcoming::OnlyReads)],
            Events::All => vec![(&self.reads, Shortcoming::OnlyWrites), (&self.writes, Shortcoming::OnlyReads)],
        };
        let mut excluded = BTreeSet::new();
        for (half, missing) in halves {
            match half {
                None if self.reads.is_none() && self.writes.is_none() => return Some(self.nothing()),
                None => return Some(missing),
                Some(sources) => excluded.extend(sources.iter().cloned()),
            }
        }
        (!excluded.is_empty()).then_some(Shortcoming::Excludes(excluded))
    }

    fn lacks_both_halves(&self) -> Option<Shortcoming> {
        let recorded: Vec<&BTreeSet<String>> = self.reads.iter().chain(&self.writes).collect();
        match recorded.as_slice() {
            [] => Some(self.nothing()),
            some if some.iter().any(|sources| sources.is_empty()) => None,
            some => Some(Shortcoming::Excludes(some.iter().copied().flatten().cloned().collect())),
        }
    }

    fn nothing(&self) -> Shortcoming {
        if self.narrowed_by.is_empty() {
            Shortcoming::NoManagementEvents
        } else {
            Shortcoming::Narrowed(self.narrowed_by.clone())
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! All trails that are visible in one account.
//!
//! Knows no control and no SDK.

use std::fmt;

use rectify_compliance::{AccountId, Region, ResourceIdentity, ResourceState};
use serde::{Deserialize, Serialize};

use crate::resources::qualifying::{FailedCheck, ObservedTrail};
use crate::resources::trail::TrailOwnership;

/// The trails that one account sees in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountTrails {
    /// The account that reads the trails.
    pub account: AccountId,
    /// The region they are read in.
    pub region: Region,
    /// All trails, including replicas and those of other accounts, sorted by ARN.
    pub trails: Vec<ObservedTrail>,
}

impl AccountTrails {
    /// Sorts the trails by ARN: the API guarantees no order.
    pub fn new(account: AccountId, region: Region, mut trails: Vec<ObservedTrail>) -> Self {
        trails.sort_by(|one, other| one.trail.arn.cmp(&other.trail.arn));
        Self { account, region, trails }
    }

    /// The trails that belong to the account, in any home region.
    pub fn own(&self) -> impl Iterator<Item = &ObservedTrail> {
        self.trails.iter().filter(|it| it.trail.ownership() != TrailOwnership::OtherAccount)
    }
}

impl ResourceState for AccountTrails {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity::account(&self.account)
    }
}

/// Why one trail is not enough for the account; the greatest is the closest to enough.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrailGap {
    /// It fails a check of [`qualifying`](crate::resources::qualifying).
    Check(FailedCheck),
    /// A setting differs from the required value.
    Setting(&'static str),
    /// It belongs to another account, which denies reading it.
    Unverified,
}

impl fmt::Display for TrailGap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(check) => check.fmt(out),
            Self::Setting(text) => out.write_str(text),
            Self::Unverified => out.write_str("organization trail not verifiable"),
        }
    }
}

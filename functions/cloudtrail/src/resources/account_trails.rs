//! All trails that show in one account, taken together.
//!
//! Knows no control and no SDK.

use std::fmt;

use rectify_compliance::{AccountId, Region, ResourceKey, ResourceState, Tags};
use serde::{Deserialize, Serialize};

use crate::resources::qualifying::{ObservedTrail, Shortcoming};
use crate::resources::trail::TrailOwnership;

static NO_TAGS: Tags = Tags::new();

/// The trails of one account, as they show in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountTrails {
    /// Who looks.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// All trails, replicas and those of other accounts included, by ARN.
    pub trails: Vec<ObservedTrail>,
}

impl AccountTrails {
    /// These trails, in the order of their ARNs: the API has none.
    pub fn new(account: AccountId, region: Region, mut trails: Vec<ObservedTrail>) -> Self {
        trails.sort_by(|one, other| one.trail.arn.cmp(&other.trail.arn));
        Self { account, region, trails }
    }

    /// The trails that belong to the account, wherever they were created.
    pub fn own(&self) -> impl Iterator<Item = &ObservedTrail> {
        self.trails.iter().filter(|it| it.trail.custody() != TrailOwnership::Foreign)
    }
}

impl ResourceState for AccountTrails {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        &NO_TAGS
    }
}

/// What keeps one trail from being the one an account needs; the greatest is the nearest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrailGap {
    /// A test of [`qualifying`](crate::resources::qualifying).
    Test(Shortcoming),
    /// A setting has another value than is demanded.
    Setting(&'static str),
    /// It is of another account, which does not let us see.
    Unverified,
}

impl fmt::Display for TrailGap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(shortcoming) => shortcoming.fmt(out),
            Self::Setting(text) => out.write_str(text),
            Self::Unverified => out.write_str("organization trail not verifiable"),
        }
    }
}

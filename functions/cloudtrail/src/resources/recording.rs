//! The calls that make a trail record more, and those that take them back, over the trails of an account.
//!
//! Knows no control and no SDK. Each call names its trail by ARN and is made in that trail's home region.

use rectify_compliance::Irreversible;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::account_trails::AccountTrails;
use crate::resources::selectors::Selectors;

/// One call that makes a trail record more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `StartLogging`.
    StartLogging {
        /// `Name`: the trail's ARN.
        name: String,
    },
    /// `UpdateTrail`; every field it leaves out stays as it is.
    UpdateTrail {
        /// `Name`: the trail's ARN.
        name: String,
        /// `IsMultiRegionTrail`.
        is_multi_region_trail: bool,
        /// `IncludeGlobalServiceEvents`, without which a trail cannot be multi-region.
        include_global_service_events: bool,
    },
    /// `PutEventSelectors`, which replaces all selectors.
    PutEventSelectors {
        /// `TrailName`: the trail's ARN.
        trail_name: String,
        /// `EventSelectors` or `AdvancedEventSelectors`.
        #[serde(flatten)]
        selectors: Selectors,
    },
}

/// One call of an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// `StopLogging`.
    StopLogging {
        /// `Name`: the trail's ARN.
        name: String,
    },
    /// `UpdateTrail`, with what was before.
    UpdateTrail {
        /// `Name`: the trail's ARN.
        name: String,
        /// `IsMultiRegionTrail`.
        is_multi_region_trail: bool,
        /// `IncludeGlobalServiceEvents`.
        include_global_service_events: bool,
    },
    /// `PutEventSelectors`, with what was before.
    PutEventSelectors {
        /// `TrailName`: the trail's ARN.
        trail_name: String,
        /// `EventSelectors` or `AdvancedEventSelectors`.
        #[serde(flatten)]
        selectors: Selectors,
    },
}

impl Action {
    /// The ARN of the trail it is about.
    pub fn trail(&self) -> &str {
        match self {
            Self::StartLogging { name }
            | Self::UpdateTrail { name, .. }
            | Self::PutEventSelectors { trail_name: name, .. } => name,
        }
    }

    /// What the trails become by it.
    pub fn made_of(&self, mut live: AccountTrails) -> AccountTrails {
        for it in live.trails.iter_mut().filter(|it| it.trail.arn == self.trail()) {
            match self {
                Self::StartLogging { .. } => {
                    if let Some(status) = &mut it.status {
                        status.is_logging = true;
                    }
                }
                Self::UpdateTrail { is_multi_region_trail, include_global_service_events, .. } => {
                    it.trail.settings.is_multi_region_trail = Some(*is_multi_region_trail);
                    it.trail.settings.include_global_service_events = Some(*include_global_service_events);
                }
                Self::PutEventSelectors { selectors, .. } => it.selectors = Some(selectors.clone()),
            }
        }
        live
    }

    /// What it touches, by a name of its own, as it is in these trails.
    pub fn touched_in(&self, trails: &AccountTrails) -> (String, Value) {
        let arn = self.trail();
        let it = trails.trails.iter().find(|it| it.trail.arn == arn);
        let settings = it.map(|it| &it.trail.settings);
        let (what, value) = match self {
            Self::StartLogging { .. } => {
                ("isLogging", json!(it.and_then(|it| it.status.as_ref()).map(|it| it.is_logging)))
            }
            Self::UpdateTrail { .. } => {
                ("regions", json!(settings.map(|it| (it.is_multi_region_trail, it.include_global_service_events))))
            }
            Self::PutEventSelectors { .. } => {
                ("selectors", json!(it.and_then(|it| it.selectors.as_ref()).map(Selectors::canonical)))
            }
        };
        (format!("{arn} {what}"), value)
    }

    /// The call that restores what was before it.
    ///
    /// # Errors
    /// [`Irreversible`] when these trails do not hold what was before.
    pub fn inverse(&self, before: &AccountTrails) -> Result<Undo, Irreversible> {
        let known = |arn: &str| before.trails.iter().find(|it| it.trail.arn == arn);
        let lost = |operation: &str| Irreversible {
            action: operation.to_owned(),
            reason: "the before-image does not hold what was before".to_owned(),
        };
        match self {
            Self::StartLogging { name } => Ok(Undo::StopLogging { name: name.clone() }),
            Self::UpdateTrail { name, .. } => {
                let settings = known(name).map(|it| &it.trail.settings).ok_or_else(|| lost("UpdateTrail"))?;
                Ok(Undo::UpdateTrail {
                    name: name.clone(),
                    is_multi_region_trail: settings.is_multi_region_trail.unwrap_or(false),
                    include_global_service_events: settings.include_global_service_events.unwrap_or(true),
                })
            }
            Self::PutEventSelectors { trail_name, .. } => {
                let selectors = known(trail_name).and_then(|it| it.selectors.clone());
                let selectors = selectors.ok_or_else(|| lost("PutEventSelectors"))?;
                Ok(Undo::PutEventSelectors { trail_name: trail_name.clone(), selectors })
            }
        }
    }
}

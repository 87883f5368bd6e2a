//! The calls that make a trail record more, and the calls that undo them, for the trails of an account.
//!
//! Knows no control and no SDK. Each call identifies its trail by ARN and is made in the trail's home region.

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
    /// `UpdateTrail`; a field it leaves out keeps its value.
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

/// One undo call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// `StopLogging`.
    StopLogging {
        /// `Name`: the trail's ARN.
        name: String,
    },
    /// `UpdateTrail` with the previous values.
    UpdateTrail {
        /// `Name`: the trail's ARN.
        name: String,
        /// `IsMultiRegionTrail`.
        is_multi_region_trail: bool,
        /// `IncludeGlobalServiceEvents`.
        include_global_service_events: bool,
    },
    /// `PutEventSelectors` with the previous selectors.
    PutEventSelectors {
        /// `TrailName`: the trail's ARN.
        trail_name: String,
        /// `EventSelectors` or `AdvancedEventSelectors`.
        #[serde(flatten)]
        selectors: Selectors,
    },
}

impl Action {
    /// The ARN of the trail it changes.
    pub fn trail(&self) -> &str {
        match self {
            Self::StartLogging { name }
            | Self::UpdateTrail { name, .. }
            | Self::PutEventSelectors { trail_name: name, .. } => name,
        }
    }

    /// The trails after this action.
    pub fn apply_to(&self, mut live: AccountTrails) -> AccountTrails {
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

    /// The field it touches: a unique key, and its value in these trails.
    pub fn touched_field(&self, trails: &AccountTrails) -> (String, Value) {
        let arn = self.trail();
        let it = trails.trails.iter().find(|it| it.trail.arn == arn);
        let settings = it.map(|it| &it.trail.settings);
        let (field, value) = match self {
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
        (format!("{arn} {field}"), value)
    }

    /// The call that restores the prior state.
    ///
    /// # Errors
    /// [`Irreversible`] when the prior state lacks the trail or its selectors.
    pub fn inverse(&self, before: &AccountTrails) -> Result<Undo, Irreversible> {
        let known = |arn: &str| before.trails.iter().find(|it| it.trail.arn == arn);
        let irreversible = |operation: &str| Irreversible {
            action: operation.to_owned(),
            reason: "the prior state does not contain the previous values".to_owned(),
        };
        match self {
            Self::StartLogging { name } => Ok(Undo::StopLogging { name: name.clone() }),
            Self::UpdateTrail { name, .. } => {
                let settings = known(name).map(|it| &it.trail.settings).ok_or_else(|| irreversible("UpdateTrail"))?;
                Ok(Undo::UpdateTrail {
                    name: name.clone(),
                    is_multi_region_trail: settings.is_multi_region_trail.unwrap_or(false),
                    include_global_service_events: settings.include_global_service_events.unwrap_or(true),
                })
            }
            Self::PutEventSelectors { trail_name, .. } => {
                let selectors = known(trail_name).and_then(|it| it.selectors.clone());
                let selectors = selectors.ok_or_else(|| irreversible("PutEventSelectors"))?;
                Ok(Undo::PutEventSelectors { trail_name: trail_name.clone(), selectors })
            }
        }
    }
}

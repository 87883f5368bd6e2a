//! Profiles: which controls to run together, and with which parameters.
//!
//! Those of frameworks follow from the mappings, so a new control joins them by declaring what it covers.

mod choices;

use std::collections::BTreeMap;

use rectify_compliance::parameters::nearest;
use rectify_compliance::{Entry, Framework};
use serde_json::json;

use crate::frameworks::{AS_OF, covered, holds, recommendations};
use crate::{controls, find};

pub use choices::Preset;

/// A set of controls with parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// Its purpose, as a sentence.
    pub purpose: &'static str,
    selection: Selection,
    parameters: &'static [&'static [Preset]],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selection {
    /// These controls.
    Named(&'static [&'static str]),
    /// Every control that covers a requirement of the framework.
    Covering(Framework),
}

/// Every profile.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "starter",
        purpose: "A first set: seven controls that need no parameters, and whose findings are rarely intended.",
        selection: Selection::Named(choices::STARTER),
        parameters: &[],
    },
    Profile {
        name: "fsbp",
        purpose: "AWS Foundational Security Best Practices, with the parameters of Security Hub.",
        selection: Selection::Covering(Framework::Fsbp),
        parameters: &[choices::SECURITY_HUB],
    },
    Profile {
        name: "cis-3.0",
        purpose: "CIS AWS Foundations Benchmark 3.0, with what CIS requires instead of stricter defaults.",
        selection: Selection::Covering(Framework::Cis30),
        parameters: &[choices::CIS],
    },
    Profile {
        name: "cis-5.0",
        purpose: "CIS AWS Foundations Benchmark 5.0, with what CIS requires instead of stricter defaults.",
        selection: Selection::Covering(Framework::Cis50),
        parameters: &[choices::CIS, choices::CIS_50],
    },
];

/// A name that no profile has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile `{name}`: expected {}{}", known(), nearest.map(|it| format!(": did you mean `{it}`")).unwrap_or_default())]
pub struct UnknownProfile {
    name: String,
    nearest: Option<&'static str>,
}

fn known() -> String {
    PROFILES.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")
}

/// The profile of this name.
///
/// # Errors
/// [`UnknownProfile`] with the name it resembles.
pub fn profile(name: &str) -> Result<&'static Profile, UnknownProfile> {
    PROFILES.iter().find(|it| it.name == name).ok_or_else(|| UnknownProfile {
        name: name.to_owned(),
        nearest: nearest(name, PROFILES.iter().map(|it| it.name)),
    })
}

impl Profile {
    /// Its controls, in the order of the catalogue.
    pub fn controls(&self) -> impl Iterator<Item = &'static Entry> {
        controls().filter(|control| match self.selection {
            Selection::Named(ids) => ids.contains(&control.meta.id),
            Selection::Covering(framework) => {
                covered(control.meta, framework).iter().any(|id| holds(framework, id, AS_OF))
            }
        })
    }

    /// The framework whose controls it has, unless it names them.
    pub fn framework(&self) -> Option<Framework> {
        match self.selection {
            Selection::Named(_) => None,
            Selection::Covering(framework) => Some(framework),
        }
    }

    /// The controls that belong to it and do not exist yet.
    pub fn planned(&self) -> Vec<&'static str> {
        let ids: Vec<&str> = match self.selection {
            Selection::Named(ids) => ids.to_vec(),
            Selection::Covering(framework) => recommendations(framework).flat_map(|(_, it)| it.more).copied().collect(),
        };
        ids.into_iter().filter(|id| find(id).is_none()).collect()
    }

    /// The parameters that it sets, with the reasons.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Preset> {
        self.parameters.iter().copied().flatten()
    }

    /// The `ruleParameters` of a control in this profile: a JSON object, empty where the defaults hold.
    pub fn rule_parameters(&self, control: &str) -> String {
        let set = self.parameters().filter(|it| it.control == control);
        json!(set.map(|it| (it.name, it.value)).collect::<BTreeMap<_, _>>()).to_string()
    }
}

#[cfg(test)]
mod tests;

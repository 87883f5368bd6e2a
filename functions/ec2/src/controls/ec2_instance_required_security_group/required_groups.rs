//! Which mandatory groups the interfaces of one instance need, given the groups in its VPC.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::GroupRequirement;
use crate::resources::instance_groups::{InstanceInGroups, Interface};

/// How many of the groups are mandatory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Match {
    /// All of them.
    #[default]
    All,
    /// Any one of them.
    Any,
}

/// The requirements for the interfaces of one instance.
#[derive(Debug)]
pub struct RequiredGroups<'a> {
    /// Satisfiable requirements, each with the groups that satisfy it.
    satisfiable: Vec<Satisfiable<'a>>,
    /// Requirements that no group of the VPC satisfies, if that matters.
    pub unsatisfiable: Vec<&'a GroupRequirement>,
    matching: Match,
}

/// One requirement with the groups that satisfy it.
#[derive(Debug, Clone)]
pub struct Satisfiable<'a> {
    requirement: &'a GroupRequirement,
    /// Never empty.
    pub candidates: BTreeSet<String>,
}

impl<'a> RequiredGroups<'a> {
    /// Sorts the requirements by whether the existing groups can satisfy them.
    pub fn of(subject: &InstanceInGroups, required: &'a [GroupRequirement], matching: Match) -> Self {
        let attached = subject.attached();
        let with_candidates = required.iter().map(|requirement| Satisfiable {
            candidates: subject.found.candidates(requirement, &attached),
            requirement,
        });
        let (satisfiable, others): (Vec<Satisfiable<'a>>, Vec<Satisfiable<'a>>) =
            with_candidates.partition(|it| !it.candidates.is_empty());
        let matters = matching == Match::All || satisfiable.is_empty();
        let unsatisfiable = others.into_iter().filter(|_| matters).map(|it| it.requirement).collect();
        Self { satisfiable, unsatisfiable, matching }
    }

    /// The satisfiable requirements that an interface does not meet.
    pub fn missing(&self, interface: &Interface) -> Vec<&Satisfiable<'a>> {
        let has = |it: &&Satisfiable<'a>| interface.groups.iter().any(|group| it.candidates.contains(group));
        let missing: Vec<&Satisfiable<'a>> = self.satisfiable.iter().filter(|it| !has(it)).collect();
        match self.matching {
            Match::Any if missing.len() < self.satisfiable.len() => Vec::new(),
            Match::Any | Match::All => missing,
        }
    }

    /// The missing requirements of an interface as text.
    pub fn describe_missing(&self, interface: &Interface) -> String {
        let missing = self.missing(interface);
        let named = missing.iter().map(|it| it.requirement.to_string()).collect::<Vec<_>>().join(", ");
        match self.matching {
            Match::Any if missing.len() > 1 => format!("{} lacks any of {named}", interface.id),
            Match::Any | Match::All => format!("{} lacks {named}", interface.id),
        }
    }

    /// The groups to add, in the order of the requirements; `None` if there is more than one choice.
    pub fn groups_to_add(&self, missing: &[&Satisfiable<'a>]) -> Option<Vec<String>> {
        let mut position_of = BTreeMap::new();
        for (position, requirement) in missing.iter().enumerate() {
            let mut candidates = requirement.candidates.iter();
            match (candidates.next(), candidates.next()) {
                (Some(only), None) => {
                    position_of.entry(only.clone()).or_insert(position);
                }
                _ => return None,
            }
        }
        let mut added: Vec<(String, usize)> = position_of.into_iter().collect();
        added.sort_by_key(|(_, position)| *position);
        (self.matching == Match::All || added.len() == 1).then(|| added.into_iter().map(|(id, _)| id).collect())
    }
}

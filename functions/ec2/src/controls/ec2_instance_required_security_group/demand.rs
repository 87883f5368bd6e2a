//! What a list of mandatory groups asks of the interfaces of one instance, given the groups its VPC has.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::GroupRequirement;
use crate::resources::instance_groups::{InstanceInGroups, Interface};

/// How many of the groups are mandatory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Match {
    /// Each of them.
    #[default]
    All,
    /// One of them.
    Any,
}

/// What is asked of the interfaces of one instance.
#[derive(Debug)]
pub struct RequiredGroups<'a> {
    /// What can be satisfied, each with the groups that do.
    satisfiable: Vec<Wanted<'a>>,
    /// What no group of the VPC can satisfy, where that matters.
    pub unsatisfiable: Vec<&'a GroupRequirement>,
    matching: Match,
}

/// One requirement with the groups that satisfy it.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    requirement: &'a GroupRequirement,
    /// Never empty.
    pub candidates: BTreeSet<String>,
}

impl<'a> RequiredGroups<'a> {
    /// What is asked, given the groups there are.
    pub fn of(subject: &InstanceInGroups, wanted: &'a [GroupRequirement], matching: Match) -> Self {
        let attached = subject.attached();
        let wanted = wanted
            .iter()
            .map(|requirement| Wanted { candidates: subject.found.candidates(requirement, &attached), requirement });
        let (satisfiable, others): (Vec<Wanted<'a>>, Vec<Wanted<'a>>) =
            wanted.partition(|it| !it.candidates.is_empty());
        let matters = matching == Match::All || satisfiable.is_empty();
        let unsatisfiable = others.into_iter().filter(|_| matters).map(|it| it.requirement).collect();
        Self { satisfiable, unsatisfiable, matching }
    }

    /// What an interface lacks, as far as it can be satisfied.
    pub fn missing(&self, interface: &Interface) -> Vec<&Wanted<'a>> {
        let has = |wanted: &&Wanted<'a>| interface.groups.iter().any(|group| wanted.candidates.contains(group));
        let missing: Vec<&Wanted<'a>> = self.satisfiable.iter().filter(|it| !has(it)).collect();
        match self.matching {
            Match::Any if missing.len() < self.satisfiable.len() => Vec::new(),
            Match::Any | Match::All => missing,
        }
    }

    /// What an interface lacks, in words.
    pub fn lack(&self, interface: &Interface) -> String {
        let missing = self.missing(interface);
        let named = missing.iter().map(|it| it.requirement.to_string()).collect::<Vec<_>>().join(", ");
        match self.matching {
            Match::Any if missing.len() > 1 => format!("{} lacks any of {named}", interface.id),
            Match::Any | Match::All => format!("{} lacks {named}", interface.id),
        }
    }

    /// The groups to add, in the order of the requirements; `None` where that is a matter of choice.
    pub fn choice(&self, missing: &[&Wanted<'a>]) -> Option<Vec<String>> {
        let mut of_each = BTreeMap::new();
        for (place, wanted) in missing.iter().enumerate() {
            let mut candidates = wanted.candidates.iter();
            match (candidates.next(), candidates.next()) {
                (Some(only), None) => {
                    of_each.entry(only.clone()).or_insert(place);
                }
                _ => return None,
            }
        }
        let mut added: Vec<(String, usize)> = of_each.into_iter().collect();
        added.sort_by_key(|(_, place)| *place);
        (self.matching == Match::All || added.len() == 1).then(|| added.into_iter().map(|(id, _)| id).collect())
    }
}

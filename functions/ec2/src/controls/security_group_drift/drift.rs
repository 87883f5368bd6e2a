//! A group with its approved baseline, and how they differ.
//!
//! Knows no API and no plan.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{ResourceIdentity, ResourceState, offenders};
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::parameters::{DriftMode, SecurityGroupDriftParameters};
use crate::resources::rule::{Direction, Peer, Protocol, Rule};
use crate::resources::security_group::{SecurityGroup, Usage};

/// Facts that the item of a group does not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Its baseline, if there is one.
    pub baseline: Option<Baseline>,
}

/// A group and its baseline, both in normalized form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupAndBaseline {
    /// The group. A rule that is in the baseline has no id here: the id of a rule that stays is irrelevant, and the id of a
    /// created rule is not known in advance.
    pub group: SecurityGroup,
    /// The approved baseline.
    pub baseline: Option<Baseline>,
    /// The use of the group, if it was read.
    pub usage: Option<Usage>,
}

impl GroupAndBaseline {
    /// Normalizes both.
    pub fn of(mut group: SecurityGroup, approval: Approval, usage: Option<Usage>) -> Self {
        let owner = group.owner.clone();
        let approved_owners = owners(approval.baseline.iter().flat_map(|it| &it.rules));
        let live_owners = owners(&group.rules);
        // A missing owner is the one that the other side states, or else the owner of the group.
        let with_owner = |rule: Rule, others: &BTreeMap<String, String>| {
            let mut traffic = rule.traffic();
            if let Peer::Group { group_id, user_id } = &mut traffic.peer {
                let known = group_id.as_ref().and_then(|id| others.get(id));
                user_id.get_or_insert_with(|| known.map_or(owner.as_str(), String::as_str).to_owned());
            }
            Rule { description: rule.description, tags: rule.tags, id: rule.id, ..traffic }
        };
        let baseline = approval.baseline.map(|it| {
            let mut rules: Vec<Rule> = it.rules.into_iter().map(|rule| with_owner(rule, &live_owners)).collect();
            rules.sort();
            Baseline { rules, ..it }
        });
        let approved: BTreeSet<Rule> = baseline.iter().flat_map(|it| it.rules.iter().map(Rule::traffic)).collect();
        let mut rules: Vec<Rule> = group.rules.into_iter().map(|rule| with_owner(rule, &approved_owners)).collect();
        for rule in &mut rules {
            if approved.contains(&rule.traffic()) {
                rule.id = None;
            }
        }
        rules.sort();
        group.rules = rules;
        Self { group, baseline, usage }
    }
}

/// The stated owners of the groups that rules reference, by group id.
fn owners<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> BTreeMap<String, String> {
    rules
        .into_iter()
        .filter_map(|rule| match &rule.peer {
            Peer::Group { group_id: Some(group), user_id: Some(owner) } => Some((group.clone(), owner.clone())),
            Peer::Group { .. } | Peer::CidrIpv4(_) | Peer::CidrIpv6(_) | Peer::PrefixList(_) | Peer::Unstated => None,
        })
        .collect()
}

impl ResourceState for GroupAndBaseline {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.group.identity()
    }
}

/// The differences between a group and its baseline that count.
#[derive(Debug, Default)]
pub(crate) struct Drift<'a> {
    pub(crate) extra: Vec<&'a Rule>,
    pub(crate) missing: Vec<&'a Rule>,
    /// Rules of the baseline whose description in the group differs.
    pub(crate) changed_descriptions: Vec<&'a Rule>,
}

impl<'a> Drift<'a> {
    pub(crate) fn of(group: &'a SecurityGroup, baseline: &'a Baseline, params: &SecurityGroupDriftParameters) -> Self {
        let by_traffic = |rules: &'a [Rule]| -> BTreeMap<Rule, &'a Rule> {
            rules.iter().filter(|rule| params.applies_to(rule)).map(|rule| (rule.traffic(), rule)).collect()
        };
        let (live, approved) = (by_traffic(&group.rules), by_traffic(&baseline.rules));
        let not_in = |left: &BTreeMap<Rule, &'a Rule>, right: &BTreeMap<Rule, &'a Rule>| {
            left.iter().filter(|(traffic, _)| !right.contains_key(traffic)).map(|(_, rule)| *rule).collect()
        };
        let mut drift = Self::default();
        if params.drift_mode != DriftMode::Missing {
            drift.extra = not_in(&live, &approved);
        }
        if params.drift_mode != DriftMode::Extra {
            drift.missing = not_in(&approved, &live);
        }
        if params.compare_descriptions.0 {
            let differs = |(traffic, rule): &(&Rule, &&Rule)| {
                live.get(*traffic).is_some_and(|live| live.description != rule.description)
            };
            drift.changed_descriptions = approved.iter().filter(differs).map(|(_, rule)| *rule).collect();
        }
        drift
    }

    pub(crate) fn is_none(&self) -> bool {
        self.extra.is_empty() && self.missing.is_empty() && self.changed_descriptions.is_empty()
    }

    /// `+tcp 8080 from 0.0.0.0/0 (ingress), -tcp 443 from sg-2 (ingress)`.
    pub(crate) fn text(&self, owner: &str) -> String {
        let named = |sign: char, rules: &[&Rule]| -> Vec<String> {
            rules.iter().map(|rule| format!("{sign}{}", describe(rule, owner))).collect()
        };
        let all = [named('+', &self.extra), named('-', &self.missing), named('~', &self.changed_descriptions)];
        offenders(all.concat())
    }
}

/// A rule as text that identifies it uniquely.
pub(crate) fn describe(rule: &Rule, owner: &str) -> String {
    let traffic = match &rule.protocol {
        Protocol::Icmp | Protocol::Icmpv6 => {
            let number = |it: Option<i32>| it.unwrap_or(-1);
            format!("{} {}/{}", rule.protocol, number(rule.from_port), number(rule.to_port))
        }
        Protocol::All | Protocol::Tcp | Protocol::Udp | Protocol::Other(_) => rule.protocol_and_ports(),
    };
    let peer = match &rule.peer {
        Peer::Group { user_id: Some(user), .. } if user != owner => format!("{user}/{}", rule.peer),
        Peer::Group { .. } | Peer::CidrIpv4(_) | Peer::CidrIpv6(_) | Peer::PrefixList(_) | Peer::Unstated => {
            rule.peer.to_string()
        }
    };
    match rule.direction {
        Direction::Ingress => format!("{traffic} from {peer} (ingress)"),
        Direction::Egress => format!("{traffic} to {peer} (egress)"),
    }
}

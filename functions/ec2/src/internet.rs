//! What controls have in common that ask what the internet reaches: how broad it is, which prefix lists must be read, and
//! how the findings read.
//!
//! Knows neither ports nor protocols: those are the controls' own.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{Parameters, Verdict, offenders};

use crate::openness::Breadth;
use crate::rule::{Peer, Rule};
use crate::security_group::{GroupInNetwork, PrefixList, SecurityGroup};

/// The part of such a control's parameters that all of them have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Internet {
    /// `maxPrefixV4`, `maxPrefixV6`: how broad a CIDR is the internet.
    pub breadth: Breadth,
    /// `resolvePrefixLists`: whether the entries of prefix lists are read and judged.
    pub resolve_prefix_lists: bool,
    /// `ignoreUnattached`: whether a group that nobody uses is left alone.
    pub ignore_unattached: bool,
}

/// The parameters of a control that asks what the internet reaches.
pub trait InternetParameters: Parameters {
    /// What all of them have.
    fn internet(&self) -> Internet;

    /// Whether an ingress rule can matter, whoever its peer is.
    fn concerns(&self, rule: &Rule) -> bool;

    /// The prefix lists of the rules that can matter, whether they are to be read or not.
    fn prefix_lists_in_reach(&self, group: &SecurityGroup) -> BTreeSet<String> {
        group
            .ingress()
            .filter(|rule| self.concerns(rule))
            .filter_map(|rule| if let Peer::PrefixList(id) = &rule.peer { Some(id.clone()) } else { None })
            .collect()
    }

    /// The prefix lists without which the group cannot be judged: what the edge has to read, and nothing else.
    fn prefix_lists_to_read(&self, group: &SecurityGroup) -> BTreeSet<String> {
        if self.internet().resolve_prefix_lists { self.prefix_lists_in_reach(group) } else { BTreeSet::new() }
    }

    /// The answer about a group that nobody uses, where such a group is left alone.
    fn unattached(&self, subject: &GroupInNetwork) -> Option<Verdict> {
        let unattached = subject.network.usage.as_ref().is_some_and(|usage| !usage.in_use);
        (self.internet().ignore_unattached && unattached)
            .then(|| Verdict::not_applicable("no network interface uses the group"))
    }

    /// What the verdict does not rest on although it could.
    fn remark(&self, subject: &GroupInNetwork) -> Option<String> {
        let in_reach = self.prefix_lists_in_reach(&subject.group);
        if !self.internet().resolve_prefix_lists {
            return (!in_reach.is_empty()).then(|| "prefix lists not resolved".to_owned());
        }
        let unread = in_reach.into_iter().filter(|id| match subject.network.prefix_lists.get(id) {
            Some(PrefixList::Entries(_)) => false,
            Some(PrefixList::Unreadable) | None => true,
        });
        let named = offenders(unread);
        (!named.is_empty()).then(|| format!("prefix list {named} not readable"))
    }

    /// A text with the remark behind it, where there is one.
    fn remarked(&self, subject: &GroupInNetwork, text: String) -> String {
        match self.remark(subject) {
            Some(remark) => format!("{text}; {remark}"),
            None => text,
        }
    }
}

/// `tcp 22 from 0.0.0.0/0, ::/0; …`: peers by what `reach` says of their rules, both sorted and bounded.
pub fn sources<'a>(rules: impl Iterator<Item = &'a Rule>, reach: impl Fn(&Rule) -> String) -> String {
    let mut by_reach: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in rules {
        by_reach.entry(reach(rule)).or_default().push(rule.peer.to_string());
    }
    let more = by_reach.len().saturating_sub(3);
    let named: Vec<String> =
        by_reach.into_iter().take(3).map(|(reach, peers)| format!("{reach} from {}", offenders(peers))).collect();
    let rest = if more > 0 { format!(" +{more} more") } else { String::new() };
    format!("{}{rest}", named.join("; "))
}

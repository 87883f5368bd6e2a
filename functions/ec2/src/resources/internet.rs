//! How controls look at the internet: from which breadth on a CIDR is the internet, whether prefix lists are read, and how
//! findings name sources.
//!
//! Knows neither ports nor protocols.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{Verdict, offenders};

use crate::families::exposure::Breadth;
use crate::resources::rule::Rule;
use crate::resources::security_group::{Network, PrefixList};

/// The parameters that every control of the internet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Internet {
    /// `maxPrefixV4`, `maxPrefixV6`: how broad a CIDR is the internet.
    pub breadth: Breadth,
    /// `resolvePrefixLists`: whether the entries of prefix lists are read and judged.
    pub resolve_prefix_lists: bool,
    /// `ignoreUnattached`: whether a group that no network interface uses is left alone.
    pub ignore_unattached: bool,
}

impl Internet {
    /// `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached`.
    pub const fn of(v4: Bounded<0, 32>, v6: Bounded<0, 128>, resolve: Flag, ignore: Flag) -> Self {
        let breadth = Breadth { v4: v4.get(), v6: v6.get() };
        Self { breadth, resolve_prefix_lists: resolve.0, ignore_unattached: ignore.0 }
    }

    /// The verdict on a group that no network interface uses, where such a group is left alone.
    pub fn unattached(&self, network: &Network) -> Option<Verdict> {
        let unattached = network.usage.as_ref().is_some_and(|usage| !usage.in_use);
        (self.ignore_unattached && unattached).then(|| Verdict::not_applicable("no network interface uses the group"))
    }

    /// What the verdict does not rest on although these prefix lists matter to it.
    pub fn remark(&self, network: &Network, prefix_lists: BTreeSet<String>) -> Option<String> {
        if !self.resolve_prefix_lists {
            return (!prefix_lists.is_empty()).then(|| "prefix lists not resolved".to_owned());
        }
        let unread = prefix_lists.into_iter().filter(|id| match network.prefix_lists.get(id) {
            Some(PrefixList::Entries(_)) => false,
            Some(PrefixList::Unreadable) | None => true,
        });
        let named = offenders(unread);
        (!named.is_empty()).then(|| format!("prefix list {named} not readable"))
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

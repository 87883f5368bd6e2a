//! How controls define the internet: which CIDRs count as the internet, whether prefix lists are read, and how findings
//! name sources.
//!
//! Knows neither ports nor protocols.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{Verdict, offenders, parameters};

use crate::families::exposure::MaxPrefixLength;
use crate::resources::rule::Rule;
use crate::resources::security_group::{Network, PrefixList};

parameters! {
    /// The parameters shared by all controls of internet exposure.
    pub InternetParameters {
        /// IPv4 CIDRs with a prefix of at most this length count as the internet, 0..=32. Default 0.
        max_prefix_v4: Bounded<0, 32> = Bounded::of(0),
        /// IPv6 CIDRs with a prefix of at most this length count as the internet, 0..=128. Default 0.
        max_prefix_v6: Bounded<0, 128> = Bounded::of(0),
        /// Whether the entries of prefix lists are read and evaluated. Default true.
        resolve_prefix_lists: Flag = Flag(true),
        /// Whether a group that no network interface uses is NOT_APPLICABLE. Default false.
        ignore_unattached: Flag = Flag(false),
    }
}

/// The definition of the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Internet {
    /// `maxPrefixV4`, `maxPrefixV6`: the longest prefixes that count as the internet.
    pub max_prefix: MaxPrefixLength,
    /// `resolvePrefixLists`: whether the entries of prefix lists are read and evaluated.
    pub resolve_prefix_lists: bool,
    /// `ignoreUnattached`: whether a group that no network interface uses is NOT_APPLICABLE.
    pub ignore_unattached: bool,
}

impl Internet {
    /// From the parameters.
    pub const fn of(params: &InternetParameters) -> Self {
        Self {
            max_prefix: MaxPrefixLength { v4: params.max_prefix_v4.get(), v6: params.max_prefix_v6.get() },
            resolve_prefix_lists: params.resolve_prefix_lists.0,
            ignore_unattached: params.ignore_unattached.0,
        }
    }

    /// NOT_APPLICABLE for a group that no network interface uses, if `ignoreUnattached` is set.
    pub fn unattached(&self, network: &Network) -> Option<Verdict> {
        let unattached = network.usage.as_ref().is_some_and(|usage| !usage.in_use);
        (self.ignore_unattached && unattached).then(|| Verdict::not_applicable("no network interface uses the group"))
    }

    /// A note on the given prefix lists that the verdict does not take into account.
    pub fn note(&self, network: &Network, prefix_lists: BTreeSet<String>) -> Option<String> {
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

/// `tcp 22 from 0.0.0.0/0, ::/0; …`: peers grouped by the traffic that `describe` returns, both sorted and bounded.
pub fn sources<'a>(rules: impl Iterator<Item = &'a Rule>, describe: impl Fn(&Rule) -> String) -> String {
    let mut by_traffic: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in rules {
        by_traffic.entry(describe(rule)).or_default().push(rule.peer.to_string());
    }
    let more = by_traffic.len().saturating_sub(3);
    let named: Vec<String> =
        by_traffic.into_iter().take(3).map(|(traffic, peers)| format!("{traffic} from {}", offenders(peers))).collect();
    let rest = if more > 0 { format!(" +{more} more") } else { String::new() };
    format!("{}{rest}", named.join("; "))
}

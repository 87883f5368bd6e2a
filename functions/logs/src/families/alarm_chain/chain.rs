//! The chain from trail to notification, walked link by link: complete, or broken at a link.

use std::collections::BTreeMap;

use rectify_compliance::Verdict;

use super::alarm::{Limits, MetricAlarm};
use super::filter::{ExpectedEvents, MetricFilter, Rejection, Tolerance, Transformation};
use super::observed::{AlarmChains, LogGroups};
use super::target::Delivery;

/// The requirements on a chain, from the control and its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmRequirements {
    /// The events that filters must count.
    pub events: ExpectedEvents,
    /// Which other filters are accepted.
    pub tolerance: Tolerance,
    /// How soon alarms must fire.
    pub limits: Limits,
    /// `trustOrganizationTrail`.
    pub trust_organization_trail: bool,
    /// `acceptOtherTargets`.
    pub accept_other_targets: bool,
    /// Whether a chain counts as complete if another account denies reading its last link (`unverifiedTopic`).
    pub trust_unverified: bool,
}

/// A chain, as far as its links hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// It notifies; with remarks.
    Complete(Vec<String>),
    /// Its last link cannot be read in another account.
    Unverified(String),
    /// It breaks at a link.
    Broken(Break),
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The link: `log group`, `filter`, `alarm`, `subscription`, `policy`, `key`.
    pub link: &'static str,
    /// The number of links that hold, to find the longest chain.
    links: u8,
    /// The reason.
    pub why: String,
    /// The links that hold, as text.
    passed: Vec<String>,
}

impl AlarmChains {
    /// Evaluates the account in this region.
    pub fn evaluate(&self, requirements: &AlarmRequirements) -> Verdict {
        if let Some(not_applicable) = self.outside_management_account() {
            return not_applicable;
        }
        let groups = match self.log_groups(requirements.trust_organization_trail) {
            LogGroups::NoTrail => return Verdict::non_compliant("Alarm chain broken at trail: no qualifying trail"),
            LogGroups::NoGroup => return Verdict::non_compliant("Alarm chain broken at trail: trail has no log group"),
            LogGroups::Elsewhere(region, account) if account == self.account => {
                return Verdict::not_applicable(format!("evaluated in {region}"));
            }
            LogGroups::Elsewhere(region, account) => {
                return Verdict::not_applicable(format!("evaluated in account {account}, {region}"));
            }
            LogGroups::Here(groups) => groups,
        };
        match self.longest(&groups, requirements) {
            Some(Chain::Complete(remarks)) if remarks.is_empty() => Verdict::COMPLIANT,
            Some(Chain::Complete(remarks)) => Verdict::Compliant(Some(remarks.join("; ").into())),
            Some(Chain::Unverified(why)) if requirements.trust_unverified => Verdict::Compliant(Some(why.into())),
            Some(Chain::Unverified(why)) => Verdict::non_compliant(format!("Alarm chain not verifiable: {why}")),
            Some(Chain::Broken(broken)) => Verdict::non_compliant(broken.annotation()),
            None => Verdict::non_compliant("Alarm chain broken at trail: trail has no log group"),
        }
    }

    /// Why the longest chain cannot be verified, if the verdict depends on it.
    pub fn unverified(&self, requirements: &AlarmRequirements) -> Option<String> {
        let LogGroups::Here(groups) = self.log_groups(requirements.trust_organization_trail) else { return None };
        match self.longest(&groups, requirements) {
            Some(Chain::Unverified(why)) => Some(why),
            Some(Chain::Complete(_) | Chain::Broken(_)) | None => None,
        }
    }

    /// The metrics that accepted filters publish with a number for each event.
    pub fn written(&self, requirements: &AlarmRequirements) -> Vec<&Transformation> {
        let LogGroups::Here(groups) = self.log_groups(requirements.trust_organization_trail) else { return vec![] };
        let filters = groups.keys().filter_map(|name| self.groups.get(name)?.as_ref()).flatten();
        filters
            .filter(|filter| filter.check(&requirements.events, requirements.tolerance).is_ok())
            .flat_map(|filter| filter.transformations.iter().filter(|it| it.value().is_some()))
            .collect()
    }

    fn longest(&self, groups: &BTreeMap<String, bool>, requirements: &AlarmRequirements) -> Option<Chain> {
        longest(groups.iter().flat_map(|(name, unverified)| self.of_group(name, *unverified, requirements)))
    }

    /// The chains that start at a log group.
    fn of_group(&self, name: &str, unverified: bool, requirements: &AlarmRequirements) -> Vec<Chain> {
        let Some(Some(filters)) = self.groups.get(name) else {
            return vec![broken("log group", 0, format!("{name} does not exist"), vec![])];
        };
        let mut chains = Vec::new();
        let mut closest: Option<(Rejection, &str)> = None;
        for filter in filters {
            match filter.check(&requirements.events, requirements.tolerance) {
                Ok(remark) => {
                    let mut remarks: Vec<String> = Vec::new();
                    remarks.extend(remark.map(|it| format!("filter {}: {it}", filter.name)));
                    remarks.extend(unverified.then(|| "organization trail not verifiable".to_owned()));
                    chains.extend(self.of_filter(filter, &remarks, requirements));
                }
                Err(why) => closest = closest.max(Some((why, filter.name.as_str()))),
            }
        }
        if chains.is_empty() {
            let why = match closest {
                None => format!("log group {name} has no filter"),
                Some((why, closest)) => format!("none of {} matches; closest {closest}: {why}", filters.len()),
            };
            chains.push(broken("filter", 1, why, vec![]));
        }
        chains
    }

    fn of_filter(&self, filter: &MetricFilter, remarks: &[String], requirements: &AlarmRequirements) -> Vec<Chain> {
        let passed = vec![format!("filter {} ok", filter.name)];
        let mut chains = Vec::new();
        for written in filter.transformations.iter().filter(|it| it.value().is_some()) {
            let alarms = self.alarms(&written.metric_namespace, &written.metric_name);
            if alarms.is_empty() {
                let why = format!("no alarm on {} {}", written.metric_namespace, written.metric_name);
                chains.push(broken("alarm", 2, why, passed.clone()));
            }
            for alarm in alarms {
                match alarm.check(written, requirements.limits) {
                    Err(rejection) => {
                        chains.push(broken("alarm", 3, format!("{} {rejection}", alarm.name), passed.clone()));
                    }
                    Ok(()) => chains.extend(self.of_alarm(alarm, &passed, remarks, requirements)),
                }
            }
        }
        chains
    }

    fn of_alarm(
        &self,
        alarm: &MetricAlarm,
        passed: &[String],
        remarks: &[String],
        requirements: &AlarmRequirements,
    ) -> Vec<Chain> {
        let mut passed = passed.to_vec();
        passed.push(format!("alarm {} ok", alarm.name));
        let mut chains = Vec::new();
        for action in &alarm.actions {
            match self.delivery(alarm, action, requirements.accept_other_targets) {
                Delivery::Notifies(remark) => {
                    let mut remarks = remarks.to_vec();
                    remarks.extend(remark.map(|it| format!("alarm {} {it}", alarm.name)));
                    chains.push(Chain::Complete(remarks));
                }
                Delivery::Unverified(why) => chains.push(Chain::Unverified(why)),
                Delivery::Broken(reasons) => {
                    let first = reasons.into_iter().next();
                    chains.extend(first.map(|(link, why)| broken(link, 5, why, passed.clone())));
                }
                Delivery::NotANotification => {}
            }
        }
        if chains.is_empty() {
            chains.push(broken("subscription", 4, format!("alarm {} notifies no topic", alarm.name), passed));
        }
        chains
    }
}

impl Break {
    fn annotation(&self) -> String {
        let passed = if self.passed.is_empty() { String::new() } else { format!(" ({})", self.passed.join(", ")) };
        format!("Alarm chain broken at {}: {}{passed}", self.link, self.why)
    }
}

fn broken(link: &'static str, links: u8, why: String, passed: Vec<String>) -> Chain {
    Chain::Broken(Break { link, links, why, passed })
}

/// The longest chain: a complete one with the fewest remarks, else an unverified one, else the one that breaks last;
/// the first
/// of equals.
fn longest(chains: impl Iterator<Item = Chain>) -> Option<Chain> {
    let rank = |chain: &Chain| match chain {
        Chain::Complete(remarks) => (0, remarks.len()),
        Chain::Unverified(_) => (1, 0),
        Chain::Broken(broken) => (2, usize::from(u8::MAX - broken.links)),
    };
    chains.min_by_key(rank)
}

#[cfg(test)]
pub(in crate::families) mod tests;

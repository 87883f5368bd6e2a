//! The chain from trail to person, walked link by link: whole, or broken somewhere.

use std::collections::BTreeMap;

use rectify_compliance::Verdict;

use super::alarm::{Limits, MetricAlarm};
use super::filter::{ExpectedEvents, MetricFilter, Rejection, Tolerance, Transformation};
use super::observed::{AlarmChains, LogGroups};
use super::target::Delivery;

/// What is demanded of a chain: the control's part and the parameters' part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmRequirements {
    /// What filters must count.
    pub wanted: ExpectedEvents,
    /// What else they may count.
    pub tolerance: Tolerance,
    /// How soon alarms must go off.
    pub limits: Limits,
    /// `trustOrganizationTrail`.
    pub trust_organization_trail: bool,
    /// `acceptOtherTargets`.
    pub accept_other_targets: bool,
    /// Whether a chain that ends where another account does not let us look is a whole one (`unverifiedTopic`).
    pub trust_unverified: bool,
}

/// How far a chain goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// To a person; with what must be said of it.
    Whole(Vec<String>),
    /// To what another account does not let us see.
    Unverified(String),
    /// Not so far.
    Broken(Break),
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The link: `log group`, `filter`, `alarm`, `subscription`, `policy`, `key`.
    pub link: &'static str,
    /// How many links hold, for the longest.
    held: u8,
    /// What is wrong.
    pub why: String,
    /// The links that hold, in words.
    passed: Vec<String>,
}

impl AlarmChains {
    /// Judges the account in this region.
    pub fn judge(&self, demands: &AlarmRequirements) -> Verdict {
        let groups = match self.log_groups(demands.trust_organization_trail) {
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
        match self.longest(&groups, demands) {
            Some(Chain::Whole(remarks)) if remarks.is_empty() => Verdict::COMPLIANT,
            Some(Chain::Whole(remarks)) => Verdict::Compliant(Some(remarks.join("; ").into())),
            Some(Chain::Unverified(why)) if demands.trust_unverified => Verdict::Compliant(Some(why.into())),
            Some(Chain::Unverified(why)) => Verdict::non_compliant(format!("Alarm chain not verifiable: {why}")),
            Some(Chain::Broken(broken)) => Verdict::non_compliant(broken.annotation()),
            None => Verdict::non_compliant("Alarm chain broken at trail: trail has no log group"),
        }
    }

    /// Where another account does not let us see whether the longest chain reaches a person, and the verdict hangs on that.
    pub fn unverified(&self, demands: &AlarmRequirements) -> Option<String> {
        let LogGroups::Here(groups) = self.log_groups(demands.trust_organization_trail) else { return None };
        match self.longest(&groups, demands) {
            Some(Chain::Unverified(why)) => Some(why),
            Some(Chain::Whole(_) | Chain::Broken(_)) | None => None,
        }
    }

    /// What filters that count write, with a number for each event.
    pub fn written(&self, demands: &AlarmRequirements) -> Vec<&Transformation> {
        let LogGroups::Here(groups) = self.log_groups(demands.trust_organization_trail) else { return vec![] };
        let filters = groups.keys().filter_map(|name| self.groups.get(name)?.as_ref()).flatten();
        filters
            .filter(|filter| filter.counts(&demands.wanted, demands.tolerance).is_ok())
            .flat_map(|filter| filter.transformations.iter().filter(|it| it.value().is_some()))
            .collect()
    }

    fn longest(&self, groups: &BTreeMap<String, bool>, demands: &AlarmRequirements) -> Option<Chain> {
        longest(groups.iter().flat_map(|(name, unverified)| self.of_group(name, *unverified, demands)))
    }

    /// The chains that begin at a log group.
    fn of_group(&self, name: &str, unverified: bool, demands: &AlarmRequirements) -> Vec<Chain> {
        let Some(Some(filters)) = self.groups.get(name) else {
            return vec![broken("log group", 0, format!("{name} does not exist"), vec![])];
        };
        let mut chains = Vec::new();
        let mut nearest: Option<(Rejection, &str)> = None;
        for filter in filters {
            match filter.counts(&demands.wanted, demands.tolerance) {
                Ok(remark) => {
                    let mut remarks: Vec<String> = Vec::new();
                    remarks.extend(remark.map(|it| format!("filter {}: {it}", filter.name)));
                    remarks.extend(unverified.then(|| "organization trail not verifiable".to_owned()));
                    chains.extend(self.of_filter(filter, &remarks, demands));
                }
                Err(why) => nearest = nearest.max(Some((why, filter.name.as_str()))),
            }
        }
        if chains.is_empty() {
            let why = match nearest {
                None => format!("log group {name} has none"),
                Some((why, nearest)) => format!("none of {} counts; nearest {nearest}: {why}", filters.len()),
            };
            chains.push(broken("filter", 1, why, vec![]));
        }
        chains
    }

    fn of_filter(&self, filter: &MetricFilter, remarks: &[String], demands: &AlarmRequirements) -> Vec<Chain> {
        let passed = vec![format!("filter {} ok", filter.name)];
        let mut chains = Vec::new();
        for written in filter.transformations.iter().filter(|it| it.value().is_some()) {
            let alarms = self.alarms(&written.metric_namespace, &written.metric_name);
            if alarms.is_empty() {
                let why = format!("none on {} {}", written.metric_namespace, written.metric_name);
                chains.push(broken("alarm", 2, why, passed.clone()));
            }
            for alarm in alarms {
                match alarm.counts(written, demands.limits) {
                    Err(fault) => {
                        chains.push(broken("alarm", 3, format!("{} {fault}", alarm.name), passed.clone()));
                    }
                    Ok(()) => chains.extend(self.of_alarm(alarm, &passed, remarks, demands)),
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
        demands: &AlarmRequirements,
    ) -> Vec<Chain> {
        let mut passed = passed.to_vec();
        passed.push(format!("alarm {} ok", alarm.name));
        let mut chains = Vec::new();
        for action in &alarm.actions {
            match self.reach(alarm, action, demands.accept_other_targets) {
                Delivery::Told(remark) => {
                    let mut remarks = remarks.to_vec();
                    remarks.extend(remark.map(|it| format!("alarm {} {it}", alarm.name)));
                    chains.push(Chain::Whole(remarks));
                }
                Delivery::Unverified(why) => chains.push(Chain::Unverified(why)),
                Delivery::Broken(faults) => {
                    let first = faults.into_iter().next();
                    chains.extend(first.map(|(link, why)| broken(link, 5, why, passed.clone())));
                }
                Delivery::Nothing => {}
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

fn broken(link: &'static str, held: u8, why: String, passed: Vec<String>) -> Chain {
    Chain::Broken(Break { link, held, why, passed })
}

/// The chain that goes furthest: a whole one with the fewest remarks, an unverified one, the one that breaks last; of equals
/// the first.
fn longest(chains: impl Iterator<Item = Chain>) -> Option<Chain> {
    let rank = |chain: &Chain| match chain {
        Chain::Whole(remarks) => (0, remarks.len()),
        Chain::Unverified(_) => (1, 0),
        Chain::Broken(broken) => (2, usize::from(u8::MAX - broken.held)),
    };
    chains.min_by_key(rank)
}

#[cfg(test)]
pub(super) mod tests;

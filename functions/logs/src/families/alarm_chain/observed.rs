//! Everything the alarm controls judge about one account in one region.

use std::collections::{BTreeMap, BTreeSet};

use rectify_cloudtrail::resources::qualifying::{ObservedTrail, Requirement, Standing};
use rectify_compliance::{AccountId, Arn, Region, ResourceKey, ResourceState, Tags};
use rectify_policy::PolicyDocument;
use serde::{Deserialize, Serialize};

use super::alarm::MetricAlarm;
use super::filter::MetricFilter;

/// The trails, filters, alarms and topics of an account in a region, as far as one leads to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlarmChains {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Every trail that shows here.
    pub trails: Vec<ObservedTrail>,
    /// The log groups here that trails which count write to, by name, with their filters; none where there is no such group.
    pub groups: BTreeMap<String, Option<Vec<MetricFilter>>>,
    /// The metrics that accepted filters write, with the alarms on each.
    pub metrics: Vec<WatchedMetric>,
    /// The topics that these alarms notify, by ARN.
    pub topics: BTreeMap<String, Topic>,
    /// Whether there is an alarm of the name that the remediation gives to its own; read only by a remediation.
    pub own_alarm_exists: Option<bool>,
    /// An account has none here.
    #[serde(default)]
    pub tags: Tags,
}

/// A metric, and the alarms that `DescribeAlarmsForMetric` lists for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedMetric {
    /// `Namespace`.
    pub namespace: String,
    /// `MetricName`.
    pub name: String,
    /// By name.
    pub alarms: Vec<MetricAlarm>,
}

/// What is known of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "is")]
pub enum Topic {
    /// Its attributes were read.
    Read {
        /// `SubscriptionsConfirmed`.
        confirmed: u32,
        /// `Policy`, decoded.
        policy: PolicyDocument,
        /// The key of `KmsMasterKeyId`; none where messages are not encrypted at rest.
        key: Option<TopicKey>,
    },
    /// There is no such topic.
    Gone,
    /// It is another account's, which does not let us read it.
    Denied,
}

/// What is known of the key of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "is")]
pub enum TopicKey {
    /// The key of AWS for SNS, whose policy nobody can change: it does not let CloudWatch use it.
    OfAws,
    /// A key of this account.
    Read {
        /// `Arn`.
        arn: String,
        /// `KeyState`.
        state: String,
        /// Its policy, decoded.
        policy: PolicyDocument,
    },
    /// There is no such key.
    Gone,
    /// It is another account's: KMS shows its policy to nobody else.
    Foreign,
}

/// Where the trails that count write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogGroups {
    /// No trail counts.
    NoTrail,
    /// None of those that count writes to a log group.
    NoGroup,
    /// None writes to a log group here: region and account of the first that does elsewhere.
    Elsewhere(Region, AccountId),
    /// To these log groups here; each with whether only trails that could not be verified write to it.
    Here(BTreeMap<String, bool>),
}

impl ResourceState for AlarmChains {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

impl AlarmChains {
    /// Where the trails that count write to; those of other accounts that cannot be verified count where they are trusted.
    pub fn log_groups(&self, trust_organization_trail: bool) -> LogGroups {
        let counting = self.trails.iter().filter(|it| it.counts(Requirement::EVERYTHING, trust_organization_trail));
        let counting: Vec<&ObservedTrail> = counting.collect();
        if counting.is_empty() {
            return LogGroups::NoTrail;
        }
        let mut here = BTreeMap::new();
        let mut elsewhere = BTreeSet::new();
        for trail in counting {
            let arn = trail.trail.settings.cloud_watch_logs_log_group_arn.as_deref().unwrap_or_default();
            let Some((region, account, name)) = log_group(arn) else { continue };
            if region == self.region && account == self.account {
                let unverified = trail.standing(Requirement::EVERYTHING) == Standing::Unverified;
                here.entry(name).and_modify(|it| *it &= unverified).or_insert(unverified);
            } else {
                // Another region of this account before another account.
                elsewhere.insert((account != self.account, region, account));
            }
        }
        match elsewhere.into_iter().next() {
            _ if !here.is_empty() => LogGroups::Here(here),
            Some((_, region, account)) => LogGroups::Elsewhere(region, account),
            None => LogGroups::NoGroup,
        }
    }

    /// The alarms on a metric.
    pub fn alarms(&self, namespace: &str, name: &str) -> &[MetricAlarm] {
        let metric = self.metrics.iter().find(|it| it.namespace == namespace && it.name == name);
        metric.map_or(&[], |it| it.alarms.as_slice())
    }
}

/// Region, account and name in `arn:<partition>:logs:<region>:<account>:log-group:<name>:*`.
fn log_group(arn: &str) -> Option<(Region, AccountId, String)> {
    let arn = Arn::of(arn, "logs")?;
    let name = arn.resource().strip_prefix("log-group:").filter(|it| !it.is_empty())?;
    Some((arn.region()?, arn.account()?, name.trim_end_matches(":*").to_owned()))
}

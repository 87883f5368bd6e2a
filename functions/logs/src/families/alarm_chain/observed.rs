//! The state that the alarm controls evaluate, of one account in one region.

use std::collections::{BTreeMap, BTreeSet};

use rectify_cloudtrail::resources::qualifying::{ObservedTrail, Qualification, Requirement};
use rectify_compliance::{AccountId, Arn, Region, ResourceIdentity, ResourceState, Tags, Verdict};
use rectify_policy::PolicyDocument;
use serde::{Deserialize, Serialize};

use super::alarm::MetricAlarm;
use super::filter::MetricFilter;

/// The trails, filters, alarms and topics of an account in a region, each read only if the previous link leads to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlarmChains {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// All trails visible in the region.
    pub trails: Vec<ObservedTrail>,
    /// The local log groups that qualifying trails deliver to, by name, with their filters; `None` if the log group
    /// does not exist.
    pub groups: BTreeMap<String, Option<Vec<MetricFilter>>>,
    /// The metrics that accepted filters publish, with the alarms on each.
    pub metrics: Vec<WatchedMetric>,
    /// The topics that these alarms notify, by ARN.
    pub topics: BTreeMap<String, Topic>,
    /// The organization of the account; read only for a control that evaluates the management account alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    /// Whether an alarm with the name that the remediation uses exists; read only by a remediation.
    pub own_alarm_exists: Option<bool>,
    /// Always empty: an account has no tags here.
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
    /// The alarms, sorted by name.
    pub alarms: Vec<MetricAlarm>,
}

/// The organization of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "is")]
pub enum Organization {
    /// The account is in no organization.
    NotInUse,
    /// This account manages it.
    ManagedBy {
        /// `MasterAccountId`.
        account: AccountId,
    },
}

/// The result of reading a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "is")]
pub enum Topic {
    /// Its attributes were read.
    Read {
        /// `SubscriptionsConfirmed`.
        confirmed: u32,
        /// `Policy`, decoded.
        policy: PolicyDocument,
        /// The key of `KmsMasterKeyId`; `None` if messages are not encrypted at rest.
        key: Option<TopicKey>,
    },
    /// The topic does not exist.
    Gone,
    /// It belongs to another account, which denies reading it.
    Denied,
}

/// The result of reading the key of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "is")]
pub enum TopicKey {
    /// The AWS managed key `alias/aws/sns`. Its policy cannot be changed and does not let CloudWatch use it.
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
    /// The key does not exist.
    Gone,
    /// It belongs to another account: KMS returns the policy only within that account.
    Foreign,
}

/// The log groups that qualifying trails deliver to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogGroups {
    /// No trail qualifies.
    NoTrail,
    /// No qualifying trail delivers to a log group.
    NoGroup,
    /// No local log group: region and account of the first one elsewhere.
    Elsewhere(Region, AccountId),
    /// Local log groups, each with whether only unverified trails deliver to it.
    Here(BTreeMap<String, bool>),
}

impl ResourceState for AlarmChains {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { tags: &self.tags, ..ResourceIdentity::account(&self.account) }
    }
}

impl AlarmChains {
    /// The log groups that qualifying trails deliver to; unverified trails of other accounts qualify if they are
    /// trusted.
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
                let unverified = trail.qualification(Requirement::EVERYTHING) == Qualification::Unverified;
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

    /// NOT_APPLICABLE outside the management account of an organization. `None` in it, and if the organization was not
    /// read.
    pub fn outside_management_account(&self) -> Option<Verdict> {
        match self.organization.as_ref()? {
            Organization::NotInUse => Some(Verdict::not_applicable("the account is in no organization")),
            Organization::ManagedBy { account } if *account == self.account => None,
            Organization::ManagedBy { account } => {
                Some(Verdict::not_applicable(format!("evaluated in the management account {account}")))
            }
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

//! `cw-loggroup-retention-period-check`: log group keeps events too short.
//!
//! Reads [`LogGroup`]; knows no API. AWS Config does not record log groups, so there is no configuration item.

use rectify_compliance::values::{Bounded, Globs};
use rectify_compliance::{
    Control, Irreversible, Level, Periodic, Permission, Plan, Remediation, RemediationPermissions, ResourceIdentity,
    ResourceKey, ResourceState, Step, Tags, Timestamp, Verdict, control, parameters,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

control! {
    /// ## What it checks
    /// That each log group of the region keeps its events for at least `MinRetentionTime` days, and for at most `MaxRetentionTime` days if that is set.
    /// CloudWatch Logs accepts only certain retention values, so a minimum between two of them means the next higher one: 1000 requires 1096.
    /// A log group without a retention setting keeps its events forever; `neverExpire` decides the verdict, even with a maximum.
    /// A log group of class `DELIVERY` is NOT_APPLICABLE: its retention cannot be set.
    /// A log group that `LogGroupNames` does not select is not reported, and an earlier result is withdrawn.
    ///
    /// ## Why it matters
    /// An intrusion is often discovered months after it began.
    /// It can be investigated only with logs that still exist.
    ///
    /// ## Compliant example
    /// `DescribeLogGroups` returns `{"logGroupName": "/aws/lambda/x", "retentionInDays": 365}`.
    ///
    /// ## Non-compliant example
    /// It returns `{"logGroupName": "/aws/lambda/x", "retentionInDays": 30}`.
    ///
    /// ## Parameters
    /// The three capitalized names follow the managed rule; an entry of `LogGroupNames` is a prefix, or, if it contains `*` or `?`, a pattern for the whole name.
    /// A maximum below the minimum, rounded up to the next accepted value, is refused.
    ///
    /// ## Remediation
    /// L1: `logs:PutRetentionPolicy` with the smallest value that CloudWatch Logs accepts and that meets the minimum; retention is never lowered.
    /// What changes: events are kept longer from then on; expired events do not come back.
    /// What may break: nothing; longer storage costs a little more.
    /// The call supports no conditional write: a value set in the milliseconds between the last read and the write is replaced.
    /// Lowering a retention that is too long, and setting one where events never expire, deletes events: that is a manual step (L3), and no code path makes the call.
    /// How to undo: the same call with the previous value.
    /// CloudWatch Logs then deletes events older than the previous retention, typically within 72 hours: none right after the fix, later one day of events for each day since the fix.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/cw-loggroup-retention-period-check.html)
    /// - [Security Hub CloudWatch.16](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-16)
    /// - [PutRetentionPolicy](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html)
    /// - [Log classes](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html)
    pub CW_LOGGROUP_RETENTION_PERIOD_CHECK: CwLoggroupRetentionPeriodCheck {
        id: "cw-loggroup-retention-period-check",
        title: "Log group keeps events too short",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Fsbp: ["CloudWatch.16"],
            Nist80053r5: ["AU-10", "AU-11", "AU-6(3)", "CA-7", "SI-12"],
            Pci40: ["10.5.1", "3.2.1"],
        },
    }
}

/// The resource type; AWS Config does not record it. Its id is the log group's name.
pub const TYPE: &str = "AWS::Logs::LogGroup";

/// The class of log groups that only a delivery writes to; the service sets their retention.
const DELIVERY: &str = "DELIVERY";

/// The values that `PutRetentionPolicy` accepts, days, ascending (service model of 2014-03-28).
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, MAX_RETENTION];
const MAX_RETENTION: u32 = 3653;

/// A number of days up to the maximum retention.
type Days = Bounded<1, MAX_RETENTION>;

parameters! {
    /// Which log groups are evaluated, and how long they must keep their events.
    pub CwLoggroupRetentionPeriodCheckParameters, check: satisfiable {
        /// The log groups to evaluate, a comma-separated list of name prefixes or of patterns with `*` and `?` for the
        /// whole name. Default: all.
        #[serde(rename = "LogGroupNames")]
        log_group_names: Option<Globs> = None,
        /// The minimum retention, days, rounded up to the next value that CloudWatch Logs accepts. Default 365.
        #[serde(rename = "MinRetentionTime")]
        min_retention_time: Days = Days::of(365),
        /// The maximum retention, days. Default: none.
        #[serde(rename = "MaxRetentionTime")]
        max_retention_time: Option<Days> = None,
        /// Whether a log group whose events never expire is `compliant` or `noncompliant`. Default `compliant`.
        never_expire: NeverExpire = NeverExpire::Compliant,
    }
}

/// The verdict on events that never expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NeverExpire {
    /// COMPLIANT, as in the managed rule.
    Compliant,
    /// NON_COMPLIANT; an operator must set a retention.
    NonCompliant,
}

fn satisfiable(params: &CwLoggroupRetentionPeriodCheckParameters) -> Result<(), String> {
    let (effective, min) = (params.effective_min(), params.min_retention_time);
    match params.max_retention_time {
        Some(max) if max.get() < effective => {
            Err(format!("MinRetentionTime `{min}` requires {effective} days, more than MaxRetentionTime `{max}`"))
        }
        Some(_) | None => Ok(()),
    }
}

impl CwLoggroupRetentionPeriodCheckParameters {
    /// Whether the log group of this name is evaluated.
    pub fn selects(&self, name: &str) -> bool {
        self.log_group_names.as_ref().is_none_or(|names| {
            names.matches(name) || names.patterns().iter().any(|prefix| name.starts_with(prefix.as_str()))
        })
    }

    /// The minimum, rounded up to an accepted value.
    fn effective_min(&self) -> u32 {
        let min = self.min_retention_time.get();
        RETENTIONS.into_iter().find(|it| *it >= min).unwrap_or(MAX_RETENTION)
    }
}

/// A log group, as `DescribeLogGroups` returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogGroup {
    /// `logGroupName`.
    pub name: String,
    /// `logGroupArn`, without the `:*` that older responses end with.
    pub arn: String,
    /// `logGroupClass`; absent means `STANDARD`.
    pub class: Option<String>,
    /// `retentionInDays`; absent means forever.
    pub retention_in_days: Option<u32>,
    /// The tags, if they were read: `DescribeLogGroups` does not return them.
    #[serde(default)]
    pub tags: Tags,
}

impl ResourceState for LogGroup {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.name), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

const GROUPS: &str = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*";
const DESCRIBE: Permission = Permission::unscoped("logs:DescribeLogGroups");
const PUT: &[Permission] = &[Permission::on("logs:PutRetentionPolicy", GROUPS)];

/// One call to CloudWatch Logs. The fix and its undo are the same call with different values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum Action {
    /// `PutRetentionPolicy`.
    PutRetentionPolicy {
        /// The log group.
        log_group_name: String,
        /// Days, one of the accepted values.
        retention_in_days: u32,
    },
}

impl Periodic for CwLoggroupRetentionPeriodCheck {
    fn list_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE]
    }
}

impl Control for CwLoggroupRetentionPeriodCheck {
    type Params = CwLoggroupRetentionPeriodCheckParameters;
    type Subject = LogGroup;

    fn evaluate(&self, group: &LogGroup, params: &Self::Params, _now: Timestamp) -> Verdict {
        let name = &group.name;
        if !params.selects(name) {
            return Verdict::not_applicable(format!("{name} is not selected by LogGroupNames"));
        }
        if group.class.as_deref() == Some(DELIVERY) {
            return Verdict::not_applicable(format!("{name} is of class {DELIVERY}; its retention cannot be set"));
        }
        let min = params.effective_min();
        match (group.retention_in_days, params.max_retention_time, params.never_expire) {
            (None, _, NeverExpire::Compliant) => Verdict::COMPLIANT,
            (None, _, NeverExpire::NonCompliant) => Verdict::non_compliant(format!("{name} keeps events forever")),
            (Some(days), _, _) if days < min => Verdict::non_compliant(format!("{name} keeps {days} d (min {min})")),
            (Some(days), Some(max), _) if days > max.get() => {
                Verdict::non_compliant(format!("{name} keeps {days} d (max {max})"))
            }
            (Some(_), _, _) => Verdict::COMPLIANT,
        }
    }
}

impl Remediation for CwLoggroupRetentionPeriodCheck {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[DESCRIBE, Permission::on("logs:ListTagsForResource", GROUPS)],
                fix: PUT,
                // IAM cannot distinguish a longer retention from a shorter one: only `plan` keeps the remediation from lowering it.
                undo: PUT,
            }
        }
    }

    fn fix(&self, live: &LogGroup, params: &Self::Params, _now: Timestamp) -> Plan<Action> {
        let (name, min) = (&live.name, params.effective_min());
        let step = match live.retention_in_days {
            Some(days) if days < min => Step::call(
                Level::L1,
                Action::PutRetentionPolicy { log_group_name: name.clone(), retention_in_days: min },
            ),
            Some(_) | None => Step::manual(
                Level::L3,
                format!("set a shorter retention for {name} once older events are no longer needed: this deletes them"),
            ),
        };
        Plan::steps_in_order(vec![step])
    }

    fn predict(&self, mut live: LogGroup, action: &Action) -> LogGroup {
        let Action::PutRetentionPolicy { log_group_name, retention_in_days } = action;
        if *log_group_name == live.name {
            live.retention_in_days = Some(*retention_in_days);
        }
        live
    }

    fn touched_fields(&self, subject: &LogGroup, done: &[Action]) -> Value {
        if done.is_empty() {
            return json!({});
        }
        json!({ "retentionInDays": subject.retention_in_days })
    }

    fn undo(&self, before: &LogGroup, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let restore = |Action::PutRetentionPolicy { log_group_name, .. }: &Action| {
            let retention_in_days = before.retention_in_days.ok_or_else(|| Irreversible {
                action: "PutRetentionPolicy".to_owned(),
                reason: "the prior state has no retention, and no plan sets one on such a log group".to_owned(),
            })?;
            Ok(Action::PutRetentionPolicy { log_group_name: log_group_name.clone(), retention_in_days })
        };
        done.iter().rev().map(restore).collect()
    }
}

#[cfg(test)]
mod tests;

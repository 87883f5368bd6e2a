//! `cw-loggroup-retention-period-check`: log group keeps events too short.
//!
//! Knows log groups as [`LogGroup`] and no API. A log group is no type AWS Config records, so there is no item to read.

use rectify_compliance::values::{Bounded, Globs};
use rectify_compliance::{
    Control, Irreversible, Level, Periodic, Permission, Plan, Remediation, ResourceKey, ResourceState, Step, Tags,
    Timestamp, Verdict, control, parameters,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

control! {
    /// ## What it checks
    /// That each log group of the region keeps its events for at least `MinRetentionTime` days, and, where it is given, for at most `MaxRetentionTime`.
    /// CloudWatch Logs takes only certain numbers of days, so a minimum between two of them means the next one: 1000 asks for 1096.
    /// A log group without a retention setting keeps its events for ever; whether that is right is what `neverExpire` says, also where a maximum is given.
    /// A log group of class `DELIVERY` answers NOT_APPLICABLE: its retention cannot be set.
    /// A log group that `LogGroupNames` does not select is not reported, and an earlier result of it is withdrawn.
    ///
    /// ## Why it matters
    /// An intrusion is often found months after it began.
    /// What happened then can be told only from logs that are still there.
    ///
    /// ## Compliant example
    /// `DescribeLogGroups` answers `{"logGroupName": "/aws/lambda/x", "retentionInDays": 365}`.
    ///
    /// ## Non-compliant example
    /// It answers `{"logGroupName": "/aws/lambda/x", "retentionInDays": 30}`.
    ///
    /// ## Parameters
    /// Three have the names they have in the managed rule and in its style; a name in `LogGroupNames` is a prefix unless it has `*` or `?` in it, and is then compared whole.
    /// A minimum above the maximum is refused, and so is a maximum below the next value that the minimum means.
    ///
    /// ## Remediation
    /// L1: `logs:PutRetentionPolicy` with the smallest value that CloudWatch Logs takes and the minimum allows; retention is only ever raised.
    /// What changes: events are kept longer from then on; what has expired already does not come back.
    /// What may break: nothing; longer storage costs a little more.
    /// The call has no revision to compare, so milliseconds lie between the last read and the write, and a value set within them would be replaced.
    /// Lowering a retention that is too long, and setting one where events never expire, deletes events: that is L3, in words, and no code path calls it.
    /// How to undo: the same call with the previous value.
    /// Events that only the longer retention had kept are then deleted by CloudWatch Logs, typically within 72 hours: right after the fix these are none, later as many days of them as have passed.
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

/// The class of log groups that only a delivery writes to, whose retention is the service's.
const DELIVERY: &str = "DELIVERY";

/// What `PutRetentionPolicy` takes, days, ascending (service model of 2014-03-28).
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, LONGEST];
const LONGEST: u32 = 3653;

/// A number of days up to the longest retention there is.
type Days = Bounded<1, LONGEST>;

parameters! {
    /// Which log groups are judged, and for how long they must keep their events.
    pub CwLoggroupRetentionPeriodCheckParameters, check: satisfiable {
        /// The log groups to judge: a comma list of name prefixes, or of whole names with `*` and `?`. Default: all.
        #[serde(rename = "LogGroupNames")]
        log_group_names: Option<Globs> = None,
        /// The shortest retention, days; a value that CloudWatch Logs does not take means the next one it does. Default 365.
        #[serde(rename = "MinRetentionTime")]
        min_retention_time: Days = Days::of(365),
        /// The longest retention, days. Default: none.
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
    /// As the managed rule.
    Compliant,
    /// A finding, which an operator must deal with.
    NonCompliant,
}

fn satisfiable(params: &CwLoggroupRetentionPeriodCheckParameters) -> Result<(), String> {
    let (shortest, wanted) = (params.shortest(), params.min_retention_time);
    match params.max_retention_time {
        Some(longest) if longest.get() < shortest => {
            Err(format!("MinRetentionTime `{wanted}` asks for {shortest} days, more than MaxRetentionTime `{longest}`"))
        }
        Some(_) | None => Ok(()),
    }
}

impl CwLoggroupRetentionPeriodCheckParameters {
    /// Whether the log group of this name is to be judged.
    pub fn selects(&self, name: &str) -> bool {
        self.log_group_names.as_ref().is_none_or(|names| {
            names.matches(name) || names.patterns().iter().any(|prefix| name.starts_with(prefix.as_str()))
        })
    }

    /// The shortest retention that is enough, of those there are.
    fn shortest(&self) -> u32 {
        let wanted = self.min_retention_time.get();
        RETENTIONS.into_iter().find(|it| *it >= wanted).unwrap_or(LONGEST)
    }
}

/// A log group, as `DescribeLogGroups` returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogGroup {
    /// `logGroupName`.
    pub name: String,
    /// `logGroupArn`: without the `:*` that older answers end in.
    pub arn: String,
    /// `logGroupClass`; absent is `STANDARD`.
    pub class: Option<String>,
    /// `retentionInDays`; absent is for ever.
    pub retention_in_days: Option<u32>,
    /// The tags, where they were read: a listing does not hold them.
    #[serde(default)]
    pub tags: Tags,
}

impl ResourceState for LogGroup {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::new(TYPE, &self.name)
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

const GROUPS: &str = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*";
const DESCRIBE: Permission = Permission::unscoped("logs:DescribeLogGroups");
const PUT: &[Permission] = &[Permission::on("logs:PutRetentionPolicy", GROUPS)];

/// One call to CloudWatch Logs. The fix and its undo are the same call with another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum Action {
    /// `PutRetentionPolicy`.
    PutRetentionPolicy {
        /// The log group.
        log_group_name: String,
        /// Days, one of those the service takes.
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
        let shortest = params.shortest();
        match (group.retention_in_days, params.max_retention_time, params.never_expire) {
            (None, _, NeverExpire::Compliant) => Verdict::COMPLIANT,
            (None, _, NeverExpire::NonCompliant) => Verdict::non_compliant(format!("{name} keeps events for ever")),
            (Some(days), _, _) if days < shortest => {
                Verdict::non_compliant(format!("{name} keeps {days} d (min {shortest})"))
            }
            (Some(days), Some(longest), _) if days > longest.get() => {
                Verdict::non_compliant(format!("{name} keeps {days} d (max {longest})"))
            }
            (Some(_), _, _) => Verdict::COMPLIANT,
        }
    }
}

impl Remediation for CwLoggroupRetentionPeriodCheck {
    type Action = Action;
    type Undo = Action;
    fn read_permissions(&self) -> &'static [Permission] {
        const { &[DESCRIBE, Permission::on("logs:ListTagsForResource", GROUPS)] }
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        PUT
    }
    // IAM does not distinguish a longer retention from a shorter one: only `plan` keeps the remediation from lowering it.
    fn undo_permissions(&self) -> &'static [Permission] {
        PUT
    }

    fn fix(&self, live: &LogGroup, params: &Self::Params, _now: Timestamp) -> Plan<Action> {
        let (name, shortest) = (&live.name, params.shortest());
        let step = match live.retention_in_days {
            Some(days) if days < shortest => Step::call(
                Level::L1,
                Action::PutRetentionPolicy { log_group_name: name.clone(), retention_in_days: shortest },
            ),
            Some(_) | None => Step::manual(
                Level::L3,
                format!("set a shorter retention for {name}, once nothing older is needed: it deletes older events"),
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
                reason: "the before-image holds no retention, and no plan sets one where there is none".to_owned(),
            })?;
            Ok(Action::PutRetentionPolicy { log_group_name: log_group_name.clone(), retention_in_days })
        };
        done.iter().rev().map(restore).collect()
    }
}

#[cfg(test)]
mod tests;

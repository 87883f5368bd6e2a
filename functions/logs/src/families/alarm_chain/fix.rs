//! AlarmSpec what is missing of a chain: a filter, an alarm, a statement in a topic's policy. What exists is never edited, but for
//! an alarm's disabled actions and the one statement more.
//!
//! Each call is planned from the model of what the calls before it make, until the chain is whole or a person must act.

use rectify_compliance::{Irreversible, Level, Plan, Step};
use rectify_policy::deleted_principals;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::alarm::{Fault, MetricAlarm};
use super::chain::AlarmRequirements;
use super::filter::{MetricFilter, Transformation};
use super::observed::{AlarmChains, LogGroups, Topic};
use super::target::{Delivery, topic};

/// The most filters of a log group (Amazon CloudWatch Logs quotas, read in November 2026).
const MOST_FILTERS: usize = 100;

/// The most calls of a plan: a filter, an alarm, a policy, and none twice.
const MOST_CALLS: usize = 4;

/// The statement that a topic's policy gets.
const SID: &str = "RectifyCloudWatchAlarms";

/// What is made where it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmSpec<'a> {
    /// The name of filter and alarm: the control's id.
    pub name: &'a str,
    /// The metric's name.
    pub metric: &'a str,
    /// `namespace`.
    pub namespace: &'a str,
    /// `threshold`.
    pub threshold: u32,
    /// Seconds.
    pub period: u32,
    /// `topicArn`.
    pub topic_arn: Option<&'a str>,
    /// `logGroupName`.
    pub log_group: Option<&'a str>,
}

/// What the remediation may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Makes a filter.
    #[serde(rename_all = "camelCase")]
    PutMetricFilter {
        /// On this log group.
        log_group_name: String,
        /// Of this name, which no filter has.
        filter_name: String,
        /// The wanted pattern.
        filter_pattern: String,
        /// One metric.
        metric_transformations: Vec<NewTransformation>,
    },
    /// Makes an alarm.
    #[serde(rename_all = "PascalCase")]
    PutMetricAlarm {
        /// A name that no alarm has.
        alarm_name: String,
        /// Of the metric.
        namespace: String,
        /// Of the metric.
        metric_name: String,
        /// `Sum`.
        statistic: String,
        /// Seconds.
        period: u32,
        /// One.
        evaluation_periods: u32,
        /// Events.
        threshold: u32,
        /// `GreaterThanOrEqualToThreshold`.
        comparison_operator: String,
        /// `notBreaching`.
        treat_missing_data: String,
        /// The topic.
        alarm_actions: Vec<String>,
    },
    /// Lets an alarm act that is right in all else.
    #[serde(rename_all = "PascalCase")]
    EnableAlarmActions {
        /// Its name.
        alarm_names: Vec<String>,
    },
    /// Adds a statement to a topic's policy.
    #[serde(rename_all = "PascalCase")]
    SetTopicAttributes {
        /// The topic.
        topic_arn: String,
        /// `Policy`.
        attribute_name: String,
        /// The policy, whole, as JSON.
        attribute_value: String,
    },
}

/// `MetricTransformation` of a filter that is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTransformation {
    /// The metric's name.
    pub metric_name: String,
    /// Its namespace.
    pub metric_namespace: String,
    /// One an event.
    pub metric_value: String,
    /// Zero where none fits.
    pub default_value: f64,
}

/// What undo may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// Removes the filter that was made.
    #[serde(rename_all = "camelCase")]
    DeleteMetricFilter {
        /// From this log group.
        log_group_name: String,
        /// Of this name.
        filter_name: String,
    },
    /// Removes the alarm that was made.
    #[serde(rename_all = "PascalCase")]
    DeleteAlarms {
        /// Its name.
        alarm_names: Vec<String>,
    },
    /// Disables the actions of the alarm again.
    #[serde(rename_all = "PascalCase")]
    DisableAlarmActions {
        /// Its name.
        alarm_names: Vec<String>,
    },
    /// Sets the previous policy of the topic.
    #[serde(rename_all = "PascalCase")]
    SetTopicAttributes {
        /// The topic.
        topic_arn: String,
        /// `Policy`.
        attribute_name: String,
        /// The previous policy, as JSON.
        attribute_value: String,
    },
}

/// What comes next.
enum Next {
    Call(Level, Action),
    Person(String),
    Hold(String),
    Nothing,
}

impl AlarmChains {
    /// The calls that make a broken chain whole.
    pub fn fix(&self, demands: &AlarmRequirements, making: &AlarmSpec<'_>) -> Plan<Action> {
        let mut steps = Vec::new();
        let mut model = self.clone();
        for _ in 0..MOST_CALLS {
            match model.next(demands, making) {
                Next::Call(level, action) => {
                    model = model.predict(&action);
                    steps.push(Step::call(level, action));
                }
                Next::Person(instruction) => {
                    steps.push(Step::manual(Level::L0, instruction));
                    return Plan::steps_in_order(steps);
                }
                Next::Hold(reason) => return Plan::blocked(reason, steps),
                Next::Nothing => break,
            }
        }
        if model.judge(demands).is_non_compliant() {
            return Plan::blocked("the calls would not make the chain whole", steps);
        }
        Plan::steps_in_order(steps)
    }

    fn next(&self, demands: &AlarmRequirements, making: &AlarmSpec<'_>) -> Next {
        let LogGroups::Here(groups) = self.log_groups(demands.trust_organization_trail) else {
            return Next::Person("let a trail that records all management events write to a log group here".to_owned());
        };
        let there = groups.keys().filter_map(|name| Some((name.as_str(), self.groups.get(name)?.as_ref()?)));
        let there: Vec<(&str, &Vec<MetricFilter>)> = there.collect();
        let written = self.written(demands);
        let Some(metric) = written.first() else { return filter(&there, demands, making) };
        let alarms = || {
            written.iter().flat_map(|it| {
                let alarms = self.alarms(&it.metric_namespace, &it.metric_name).iter();
                alarms.map(|alarm| (alarm, alarm.counts(it, demands.limits)))
            })
        };
        let reach = |alarm: &MetricAlarm| -> Vec<(String, Delivery)> {
            let reach = |action: &String| (action.clone(), self.reach(alarm, action, demands.accept_other_targets));
            alarm.actions.iter().map(reach).collect()
        };
        let counting: Vec<(String, Delivery)> =
            alarms().filter(|(_, counts)| counts.is_ok()).flat_map(|(alarm, _)| reach(alarm)).collect();
        if counting.iter().any(|(_, it)| matches!(it, Delivery::Told(_))) {
            return Next::Nothing;
        }
        if let Some((arn, _)) = counting.iter().find(|(arn, it)| self.lacks_only_policy(arn, it)) {
            return self.policy(arn);
        }
        let mut words = counting.into_iter().filter_map(|(_, it)| match it {
            Delivery::Broken(faults) => Some(faults.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ")),
            Delivery::Unverified(why) => Some(why),
            Delivery::Told(_) | Delivery::Nothing => None,
        });
        if let Some(why) = words.next() {
            return Next::Person(format!("let an alarm reach somebody: {why}"));
        }
        let told = |alarm: &MetricAlarm| reach(alarm).iter().any(|(_, it)| matches!(it, Delivery::Told(_)));
        let mut silent = alarms().filter(|(alarm, counts)| *counts == Err(Fault::ActionsDisabled) && told(alarm));
        match silent.next() {
            Some((alarm, _)) => {
                Next::Call(Level::L1, Action::EnableAlarmActions { alarm_names: vec![alarm.name.clone()] })
            }
            None => self.alarm(metric, making),
        }
    }

    fn alarm(&self, metric: &Transformation, making: &AlarmSpec<'_>) -> Next {
        let Some(topic_arn) = making.topic_arn else {
            return Next::Person(format!("name a topic by topicArn, for an alarm on {}", metric.metric_name));
        };
        match self.own_alarm_exists {
            Some(false) => {}
            Some(true) => return Next::Hold(format!("there is another alarm {}", making.name)),
            None => return Next::Hold(format!("whether there is an alarm {} was not read", making.name)),
        }
        Next::Call(
            Level::L1,
            Action::PutMetricAlarm {
                alarm_name: making.name.to_owned(),
                namespace: metric.metric_namespace.clone(),
                metric_name: metric.metric_name.clone(),
                statistic: "Sum".to_owned(),
                period: making.period,
                evaluation_periods: 1,
                threshold: making.threshold,
                comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
                treat_missing_data: "notBreaching".to_owned(),
                alarm_actions: vec![topic_arn.to_owned()],
            },
        )
    }

    /// Whether it is a topic of this account and lacks nothing but a statement in its policy.
    fn lacks_only_policy(&self, arn: &str, reach: &Delivery) -> bool {
        let ours = topic(arn).is_some_and(|(_, account, _)| account == self.account);
        ours && matches!(reach, Delivery::Broken(faults) if faults.iter().all(|(link, _)| *link == "policy"))
    }

    fn policy(&self, arn: &str) -> Next {
        let Some(Topic::Read { policy, .. }) = self.topics.get(arn) else {
            return Next::Hold(format!("the policy of {arn} was not read"));
        };
        let statement = json!({
            "Sid": SID, "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish",
            "Resource": arn, "Condition": {"StringEquals": {"aws:SourceAccount": self.account.as_str()}}
        });
        let policy = &policy.0;
        if let Some(it) = deleted_principals(policy).first() {
            let (statement, id) = (&it.statement, &it.id);
            return Next::Hold(format!(
                "statement `{statement}` of the policy of {arn} names {id}, a principal that was deleted, and SNS takes no policy that names one"
            ));
        }
        let mut statements = match policy.get("Statement") {
            Some(Value::Array(many)) => many.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => return Next::Hold(format!("the policy of {arn} has no statements")),
        };
        if statements.iter().any(|it| it.get("Sid").and_then(Value::as_str) == Some(SID)) {
            return Next::Hold(format!("the policy of {arn} has another statement {SID}"));
        }
        statements.push(statement);
        let mut policy = policy.clone();
        if let Some(fields) = policy.as_object_mut() {
            fields.insert("Statement".to_owned(), Value::Array(statements));
        }
        Next::Call(Level::L2, set_policy(arn, &policy))
    }
}

fn filter(there: &[(&str, &Vec<MetricFilter>)], demands: &AlarmRequirements, making: &AlarmSpec<'_>) -> Next {
    let named = |name: &str| there.iter().find(|(it, _)| *it == name);
    let (group, filters) = match (making.log_group, there) {
        (Some(name), _) => match named(name) {
            Some(found) => found,
            None => return Next::Hold(format!("no trail that counts writes to log group {name} here")),
        },
        (None, [only]) => only,
        (None, []) => return Next::Person("make the log group that the trail writes to".to_owned()),
        (None, _) => return Next::Person("name one of the log groups by logGroupName".to_owned()),
    };
    if filters.len() >= MOST_FILTERS {
        return Next::Hold(format!("log group {group} has {MOST_FILTERS} filters, as many as it can"));
    }
    if filters.iter().any(|it| it.name == making.name) {
        return Next::Hold(format!("log group {group} has another filter {}", making.name));
    }
    Next::Call(
        Level::L1,
        Action::PutMetricFilter {
            log_group_name: (*group).to_owned(),
            filter_name: making.name.to_owned(),
            filter_pattern: demands.wanted.pattern.to_owned(),
            metric_transformations: vec![NewTransformation {
                metric_name: making.metric.to_owned(),
                metric_namespace: making.namespace.to_owned(),
                metric_value: "1".to_owned(),
                default_value: 0.0,
            }],
        },
    )
}

fn set_policy(arn: &str, policy: &Value) -> Action {
    Action::SetTopicAttributes {
        topic_arn: arn.to_owned(),
        attribute_name: "Policy".to_owned(),
        attribute_value: policy.to_string(),
    }
}

/// The calls that take back what was done to `before`, last first.
///
/// # Errors
/// [`Irreversible`] where the before-image already holds the filter or alarm, or does not hold the previous policy.
pub fn undo(before: &AlarmChains, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
    done.iter().rev().map(|action| before.undo_of(action)).collect()
}

impl AlarmChains {
    fn undo_of(&self, action: &Action) -> Result<Undo, Irreversible> {
        let irreversible =
            |action: &str, reason: &str| Err(Irreversible { action: action.to_owned(), reason: reason.to_owned() });
        match action {
            Action::PutMetricFilter { log_group_name, filter_name, .. } => {
                let filters = self.groups.get(log_group_name).into_iter().flatten().flatten();
                if filters.into_iter().any(|it| it.name == *filter_name) {
                    return irreversible("PutMetricFilter", "a filter of this name was there before");
                }
                let (log_group_name, filter_name) = (log_group_name.clone(), filter_name.clone());
                Ok(Undo::DeleteMetricFilter { log_group_name, filter_name })
            }
            Action::PutMetricAlarm { alarm_name, .. } if self.own_alarm_exists == Some(false) => {
                Ok(Undo::DeleteAlarms { alarm_names: vec![alarm_name.clone()] })
            }
            Action::PutMetricAlarm { .. } => irreversible("PutMetricAlarm", "an alarm of this name was there before"),
            Action::EnableAlarmActions { alarm_names } => {
                Ok(Undo::DisableAlarmActions { alarm_names: alarm_names.clone() })
            }
            Action::SetTopicAttributes { topic_arn, .. } => match self.topics.get(topic_arn) {
                Some(Topic::Read { policy, .. }) => Ok(Undo::SetTopicAttributes {
                    topic_arn: topic_arn.clone(),
                    attribute_name: "Policy".to_owned(),
                    attribute_value: policy.0.to_string(),
                }),
                _ => irreversible("SetTopicAttributes", "the before-image does not hold the previous policy"),
            },
        }
    }
}

#[cfg(test)]
mod tests;

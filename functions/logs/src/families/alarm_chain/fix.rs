//! Creates the missing links of a chain: a filter, an alarm, a statement in a topic policy. Existing resources are not
//! edited,
//! except to enable an alarm's actions and to add that statement.
//!
//! Each call is planned on the predicted state after the calls before it, until the chain is complete or an operator
//! must act.

use rectify_compliance::{Irreversible, Level, Plan, Step};
use rectify_policy::deleted_principals;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::alarm::{AlarmRejection, MetricAlarm};
use super::chain::AlarmRequirements;
use super::filter::{MetricFilter, Transformation};
use super::observed::{AlarmChains, LogGroups, Topic};
use super::target::{Delivery, topic};

/// The maximum number of metric filters of a log group (Amazon CloudWatch Logs quotas, read in November 2026).
const MAX_FILTERS: usize = 100;

/// The maximum number of calls of a plan: filter, alarm, policy, none of them twice.
const MAX_CALLS: usize = 4;

/// The `Sid` of the statement that a topic policy gets.
const SID: &str = "RectifyCloudWatchAlarms";

/// The filter and alarm to create if they are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmSpec<'a> {
    /// The name of filter and alarm: the control's id.
    pub name: &'a str,
    /// The name of the metric.
    pub metric: &'a str,
    /// `namespace`.
    pub namespace: &'a str,
    /// `threshold`.
    pub threshold: u32,
    /// The period of the alarm, seconds.
    pub period: u32,
    /// `topicArn`.
    pub topic_arn: Option<&'a str>,
    /// `logGroupName`.
    pub log_group: Option<&'a str>,
}

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Creates a filter.
    #[serde(rename_all = "camelCase")]
    PutMetricFilter {
        /// The log group.
        log_group_name: String,
        /// A name that no filter has.
        filter_name: String,
        /// The expected pattern.
        filter_pattern: String,
        /// One metric.
        metric_transformations: Vec<NewTransformation>,
    },
    /// Creates an alarm.
    #[serde(rename_all = "PascalCase")]
    PutMetricAlarm {
        /// A name that no alarm has.
        alarm_name: String,
        /// The namespace of the metric.
        namespace: String,
        /// The name of the metric.
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
    /// Enables the actions of an alarm that meets all other requirements.
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
        /// The complete policy as JSON.
        attribute_value: String,
    },
}

/// The `MetricTransformation` of a created filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTransformation {
    /// The name of the metric.
    pub metric_name: String,
    /// Its namespace.
    pub metric_namespace: String,
    /// `1` for each event.
    pub metric_value: String,
    /// Zero if no event matches.
    pub default_value: f64,
}

/// The calls of an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// Deletes the created filter.
    #[serde(rename_all = "camelCase")]
    DeleteMetricFilter {
        /// The log group.
        log_group_name: String,
        /// The name of the filter.
        filter_name: String,
    },
    /// Deletes the created alarm.
    #[serde(rename_all = "PascalCase")]
    DeleteAlarms {
        /// Its name.
        alarm_names: Vec<String>,
    },
    /// Disables the alarm's actions again.
    #[serde(rename_all = "PascalCase")]
    DisableAlarmActions {
        /// Its name.
        alarm_names: Vec<String>,
    },
    /// Restores the previous topic policy.
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

/// The next step of a plan.
enum Next {
    Call(Level, Action),
    Manual(String),
    Blocked(String),
    Done,
}

impl AlarmChains {
    /// The calls that complete a broken chain.
    pub fn fix(&self, requirements: &AlarmRequirements, spec: &AlarmSpec<'_>) -> Plan<Action> {
        let mut steps = Vec::new();
        let mut model = self.clone();
        for _ in 0..MAX_CALLS {
            match model.next(requirements, spec) {
                Next::Call(level, action) => {
                    model = model.predict(&action);
                    steps.push(Step::call(level, action));
                }
                Next::Manual(instruction) => {
                    steps.push(Step::manual(Level::L0, instruction));
                    return Plan::steps_in_order(steps);
                }
                Next::Blocked(reason) => return Plan::blocked(reason, steps),
                Next::Done => break,
            }
        }
        if model.evaluate(requirements).is_non_compliant() {
            return Plan::blocked("these calls would not complete the chain", steps);
        }
        Plan::steps_in_order(steps)
    }

    fn next(&self, requirements: &AlarmRequirements, spec: &AlarmSpec<'_>) -> Next {
        let LogGroups::Here(groups) = self.log_groups(requirements.trust_organization_trail) else {
            return Next::Manual("configure a trail that records all management events to deliver to a log group in this account and region".to_owned());
        };
        let existing = groups.keys().filter_map(|name| Some((name.as_str(), self.groups.get(name)?.as_ref()?)));
        let existing: Vec<(&str, &Vec<MetricFilter>)> = existing.collect();
        let written = self.written(requirements);
        let Some(metric) = written.first() else { return filter(&existing, requirements, spec) };
        let alarms = || {
            written.iter().flat_map(|it| {
                let alarms = self.alarms(&it.metric_namespace, &it.metric_name).iter();
                alarms.map(|alarm| (alarm, alarm.check(it, requirements.limits)))
            })
        };
        let deliveries = |alarm: &MetricAlarm| -> Vec<(String, Delivery)> {
            let delivery =
                |action: &String| (action.clone(), self.delivery(alarm, action, requirements.accept_other_targets));
            alarm.actions.iter().map(delivery).collect()
        };
        let accepted: Vec<(String, Delivery)> =
            alarms().filter(|(_, check)| check.is_ok()).flat_map(|(alarm, _)| deliveries(alarm)).collect();
        if accepted.iter().any(|(_, it)| matches!(it, Delivery::Notifies(_))) {
            return Next::Done;
        }
        if let Some((arn, _)) = accepted.iter().find(|(arn, it)| self.needs_only_policy(arn, it)) {
            return self.policy(arn);
        }
        let mut reasons = accepted.into_iter().filter_map(|(_, it)| match it {
            Delivery::Broken(reasons) => Some(reasons.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ")),
            Delivery::Unverified(why) => Some(why),
            Delivery::Notifies(_) | Delivery::NotANotification => None,
        });
        if let Some(why) = reasons.next() {
            return Next::Manual(format!("make the alarm's notification work: {why}"));
        }
        let notifies =
            |alarm: &MetricAlarm| deliveries(alarm).iter().any(|(_, it)| matches!(it, Delivery::Notifies(_)));
        let mut disabled =
            alarms().filter(|(alarm, check)| *check == Err(AlarmRejection::ActionsDisabled) && notifies(alarm));
        match disabled.next() {
            Some((alarm, _)) => {
                Next::Call(Level::L1, Action::EnableAlarmActions { alarm_names: vec![alarm.name.clone()] })
            }
            None => self.alarm(metric, spec),
        }
    }

    fn alarm(&self, metric: &Transformation, spec: &AlarmSpec<'_>) -> Next {
        let Some(topic_arn) = spec.topic_arn else {
            return Next::Manual(format!("set topicArn to the topic for an alarm on {}", metric.metric_name));
        };
        match self.own_alarm_exists {
            Some(false) => {}
            Some(true) => return Next::Blocked(format!("an alarm named {} already exists", spec.name)),
            None => return Next::Blocked(format!("whether alarm {} exists was not read", spec.name)),
        }
        Next::Call(
            Level::L1,
            Action::PutMetricAlarm {
                alarm_name: spec.name.to_owned(),
                namespace: metric.metric_namespace.clone(),
                metric_name: metric.metric_name.clone(),
                statistic: "Sum".to_owned(),
                period: spec.period,
                evaluation_periods: 1,
                threshold: spec.threshold,
                comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
                treat_missing_data: "notBreaching".to_owned(),
                alarm_actions: vec![topic_arn.to_owned()],
            },
        )
    }

    /// Whether it is a topic of this account that only needs a policy statement.
    fn needs_only_policy(&self, arn: &str, delivery: &Delivery) -> bool {
        let is_own = topic(arn).is_some_and(|(_, account, _)| account == self.account);
        is_own && matches!(delivery, Delivery::Broken(reasons) if reasons.iter().all(|(link, _)| *link == "policy"))
    }

    fn policy(&self, arn: &str) -> Next {
        let Some(Topic::Read { policy, .. }) = self.topics.get(arn) else {
            return Next::Blocked(format!("the policy of {arn} was not read"));
        };
        let statement = json!({
            "Sid": SID, "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish",
            "Resource": arn, "Condition": {"StringEquals": {"aws:SourceAccount": self.account.as_str()}}
        });
        let policy = &policy.0;
        if let Some(it) = deleted_principals(policy).first() {
            let (statement, id) = (&it.statement, &it.id);
            return Next::Blocked(format!(
                "statement `{statement}` of the policy of {arn} names {id}, a deleted principal; SNS rejects such a policy"
            ));
        }
        let mut statements = match policy.get("Statement") {
            Some(Value::Array(many)) => many.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => return Next::Blocked(format!("the policy of {arn} has no statements")),
        };
        if statements.iter().any(|it| it.get("Sid").and_then(Value::as_str) == Some(SID)) {
            return Next::Blocked(format!("the policy of {arn} already has a statement {SID}"));
        }
        statements.push(statement);
        let mut policy = policy.clone();
        if let Some(fields) = policy.as_object_mut() {
            fields.insert("Statement".to_owned(), Value::Array(statements));
        }
        Next::Call(Level::L2, set_policy(arn, &policy))
    }
}

fn filter(existing: &[(&str, &Vec<MetricFilter>)], requirements: &AlarmRequirements, spec: &AlarmSpec<'_>) -> Next {
    let named = |name: &str| existing.iter().find(|(it, _)| *it == name);
    let (group, filters) = match (spec.log_group, existing) {
        (Some(name), _) => match named(name) {
            Some(found) => found,
            None => {
                return Next::Blocked(format!(
                    "no qualifying trail delivers to log group {name} in this account and region"
                ));
            }
        },
        (None, [only]) => only,
        (None, []) => return Next::Manual("create the log group that the trail delivers to".to_owned()),
        (None, _) => return Next::Manual("set logGroupName to one of the log groups".to_owned()),
    };
    if filters.len() >= MAX_FILTERS {
        return Next::Blocked(format!("log group {group} already has the maximum of {MAX_FILTERS} filters"));
    }
    if filters.iter().any(|it| it.name == spec.name) {
        return Next::Blocked(format!("log group {group} already has a filter named {}", spec.name));
    }
    Next::Call(
        Level::L1,
        Action::PutMetricFilter {
            log_group_name: (*group).to_owned(),
            filter_name: spec.name.to_owned(),
            filter_pattern: requirements.events.pattern.to_owned(),
            metric_transformations: vec![NewTransformation {
                metric_name: spec.metric.to_owned(),
                metric_namespace: spec.namespace.to_owned(),
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

/// The calls that undo what was done to `before`, in reverse order.
///
/// # Errors
/// [`Irreversible`] if the prior state already contains the filter or alarm, or lacks the previous policy.
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
                    return irreversible("PutMetricFilter", "a filter with this name already existed");
                }
                let (log_group_name, filter_name) = (log_group_name.clone(), filter_name.clone());
                Ok(Undo::DeleteMetricFilter { log_group_name, filter_name })
            }
            Action::PutMetricAlarm { alarm_name, .. } if self.own_alarm_exists == Some(false) => {
                Ok(Undo::DeleteAlarms { alarm_names: vec![alarm_name.clone()] })
            }
            Action::PutMetricAlarm { .. } => irreversible("PutMetricAlarm", "an alarm with this name already existed"),
            Action::EnableAlarmActions { alarm_names } => {
                Ok(Undo::DisableAlarmActions { alarm_names: alarm_names.clone() })
            }
            Action::SetTopicAttributes { topic_arn, .. } => match self.topics.get(topic_arn) {
                Some(Topic::Read { policy, .. }) => Ok(Undo::SetTopicAttributes {
                    topic_arn: topic_arn.clone(),
                    attribute_name: "Policy".to_owned(),
                    attribute_value: policy.0.to_string(),
                }),
                _ => irreversible("SetTopicAttributes", "the prior state does not contain the previous policy"),
            },
        }
    }
}

#[cfg(test)]
mod tests;

//! The predicted state of a chain after the calls of a plan, and the fields they touched. Property tests rely on this
//! model.

use rectify_compliance::PhysicalId;
use rectify_policy::canonical;
use serde_json::{Map, Value, json};

use super::alarm::MetricAlarm;
use super::filter::{MetricFilter, Transformation};
use super::fix::Action;
use super::observed::{AlarmChains, Topic, WatchedMetric};

impl AlarmChains {
    /// The chain after `action`.
    #[must_use]
    pub fn predict(&self, action: &Action) -> Self {
        let mut model = self.clone();
        match action {
            Action::PutMetricFilter { log_group_name, filter_name, filter_pattern, metric_transformations } => {
                let transformations = metric_transformations.iter().map(|it| Transformation {
                    metric_namespace: it.metric_namespace.clone(),
                    metric_name: it.metric_name.clone(),
                    metric_value: it.metric_value.clone(),
                    default_value: Some(it.default_value),
                    ..Transformation::default()
                });
                let created = MetricFilter {
                    name: filter_name.clone(),
                    pattern: filter_pattern.clone(),
                    transformations: transformations.collect(),
                    ..MetricFilter::default()
                };
                if let Some(Some(filters)) = model.groups.get_mut(log_group_name) {
                    filters.retain(|it| it.name != created.name);
                    filters.push(created);
                    filters.sort_by(|one, other| one.name.cmp(&other.name));
                }
            }
            Action::PutMetricAlarm { alarm_name, namespace, metric_name, .. } => {
                model.own_alarm_exists = Some(true);
                model.metrics.iter_mut().for_each(|it| it.alarms.retain(|it| it.name != *alarm_name));
                let created = created_alarm(self, action);
                match model.metrics.iter_mut().find(|it| it.namespace == *namespace && it.name == *metric_name) {
                    Some(metric) => {
                        metric.alarms.extend(created);
                        metric.alarms.sort_by(|one, other| one.name.cmp(&other.name));
                    }
                    None => model.metrics.push(WatchedMetric {
                        namespace: namespace.clone(),
                        name: metric_name.clone(),
                        alarms: created.into_iter().collect(),
                    }),
                }
            }
            Action::EnableAlarmActions { alarm_names } => {
                let alarms = model.metrics.iter_mut().flat_map(|it| &mut it.alarms);
                alarms.filter(|it| alarm_names.contains(&it.name)).for_each(|it| it.actions_enabled = true);
            }
            Action::SetTopicAttributes { topic_arn, attribute_value, .. } => {
                if let (Some(Topic::Read { policy, .. }), Ok(set)) =
                    (model.topics.get_mut(topic_arn), serde_json::from_str(attribute_value))
                {
                    *policy = set;
                }
            }
        }
        model
    }

    /// The filters, alarms, action flags and policies that these actions touched, with their values in this state.
    pub fn touched_fields(&self, done: &[Action]) -> Value {
        let mut touched = Map::new();
        let alarm = |name: &String| self.metrics.iter().flat_map(|it| &it.alarms).find(|it| it.name == *name);
        for action in done {
            match action {
                Action::PutMetricFilter { log_group_name, filter_name, .. } => {
                    let filters = self.groups.get(log_group_name).into_iter().flatten().flatten();
                    let filter = filters.into_iter().find(|it| it.name == *filter_name);
                    touched.insert(format!("filter {log_group_name} {filter_name}"), json!(filter));
                }
                Action::PutMetricAlarm { alarm_name, .. } => {
                    touched.insert(format!("alarm {alarm_name}"), json!(alarm(alarm_name)));
                }
                Action::EnableAlarmActions { alarm_names } => {
                    for name in alarm_names {
                        let enabled = alarm(name).map(|it| it.actions_enabled);
                        touched.insert(format!("actions of alarm {name}"), json!(enabled));
                    }
                }
                Action::SetTopicAttributes { topic_arn, .. } => {
                    let policy = match self.topics.get(topic_arn) {
                        Some(Topic::Read { policy, .. }) => Some(canonical(&policy.0)),
                        Some(Topic::Gone | Topic::Denied) | None => None,
                    };
                    touched.insert(format!("policy of {topic_arn}"), json!(policy));
                }
            }
        }
        Value::Object(touched)
    }
}

impl Action {
    /// The existing resources that the action changes, as CloudFormation physical ids.
    pub fn stack_resources(&self) -> Vec<PhysicalId> {
        match self {
            Self::PutMetricFilter { .. } | Self::PutMetricAlarm { .. } => Vec::new(),
            Self::EnableAlarmActions { alarm_names } => alarm_names.iter().map(PhysicalId::here).collect(),
            Self::SetTopicAttributes { topic_arn, .. } => vec![PhysicalId::at_home(topic_arn, topic_arn)],
        }
    }
}

/// The alarm that `PutMetricAlarm` creates, as the API then returns it.
fn created_alarm(chains: &AlarmChains, action: &Action) -> Option<MetricAlarm> {
    let Action::PutMetricAlarm {
        alarm_name,
        statistic,
        period,
        evaluation_periods,
        threshold,
        comparison_operator,
        treat_missing_data,
        alarm_actions,
        ..
    } = action
    else {
        return None;
    };
    let (region, account) = (chains.region.as_str(), chains.account.as_str());
    Some(MetricAlarm {
        name: alarm_name.clone(),
        arn: chains.region.partition().arn("cloudwatch", region, account, &format!("alarm:{alarm_name}")),
        actions_enabled: true,
        actions: alarm_actions.clone(),
        statistic: Some(statistic.clone()),
        comparison: Some(comparison_operator.clone()),
        threshold: Some(f64::from(*threshold)),
        period: Some(*period),
        evaluation_periods: Some(*evaluation_periods),
        treat_missing_data: Some(treat_missing_data.clone()),
        ..MetricAlarm::default()
    })
}

//! Metric filters and the alarms on their metrics.

use aws_sdk_cloudwatch::types::{self, AlarmType, ComparisonOperator, Statistic};
use aws_sdk_cloudwatchlogs::types as logs;
use rectify_compliance::ShapeError;
use rectify_runtime::AwsError;

use super::Clients;
use super::log_groups::NOT_FOUND;
use rectify_logs::families::alarm_chain::alarm::MetricAlarm;
use rectify_logs::families::alarm_chain::filter::{MetricFilter, Transformation};
use rectify_logs::families::alarm_chain::fix::Action;
use rectify_logs::families::alarm_chain::observed::WatchedMetric;

/// CloudWatch's unit for values without a unit.
const NO_UNIT: &str = "None";

impl Clients {
    /// `DescribeMetricFilters` of one log group, all pages, by name; `None` if there is no such group.
    pub(super) async fn filters_of(&self, group: String) -> Result<(String, Option<Vec<MetricFilter>>), AwsError> {
        let mut filters = Vec::new();
        let mut pages = self.logs.describe_metric_filters().log_group_name(&group).into_paginator().send();
        while let Some(page) = pages.next().await {
            match page.map_err(|error| AwsError::call("logs:DescribeMetricFilters", &error)) {
                Ok(page) => {
                    for filter in page.metric_filters.unwrap_or_default() {
                        filters.push(metric_filter(filter)?);
                    }
                }
                Err(error) if error.is(NOT_FOUND) => return Ok((group, None)),
                Err(error) => return Err(error),
            }
        }
        filters.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((group, Some(filters)))
    }

    /// `DescribeAlarmsForMetric`, which has no pages: the alarms on a metric without dimensions, by name.
    pub(super) async fn watched(&self, namespace: String, name: String) -> Result<WatchedMetric, AwsError> {
        let request = self.cloudwatch.describe_alarms_for_metric().namespace(&namespace).metric_name(&name);
        let answer =
            request.send().await.map_err(|error| AwsError::call("cloudwatch:DescribeAlarmsForMetric", &error))?;
        let alarms = answer.metric_alarms.unwrap_or_default().into_iter().map(metric_alarm);
        let mut alarms = alarms.collect::<Result<Vec<_>, _>>()?;
        alarms.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(WatchedMetric { namespace, name, alarms })
    }

    /// Whether there is an alarm with exactly this name, of any type: all types share one namespace.
    pub(super) async fn alarm_exists(&self, name: &str) -> Result<bool, AwsError> {
        let types = vec![AlarmType::CompositeAlarm, AlarmType::LogAlarm, AlarmType::MetricAlarm];
        let request = self.cloudwatch.describe_alarms().alarm_names(name).set_alarm_types(Some(types));
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("cloudwatch:DescribeAlarms", &error))?;
            if !page.metric_alarms().is_empty() || !page.composite_alarms().is_empty() || !page.log_alarms().is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn put_filter(&self, action: &Action) -> Result<(), AwsError> {
        let Action::PutMetricFilter { log_group_name, filter_name, filter_pattern, metric_transformations } = action
        else {
            return Ok(());
        };
        let mut request = self
            .logs
            .put_metric_filter()
            .log_group_name(log_group_name)
            .filter_name(filter_name)
            .filter_pattern(filter_pattern);
        for made in metric_transformations {
            let transformation = logs::MetricTransformation::builder()
                .metric_name(&made.metric_name)
                .metric_namespace(&made.metric_namespace)
                .metric_value(&made.metric_value)
                .default_value(made.default_value);
            let built =
                transformation.build().map_err(|error| ShapeError::new("metricTransformations", "all", error))?;
            request = request.metric_transformations(built);
        }
        request.send().await.map(drop).map_err(|error| AwsError::call("logs:PutMetricFilter", &error))
    }

    pub(super) async fn put_alarm(&self, action: &Action) -> Result<(), AwsError> {
        let Action::PutMetricAlarm {
            alarm_name,
            namespace,
            metric_name,
            statistic,
            period,
            evaluation_periods,
            threshold,
            comparison_operator,
            treat_missing_data,
            alarm_actions,
        } = action
        else {
            return Ok(());
        };
        let request = self
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(alarm_name)
            .namespace(namespace)
            .metric_name(metric_name)
            .statistic(Statistic::from(statistic.as_str()))
            .period(whole("Period", *period)?)
            .evaluation_periods(whole("EvaluationPeriods", *evaluation_periods)?)
            .threshold(f64::from(*threshold))
            .comparison_operator(ComparisonOperator::from(comparison_operator.as_str()))
            .treat_missing_data(treat_missing_data)
            .set_alarm_actions(Some(alarm_actions.clone()));
        request.send().await.map(drop).map_err(|error| AwsError::call("cloudwatch:PutMetricAlarm", &error))
    }

    /// `DeleteMetricFilter`. A filter that is already gone is a success.
    pub(super) async fn delete_filter(&self, group: &str, name: &str) -> Result<(), AwsError> {
        let request = self.logs.delete_metric_filter().log_group_name(group).filter_name(name);
        match request.send().await.map_err(|error| AwsError::call("logs:DeleteMetricFilter", &error)) {
            Err(error) if !error.is(NOT_FOUND) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// `DeleteAlarms`. An alarm that is already gone is a success.
    pub(super) async fn delete_alarms(&self, names: &[String]) -> Result<(), AwsError> {
        let request = self.cloudwatch.delete_alarms().set_alarm_names(Some(names.to_vec()));
        match request.send().await.map_err(|error| AwsError::call("cloudwatch:DeleteAlarms", &error)) {
            Err(error) if !error.is("ResourceNotFound") && !error.is(NOT_FOUND) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn metric_filter(filter: logs::MetricFilter) -> Result<MetricFilter, ShapeError> {
    let name = filter.filter_name.ok_or_else(|| ShapeError::missing("filterName", "a name"))?;
    let pattern =
        filter.filter_pattern.ok_or_else(|| ShapeError::missing(format!("{name}.filterPattern"), "a text"))?;
    let transformations = filter.metric_transformations.unwrap_or_default().into_iter().map(|it| Transformation {
        metric_namespace: it.metric_namespace,
        metric_name: it.metric_name,
        metric_value: it.metric_value,
        default_value: it.default_value,
        has_dimensions: it.dimensions.is_some_and(|dimensions| !dimensions.is_empty()),
        unit: it.unit.map(|it| it.as_str().to_owned()).filter(|it| it != NO_UNIT),
    });
    Ok(MetricFilter {
        name,
        pattern,
        transformations: transformations.collect(),
        on_transformed_logs: filter.apply_on_transformed_logs,
        field_selection_criteria: filter.field_selection_criteria,
        emits_system_fields: filter.emit_system_field_dimensions.is_some_and(|fields| !fields.is_empty()),
    })
}

/// A missing `ActionsEnabled` is an error, not a default.
fn metric_alarm(alarm: types::MetricAlarm) -> Result<MetricAlarm, ShapeError> {
    let name = alarm.alarm_name.ok_or_else(|| ShapeError::missing("AlarmName", "a name"))?;
    let missing = |field: &str, expected: &str| ShapeError::missing(format!("{name}.{field}"), expected);
    let number = |field: &str, value: Option<i32>| {
        value
            .map(|it| u32::try_from(it).map_err(|_| ShapeError::new(format!("{name}.{field}"), "a whole number", it)))
            .transpose()
    };
    Ok(MetricAlarm {
        arn: alarm.alarm_arn.ok_or_else(|| missing("AlarmArn", "an ARN"))?,
        actions_enabled: alarm.actions_enabled.ok_or_else(|| missing("ActionsEnabled", "true or false"))?,
        actions: in_order(alarm.alarm_actions.unwrap_or_default()),
        statistic: alarm.statistic.map(|it| it.as_str().to_owned()),
        comparison: alarm.comparison_operator.map(|it| it.as_str().to_owned()),
        threshold: alarm.threshold,
        period: number("Period", alarm.period)?,
        evaluation_periods: number("EvaluationPeriods", alarm.evaluation_periods)?,
        datapoints_to_alarm: number("DatapointsToAlarm", alarm.datapoints_to_alarm)?,
        treat_missing_data: alarm.treat_missing_data,
        has_dimensions: alarm.dimensions.is_some_and(|dimensions| !dimensions.is_empty()),
        unit: alarm.unit.map(|it| it.as_str().to_owned()),
        name,
    })
}

/// CloudWatch does not guarantee the order of an alarm's actions.
fn in_order(mut actions: Vec<String>) -> Vec<String> {
    actions.sort();
    actions
}

fn whole(field: &str, number: u32) -> Result<i32, ShapeError> {
    i32::try_from(number).map_err(|_| ShapeError::new(field, "a whole number", number))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn disqualifying_settings_of_a_filter_are_read() {
        let transformation = || {
            let builder = logs::MetricTransformation::builder().metric_name("Root").metric_namespace("Audit");
            builder.metric_value("1")
        };
        let plain = || logs::MetricFilter::builder().filter_name("f").filter_pattern("{ $.a = b }");
        let read = |filter: logs::MetricFilter| metric_filter(filter).unwrap();
        let unit = transformation().unit(logs::StandardUnit::None).build().unwrap();
        let filter = read(plain().metric_transformations(unit).build());
        let counted = Transformation {
            metric_namespace: "Audit".to_owned(),
            metric_name: "Root".to_owned(),
            metric_value: "1".to_owned(),
            default_value: None,
            has_dimensions: false,
            unit: None,
        };
        assert_eq!(filter.transformations, std::slice::from_ref(&counted), "unit None is read as no unit");
        let dimension = transformation().dimensions("a", "$.a").default_value(0.5).build().unwrap();
        let spread = read(plain().metric_transformations(dimension).build());
        assert_eq!(
            spread.transformations,
            [Transformation { has_dimensions: true, default_value: Some(0.5), ..counted }]
        );
        let narrowed = plain().field_selection_criteria("@aws.account = x").emit_system_field_dimensions("@aws.region");
        let narrowed = read(narrowed.apply_on_transformed_logs(true).build());
        assert!(narrowed.on_transformed_logs && narrowed.emits_system_fields);
        assert_eq!(narrowed.field_selection_criteria.as_deref(), Some("@aws.account = x"));
        assert!(metric_filter(logs::MetricFilter::builder().filter_name("f").build()).is_err());
    }

    #[test]
    fn alarm_without_actions_enabled_is_refused() {
        let alarm = || types::MetricAlarm::builder().alarm_name("a").alarm_arn("arn").period(300);
        let read = metric_alarm(alarm().actions_enabled(false).evaluation_periods(2).build()).unwrap();
        assert_eq!((read.actions_enabled, read.period, read.evaluation_periods), (false, Some(300), Some(2)));
        assert!(metric_alarm(alarm().build()).is_err());
        assert!(metric_alarm(alarm().actions_enabled(true).datapoints_to_alarm(-1).build()).is_err());
    }
}

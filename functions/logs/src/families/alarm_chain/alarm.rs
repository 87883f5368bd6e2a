//! Whether an alarm on a filter's metric fires soon enough after the event, with its actions enabled.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::Transformation;

/// A metric alarm, as `DescribeAlarmsForMetric` returns it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricAlarm {
    /// `AlarmName`.
    pub name: String,
    /// `AlarmArn`.
    pub arn: String,
    /// `ActionsEnabled`.
    pub actions_enabled: bool,
    /// `AlarmActions`: ARNs.
    pub actions: Vec<String>,
    /// `Statistic`; absent if the alarm uses a percentile.
    pub statistic: Option<String>,
    /// `ComparisonOperator`.
    pub comparison: Option<String>,
    /// `Threshold`.
    pub threshold: Option<f64>,
    /// `Period`, seconds.
    pub period: Option<u32>,
    /// `EvaluationPeriods`.
    pub evaluation_periods: Option<u32>,
    /// `DatapointsToAlarm`; absent means all evaluation periods.
    pub datapoints_to_alarm: Option<u32>,
    /// `TreatMissingData`; absent means `missing`.
    pub treat_missing_data: Option<String>,
    /// Whether it has `Dimensions`: it then watches another metric.
    pub has_dimensions: bool,
    /// `Unit`: if set, only values with this unit are watched.
    pub unit: Option<String>,
}

/// How many events and how much time an alarm may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `maxThreshold`: the maximum number of events that the alarm may need to fire.
    pub events: u32,
    /// `maxDetectionSeconds`.
    pub seconds: u32,
    /// Whether one breaching datapoint must be enough.
    pub one_datapoint: bool,
}

/// Why an alarm is rejected.
#[derive(Debug, Clone, PartialEq)]
pub enum AlarmRejection {
    /// It watches a dimension or unit that the filter does not write.
    OtherMetric,
    /// Its statistic cannot count events.
    Statistic(String),
    /// It does not fire above a threshold.
    Comparison(String),
    /// Threshold, period or evaluation periods are missing.
    Incomplete,
    /// The threshold is reached without any event, so the alarm does not change state when one occurs.
    AlwaysReached,
    /// The threshold is never reached.
    NeverReached,
    /// The threshold is too high: events needed, events allowed.
    Threshold(f64, u32),
    /// More than one datapoint must breach.
    Datapoints(u32),
    /// It takes too long, seconds: needed, allowed.
    Slow(u64, u32),
    /// It needs several datapoints and missing data keeps its current state.
    IgnoresMissing,
    /// Only its actions are disabled.
    ActionsDisabled,
}

impl MetricAlarm {
    /// Whether it fires within the limits on the metric that `transformation` writes.
    ///
    /// # Errors
    /// The first [`AlarmRejection`]; [`AlarmRejection::ActionsDisabled`] only if it is the only one.
    pub fn check(&self, transformation: &Transformation, limits: Limits) -> Result<(), AlarmRejection> {
        let unit = transformation.unit.as_deref().unwrap_or("None");
        if self.has_dimensions || self.unit.as_deref().is_some_and(|watched| watched != unit) {
            return Err(AlarmRejection::OtherMetric);
        }
        let needed = self.events_needed(transformation)?;
        if needed > f64::from(limits.events) {
            return Err(AlarmRejection::Threshold(needed, limits.events));
        }
        let (Some(period), Some(periods)) = (self.period, self.evaluation_periods) else {
            return Err(AlarmRejection::Incomplete);
        };
        let datapoints = self.datapoints_to_alarm.unwrap_or(periods);
        if limits.one_datapoint && datapoints != 1 {
            return Err(AlarmRejection::Datapoints(datapoints));
        }
        let seconds = u64::from(period) * u64::from(datapoints);
        if seconds > u64::from(limits.seconds) {
            return Err(AlarmRejection::Slow(seconds, limits.seconds));
        }
        if datapoints > 1 && self.treat_missing_data.as_deref() == Some("ignore") {
            return Err(AlarmRejection::IgnoresMissing);
        }
        if self.actions_enabled { Ok(()) } else { Err(AlarmRejection::ActionsDisabled) }
    }

    /// The number of events in one period that reaches the threshold.
    fn events_needed(&self, transformation: &Transformation) -> Result<f64, AlarmRejection> {
        let threshold = self.threshold.filter(|it| it.is_finite()).ok_or(AlarmRejection::Incomplete)?;
        let value = transformation.value().ok_or(AlarmRejection::OtherMetric)?;
        let exclusive = match self.comparison.as_deref() {
            Some("GreaterThanOrEqualToThreshold") => false,
            Some("GreaterThanThreshold") => true,
            other => return Err(AlarmRejection::Comparison(other.unwrap_or("none").to_owned())),
        };
        let reached = |measured: f64| if exclusive { measured > threshold } else { measured >= threshold };
        if reached(0.0) {
            return Err(AlarmRejection::AlwaysReached);
        }
        let each = match self.statistic.as_deref() {
            Some("Sum") => value,
            Some("SampleCount") => 1.0,
            Some("Maximum") if reached(value) => return Ok(1.0),
            Some("Maximum") => return Err(AlarmRejection::NeverReached),
            other => return Err(AlarmRejection::Statistic(other.unwrap_or("a percentile").to_owned())),
        };
        let events = (threshold / each).ceil().max(1.0);
        Ok(if reached(events * each) { events } else { events + 1.0 })
    }
}

impl fmt::Display for AlarmRejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherMetric => out.write_str("watches a dimension or unit that the filter does not write"),
            Self::Statistic(name) => write!(out, "statistic {name} does not count events"),
            Self::Comparison(name) => write!(out, "compares by {name}"),
            Self::Incomplete => out.write_str("has no threshold or period"),
            Self::AlwaysReached => out.write_str("threshold is reached without any event"),
            Self::NeverReached => out.write_str("threshold is never reached"),
            Self::Threshold(needed, allowed) => write!(out, "needs {needed} events (max {allowed})"),
            Self::Datapoints(needed) => write!(out, "needs {needed} datapoints (max 1)"),
            Self::Slow(needed, allowed) => write!(out, "takes {needed} s (max {allowed})"),
            Self::IgnoresMissing => out.write_str("ignores missing data while it needs several datapoints"),
            Self::ActionsDisabled => out.write_str("has its actions disabled"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::families::alarm_chain::chain::tests::alarm;

    const STRICT: Limits = Limits { events: 1, seconds: 900, one_datapoint: true };
    const LOOSE: Limits = Limits { events: 25, seconds: 900, one_datapoint: false };

    fn transformation(value: &str) -> Transformation {
        Transformation { metric_value: value.to_owned(), ..Transformation::default() }
    }

    #[test]
    fn an_alarm_is_accepted_if_it_fires_in_time_with_actions_enabled() {
        type Change = fn(&mut MetricAlarm);
        let rows: [(&str, Limits, Change, Result<(), AlarmRejection>); 21] = [
            ("as in the benchmarks", STRICT, |_| (), Ok(())),
            ("above zero", STRICT, |it| above(it, 0.0), Ok(())),
            ("above one", STRICT, |it| above(it, 1.0), Err(AlarmRejection::Threshold(2.0, 1))),
            ("above one, of 25", LOOSE, |it| above(it, 24.0), Ok(())),
            ("above 25, of 25", LOOSE, |it| above(it, 25.0), Err(AlarmRejection::Threshold(26.0, 25))),
            ("zero is always reached", STRICT, |it| it.threshold = Some(0.0), Err(AlarmRejection::AlwaysReached)),
            (
                "less than",
                STRICT,
                |it| it.comparison = Some("LessThanThreshold".to_owned()),
                Err(AlarmRejection::Comparison("LessThanThreshold".to_owned())),
            ),
            (
                "average",
                STRICT,
                |it| it.statistic = Some("Average".to_owned()),
                Err(AlarmRejection::Statistic("Average".to_owned())),
            ),
            ("percentile", STRICT, |it| it.statistic = None, Err(AlarmRejection::Statistic("a percentile".to_owned()))),
            ("maximum", STRICT, |it| it.statistic = Some("Maximum".to_owned()), Ok(())),
            (
                "a maximum of ones never reaches five",
                LOOSE,
                |it| {
                    it.statistic = Some("Maximum".to_owned());
                    it.threshold = Some(5.0);
                },
                Err(AlarmRejection::NeverReached),
            ),
            (
                "240 of 240 datapoints",
                STRICT,
                |it| it.evaluation_periods = Some(240),
                Err(AlarmRejection::Datapoints(240)),
            ),
            (
                "240 of 240, several allowed",
                LOOSE,
                |it| it.evaluation_periods = Some(240),
                Err(AlarmRejection::Slow(72_000, 900)),
            ),
            (
                "one of 240 datapoints",
                STRICT,
                |it| {
                    it.evaluation_periods = Some(240);
                    it.datapoints_to_alarm = Some(1);
                },
                Ok(()),
            ),
            ("as slow as allowed", STRICT, |it| it.period = Some(900), Ok(())),
            ("an hour", STRICT, |it| it.period = Some(3600), Err(AlarmRejection::Slow(3600, 900))),
            (
                "ignores missing data",
                LOOSE,
                |it| {
                    it.evaluation_periods = Some(2);
                    it.treat_missing_data = Some("ignore".to_owned());
                },
                Err(AlarmRejection::IgnoresMissing),
            ),
            ("ignores it with one datapoint", LOOSE, |it| it.treat_missing_data = Some("ignore".to_owned()), Ok(())),
            ("dimensions", STRICT, |it| it.has_dimensions = true, Err(AlarmRejection::OtherMetric)),
            ("another unit", STRICT, |it| it.unit = Some("Bytes".to_owned()), Err(AlarmRejection::OtherMetric)),
            ("actions disabled", STRICT, |it| it.actions_enabled = false, Err(AlarmRejection::ActionsDisabled)),
        ];
        for (case, limits, change, expected) in rows {
            let mut changed = alarm(&[]);
            change(&mut changed);
            assert_eq!(changed.check(&transformation("1"), limits), expected, "{case}");
        }
    }

    fn above(alarm: &mut MetricAlarm, threshold: f64) {
        alarm.comparison = Some("GreaterThanThreshold".to_owned());
        alarm.threshold = Some(threshold);
    }

    #[test]
    fn disabled_actions_are_reported_only_without_another_rejection() {
        let slow = MetricAlarm { actions_enabled: false, period: Some(3600), ..alarm(&[]) };
        assert_eq!(slow.check(&transformation("1"), STRICT), Err(AlarmRejection::Slow(3600, 900)));
    }

    proptest! {
        /// The number of events needed reaches the threshold, and one fewer does not.
        #[test]
        fn events_needed_are_just_enough(threshold in 0.1f64..50.0, value in 0.1f64..5.0, exclusive in any::<bool>()) {
            let mut alarm = alarm(&[]);
            alarm.threshold = Some(threshold);
            if exclusive {
                above(&mut alarm, threshold);
            }
            let transformation = transformation(&value.to_string());
            let needed = alarm.events_needed(&transformation).unwrap();
            let reached = |events: f64| if exclusive { events * value > threshold } else { events * value >= threshold };
            prop_assert!(reached(needed), "{} events", needed);
            prop_assert!(needed < 1.5 || !reached(needed - 1.0), "{} events", needed);
        }

        #[test]
        fn stricter_limits_accept_no_more(threshold in 0.0f64..30.0, period in 1u32..2000, datapoints in 1u32..5, events in 1u32..30) {
            let alarm = MetricAlarm { threshold: Some(threshold), period: Some(period), evaluation_periods: Some(datapoints), ..alarm(&[]) };
            let accepted = |limits| alarm.check(&transformation("1"), limits).is_ok();
            let wide = Limits { events, seconds: 1800, one_datapoint: false };
            for narrow in [Limits { events: 1, ..wide }, Limits { seconds: 60, ..wide }, Limits { one_datapoint: true, ..wide }] {
                prop_assert!(!accepted(narrow) || accepted(wide));
            }
        }
    }
}

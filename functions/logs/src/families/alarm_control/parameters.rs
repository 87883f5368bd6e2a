//! The parameters that the alarm controls share, and the combinations that are refused.

use std::marker::PhantomData;

use rectify_compliance::Parameters;
use rectify_compliance::values::{Bounded, Flag};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{AlarmControl, AlarmQuery, Defaults};
use crate::families::alarm_chain::alarm::Limits;
use crate::families::alarm_chain::chain::AlarmRequirements;
use crate::families::alarm_chain::filter::Tolerance;
use crate::families::alarm_chain::fix::AlarmSpec;
use crate::families::alarm_chain::target::topic;

/// A number of events.
type Events = Bounded<1, 1000>;

/// Seconds, from the resolution of a filter's metric to one day.
type Seconds = Bounded<MINUTE, 86_400>;

/// The resolution of a filter's metric.
const MINUTE: u32 = 60;

/// The period of a created alarm, unless `maxDetectionSeconds` requires a shorter one.
const PERIOD: u32 = 300;

/// The verdict on a chain whose last link another account denies reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnverifiedTopic {
    /// No verdict: the invocation fails.
    #[default]
    Fail,
    /// COMPLIANT.
    Compliant,
    /// NON_COMPLIANT.
    NonCompliant,
}

/// The default namespace of the metric of a created filter.
const NAMESPACE: &str = "CISBenchmark";

/// Parses the ARN of a topic.
fn topic_arn<'de, D: Deserializer<'de>>(text: D) -> Result<Option<String>, D::Error> {
    checked(text, "the ARN of a topic", |text| topic(text).is_some_and(|(_, _, name)| !name.contains(':')))
}

/// Parses the name of a log group (service model of 2014-03-28).
fn log_group_name<'de, D: Deserializer<'de>>(text: D) -> Result<Option<String>, D::Error> {
    checked(text, "the name of a log group", |text| {
        let is_allowed = |it: u8| it.is_ascii_alphanumeric() || b"._-/#".contains(&it);
        (1..=512).contains(&text.len()) && text.bytes().all(is_allowed)
    })
}

/// Parses a metric namespace. Those of AWS are refused: only AWS may write to them.
fn namespace<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    let namespace = checked(text, "a custom metric namespace", |text| {
        (1..=255).contains(&text.chars().count())
            && !text.starts_with(':')
            && !text.starts_with("AWS/")
            && !text.contains(['*', '$'])
    });
    namespace.map(|it| it.unwrap_or_else(|| NAMESPACE.to_owned()))
}

/// Parses a text and refuses one for which `fits` is false.
fn checked<'de, D: Deserializer<'de>>(
    text: D,
    expected: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(text)? else { return Ok(None) };
    match text.trim() {
        text if fits(text) => Ok(Some(text.to_owned())),
        text => Err(D::Error::custom(format!("expected {expected}: received `{text}`"))),
    }
}

/// The parameters of an [`AlarmControl`]; `D` has the defaults of `maxThreshold` and `threshold`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default, bound = "D: Defaults")]
#[schemars(rename = "AlarmParameters", bound = "D: Defaults")]
pub struct AlarmParameters<D: Defaults> {
    /// The maximum number of events in one period that the alarm may need to fire, 1 to 1000. Default 1, for refused API calls
    /// 25.
    pub max_threshold: Events,
    /// The maximum detection time, `Period` times `DatapointsToAlarm`, seconds, 60 to 86400. Default 900.
    pub max_detection_seconds: Seconds,
    /// Whether a filter that matches nearly every event is accepted. Default true.
    pub accept_noisy: Flag,
    /// Whether widely used patterns that miss some of the events are accepted. Default true.
    pub accept_variants: Flag,
    /// Whether an organization trail of another account that cannot be read counts. Default true.
    pub trust_organization_trail: Flag,
    /// The verdict on a chain that ends at a topic or key of another account that cannot be read: `fail` (no verdict),
    /// `compliant` or `noncompliant`. Default `fail`.
    pub unverified_topic: UnverifiedTopic,
    /// Whether a Lambda function or an OpsItem counts as a notification. Default false.
    pub accept_other_targets: Flag,
    /// The topic that an alarm created by the remediation notifies, by ARN. Default: none, and no alarm is created.
    #[serde(deserialize_with = "topic_arn")]
    pub topic_arn: Option<String>,
    /// The log group for the filter that the remediation creates. Default: the log group of the trails, if there is
    /// only one.
    #[serde(deserialize_with = "log_group_name")]
    pub log_group_name: Option<String>,
    /// The metric namespace of the filter that the remediation creates. Default `CISBenchmark`.
    #[serde(deserialize_with = "namespace")]
    pub namespace: String,
    /// The threshold of the alarm that the remediation creates, events, at most `maxThreshold`. Default 1, for refused
    /// API calls 5.
    pub threshold: Events,
    #[serde(skip)]
    defaults: PhantomData<D>,
}

impl<D: Defaults> Default for AlarmParameters<D> {
    fn default() -> Self {
        Self {
            max_threshold: Events::of(D::MAX_EVENTS),
            max_detection_seconds: Seconds::of(900),
            accept_noisy: Flag(true),
            accept_variants: Flag(true),
            trust_organization_trail: Flag(true),
            unverified_topic: UnverifiedTopic::default(),
            accept_other_targets: Flag(false),
            topic_arn: None,
            log_group_name: None,
            namespace: NAMESPACE.to_owned(),
            threshold: Events::of(D::THRESHOLD),
            defaults: PhantomData,
        }
    }
}

impl<D: Defaults> Parameters for AlarmParameters<D> {
    /// With a threshold above the maximum, the alarm that the remediation creates would be noncompliant.
    fn check(&self) -> Result<(), String> {
        let (threshold, max) = (self.threshold, self.max_threshold);
        if threshold.get() > max.get() {
            return Err(format!("threshold `{threshold}` is above maxThreshold `{max}`"));
        }
        Ok(())
    }
}

impl<D: Defaults> AlarmControl<D> {
    /// The requirements of the control with these parameters.
    pub fn question<'a>(&self, params: &'a AlarmParameters<D>) -> AlarmQuery<'a> {
        let seconds = params.max_detection_seconds.get();
        AlarmQuery {
            demands: AlarmRequirements {
                events: self.events,
                tolerance: Tolerance { noisy: params.accept_noisy.0, variants: params.accept_variants.0 },
                limits: Limits { events: params.max_threshold.get(), seconds, one_datapoint: self.one_datapoint },
                trust_organization_trail: params.trust_organization_trail.0,
                accept_other_targets: params.accept_other_targets.0,
                trust_unverified: params.unverified_topic == UnverifiedTopic::Compliant,
            },
            making: AlarmSpec {
                name: self.id,
                metric: self.metric,
                namespace: &params.namespace,
                threshold: params.threshold.get(),
                period: PERIOD.min(seconds / MINUTE * MINUTE),
                topic_arn: params.topic_arn.as_deref(),
                log_group: params.log_group_name.as_deref(),
            },
            must_be_verified: params.unverified_topic == UnverifiedTopic::Fail,
            in_management_account: self.in_management_account,
        }
    }
}

//! What the controls that want an alarm have in common: all but their pattern, their names and their defaults.
//!
//! A control says by [`WantsAlarm`] what it wants; `on_alarm!` makes the rest of it from that.
//! What is judged and planned is [`alarm_chain`](crate::alarm_chain)'s business.

mod docs;
mod parameters;

use std::fmt::Debug;

use rectify_cloudtrail::qualifying::OBSERVE;
use rectify_compliance::{Declared, ManagedBy, Permission};

use crate::alarm_chain::chain::Demands;
use crate::alarm_chain::filter::Wanted;
use crate::alarm_chain::mend::Making;

pub(crate) use docs::alarm_docs;
pub use parameters::{AlarmParameters, LogGroupName, Namespace, TopicArn, UnverifiedTopic};

/// What one control wants an alarm on. The filter and the alarm of its remediation are named after the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// The events.
    pub wanted: Wanted,
    /// The metric of its remediation.
    pub metric: &'static str,
    /// Whether a single datapoint must be enough.
    pub one_datapoint: bool,
    /// The default of `maxThreshold`.
    pub most_events: u32,
    /// The default of `threshold`.
    pub threshold: u32,
}

/// A control that wants an alarm.
pub trait WantsAlarm: Declared + Clone + PartialEq + Debug {
    /// On what.
    const ALARM: Alarm;
}

/// A control and its parameters, as the shared half asks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// What a chain must do.
    pub demands: Demands,
    /// What the remediation makes.
    pub making: Making<'a>,
    /// Whether there is no answer where another account keeps it from us (`unverifiedTopic=fail`).
    pub must_be_verified: bool,
}

const LOG_GROUPS: &str = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*";
const ANY_ALARM: &str = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*";
/// Alarms that remediations made: each is named after its control.
const OUR_ALARMS: &str = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:cloudwatch-alarm-*";
const KEYS: &str = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*";
const TOPICS: &str = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*";
/// An alarm may notify the topic of another account, in its own region only.
const ANY_TOPIC: &str = "arn:${AWS::Partition}:sns:${AWS::Region}:*:*";
const SET_TOPIC: Permission = Permission::on("sns:SetTopicAttributes", TOPICS);

/// What a read of a chain may call.
#[allow(clippy::indexing_slicing)] // the compiler evaluates it, and refuses what is out of range
pub(crate) const READS: [Permission; 8] = [
    OBSERVE[0],
    OBSERVE[1],
    OBSERVE[2],
    Permission::on("logs:DescribeMetricFilters", LOG_GROUPS),
    Permission::unscoped("cloudwatch:DescribeAlarmsForMetric"),
    Permission::on("sns:GetTopicAttributes", ANY_TOPIC),
    Permission::on("kms:DescribeKey", KEYS),
    Permission::on("kms:GetKeyPolicy", KEYS),
];

/// What a remediation may read beside: whether its name is taken, be it by a composite alarm, which IAM shows to nobody
/// whose permission is narrower than `*`.
pub(crate) const NAMES: Permission = Permission::unscoped("cloudwatch:DescribeAlarms");

pub(crate) const CALLS: &[Permission] = &[
    Permission::on("logs:PutMetricFilter", LOG_GROUPS),
    Permission::on("cloudwatch:PutMetricAlarm", OUR_ALARMS),
    Permission::on("cloudwatch:EnableAlarmActions", ANY_ALARM),
    SET_TOPIC,
];

/// What is made anew is in no template.
pub(crate) const MANAGED: ManagedBy = ManagedBy::Lookup(
    "the name of the alarm whose actions are enabled and the ARN of the topic whose policy is extended",
);

pub(crate) const UNDOES: &[Permission] = &[
    Permission::on("logs:DeleteMetricFilter", LOG_GROUPS),
    Permission::on("cloudwatch:DeleteAlarms", OUR_ALARMS),
    Permission::on("cloudwatch:DisableAlarmActions", ANY_ALARM),
    SET_TOPIC,
];

/// Makes a control of one that [wants an alarm](WantsAlarm): it judges and plans [chains](crate::alarm_chain::observed::AlarmChains).
macro_rules! on_alarm {
    ($control:ident) => {
        impl rectify_compliance::Control for $control {
            type Params = $crate::alarm_control::AlarmParameters<Self>;
            type Subject = $crate::alarm_chain::observed::AlarmChains;

            fn evaluate(
                chains: &Self::Subject,
                params: &Self::Params,
                _now: rectify_compliance::Timestamp,
            ) -> rectify_compliance::Verdict {
                chains.judge(&params.question().demands)
            }
        }

        impl rectify_compliance::Inventory for $control {
            const LISTING: &'static [rectify_compliance::Permission] = &$crate::alarm_control::READS;
        }

        impl rectify_compliance::Remediation for $control {
            type Action = $crate::alarm_chain::mend::Action;
            type Receipt = ();
            type Undo = $crate::alarm_chain::mend::Undo;
            const LIVE: &'static [rectify_compliance::Permission] = &{
                let [trails, status, selectors, filters, alarms, topics, keys, policies] = $crate::alarm_control::READS;
                [trails, status, selectors, filters, alarms, topics, keys, policies, $crate::alarm_control::NAMES]
            };
            const CALLS: &'static [rectify_compliance::Permission] = $crate::alarm_control::CALLS;
            const UNDOES: &'static [rectify_compliance::Permission] = $crate::alarm_control::UNDOES;

            const MANAGED: rectify_compliance::ManagedBy = $crate::alarm_control::MANAGED;

            fn stack_resources(_live: &Self::Subject, action: &Self::Action) -> Vec<rectify_compliance::PhysicalId> {
                action.stack_resources()
            }

            fn plan(
                live: &Self::Subject,
                params: &Self::Params,
                _now: rectify_compliance::Timestamp,
            ) -> rectify_compliance::Plan<Self::Action> {
                let question = params.question();
                live.plan(&question.demands, &question.making)
            }

            fn expect(live: Self::Subject, action: &Self::Action) -> Self::Subject {
                live.expect(action)
            }

            fn footprint(subject: &Self::Subject, done: &[Self::Action]) -> serde_json::Value {
                subject.footprint(done)
            }

            fn undo(
                before: &Self::Subject,
                done: &[(Self::Action, ())],
            ) -> Result<Vec<Self::Undo>, rectify_compliance::Irreversible> {
                let actions: Vec<Self::Action> = done.iter().map(|(action, ())| action.clone()).collect();
                $crate::alarm_chain::mend::undo(before, &actions)
            }
        }
    };
}
pub(crate) use on_alarm;

#[cfg(test)]
#[path = "alarm_control_tests.rs"]
mod tests;

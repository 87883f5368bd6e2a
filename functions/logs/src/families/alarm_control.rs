//! The controls that require an alarm. They differ only in pattern, names and defaults.
//!
//! A control is a value of [`AlarmControl`]; [`alarm_chain`](crate::families::alarm_chain) evaluates and plans.

mod docs;
mod on_events;
mod parameters;

use std::fmt::Debug;

use rectify_cloudtrail::resources::qualifying::OBSERVE;
use rectify_compliance::{
    Control, Irreversible, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation, RemediationPermissions,
    Timestamp, Verdict,
};
use serde_json::Value;

use crate::families::alarm_chain::chain::AlarmRequirements;
use crate::families::alarm_chain::filter::ExpectedEvents;
use crate::families::alarm_chain::fix::{self, Action, AlarmSpec, Undo};
use crate::families::alarm_chain::observed::AlarmChains;

pub(crate) use docs::alarm_docs;
pub(crate) use on_events::alarm_on_events;
pub use parameters::{AlarmParameters, UnverifiedTopic};

/// Default parameters of an alarm control.
pub trait Defaults: Debug + Clone + PartialEq + Send + Sync + 'static {
    /// Default of `maxThreshold`.
    const MAX_EVENTS: u32;
    /// Default of `threshold`.
    const THRESHOLD: u32;
}

/// For events of which a single one must raise the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstEvent;

impl Defaults for FirstEvent {
    const MAX_EVENTS: u32 = 1;
    const THRESHOLD: u32 = 1;
}

/// For events of which a few every day are normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst;

impl Defaults for Burst {
    const MAX_EVENTS: u32 = 25;
    const THRESHOLD: u32 = 5;
}

/// A control that requires an alarm on certain events. Its remediation names the filter and the alarm after the
/// control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmControl<D> {
    /// The control id.
    pub id: &'static str,
    /// The events that must raise an alarm.
    pub events: ExpectedEvents,
    /// The name of the metric that its remediation creates.
    pub metric: &'static str,
    /// Whether one breaching datapoint must be enough to raise the alarm.
    pub one_datapoint: bool,
    /// Whether only the management account of an organization is evaluated.
    pub in_management_account: bool,
    /// The default parameters.
    pub defaults: D,
}

/// The requirements of a control with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmQuery<'a> {
    /// The requirements on a chain.
    pub demands: AlarmRequirements,
    /// What the remediation creates.
    pub making: AlarmSpec<'a>,
    /// Whether the invocation fails if another account denies the read (`unverifiedTopic=fail`).
    pub must_be_verified: bool,
    /// Whether only the management account of an organization is evaluated.
    pub in_management_account: bool,
}

const LOG_GROUPS: &str = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*";
const ANY_ALARM: &str = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*";
/// Alarms that remediations create: each is named after its control.
const CREATED_ALARMS: &str =
    "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:cloudwatch-alarm-*";
const KEYS: &str = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*";
const TOPICS: &str = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*";
/// An alarm may notify a topic of another account, but only in its own region.
const ANY_TOPIC: &str = "arn:${AWS::Partition}:sns:${AWS::Region}:*:*";
const SET_TOPIC: Permission = Permission::on("sns:SetTopicAttributes", TOPICS);

/// Permissions to read a chain; the first is for a control of the management account, the last for a remediation.
#[allow(clippy::indexing_slicing)] // evaluated at compile time, which rejects an index out of range
const READS: [Permission; 10] = [
    Permission::unscoped("organizations:DescribeOrganization"),
    OBSERVE[0],
    OBSERVE[1],
    OBSERVE[2],
    Permission::on("logs:DescribeMetricFilters", LOG_GROUPS),
    Permission::unscoped("cloudwatch:DescribeAlarmsForMetric"),
    Permission::on("sns:GetTopicAttributes", ANY_TOPIC),
    Permission::on("kms:DescribeKey", KEYS),
    Permission::on("kms:GetKeyPolicy", KEYS),
    // Whether an alarm of its name exists. Composite alarms are visible only with the resource `*`.
    Permission::unscoped("cloudwatch:DescribeAlarms"),
];

const FIX_CALLS: &[Permission] = &[
    Permission::on("logs:PutMetricFilter", LOG_GROUPS),
    Permission::on("cloudwatch:PutMetricAlarm", CREATED_ALARMS),
    Permission::on("cloudwatch:EnableAlarmActions", ANY_ALARM),
    SET_TOPIC,
];

/// A created filter or alarm is in no template.
const MANAGED: ManagedBy = ManagedBy::Lookup(
    "the name of the alarm whose actions are enabled and the ARN of the topic whose policy is extended",
);

const UNDO_CALLS: &[Permission] = &[
    Permission::on("logs:DeleteMetricFilter", LOG_GROUPS),
    Permission::on("cloudwatch:DeleteAlarms", CREATED_ALARMS),
    Permission::on("cloudwatch:DisableAlarmActions", ANY_ALARM),
    SET_TOPIC,
];

impl<D: Defaults> Control for AlarmControl<D> {
    type Params = AlarmParameters<D>;
    type Subject = AlarmChains;

    fn evaluate(&self, chains: &AlarmChains, params: &Self::Params, _now: Timestamp) -> Verdict {
        chains.evaluate(&self.question(params).demands)
    }
}

impl<D: Defaults> Periodic for AlarmControl<D> {
    fn list_permissions(&self) -> &'static [Permission] {
        let [with_organization @ .., _names] = &READS;
        let [_organization, chain @ ..] = with_organization;
        if self.in_management_account { with_organization } else { chain }
    }
}

impl<D: Defaults> Remediation for AlarmControl<D> {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        let [_organization, without_organization @ ..] = &READS;
        let read: &[Permission] = if self.in_management_account { &READS } else { without_organization };
        RemediationPermissions { read, fix: FIX_CALLS, undo: UNDO_CALLS }
    }

    fn managed_by(&self) -> ManagedBy {
        MANAGED
    }

    fn stack_resources(&self, _live: &AlarmChains, action: &Action) -> Vec<PhysicalId> {
        action.stack_resources()
    }

    fn fix(&self, live: &AlarmChains, params: &Self::Params, _now: Timestamp) -> Plan<Action> {
        let question = self.question(params);
        live.fix(&question.demands, &question.making)
    }

    fn predict(&self, live: AlarmChains, action: &Action) -> AlarmChains {
        live.predict(action)
    }

    fn touched_fields(&self, subject: &AlarmChains, done: &[Action]) -> Value {
        subject.touched_fields(done)
    }

    fn undo(&self, before: &AlarmChains, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        fix::undo(before, done)
    }
}

#[cfg(test)]
mod tests;

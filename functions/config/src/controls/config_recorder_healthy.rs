//! `config-recorder-healthy`: AWS Config does not record everything it should, or does not deliver it.
//!
//! Knows the recorder and the channel as one [`Recording`], and no API.

mod violation;

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::{Bounded, Flag, StringList};
use rectify_compliance::{
    Control, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Region, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::violation::{Fix, is_within_hours, violations};
use crate::resources::recording::{Outcome, Recorder, Recording};

control! {
    /// ## What it checks
    /// That the account has a customer managed configuration recorder in the region; that the recorder is on, has a role, succeeds, and records all supported resource types; and that a delivery channel delivers to a bucket and a topic without failures.
    /// Service-linked recorders do not count.
    /// The global IAM types are the same in every region and must be recorded in one, `globalTypesRegion`.
    /// A recorder that was started within the last hour and has recorded nothing yet is compliant; a stopped recorder is not also reported for its last recording or for late snapshots.
    /// Daily recording of single types also needs `allowDaily`.
    /// AWS Config delivers a history only for changes, so a missing history is not a finding; the last delivery must not have failed, however long ago it was.
    /// Scheduled snapshots are delivered whether or not anything changed: the last one must not have failed either, nor be older than `maxDeliveryAgeHours`.
    /// Unknown values in the responses of AWS Config fail the invocation.
    ///
    /// ## Why it matters
    /// While the recorder is off, change-triggered rules are not invoked, and their last verdicts remain as if they were still true.
    /// This rule runs on a schedule, and [AWS Config continues to run periodic rules](https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config-rules.html) while the recorder is off.
    /// This rule cannot detect its own deletion, or that AWS Config does not invoke it: `rectify doctor` checks the recorder and the rules independently of AWS Config, and a CloudWatch alarm on the `Invocations` of the rule's function that treats missing data as breaching detects an hour without an invocation.
    /// If the event of a finding is lost, the reconciler requests the remediation again.
    ///
    /// ## Compliant example
    /// ```json
    /// {"recording": true, "lastStatus": "SUCCESS", "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"recording": false, "lastStatus": "SUCCESS", "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true}}
    /// ```
    ///
    /// ## Parameters
    /// With `requireAllSupported` false, `requiredTypes` lists the types that must be recorded; global IAM types in it are required only in `globalTypesRegion`.
    /// A control does not see the stack's `HomeRegion`: if that is not the default of the partition, set `globalTypesRegion` too.
    ///
    /// ## Remediation
    /// L1: `config:StartConfigurationRecorder`, if the only violation is that the recorder is stopped.
    /// What changes: AWS Config discovers the changes made in the meantime and records from then on, for a price per item; change-triggered rules are invoked.
    /// What may break: nothing.
    /// Blocked if the recorder was stopped less than 24 hours ago, because the stop may be intended; AWS Config does not record who stopped it, so every stop is respected for that long.
    /// Also blocked if the time of the stop is unknown.
    /// Every other violation becomes a manual step, and the start then waits for it: types, frequency and role cost money and often belong to another stack, a recorder cannot start without a channel, and a failing delivery would keep failing.
    /// The call has no revision check, so another change can fall into the milliseconds between the last read and the write.
    /// How to undo: `config:StopConfigurationRecorder`; items recorded in between stay.
    ///
    /// ## References
    /// - [Security Hub Config.1](https://docs.aws.amazon.com/securityhub/latest/userguide/config-controls.html#config-1)
    /// - [Working with the configuration recorder](https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html)
    /// - [DescribeConfigurationRecorderStatus](https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html)
    /// - [DescribeDeliveryChannelStatus](https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeDeliveryChannelStatus.html)
    /// - [StartConfigurationRecorder](https://docs.aws.amazon.com/config/latest/APIReference/API_StartConfigurationRecorder.html)
    pub CONFIG_RECORDER_HEALTHY: ConfigRecorderHealthy {
        id: "config-recorder-healthy",
        title: "AWS Config does not record everything it should",
        severity: High,
        triggers: [Periodic(OneHour)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L1,
        frameworks: {
            Cis30: ["3.3"],
            Cis50: ["3.3"],
            Fsbp: ["Config.1"],
            Nist80053r5: ["CM-3", "CM-6(1)", "CM-8", "CM-8(2)"],
        },
    }
}

/// How long a stop counts as intended, hours.
const STOP_GRACE: u32 = 24;

parameters! {
    /// The parameters of [`ConfigRecorderHealthy`].
    pub ConfigRecorderHealthyParameters, check: check {
        /// The region in which the global IAM types must be recorded. Default: us-east-1, us-gov-west-1 or cn-north-1,
        /// depending on the partition.
        global_types_region: Option<String> = None,
        /// Whether all supported types must be recorded. Default true.
        require_all_supported: Flag = Flag(true),
        /// The types that must be recorded if not all must, a comma list. Default: none.
        required_types: Option<StringList> = None,
        /// Whether the delivery channel must have an SNS topic. Default true.
        require_sns: Flag = Flag(true),
        /// The maximum age of the last snapshot, if the channel schedules snapshots, hours, 1..=168. Default 30.
        max_delivery_age_hours: Bounded<1, 168> = Bounded::of(30),
        /// Whether recording once a day is enough. Default true.
        allow_daily: Flag = Flag(true),
    }
}

fn check(params: &ConfigRecorderHealthyParameters) -> Result<(), String> {
    if params.required().is_some_and(<[String]>::is_empty) {
        return Err("requireAllSupported is false and requiredTypes names no type".to_owned());
    }
    Ok(())
}

impl ConfigRecorderHealthyParameters {
    /// The types that must be recorded; `None` if all must be.
    pub(crate) fn required(&self) -> Option<&[String]> {
        let named = self.required_types.as_ref().map_or(&[][..], StringList::list);
        (!self.require_all_supported.0).then_some(named)
    }

    /// Whether this is the region in which global types must be recorded.
    pub(crate) fn requires_global_types_in(&self, region: &Region) -> bool {
        match &self.global_types_region {
            Some(named) => named.trim() == region.as_str(),
            None => region.default_home_region() == *region,
        }
    }
}

const RECORDERS: &str = "arn:${AWS::Partition}:config:${AWS::Region}:${AWS::AccountId}:configuration-recorder/*";
const READS: &[Permission] = &[
    Permission::on("config:DescribeConfigurationRecorders", RECORDERS),
    Permission::on("config:DescribeConfigurationRecorderStatus", RECORDERS),
    Permission::unscoped("config:DescribeDeliveryChannels"),
    Permission::unscoped("config:DescribeDeliveryChannelStatus"),
];

impl Control for ConfigRecorderHealthy {
    type Params = ConfigRecorderHealthyParameters;
    type Subject = Recording;

    fn evaluate(&self, recording: &Recording, params: &Self::Params, now: Timestamp) -> Verdict {
        let recorder = recording.recorder.as_ref();
        let violations = violations(recording, params, now);
        if !violations.is_empty() {
            return Verdict::non_compliant(violation::finding(recorder, &violations));
        }
        match recorder {
            Some(Recorder { name, status, .. }) if status.last == Some(Outcome::Pending) => {
                Verdict::Compliant(Some(format!("Recorder {name}: started, nothing recorded yet").into()))
            }
            _ => Verdict::COMPLIANT,
        }
    }
}

impl Periodic for ConfigRecorderHealthy {
    fn list_permissions(&self) -> &'static [Permission] {
        READS
    }
}

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `StartConfigurationRecorder`.
    StartConfigurationRecorder {
        /// `ConfigurationRecorderName`.
        configuration_recorder_name: String,
    },
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// `StopConfigurationRecorder`.
    StopConfigurationRecorder {
        /// `ConfigurationRecorderName`.
        configuration_recorder_name: String,
    },
}

impl Remediation for ConfigRecorderHealthy {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: READS,
                fix: &[Permission::on("config:StartConfigurationRecorder", RECORDERS)],
                undo: &[Permission::on("config:StopConfigurationRecorder", RECORDERS)],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the name of the recorder")
    }

    fn stack_resources(&self, _live: &Recording, action: &Action) -> Vec<PhysicalId> {
        let Action::StartConfigurationRecorder { configuration_recorder_name: name } = action;
        vec![PhysicalId::here(name)]
    }

    fn fix(&self, live: &Recording, params: &Self::Params, now: Timestamp) -> Plan<Action> {
        let mut start = None;
        let mut steps = Vec::new();
        for violation in violations(live, params, now) {
            match violation.fix {
                Fix::Manual(text) => steps.push(Step::manual(Level::L0, text)),
                Fix::Start => start = live.recorder.as_ref().filter(|_| live.channel.is_some()),
            }
        }
        let Some(recorder) = start else { return Plan::steps_in_order(steps) };
        // Last: the start may depend on the manual steps.
        let configuration_recorder_name = recorder.name.clone();
        steps.push(Step::call(Level::L1, Action::StartConfigurationRecorder { configuration_recorder_name }));
        Plan::unless(recorder.start_blocker(now), steps)
    }

    fn predict(&self, mut live: Recording, action: &Action) -> Recording {
        let Action::StartConfigurationRecorder { configuration_recorder_name } = action;
        if let Some(recorder) = live.recorder.as_mut().filter(|it| it.name == *configuration_recorder_name)
            && !recorder.status.recording
        {
            recorder.status.recording = true;
            recorder.status.last = Some(Outcome::Pending);
        }
        live
    }

    /// Only whether the recorder is on, so that a later change to its settings does not block an undo.
    fn touched_fields(&self, subject: &Recording, done: &[Action]) -> Value {
        if done.is_empty() {
            json!({})
        } else {
            json!({ "recording": subject.recorder.as_ref().map(|recorder| recorder.status.recording) })
        }
    }

    fn undo(&self, _before: &Recording, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        let stop = |Action::StartConfigurationRecorder { configuration_recorder_name }: &Action| {
            Undo::StopConfigurationRecorder { configuration_recorder_name: configuration_recorder_name.clone() }
        };
        Ok(done.iter().rev().map(stop).collect())
    }
}

impl Recorder {
    /// Why it must not be started automatically, if so. A recorder that was never started may be.
    fn start_blocker(&self, now: Timestamp) -> Option<String> {
        let Self { name, status, .. } = self;
        match status.stopped {
            Some(stopped) if is_within_hours(stopped, STOP_GRACE, now) => Some(format!(
                "recorder {name} was stopped at {stopped:.0}, less than {STOP_GRACE} h ago: the stop may be intended"
            )),
            None if status.started.is_some() => Some(format!("the stop time of recorder {name} is unknown")),
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;

//! `config-recorder-healthy`: AWS Config does not record everything it should, or does not deliver it.
//!
//! Knows recorder and channel as one [`Recording`], and no API.

mod violation;

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::{Bounded, Flag, StringList};
use rectify_compliance::{
    Control, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Region, Remediation, Step,
    Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::violation::{Fix, is_within_hours, violations};
use crate::resources::recording::{Outcome, Recorder, Recording};

control! {
    /// ## What it checks
    /// That the account has a configuration recorder of its own in the region, that it is on, has a role, succeeds, and records all supported resource types; and that a delivery channel takes what it records to a bucket and a topic without failing.
    /// Recorders that AWS services make for themselves do not count.
    /// The types of IAM are the same in every region and have to be recorded in one, `globalTypesRegion`.
    /// A recorder that was started within the last hour and has recorded nothing yet is compliant; what a stopped one recorded last, and that it delivers no snapshot, is not held against it besides.
    /// A daily frequency for single types is one that `allowDaily` must allow.
    /// AWS Config delivers a history only of what changed, so that none comes is no fault: its last delivery must not have failed, however long ago it was.
    /// Snapshots come on a schedule where the channel has one, whatever changed: the last of them must not have failed either, nor be older than `maxDeliveryAgeHours`.
    /// What AWS Config answers that is not known here fails the invocation.
    ///
    /// ## Why it matters
    /// Every rule that waits for changes hears of none while the recorder is off, and its last verdicts stand as if they were still true.
    /// This rule runs on a schedule, and [AWS Config goes on with scheduled rules](https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config-rules.html) while the recorder is off.
    /// Where the rule itself is gone, or AWS Config does not call it, nothing here can tell: `rectify doctor` reads the recorder and the rules without AWS Config's help, and a CloudWatch alarm on the `Invocations` of the rule's function that treats missing data as breaching tells that an hour has passed without one.
    /// A finding whose event was lost is asked about again by the reconciler.
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
    /// With `requireAllSupported` false the types to be recorded are named in `requiredTypes`; those of IAM among them are asked for in `globalTypesRegion` only.
    /// A control does not see the stack's `HomeRegion`: where that is another than the partition's default, it is named in `globalTypesRegion` as well.
    ///
    /// ## Remediation
    /// L1: `config:StartConfigurationRecorder`, where all that is wrong is that the recorder is stopped.
    /// What changes: AWS Config finds what changed meanwhile and records from then on, for a price per item; rules that wait for changes are invoked.
    /// What may break: nothing.
    /// Held back while the recorder was stopped less than 24 hours ago, since whoever stopped it may have meant to; AWS Config does not tell who it was, so every stop is respected for that long.
    /// Held back also where the time of the stop is not told.
    /// Everything else is left to a person, in words, and with it the start: types, frequency and role cost money and often belong to another stack, a missing channel keeps the recorder from starting, and a delivery that fails would go on failing.
    /// The call has no revision to compare, so milliseconds lie between the last read and the write.
    /// How to undo: `config:StopConfigurationRecorder`; what was recorded meanwhile stays.
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
const RESPECT: u32 = 24;

parameters! {
    /// The parameters of [`ConfigRecorderHealthy`].
    pub ConfigRecorderHealthyParameters, check: check {
        /// The region in which the types of IAM must be recorded. Default: us-east-1, us-gov-west-1 or cn-north-1, as the
        /// partition has it.
        global_types_region: Option<String> = None,
        /// Whether all supported types must be recorded. Default true.
        require_all_supported: Flag = Flag(true),
        /// The types that must be recorded where not all must, a comma list. Default: none.
        required_types: Option<StringList> = None,
        /// Whether the delivery channel must have an SNS topic. Default true.
        require_sns: Flag = Flag(true),
        /// How old the last delivered snapshot may be where the channel schedules snapshots, hours, 1..=168. Default 30.
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
    /// The types that must be recorded; none where all must.
    pub(crate) fn required(&self) -> Option<&[String]> {
        let named = self.required_types.as_ref().map_or(&[][..], StringList::list);
        (!self.require_all_supported.0).then_some(named)
    }

    /// Whether this is the region in which global types must be recorded.
    pub(crate) fn global_types_are_recorded_in(&self, region: &Region) -> bool {
        match &self.global_types_region {
            Some(named) => named.trim() == region.as_str(),
            None => region.default_home() == *region,
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

/// What the remediation may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `StartConfigurationRecorder`.
    StartConfigurationRecorder {
        /// `ConfigurationRecorderName`.
        configuration_recorder_name: String,
    },
}

/// What undo may call.
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
    fn read_permissions(&self) -> &'static [Permission] {
        READS
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        const { &[Permission::on("config:StartConfigurationRecorder", RECORDERS)] }
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        const { &[Permission::on("config:StopConfigurationRecorder", RECORDERS)] }
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
                Fix::Person(words) => steps.push(Step::manual(Level::L0, words)),
                Fix::Start => start = live.recorder.as_ref().filter(|_| live.channel.is_some()),
            }
        }
        let Some(recorder) = start else { return Plan::steps_in_order(steps) };
        // Last: what a person must do comes before a start that it might keep from succeeding.
        let configuration_recorder_name = recorder.name.clone();
        steps.push(Step::call(Level::L1, Action::StartConfigurationRecorder { configuration_recorder_name }));
        match recorder.reason_to_stay_off(now) {
            Some(reason) => Plan::blocked(reason, steps),
            None => Plan::steps_in_order(steps),
        }
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

    /// Whether the recorder is on: its settings may be changed later without standing in the way of an undo.
    fn touched_fields(&self, subject: &Recording, done: &[Action]) -> Value {
        if done.is_empty() {
            return json!({});
        }
        json!({ "recording": subject.recorder.as_ref().map(|recorder| recorder.status.recording) })
    }

    fn undo(&self, _before: &Recording, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        let stop = |Action::StartConfigurationRecorder { configuration_recorder_name }: &Action| {
            Undo::StopConfigurationRecorder { configuration_recorder_name: configuration_recorder_name.clone() }
        };
        Ok(done.iter().rev().map(stop).collect())
    }
}

impl Recorder {
    /// Why nobody but a person should start it, if that is so. One that never was on was stopped by nobody.
    fn reason_to_stay_off(&self, now: Timestamp) -> Option<String> {
        let Self { name, status, .. } = self;
        match status.stopped {
            Some(stopped) if is_within_hours(stopped, RESPECT, now) => Some(format!(
                "recorder {name} was stopped at {stopped:.0}, less than {RESPECT} h ago: whoever did it may have meant to"
            )),
            None if status.started.is_some() => Some(format!("when recorder {name} was stopped is not told")),
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;

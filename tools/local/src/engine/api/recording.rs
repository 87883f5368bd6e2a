//! Operations that put, describe, start and stop the recorder and the delivery channel.

use serde::Deserialize;
use serde_json::{Value, json};

use super::request;
use crate::engine::Engine;
use crate::engine::error::ApiError;
use crate::engine::recording::{
    ALL, ConfigurationRecorder, DEFAULT, DeliveryChannel, EXCEPT, ONLY, RecordingGroup, RecordingMode, Strategy,
};
use crate::engine::shape::Violations;

/// The prefix that AWS reserves for the recorders of its services.
const RESERVED: &str = "AWSConfigurationRecorderFor";
const FREQUENCIES: [&str; 2] = ["CONTINUOUS", "DAILY"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecorderSelection {
    configuration_recorder_names: Option<Vec<String>>,
    service_principal: Option<String>,
    arn: Option<String>,
}

impl RecorderSelection {
    /// Fails, as in AWS, if the request selects any other recorder.
    fn check(self, engine: &Engine) -> Result<(), ApiError> {
        let Self { configuration_recorder_names, service_principal, arn } = self;
        let names = configuration_recorder_names.unwrap_or_default();
        let mut violations = Violations::default();
        check_names(&mut violations, "configurationRecorderNames", &names);
        violations.finish()?;
        let state = engine.lock();
        let recording = &state.recording;
        let other_name = names.iter().find(|name| *name != recording.recorder_name());
        let other_arn = arn.as_ref().filter(|_| arn != recording.recorder.arn);
        match other_name.or(other_arn).or(service_principal.as_ref()) {
            Some(other) => Err(no_such_recorder(other)),
            None => Ok(()),
        }
    }
}

pub(in crate::engine) fn describe_configuration_recorders(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    request::<RecorderSelection>(body)?.check(engine)?;
    Ok(json!({ "ConfigurationRecorders": [engine.lock().recording.recorder] }))
}

pub(in crate::engine) fn describe_configuration_recorder_status(
    engine: &Engine,
    body: Value,
) -> Result<Value, ApiError> {
    request::<RecorderSelection>(body)?.check(engine)?;
    Ok(json!({ "ConfigurationRecordersStatus": [engine.lock().recording.status()] }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChannelSelection {
    delivery_channel_names: Option<Vec<String>>,
}

impl ChannelSelection {
    fn check(self, engine: &Engine) -> Result<(), ApiError> {
        let names = self.delivery_channel_names.unwrap_or_default();
        let mut violations = Violations::default();
        check_names(&mut violations, "deliveryChannelNames", &names);
        violations.finish()?;
        let state = engine.lock();
        match names.iter().find(|name| *name != state.recording.channel_name()) {
            Some(other) => Err(ApiError::new(
                "NoSuchDeliveryChannelException",
                format!("Cannot find delivery channel with specified name '{other}'."),
            )),
            None => Ok(()),
        }
    }
}

pub(in crate::engine) fn describe_delivery_channels(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    request::<ChannelSelection>(body)?.check(engine)?;
    Ok(json!({ "DeliveryChannels": [engine.lock().recording.channel] }))
}

pub(in crate::engine) fn describe_delivery_channel_status(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    request::<ChannelSelection>(body)?.check(engine)?;
    let now = engine.now();
    Ok(json!({ "DeliveryChannelsStatus": [engine.lock().recording.delivery(now)] }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedRecorder {
    configuration_recorder_name: Option<String>,
}

impl NamedRecorder {
    fn check(self, engine: &Engine) -> Result<(), ApiError> {
        let mut violations = Violations::default();
        let name = violations.required("configurationRecorderName", self.configuration_recorder_name.as_deref());
        if self.configuration_recorder_name.is_some() {
            violations.length("configurationRecorderName", name, 1, 256);
        }
        violations.finish()?;
        if name == engine.lock().recording.recorder_name() { Ok(()) } else { Err(no_such_recorder(name)) }
    }
}

pub(in crate::engine) fn start_configuration_recorder(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    request::<NamedRecorder>(body)?.check(engine)?;
    let now = engine.now();
    engine.lock().recording.start(now);
    Ok(json!({}))
}

pub(in crate::engine) fn stop_configuration_recorder(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    request::<NamedRecorder>(body)?.check(engine)?;
    let now = engine.now();
    engine.lock().recording.stop(now);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecorder {
    configuration_recorder: Option<ConfigurationRecorder>,
}

pub(in crate::engine) fn put_configuration_recorder(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let PutRecorder { configuration_recorder } = request(body)?;
    let mut violations = Violations::default();
    violations.present("configurationRecorder", configuration_recorder.as_ref());
    let recorder = configuration_recorder.unwrap_or_default();
    let name = recorder.name.clone().unwrap_or_else(|| DEFAULT.to_owned());
    violations.length("configurationRecorder.name", &name, 1, 256);
    check_group(&mut violations, recorder.recording_group.as_ref());
    check_mode(&mut violations, recorder.recording_mode.as_ref());
    violations.finish()?;
    if name.starts_with(RESERVED) {
        let message = format!("The prefix {RESERVED} is reserved for service-linked configuration recorders.");
        return Err(ApiError::new("InvalidConfigurationRecorderNameException", message));
    }
    let role = recorder.role_arn.filter(|arn| arn.starts_with("arn:") && arn.contains(":role/"));
    let role = role.ok_or_else(|| ApiError::new("InvalidRoleException", "The role provided is not a role's ARN."))?;
    // Without a group, everything except global IAM types is recorded.
    let everything =
        RecordingGroup { all_supported: true, recording_strategy: Strategy::of(ALL), ..Default::default() };
    let group = recorder.recording_group.unwrap_or(everything).normalized();
    let invalid = || ApiError::new("InvalidRecordingGroupException", "The recording group provided is not valid");
    let group = group.ok_or_else(invalid)?;

    let mut state = engine.lock();
    let stored = &mut state.recording.recorder;
    if stored.name.as_ref() != Some(&name) {
        let message = format!(
            "Failed to put configuration recorder '{name}' because the maximum number of configuration recorders: 1 is \
             reached."
        );
        return Err(ApiError::new("MaxNumberOfConfigurationRecordersExceededException", message));
    }
    stored.role_arn = Some(role);
    stored.recording_group = Some(group);
    stored.recording_mode = Some(recorder.recording_mode.unwrap_or_else(RecordingMode::continuous));
    Ok(json!({}))
}

fn check_group(violations: &mut Violations, group: Option<&RecordingGroup>) {
    let Some(group) = group else { return };
    let at = "configurationRecorder.recordingGroup";
    if let Some(strategy) = &group.recording_strategy.use_only {
        violations.one_of(&format!("{at}.recordingStrategy.useOnly"), strategy, &[ALL, ONLY, EXCEPT]);
    }
    let excluded = &group.exclusion_by_resource_types.resource_types;
    for (list, types) in
        [("resourceTypes", &group.resource_types), ("exclusionByResourceTypes.resourceTypes", excluded)]
    {
        for (number, name) in (1..).zip(types) {
            violations.recordable_type(&format!("{at}.{list}.{number}.member"), name);
        }
    }
}

fn check_mode(violations: &mut Violations, mode: Option<&RecordingMode>) {
    let Some(mode) = mode else { return };
    let at = "configurationRecorder.recordingMode";
    violations.one_of(&format!("{at}.recordingFrequency"), &mode.recording_frequency, &FREQUENCIES);
    for (number, one) in (1..).zip(&mode.recording_mode_overrides) {
        let at = format!("{at}.recordingModeOverrides.{number}.member.recordingFrequency");
        violations.one_of(&at, &one.recording_frequency, &FREQUENCIES);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutChannel {
    delivery_channel: Option<DeliveryChannel>,
}

pub(in crate::engine) fn put_delivery_channel(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let PutChannel { delivery_channel } = request(body)?;
    let mut violations = Violations::default();
    violations.present("deliveryChannel", delivery_channel.as_ref());
    let channel = delivery_channel.unwrap_or_default();
    let name = channel.name.clone().unwrap_or_else(|| DEFAULT.to_owned());
    violations.length("deliveryChannel.name", &name, 1, 256);
    violations.finish()?;
    let blank = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
    if blank(&channel.s3_bucket_name) {
        return Err(ApiError::new("NoSuchBucketException", "Cannot find a S3 bucket with an empty bucket name."));
    }
    if channel.sns_topic_arn.as_deref().is_some_and(|arn| !arn.starts_with("arn:") || !arn.contains(":sns:")) {
        return Err(ApiError::new("InvalidSNSTopicARNException", "The sns topic arn is not valid."));
    }

    let mut state = engine.lock();
    if name != state.recording.channel_name() {
        let message = format!(
            "Failed to put delivery channel '{name}' because the maximum number of delivery channels: 1 is reached."
        );
        return Err(ApiError::new("MaxNumberOfDeliveryChannelsExceededException", message));
    }
    state.recording.channel = DeliveryChannel { name: Some(name), ..channel };
    Ok(json!({}))
}

fn check_names(violations: &mut Violations, at: &str, names: &[String]) {
    for (number, name) in (1..).zip(names) {
        violations.length(&format!("{at}.{number}.member"), name, 1, 256);
    }
}

fn no_such_recorder(name: &str) -> ApiError {
    let message = format!("Cannot find configuration recorder with the specified name '{name}'.");
    ApiError::new("NoSuchConfigurationRecorderException", message)
}

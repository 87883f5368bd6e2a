//! The cases of the rule and of its remediation.

use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases};

use super::*;
use crate::resources::recording::tests::{at, healthy, set};
use crate::resources::recording::{Channel, Delivery, Frequency, GLOBAL_TYPES, RecordedTypes, Status};

/// Six hours after the last history of [`healthy`].
pub(super) const NOW: &str = "2026-03-10T12:00:00Z";

const ONLY_BUCKETS: &str = r#"{"requireAllSupported": "False", "requiredTypes": "AWS::S3::Bucket, AWS::IAM::User"}"#;
const START: &str = r#"L1 StartConfigurationRecorder {"ConfigurationRecorderName":"default"}"#;
const MISSING_GLOBAL: &str =
    "Recorder default: global types not recorded: AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role +1 more";

/// A case for a healthy recording with this change.
fn case(name: &str, change: impl FnOnce(&mut Recording)) -> Case<'_, ConfigRecorderHealthy> {
    Cases::of(&ConfigRecorderHealthy, healthy()).case(name, change).at(at(NOW))
}

fn recorder(name: &str, change: impl FnOnce(&mut Recorder)) -> Case<'_, ConfigRecorderHealthy> {
    case(name, |it| change(it.recorder.as_mut().unwrap()))
}

fn status(name: &str, change: impl FnOnce(&mut Status)) -> Case<'_, ConfigRecorderHealthy> {
    recorder(name, |it| change(&mut it.status))
}

fn channel(name: &str, change: impl FnOnce(&mut Channel)) -> Case<'_, ConfigRecorderHealthy> {
    case(name, |it| change(it.channel.as_mut().unwrap()))
}

fn types(name: &str, types: RecordedTypes) -> Case<'_, ConfigRecorderHealthy> {
    recorder(name, |it| it.types = types)
}

/// A case with these types in the home region of the partition.
fn at_home(name: &str, types: RecordedTypes) -> Case<'_, ConfigRecorderHealthy> {
    case(name, |it| {
        it.region = Region::new("us-east-1");
        it.recorder.as_mut().unwrap().types = types;
    })
}

fn stop(recording: &mut Recording, since: Option<&str>) {
    let status = &mut recording.recorder.as_mut().unwrap().status;
    (status.recording, status.stopped) = (false, since.map(at));
}

fn stopped<'a>(name: &'a str, since: Option<&str>) -> Case<'a, ConfigRecorderHealthy> {
    case(name, |it| stop(it, since))
}

fn all(include_global: bool) -> RecordedTypes {
    RecordedTypes::All { include_global }
}

fn except(kinds: &[&str]) -> RecordedTypes {
    RecordedTypes::Except(set(kinds))
}

fn only(kinds: &[&str]) -> RecordedTypes {
    RecordedTypes::Only(set(kinds))
}

fn failed(code: Option<&str>) -> Option<Delivery> {
    Some(Delivery { last: Some(Outcome::Failure), last_error: code.map(str::to_owned), last_success: None })
}

fn delivered(last: Option<Outcome>, success: Option<&str>) -> Option<Delivery> {
    Some(Delivery { last, last_error: None, last_success: success.map(at) })
}

fn start() -> Action {
    Action::StartConfigurationRecorder { configuration_recorder_name: "default".into() }
}

#[test]
fn recorder_must_exist_and_succeed() {
    let last = |name, last, error: Option<&str>| {
        status(name, |it| (it.last, it.last_error) = (last, error.map(str::to_owned)))
    };
    let pending =
        |name, since: Option<&str>| status(name, |it| (it.last, it.started) = (Some(Outcome::Pending), since.map(at)));
    case("healthy", |_| ()).compliant();
    case("config-recorder-healthy/5", |it| it.recorder = None)
        .non_compliant("No configuration recorder in eu-west-1")
        .planned(&[
            "L0 manual: create a configuration recorder in eu-west-1 with PutConfigurationRecorder and start it",
        ]);
    case("nothing at all", |it| (it.recorder, it.channel) = (None, None))
        .non_compliant("No configuration recorder in eu-west-1; delivery: no channel")
        .planned(&[
            "L0 manual: create a configuration recorder in eu-west-1 with PutConfigurationRecorder and start it",
            "L0 manual: create a delivery channel with PutDeliveryChannel",
        ]);
    pending("config-recorder-healthy/9", Some("2026-03-10T11:00:01Z"))
        .compliant_with("Recorder default: started, nothing recorded yet");
    pending("pending for an hour", Some("2026-03-10T11:00:00Z"))
        .non_compliant("Recorder default: nothing recorded since 2026-03-10T11:00:00Z");
    pending("pending, start not stated", None)
        .non_compliant("Recorder default: nothing recorded since an unknown time");
    last("failure", Some(Outcome::Failure), Some("AccessDenied"))
        .non_compliant("Recorder default: last recording failed: AccessDenied");
    last("failure without code", Some(Outcome::Failure), None)
        .non_compliant("Recorder default: last recording failed: no error code");
    last("not applicable", Some(Outcome::NotApplicable), None)
        .non_compliant("Recorder default: no outcome of the last recording");
    last("status not stated", None, None).non_compliant("Recorder default: no outcome of the last recording");
    recorder("no role", |it| it.role_arn = None).non_compliant("Recorder default: no role");
}

#[test]
fn stopped_recorder_is_started_after_a_day() {
    let finding = "Recorder default: stopped";
    let held = |time: &str| {
        let why = "less than 24 h ago: the stop may be intended";
        format!("blocked: recorder default was stopped at {time}, {why}")
    };
    stopped("config-recorder-healthy/1", Some("2026-03-09T12:00:00Z")).non_compliant(finding).planned(&[START]);
    stopped("config-recorder-healthy/11", Some("2026-03-09T12:00:01Z"))
        .non_compliant(finding)
        .planned(&[&held("2026-03-09T12:00:01Z"), START]);
    stopped("stopped after now (clock skew)", Some("2026-03-10T12:00:03Z"))
        .non_compliant(finding)
        .planned(&[&held("2026-03-10T12:00:03Z"), START]);
    stopped("not stated", None)
        .non_compliant(finding)
        .planned(&["blocked: the stop time of recorder default is unknown", START]);
    status("never started", |it| (it.recording, it.started, it.stopped) = (false, None, None))
        .non_compliant(finding)
        .planned(&[START]);
    status("failed before it was stopped", |it| (it.recording, it.last) = (false, Some(Outcome::Failure)))
        .non_compliant(finding);
    case("config-recorder-healthy/1, without a channel", |it| {
        stop(it, Some("2026-03-01T00:00:00Z"));
        it.channel = None;
    })
    .non_compliant("Recorder default: stopped; delivery: no channel")
    .planned(&["L0 manual: create a delivery channel with PutDeliveryChannel"]);
}

/// `config-recorder-healthy/2`: both spellings parse to the same outcome.
#[test]
fn success_is_compliant_in_both_spellings() {
    for text in ["SUCCESS", "Success"] {
        status(text, |it| it.last = Outcome::parse("lastStatus", text).ok()).compliant();
    }
}

#[test]
fn global_types_must_be_recorded_in_one_region() {
    let here = r#"{"globalTypesRegion": " eu-west-1 "}"#;
    types("config-recorder-healthy/3, away", all(false)).compliant();
    at_home("config-recorder-healthy/3, at home", all(false)).non_compliant(MISSING_GLOBAL);
    at_home("on at home", all(true)).compliant();
    types("home named", all(false)).with(here).non_compliant(MISSING_GLOBAL);
    at_home("home named elsewhere", all(false)).with(here).compliant();
    types("config-recorder-healthy/4, away", except(&GLOBAL_TYPES)).compliant();
    at_home("excluded at home", except(&GLOBAL_TYPES)).non_compliant(MISSING_GLOBAL);
    at_home("one excluded at home", except(&["AWS::IAM::User"]))
        .non_compliant("Recorder default: global types not recorded: AWS::IAM::User");
}

#[test]
fn all_or_the_listed_types_must_be_recorded() {
    let missing = "Recorder default: types not recorded: AWS::S3::Bucket";
    let mut with_global = set(&GLOBAL_TYPES);
    with_global.insert("AWS::S3::Bucket".into());
    types("config-recorder-healthy/4, a bucket", except(&["AWS::S3::Bucket", "AWS::IAM::User"]))
        .non_compliant("Recorder default: types excluded: AWS::S3::Bucket");
    types("only some", only(&["AWS::S3::Bucket"]))
        .non_compliant("Recorder default: only 1 types recorded, expected all")
        .planned(&["L0 manual: change recorder default with PutConfigurationRecorder: record all required types"]);
    case("all, some required", |_| ()).with(ONLY_BUCKETS).compliant();
    types("required excluded", except(&["AWS::S3::Bucket"])).with(ONLY_BUCKETS).non_compliant(missing);
    types("other excluded", except(&["AWS::EC2::Volume"])).with(ONLY_BUCKETS).compliant();
    types("required included, global ones not required here", only(&["AWS::S3::Bucket"]))
        .with(ONLY_BUCKETS)
        .compliant();
    types("required not included", only(&["AWS::EC2::Volume"])).with(ONLY_BUCKETS).non_compliant(missing);
    at_home("global ones included at home", RecordedTypes::Only(with_global)).with(ONLY_BUCKETS).compliant();
    at_home("global ones missing at home", only(&["AWS::S3::Bucket"])).with(ONLY_BUCKETS).non_compliant(MISSING_GLOBAL);
}

#[test]
fn daily_recording_is_compliant_if_allowed() {
    let daily = |name| recorder(name, |it| it.frequency = Frequency::Daily);
    let daily_for = |name| recorder(name, |it| it.frequency = Frequency::DailyFor(set(&["AWS::S3::Bucket"])));
    let not_allowed = r#"{"allowDaily": false}"#;
    daily("daily").compliant();
    daily_for("daily for some").compliant();
    daily("daily, not allowed").with(not_allowed).non_compliant("Recorder default: records once a day");
    daily_for("daily for some, not allowed")
        .with(not_allowed)
        .non_compliant("Recorder default: records once a day: AWS::S3::Bucket");
    case("continuous", |_| ()).with(not_allowed).compliant();
}

#[test]
fn channel_must_exist_and_deliver() {
    let success = Some(Outcome::Success);
    let history = |name, last, success| channel(name, |it| it.history = delivered(last, success));
    case("config-recorder-healthy/8", |it| it.channel = None).non_compliant("Recorder default: delivery: no channel");
    channel("no bucket", |it| it.bucket = None).non_compliant("Recorder default: delivery: no S3 bucket");
    channel("config-recorder-healthy/6", |it| it.topic = None)
        .non_compliant("Recorder default: delivery: no SNS topic");
    channel("config-recorder-healthy/6, not required", |it| it.topic = None)
        .with(r#"{"requireSns": "false"}"#)
        .compliant();
    channel("config-recorder-healthy/7", |it| it.history = failed(Some("AccessDenied")))
        .non_compliant("Recorder default: delivery: history failed: AccessDenied")
        .planned(&["L0 manual: fix the history delivery: AccessDenied"]);
    channel("stream", |it| it.stream = failed(None))
        .non_compliant("Recorder default: delivery: stream failed: no error code");
    case("stopped and failing", |it| {
        stop(it, None);
        it.channel.as_mut().unwrap().history = failed(Some("AccessDenied"));
    })
    .non_compliant("Recorder default: stopped; delivery: history failed: AccessDenied");
    history("config-recorder-healthy/12", success, Some("2026-03-03T10:00:00Z"))
        .with(r#"{"maxDeliveryAgeHours": "168"}"#)
        .compliant();
    history("no changes over a weekend", success, Some("2026-03-07T18:00:00Z")).compliant();
    history("no history yet", None, None).compliant();
    history("no history, last attempt succeeded", success, None).compliant();
    channel("history not stated", |it| it.history = None).compliant();
    history("nothing to deliver", Some(Outcome::NotApplicable), None).compliant();
    channel("failed history after a recent success", |it| {
        let failed = failed(Some("NoSuchBucket")).unwrap();
        it.history = Some(Delivery { last_success: Some(at("2026-03-10T11:59:00Z")), ..failed });
    })
    .non_compliant("Recorder default: delivery: history failed: NoSuchBucket");
    channel("no stream", |it| it.stream = None).compliant();
}

#[test]
fn scheduled_snapshot_must_not_be_late() {
    let success = Some(Outcome::Success);
    let snapshot = |name, last, success| channel(name, |it| it.snapshot = delivered(last, success));
    let with_status = |name, success, change: fn(&mut Status)| {
        case(name, |it| {
            it.channel.as_mut().unwrap().snapshot = delivered(Some(Outcome::Success), Some(success));
            change(&mut it.recorder.as_mut().unwrap().status);
        })
    };
    let limit = "2026-03-09T06:00:00Z";
    snapshot("config-recorder-healthy/13", success, Some(limit))
        .non_compliant("Recorder default: delivery: snapshot last delivered 2026-03-09T06:00:00Z (maximum age 30 h)");
    snapshot("a millisecond before the limit", success, Some("2026-03-09T06:00:00.001Z")).compliant();
    snapshot("late, higher limit", success, Some(limit)).with(r#"{"maxDeliveryAgeHours": "31"}"#).compliant();
    with_status("late, recorder started recently", "2026-03-01T00:00:00Z", |it| {
        it.started = Some(at("2026-03-09T06:00:01Z"));
    })
    .compliant();
    snapshot("no snapshot yet", None, None).compliant();
    channel("no snapshots scheduled", |it| it.snapshot = None).compliant();
    channel("a failed snapshot", |it| it.snapshot = failed(Some("AccessDenied")))
        .non_compliant("Recorder default: delivery: snapshot failed: AccessDenied");
    with_status("a stopped recorder delivers nothing", "2026-03-01T00:00:00Z", |it| it.recording = false)
        .non_compliant("Recorder default: stopped");
}

#[test]
fn finding_lists_every_violation_and_the_start_comes_last() {
    let put = "L0 manual: change recorder default with PutConfigurationRecorder:";
    case("everything", |it| {
        stop(it, Some("2026-03-01T00:00:00Z"));
        let recorder = it.recorder.as_mut().unwrap();
        (recorder.role_arn, recorder.types) = (None, except(&["AWS::S3::Bucket"]));
        let channel = it.channel.as_mut().unwrap();
        (channel.topic, channel.stream) = (None, failed(Some("NoSuchTopic")));
    })
    .non_compliant(
        "Recorder default: stopped, no role, types excluded: AWS::S3::Bucket; \
         delivery: no SNS topic, stream failed: NoSuchTopic",
    )
    .planned(&[
        &format!("{put} set the AWS Config role"),
        &format!("{put} record all required types"),
        "L0 manual: change the delivery channel with PutDeliveryChannel: set a topic",
        "L0 manual: fix the stream delivery: NoSuchTopic",
        START,
    ]);
}

#[test]
fn action_on_another_recorder_changes_nothing() {
    let mut off = healthy();
    stop(&mut off, Some("2026-03-01T00:00:00Z"));
    let other = Action::StartConfigurationRecorder { configuration_recorder_name: "other".into() };
    assert_eq!(ConfigRecorderHealthy.predict(off.clone(), &other), off);
    assert_eq!(ConfigRecorderHealthy.touched_fields(&off, &[start()]), json!({"recording": false}));
    assert_eq!(ConfigRecorderHealthy.touched_fields(&off, &[]), json!({}));
    let undo = serde_json::to_value(ConfigRecorderHealthy.undo(&off, &[start()]).unwrap()).unwrap();
    assert_eq!(undo, json!([{"StopConfigurationRecorder": {"ConfigurationRecorderName": "default"}}]));
    assert_eq!(ConfigRecorderHealthy.undo(&off, &[]), Ok(vec![]));
}

#[test]
fn required_types_are_mandatory_unless_all_are_required() {
    let error = |text: &str| RuleParameters::<ConfigRecorderHealthyParameters>::parse(Some(text)).err();
    for text in [r#"{"requireAllSupported": "false"}"#, r#"{"requireAllSupported": false, "requiredTypes": " , "}"#] {
        let error = error(text).unwrap().to_string();
        assert!(error.contains("requireAllSupported is false and requiredTypes names no type"), "{text}: {error}");
    }
    assert_eq!(error(r#"{"requiredTypes": ","}"#), None, "all are required");
    for text in [r#"{"maxDeliveryAgeHours": 169}"#, r#"{"maxDeliveryAgeHours": "0"}"#, r#"{"requireSNS": "true"}"#] {
        assert!(error(text).is_some(), "{text}");
    }
}

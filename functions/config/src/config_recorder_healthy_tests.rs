//! The cases of the rule and of its remediation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::recording::tests::{at, healthy, set};
use crate::recording::{Channel, Delivery, Frequency, GLOBAL_TYPES, RecordedTypes, Status};

/// Six hours after the last history of [`healthy`].
pub(super) const NOW: &str = "2026-03-10T12:00:00Z";

pub(super) fn params(text: &str) -> ConfigRecorderHealthyParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

pub(super) fn judge(subject: &Recording, text: &str) -> Verdict {
    ConfigRecorderHealthy.evaluate(subject, &params(text), at(NOW))
}

pub(super) fn plan(subject: &Recording, text: &str) -> Plan<Action> {
    ConfigRecorderHealthy.plan(subject, &params(text), at(NOW))
}

pub(super) fn start() -> Action {
    Action::StartConfigurationRecorder { configuration_recorder_name: "default".into() }
}

fn recorder(change: impl FnOnce(&mut Recorder)) -> Recording {
    let mut recording = healthy();
    change(recording.recorder.as_mut().unwrap());
    recording
}

pub(super) fn status(change: impl FnOnce(&mut Status)) -> Recording {
    recorder(|it| change(&mut it.status))
}

pub(super) fn stopped(since: Option<&str>) -> Recording {
    status(|it| {
        it.recording = false;
        it.stopped = since.map(at);
    })
}

pub(super) fn types(types: RecordedTypes) -> Recording {
    recorder(|it| it.types = types)
}

pub(super) fn channel(change: impl FnOnce(&mut Channel)) -> Recording {
    let mut recording = healthy();
    change(recording.channel.as_mut().unwrap());
    recording
}

fn at_home(mut recording: Recording) -> Recording {
    recording.region = Region::new("us-east-1");
    recording
}

fn all(include_global: bool) -> RecordedTypes {
    RecordedTypes::All { include_global }
}

pub(super) fn failed(code: Option<&str>) -> Option<Delivery> {
    Some(Delivery { last: Some(Outcome::Failure), last_error: code.map(str::to_owned), last_success: None })
}

fn found(text: &str) -> Verdict {
    Verdict::non_compliant(text)
}

/// Holds every row against the rule.
fn assert_rows<const N: usize>(rows: [(&str, Recording, &str, Verdict); N]) {
    for (case, subject, parameters, expected) in rows {
        assert_eq!(judge(&subject, parameters), expected, "{case}");
    }
}

const ONLY_BUCKETS: &str = r#"{"requireAllSupported": "False", "requiredTypes": "AWS::S3::Bucket, AWS::IAM::User"}"#;

#[test]
fn a_recorder_must_be_there_be_on_and_succeed() {
    let pending = |since: Option<&str>| {
        status(|it| {
            it.last = Some(Outcome::Pending);
            it.started = since.map(at);
        })
    };
    let last = |last, error: Option<&str>| {
        status(|it| {
            it.last = last;
            it.last_error = error.map(str::to_owned);
        })
    };
    let none = Recording { recorder: None, ..healthy() };
    let nothing = Recording { recorder: None, channel: None, ..healthy() };
    let fresh = Verdict::Compliant(Some("Recorder default: started, nothing recorded yet".into()));
    assert_rows([
        ("healthy", healthy(), "{}", Verdict::COMPLIANT),
        ("config-recorder-healthy/1", stopped(Some("2026-03-01T00:00:00Z")), "{}", found("Recorder default: stopped")),
        (
            "stopped, failed before",
            status(|it| {
                it.recording = false;
                it.last = Some(Outcome::Failure);
            }),
            "{}",
            found("Recorder default: stopped"),
        ),
        ("config-recorder-healthy/5", none, "{}", found("No configuration recorder in eu-west-1")),
        ("nothing at all", nothing, "{}", found("No configuration recorder in eu-west-1; delivery: no channel")),
        ("config-recorder-healthy/9", pending(Some("2026-03-10T11:00:01Z")), "{}", fresh),
        (
            "pending for an hour",
            pending(Some("2026-03-10T11:00:00Z")),
            "{}",
            found("Recorder default: nothing recorded since 2026-03-10T11:00:00Z"),
        ),
        (
            "pending, start not told",
            pending(None),
            "{}",
            found("Recorder default: nothing recorded since an unknown time"),
        ),
        (
            "failure",
            last(Some(Outcome::Failure), Some("AccessDenied")),
            "{}",
            found("Recorder default: last recording failed: AccessDenied"),
        ),
        (
            "failure without code",
            last(Some(Outcome::Failure), None),
            "{}",
            found("Recorder default: last recording failed: no error code"),
        ),
        (
            "not applicable",
            last(Some(Outcome::NotApplicable), None),
            "{}",
            found("Recorder default: no outcome of the last recording"),
        ),
        ("status not told", last(None, None), "{}", found("Recorder default: no outcome of the last recording")),
        ("no role", recorder(|it| it.role_arn = None), "{}", found("Recorder default: no role")),
    ]);
}

/// `config-recorder-healthy/2`: how `SUCCESS` is read stands beside the view; both spellings are this outcome.
#[test]
fn success_is_compliant_however_it_is_spelt() {
    for text in ["SUCCESS", "Success"] {
        let subject = status(|it| it.last = Outcome::parse("lastStatus", text).ok());
        assert_eq!(judge(&subject, "{}"), Verdict::COMPLIANT, "{text}");
    }
}

#[test]
fn global_types_must_be_recorded_in_one_region() {
    let here = r#"{"globalTypesRegion": " eu-west-1 "}"#;
    let missing = || {
        found("Recorder default: global types not recorded: AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role +1 more")
    };
    let without_iam = || types(RecordedTypes::Except(set(&GLOBAL_TYPES)));
    let one = types(RecordedTypes::Except(set(&["AWS::IAM::User"])));
    assert_rows([
        ("config-recorder-healthy/3, away", types(all(false)), "{}", Verdict::COMPLIANT),
        ("config-recorder-healthy/3, at home", at_home(types(all(false))), "{}", missing()),
        ("on at home", at_home(types(all(true))), "{}", Verdict::COMPLIANT),
        ("home named", types(all(false)), here, missing()),
        ("home named elsewhere", at_home(types(all(false))), here, Verdict::COMPLIANT),
        ("config-recorder-healthy/4, away", without_iam(), "{}", Verdict::COMPLIANT),
        ("excluded at home", at_home(without_iam()), "{}", missing()),
        (
            "one excluded at home",
            at_home(one),
            "{}",
            found("Recorder default: global types not recorded: AWS::IAM::User"),
        ),
    ]);
}

#[test]
fn all_types_must_be_recorded_or_those_that_are_named() {
    let except = |kinds: &[&str]| types(RecordedTypes::Except(set(kinds)));
    let only = |kinds: &[&str]| types(RecordedTypes::Only(set(kinds)));
    let with_global = || {
        let mut kinds = set(&GLOBAL_TYPES);
        kinds.insert("AWS::S3::Bucket".into());
        types(RecordedTypes::Only(kinds))
    };
    assert_rows([
        (
            "config-recorder-healthy/4, a bucket",
            except(&["AWS::S3::Bucket", "AWS::IAM::User"]),
            "{}",
            found("Recorder default: types excluded: AWS::S3::Bucket"),
        ),
        ("only some", only(&["AWS::S3::Bucket"]), "{}", found("Recorder default: only 1 types recorded, expected all")),
        ("all, some required", healthy(), ONLY_BUCKETS, Verdict::COMPLIANT),
        (
            "required excluded",
            except(&["AWS::S3::Bucket"]),
            ONLY_BUCKETS,
            found("Recorder default: types not recorded: AWS::S3::Bucket"),
        ),
        ("other excluded", except(&["AWS::EC2::Volume"]), ONLY_BUCKETS, Verdict::COMPLIANT),
        (
            "required included, global ones not asked for here",
            only(&["AWS::S3::Bucket"]),
            ONLY_BUCKETS,
            Verdict::COMPLIANT,
        ),
        (
            "required not included",
            only(&["AWS::EC2::Volume"]),
            ONLY_BUCKETS,
            found("Recorder default: types not recorded: AWS::S3::Bucket"),
        ),
        ("global ones included at home", at_home(with_global()), ONLY_BUCKETS, Verdict::COMPLIANT),
        (
            "global ones missing at home",
            at_home(only(&["AWS::S3::Bucket"])),
            ONLY_BUCKETS,
            found(
                "Recorder default: global types not recorded: AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role +1 more",
            ),
        ),
    ]);
}

#[test]
fn once_a_day_is_enough_where_it_is_allowed() {
    let daily = || recorder(|it| it.frequency = Frequency::Daily);
    let daily_for = || recorder(|it| it.frequency = Frequency::DailyFor(set(&["AWS::S3::Bucket"])));
    let refused = r#"{"allowDaily": false}"#;
    assert_rows([
        ("daily", daily(), "{}", Verdict::COMPLIANT),
        ("daily for some", daily_for(), "{}", Verdict::COMPLIANT),
        ("daily, not allowed", daily(), refused, found("Recorder default: records once a day")),
        (
            "daily for some, not allowed",
            daily_for(),
            refused,
            found("Recorder default: records once a day: AWS::S3::Bucket"),
        ),
        ("continuous", healthy(), refused, Verdict::COMPLIANT),
    ]);
}

#[test]
fn what_is_recorded_must_be_delivered() {
    let history = |last, success: Option<&str>| {
        channel(|it| it.history = Some(Delivery { last, last_error: None, last_success: success.map(at) }))
    };
    let success = Some(Outcome::Success);
    let young = |mut recording: Recording| {
        recording.recorder.as_mut().unwrap().status.started = Some(at("2026-03-09T06:00:01Z"));
        recording
    };
    let snapshot = |last, success: Option<&str>| {
        channel(|it| it.snapshot = Some(Delivery { last, last_error: None, last_success: success.map(at) }))
    };
    let late = "Recorder default: delivery: snapshot last delivered 2026-03-09T06:00:00Z (maximum age 30 h)";
    let off = |mut recording: Recording| {
        recording.recorder.as_mut().unwrap().status.recording = false;
        recording
    };
    assert_rows([
        (
            "config-recorder-healthy/8",
            Recording { channel: None, ..healthy() },
            "{}",
            found("Recorder default: delivery: no channel"),
        ),
        ("no bucket", channel(|it| it.bucket = None), "{}", found("Recorder default: delivery: no S3 bucket")),
        (
            "config-recorder-healthy/6",
            channel(|it| it.topic = None),
            "{}",
            found("Recorder default: delivery: no SNS topic"),
        ),
        (
            "config-recorder-healthy/6, not required",
            channel(|it| it.topic = None),
            r#"{"requireSns": "false"}"#,
            Verdict::COMPLIANT,
        ),
        (
            "config-recorder-healthy/7",
            channel(|it| it.history = failed(Some("AccessDenied"))),
            "{}",
            found("Recorder default: delivery: history failed: AccessDenied"),
        ),
        (
            "stream",
            channel(|it| it.stream = failed(None)),
            "{}",
            found("Recorder default: delivery: stream failed: no error code"),
        ),
        (
            "stopped and failing",
            off(channel(|it| it.history = failed(Some("AccessDenied")))),
            "{}",
            found("Recorder default: stopped; delivery: history failed: AccessDenied"),
        ),
        (
            "config-recorder-healthy/12",
            history(success, Some("2026-03-03T10:00:00Z")),
            r#"{"maxDeliveryAgeHours": "168"}"#,
            Verdict::COMPLIANT,
        ),
        ("a quiet weekend", history(success, Some("2026-03-07T18:00:00Z")), "{}", Verdict::COMPLIANT),
        ("no history yet", history(None, None), "{}", Verdict::COMPLIANT),
        ("no history, and the last attempt went well", history(success, None), "{}", Verdict::COMPLIANT),
        ("no word of a history", channel(|it| it.history = None), "{}", Verdict::COMPLIANT),
        ("nothing to deliver", history(Some(Outcome::NotApplicable), None), "{}", Verdict::COMPLIANT),
        (
            "a failed history, however fresh the last one",
            channel(|it| {
                let failed = failed(Some("NoSuchBucket")).unwrap();
                it.history = Some(Delivery { last_success: Some(at("2026-03-10T11:59:00Z")), ..failed });
            }),
            "{}",
            found("Recorder default: delivery: history failed: NoSuchBucket"),
        ),
        ("config-recorder-healthy/13", snapshot(success, Some("2026-03-09T06:00:00Z")), "{}", found(late)),
        ("a millisecond less late", snapshot(success, Some("2026-03-09T06:00:00.001Z")), "{}", Verdict::COMPLIANT),
        (
            "late, more allowed",
            snapshot(success, Some("2026-03-09T06:00:00Z")),
            r#"{"maxDeliveryAgeHours": "31"}"#,
            Verdict::COMPLIANT,
        ),
        ("late, recorder younger", young(snapshot(success, Some("2026-03-01T00:00:00Z"))), "{}", Verdict::COMPLIANT),
        ("no snapshot yet", snapshot(None, None), "{}", Verdict::COMPLIANT),
        ("no snapshots scheduled", channel(|it| it.snapshot = None), "{}", Verdict::COMPLIANT),
        (
            "a failed snapshot",
            channel(|it| it.snapshot = failed(Some("AccessDenied"))),
            "{}",
            found("Recorder default: delivery: snapshot failed: AccessDenied"),
        ),
        (
            "a stopped one delivers nothing",
            off(snapshot(success, Some("2026-03-01T00:00:00Z"))),
            "{}",
            found("Recorder default: stopped"),
        ),
        ("no stream", channel(|it| it.stream = None), "{}", Verdict::COMPLIANT),
    ]);
}

#[test]
fn a_finding_names_everything_that_is_wrong() {
    let mut bad = stopped(Some("2026-03-01T00:00:00Z"));
    let recorder = bad.recorder.as_mut().unwrap();
    (recorder.role_arn, recorder.types) = (None, RecordedTypes::Except(set(&["AWS::S3::Bucket"])));
    let channel = bad.channel.as_mut().unwrap();
    (channel.topic, channel.stream) = (None, failed(Some("NoSuchTopic")));
    let text = "Recorder default: stopped, no role, types excluded: AWS::S3::Bucket; \
                delivery: no SNS topic, stream failed: NoSuchTopic";
    assert_eq!(judge(&bad, "{}"), found(text));
    let steps = plan(&bad, "{}").steps().to_vec();
    assert_eq!(steps.len(), 5);
    assert!(steps[..4].iter().all(|step| step.action().is_none() && step.level == Level::L0), "{steps:#?}");
    assert_eq!(steps[4], Step::call(Level::L1, start()));
    assert_eq!(plan(&bad, "{}").obstacle(true).as_deref(), Some("a step must be taken by a person"));
}

#[test]
fn types_are_named_where_not_all_are_required() {
    let refusal = |text: &str| RuleParameters::<ConfigRecorderHealthyParameters>::parse(Some(text)).err();
    for text in [r#"{"requireAllSupported": "false"}"#, r#"{"requireAllSupported": false, "requiredTypes": " , "}"#] {
        let error = refusal(text).unwrap().to_string();
        assert!(error.contains("requireAllSupported is false and requiredTypes names no type"), "{text}: {error}");
    }
    assert_eq!(refusal(r#"{"requiredTypes": ","}"#), None, "all are required");
    for text in [r#"{"maxDeliveryAgeHours": 169}"#, r#"{"maxDeliveryAgeHours": "0"}"#, r#"{"requireSNS": "true"}"#] {
        assert!(refusal(text).is_some(), "{text}");
    }
}

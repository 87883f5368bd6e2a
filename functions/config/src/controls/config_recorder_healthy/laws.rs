//! The laws of the remediation, over generated recordings.

use proptest::prelude::*;
use rectify_testing::Laws;

use super::tests::NOW;
use super::*;
use crate::resources::recording::tests::{at, healthy, set};
use crate::resources::recording::{Channel, Delivery, Frequency, GLOBAL_TYPES, RecordedTypes, Status};

fn outcomes() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        20 => Just(Some(Outcome::Success)),
        1 => Just(Some(Outcome::Pending)),
        1 => Just(Some(Outcome::Failure)),
        1 => Just(Some(Outcome::NotApplicable)),
        1 => Just(None),
    ]
}

/// A time within the fifty hours before the evaluation.
fn times() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::weighted(
        0.9,
        (0..50 * 60_i64).prop_map(|minutes| Timestamp::from_second(at(NOW).as_second() - minutes * 60).unwrap()),
    )
}

fn recorded_types() -> impl Strategy<Value = RecordedTypes> {
    prop_oneof![
        8 => any::<bool>().prop_map(|include_global| RecordedTypes::All { include_global }),
        2 => Just(RecordedTypes::Except(set(&GLOBAL_TYPES))),
        1 => Just(RecordedTypes::Except(set(&["AWS::EC2::Volume"]))),
        1 => Just(RecordedTypes::Only(set(&["AWS::S3::Bucket"]))),
    ]
}

fn recorders() -> impl Strategy<Value = Recorder> {
    let frequency = prop_oneof![
        4 => Just(Frequency::Continuous),
        1 => Just(Frequency::Daily),
        1 => Just(Frequency::DailyFor(set(&["AWS::EC2::Volume"]))),
    ];
    let role = prop::option::weighted(0.95, Just("arn:aws:iam::111122223333:role/config".to_owned()));
    (role, recorded_types(), frequency, prop::bool::weighted(0.7), outcomes(), times(), times()).prop_map(
        |(role_arn, types, frequency, recording, last, started, stopped)| Recorder {
            name: "default".to_owned(),
            role_arn,
            types,
            frequency,
            status: Status { recording, last, last_error: None, started, stopped },
        },
    )
}

fn channels() -> impl Strategy<Value = Channel> {
    let delivery =
        || (outcomes(), times()).prop_map(|(last, last_success)| Delivery { last, last_error: None, last_success });
    let text = |text: &str| prop::option::weighted(0.95, Just(text.to_owned()));
    let history = prop::option::weighted(0.95, delivery());
    let (stream, snapshot) = (prop::option::of(delivery()), prop::option::of(delivery()));
    (text("config-delivery"), text("arn:aws:sns:eu-west-1:111122223333:config"), history, stream, snapshot)
        .prop_map(|(bucket, topic, history, stream, snapshot)| Channel { bucket, topic, history, stream, snapshot })
}

fn recordings() -> impl Strategy<Value = Recording> {
    let region = prop_oneof![3 => Just("eu-west-1"), 1 => Just("us-east-1")];
    (region, prop::option::weighted(0.95, recorders()), prop::option::weighted(0.95, channels())).prop_map(
        |(region, recorder, channel)| Recording { region: Region::new(region), recorder, channel, ..healthy() },
    )
}

fn parameters() -> impl Strategy<Value = ConfigRecorderHealthyParameters> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1..=168_u32).prop_map(|(all, sns, daily, hours)| {
        ConfigRecorderHealthyParameters {
            require_all_supported: Flag(all),
            required_types: "AWS::S3::Bucket".parse().ok(),
            require_sns: Flag(sns),
            allow_daily: Flag(daily),
            max_delivery_age_hours: Bounded::of(hours),
            ..ConfigRecorderHealthyParameters::default()
        }
    })
}

fn reverted(_: &ConfigRecorderHealthy, mut recording: Recording, call: &Undo) -> Recording {
    let Undo::StopConfigurationRecorder { configuration_recorder_name } = call;
    let recorder = recording.recorder.as_mut().unwrap();
    assert_eq!(recorder.name, *configuration_recorder_name);
    recorder.status.recording = false;
    recording
}

/// Whether the recorder was stopped within the day before the evaluation.
fn was_recently_stopped(recording: &Recording) -> bool {
    let stopped = recording.recorder.as_ref().and_then(|it| it.status.stopped);
    stopped.is_some_and(|it| at(NOW).duration_since(it).as_hours() < 24)
}

fn is_on(recording: &Recording) -> bool {
    recording.recorder.as_ref().is_some_and(|it| it.status.recording)
}

#[test]
fn laws() {
    Laws::of(&ConfigRecorderHealthy, &["/recorder/status"], reverted)
        .at(at(NOW))
        .then(|mut it| {
            // AWS Config records the time of a start.
            if let Some(Recorder { status, .. }) = it.recorder.as_mut().filter(|it| it.status.recording) {
                status.started = Some(at(NOW));
            }
            it
        })
        .never(|before, after| is_on(before) && !is_on(after))
        .restores_full_state()
        .meeting(&[
            ("blocked", |plan| matches!(plan, Plan::Blocked { .. })),
            ("manual", |plan| plan.calls().is_empty()),
            ("fixed", |plan| plan.blocker(false).is_none()),
        ])
        .hold((recordings(), parameters()));
}

proptest! {
    #[test]
    fn recently_stopped_recorder_is_never_started_automatically(subject in recordings(), params in parameters()) {
        let plan = ConfigRecorderHealthy.plan(&subject, &params, at(NOW));
        let is_not_applied = plan.calls().is_empty() || plan.blocker(true).is_some();
        prop_assert!(!was_recently_stopped(&subject) || is_not_applied);
    }
}

//! The laws of the remediation, over generated recordings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::{NOW, judge, plan};
use super::*;
use crate::recording::tests::{at, healthy, set};
use crate::recording::{Channel, Delivery, Frequency, GLOBAL_TYPES, RecordedTypes, Status};

fn outcomes() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        6 => Just(Some(Outcome::Success)),
        1 => Just(Some(Outcome::Pending)),
        1 => Just(Some(Outcome::Failure)),
        1 => Just(Some(Outcome::NotApplicable)),
        1 => Just(None),
    ]
}

/// A time within the fifty hours before the judgement.
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
    (role, recorded_types(), frequency, any::<bool>(), outcomes(), times(), times()).prop_map(
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
    let text = |text: &str| prop::option::weighted(0.9, Just(text.to_owned()));
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

fn parameters() -> impl Strategy<Value = String> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1..=168_u32).prop_map(|(all, sns, daily, hours)| {
        json!({
            "requireAllSupported": all, "requiredTypes": "AWS::S3::Bucket", "requireSns": sns, "allowDaily": daily,
            "maxDeliveryAgeHours": hours
        })
        .to_string()
    })
}

/// What AWS Config makes of the plan's calls: the model, and the time that it puts on a start.
fn played(subject: &Recording, plan: &Plan<Action>) -> Recording {
    let mut live = subject.clone();
    for action in plan.calls() {
        live = ConfigRecorderHealthy.expect(live, action);
        live.recorder.as_mut().unwrap().status.started = Some(at(NOW));
    }
    live
}

#[test]
fn generated_recordings_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || recordings().new_tree(&mut runner).unwrap().current();
    let sample: Vec<Recording> = (0..2000).map(|_| draw()).collect();
    let share = |kind: fn(&Plan<Action>) -> bool| sample.iter().filter(|it| kind(&plan(it, "{}"))).count();
    let (nothing, held) = (share(|it| *it == Plan::Nothing), share(|it| matches!(it, Plan::Hold { .. })));
    let fixed = share(|it| it.obstacle(false).is_none() && !it.calls().is_empty());
    let by_hand = share(|it| matches!(it, Plan::Do { .. }) && it.calls().is_empty());
    assert!(nothing >= 50 && held >= 50 && fixed >= 50 && by_hand >= 50, "{nothing} {held} {fixed} {by_hand}");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in recordings(), text in parameters()) {
        prop_assert_eq!(plan(&subject, &text) != Plan::Nothing, judge(&subject, &text).is_non_compliant());
    }

    #[test]
    fn what_a_machine_may_do_makes_a_recording_compliant(subject in recordings(), text in parameters()) {
        let plan_of = plan(&subject, &text);
        if plan_of.obstacle(false).is_some() {
            return Ok(());
        }
        let live = played(&subject, &plan_of);
        prop_assert!(judge(&live, &text).is_compliant(), "{:?}", judge(&live, &text));
        prop_assert_eq!(plan(&live, &text), Plan::Nothing);
    }

    #[test]
    fn a_start_changes_whether_it_records_and_nothing_else_and_undo_restores_it(
        subject in recordings(), text in parameters()
    ) {
        let plan_of = plan(&subject, &text);
        let live = played(&subject, &plan_of);
        prop_assert!(plan(&live, &text).calls().is_empty(), "nothing is started twice");
        let mut back = live.clone();
        if let (Some(recorder), Some(was)) = (&mut back.recorder, &subject.recorder) {
            prop_assert!(recorder.status.recording || !was.status.recording, "never stopped");
            recorder.status = was.status.clone();
        }
        prop_assert_eq!(StoredImage::of(&back), StoredImage::of(&subject), "all but the status is as it was");

        let done: Vec<Action> = plan_of.calls().into_iter().cloned().collect();
        let actions = done.clone();
        let mut undone = live;
        for Undo::StopConfigurationRecorder { configuration_recorder_name } in ConfigRecorderHealthy.undo(&subject, &done).unwrap() {
            let recorder = undone.recorder.as_mut().unwrap();
            prop_assert_eq!(&recorder.name, &configuration_recorder_name);
            recorder.status.recording = false;
        }
        prop_assert_eq!(ConfigRecorderHealthy.footprint(&undone, &actions), ConfigRecorderHealthy.footprint(&subject, &actions));
        prop_assert_eq!(undone, subject);
    }

    #[test]
    fn a_recent_stop_is_never_undone_by_a_machine(subject in recordings(), text in parameters()) {
        let recent = subject.recorder.as_ref().and_then(|it| it.status.stopped).is_some_and(|stopped| {
            at(NOW).duration_since(stopped).as_hours() < 24
        });
        let plan_of = plan(&subject, &text);
        prop_assert!(!recent || plan_of.calls().is_empty() || plan_of.obstacle(true).is_some());
    }

    #[test]
    fn images_and_calls_read_back_as_they_were_stored(subject in recordings(), text in parameters()) {
        let stored = StoredImage::of(&subject).unwrap();
        prop_assert_eq!(StoredImage::of(&stored.read::<Recording>().unwrap()).unwrap(), stored);
        for action in plan(&subject, &text).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
            for undo in ConfigRecorderHealthy.undo(&subject, std::slice::from_ref(action)).unwrap() {
                let text = serde_json::to_string(&undo).unwrap();
                prop_assert_eq!(serde_json::from_str::<Undo>(&text).unwrap(), undo);
            }
        }
    }
}

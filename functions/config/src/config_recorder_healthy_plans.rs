//! The cases of the remediation: what is started, what is held, and what is left to a person.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::tests::{channel, failed, plan, start, status, stopped, types};
use super::*;
use crate::recording::RecordedTypes;
use crate::recording::tests::{healthy, set};

#[test]
fn a_stop_is_respected_for_a_day() {
    let step = || vec![Step::call(Level::L1, start())];
    let respected = |time: &str| {
        let why = "less than 24 h ago: whoever did it may have meant to";
        Plan::hold(format!("recorder default was stopped at {time}, {why}"), step())
    };
    let never_on = status(|it| (it.recording, it.started, it.stopped) = (false, None, None));
    for (case, subject, expected) in [
        ("config-recorder-healthy/1", stopped(Some("2026-03-09T12:00:00Z")), Plan::steps_in_order(step())),
        ("config-recorder-healthy/11", stopped(Some("2026-03-09T12:00:01Z")), respected("2026-03-09T12:00:01Z")),
        ("after now, by another clock", stopped(Some("2026-03-10T12:00:03Z")), respected("2026-03-10T12:00:03Z")),
        ("not told", stopped(None), Plan::hold("when recorder default was stopped is not told", step())),
        ("never was on", never_on, Plan::steps_in_order(step())),
        ("healthy", healthy(), Plan::Nothing),
    ] {
        assert_eq!(plan(&subject, "{}"), expected, "{case}");
    }
    let call = serde_json::to_value(start()).unwrap();
    assert_eq!(call, json!({"StartConfigurationRecorder": {"ConfigurationRecorderName": "default"}}));
}

#[test]
fn what_costs_or_belongs_to_others_is_left_to_a_person() {
    let no_channel = Recording { channel: None, ..stopped(Some("2026-03-01T00:00:00Z")) };
    let nothing = Recording { recorder: None, channel: None, ..healthy() };
    for (subject, words) in [
        (no_channel, vec!["make a delivery channel with PutDeliveryChannel"]),
        (
            nothing,
            vec![
                "make a configuration recorder in eu-west-1 with PutConfigurationRecorder, and start it",
                "make a delivery channel with PutDeliveryChannel",
            ],
        ),
        (
            types(RecordedTypes::Only(set(&["AWS::S3::Bucket"]))),
            vec!["change recorder default with PutConfigurationRecorder: let it record all that is required"],
        ),
        (channel(|it| it.history = failed(Some("AccessDenied"))), vec!["let AWS Config deliver: AccessDenied"]),
    ] {
        let expected = words.into_iter().map(|it| Step::person(Level::L0, it)).collect();
        assert_eq!(plan(&subject, "{}"), Plan::steps_in_order(expected));
    }
}

#[test]
fn an_action_on_another_recorder_changes_nothing_of_this_one() {
    let other = Action::StartConfigurationRecorder { configuration_recorder_name: "other".into() };
    let off = stopped(Some("2026-03-01T00:00:00Z"));
    assert_eq!(ConfigRecorderHealthy.expect(off.clone(), &other), off);
    assert_eq!(ConfigRecorderHealthy.footprint(&off, &[start()]), json!({"recording": false}));
    assert_eq!(ConfigRecorderHealthy.footprint(&off, &[]), json!({}));
    let undo = Undo::StopConfigurationRecorder { configuration_recorder_name: "default".into() };
    assert_eq!(ConfigRecorderHealthy.undo(&off, &[start()]), Ok(vec![undo]));
    assert_eq!(ConfigRecorderHealthy.undo(&off, &[]), Ok(vec![]));
}

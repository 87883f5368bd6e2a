use rectify_compliance::{ResourceKey, StoredState};
use serde_json::{Value, json};

use super::*;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn set(types: &[&str]) -> BTreeSet<String> {
    types.iter().map(|it| (*it).to_owned()).collect()
}

/// A healthy recorder, started on March 1 in a region other than the home region, with successful deliveries.
pub(crate) fn healthy() -> Recording {
    let delivered = |last_success| Delivery { last: Some(Outcome::Success), last_error: None, last_success };
    Recording {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
        recorder: Some(Recorder {
            name: "default".into(),
            role_arn: Some("arn:aws:iam::111122223333:role/config".into()),
            types: RecordedTypes::All { include_global: false },
            frequency: Frequency::Continuous,
            status: Status {
                recording: true,
                last: Some(Outcome::Success),
                last_error: None,
                started: Some(at("2026-03-01T00:00:00Z")),
                stopped: None,
            },
        }),
        channel: Some(Channel {
            bucket: Some("config-delivery".into()),
            topic: Some("arn:aws:sns:eu-west-1:111122223333:config".into()),
            history: Some(delivered(Some(at("2026-03-10T06:00:00Z")))),
            stream: Some(delivered(None)),
            snapshot: Some(delivered(Some(at("2026-03-10T06:00:00Z")))),
        }),
        tags: Tags::new(),
    }
}

fn answers() -> Responses {
    let Recording { recorder, channel, .. } = healthy();
    let (recorder, channel) = (recorder.unwrap(), channel.unwrap());
    Responses {
        recorders: vec![RecorderResponse {
            name: Some("default".into()),
            role_arn: recorder.role_arn,
            service_principal: None,
            recording_scope: Some("PAID".into()),
            group: Some(GroupResponse {
                all_supported: true,
                strategy: Some("ALL_SUPPORTED_RESOURCE_TYPES".into()),
                ..GroupResponse::default()
            }),
            frequency: Some("CONTINUOUS".into()),
            overrides: vec![],
        }],
        statuses: vec![(Some("default".into()), recorder.status)],
        channels: vec![ChannelResponse {
            name: Some("default".into()),
            bucket: channel.bucket,
            topic: channel.topic,
            schedules_snapshots: true,
        }],
        deliveries: vec![(
            Some("default".into()),
            DeliveriesResponse { history: channel.history, stream: channel.stream, snapshot: channel.snapshot },
        )],
    }
}

fn read(answers: Responses) -> Result<Recording, ShapeError> {
    answers.read(AccountId::new("111122223333"), Region::new("eu-west-1"))
}

/// The full subject, including fields that its equality ignores.
fn full(recording: &Recording) -> Value {
    StoredState::of(recording).unwrap().subject
}

#[test]
fn responses_are_read_and_survive_a_round_trip() {
    let recording = read(answers()).unwrap();
    assert_eq!(full(&recording), full(&healthy()));
    let stored = StoredState::of(&recording).unwrap().read::<Recording>().unwrap();
    assert_eq!(full(&stored), full(&recording));
    assert_eq!(recording.identity().key, ResourceKey::new("AWS::::Account", "111122223333"));
}

#[test]
fn statuses_are_parsed_in_both_spellings() {
    for (text, outcome) in [
        ("SUCCESS", Some(Outcome::Success)),
        ("Success", Some(Outcome::Success)),
        ("FAILURE", Some(Outcome::Failure)),
        ("Failure", Some(Outcome::Failure)),
        ("PENDING", Some(Outcome::Pending)),
        ("Pending", Some(Outcome::Pending)),
        ("NotApplicable", Some(Outcome::NotApplicable)),
        ("Not_Applicable", Some(Outcome::NotApplicable)),
        ("NOT_APPLICABLE", Some(Outcome::NotApplicable)),
        ("DEGRADED", None),
        ("", None),
    ] {
        assert_eq!(Outcome::parse("lastStatus", text).ok(), outcome, "{text}");
    }
}

#[test]
fn service_linked_recorders_are_ignored() {
    let linked = |principal: Option<&str>, scope: &str| RecorderResponse {
        name: Some("AWSConfigurationRecorderForSecurityHub".into()),
        service_principal: principal.map(str::to_owned),
        recording_scope: Some(scope.into()),
        ..RecorderResponse::default()
    };
    for recorder in [linked(Some("securityhub.amazonaws.com"), "PAID"), linked(None, "INTERNAL")] {
        let mut both = answers();
        both.recorders.push(recorder.clone());
        assert_eq!(full(&read(both).unwrap()), full(&healthy()));
        let alone = Responses { recorders: vec![recorder], ..answers() };
        assert_eq!(read(alone).unwrap().recorder, None);
    }
}

#[test]
fn recording_group_is_read_with_and_without_a_strategy() {
    let bucket = || vec!["AWS::S3::Bucket".to_owned()];
    let group = |all_supported, include_global, strategy: Option<&str>| GroupResponse {
        all_supported,
        include_global,
        included: bucket(),
        excluded: vec!["AWS::IAM::User".to_owned()],
        strategy: strategy.map(str::to_owned),
    };
    let only = RecordedTypes::Only(set(&["AWS::S3::Bucket"]));
    let except = RecordedTypes::Except(set(&["AWS::IAM::User"]));
    for (group, expected) in [
        (group(true, true, None), Some(RecordedTypes::All { include_global: true })),
        (group(true, false, Some("ALL_SUPPORTED_RESOURCE_TYPES")), Some(RecordedTypes::All { include_global: false })),
        (group(false, false, None), Some(only.clone())),
        (group(false, false, Some("INCLUSION_BY_RESOURCE_TYPES")), Some(only)),
        (group(false, false, Some("EXCLUSION_BY_RESOURCE_TYPES")), Some(except)),
        (group(true, true, Some("SOME")), None),
    ] {
        assert_eq!(group.clone().read().ok(), expected, "{group:?}");
    }
}

#[test]
fn frequency_is_daily_for_all_or_some_types() {
    let of = |frequency: &str| (frequency.to_owned(), vec!["AWS::S3::Bucket".to_owned()]);
    let daily_for = Frequency::DailyFor(set(&["AWS::S3::Bucket"]));
    for (by_default, overrides, expected) in [
        (None, vec![], Some(Frequency::Continuous)),
        (Some("CONTINUOUS"), vec![of("CONTINUOUS")], Some(Frequency::Continuous)),
        (Some("CONTINUOUS"), vec![of("DAILY")], Some(daily_for)),
        (Some("DAILY"), vec![of("CONTINUOUS")], Some(Frequency::Daily)),
        (Some("HOURLY"), vec![], None),
        (Some("DAILY"), vec![of("HOURLY")], None),
    ] {
        let read = frequency(by_default.map(str::to_owned), overrides.clone());
        assert_eq!(read.ok(), expected, "{by_default:?} {overrides:?}");
    }
}

#[test]
fn incomplete_or_ambiguous_responses_are_errors() {
    let with = |change: fn(&mut Responses)| {
        let mut changed = answers();
        change(&mut changed);
        read(changed).map(|it| full(&it)).map_err(|error| error.path)
    };
    let status = "ConfigurationRecordersStatus".to_owned();
    assert_eq!(with(|it| it.statuses.clear()), Err(status.clone()));
    assert_eq!(with(|it| it.statuses[0].0 = Some("other".into())), Err(status));
    assert_eq!(with(|it| it.recorders[0].group = None), Err("recordingGroup".into()));
    assert_eq!(with(|it| it.recorders[0].name = None), Err("ConfigurationRecorder.name".into()));
    assert_eq!(with(|it| it.recorders.push(it.recorders[0].clone())), Err("ConfigurationRecorders".into()));
    assert_eq!(with(|it| it.channels.push(it.channels[0].clone())), Err("DeliveryChannels".into()));
}

#[test]
fn empty_texts_are_absent_and_channel_status_is_optional() {
    let mut blank = answers();
    blank.recorders[0].role_arn = Some(String::new());
    blank.channels[0].topic = Some(String::new());
    blank.channels[0].bucket = Some(String::new());
    blank.deliveries.clear();
    let read = read(blank).unwrap();
    assert_eq!(read.recorder.unwrap().role_arn, None);
    assert_eq!(read.channel, Some(Channel { bucket: None, topic: None, history: None, stream: None, snapshot: None }));
}

#[test]
fn equality_ignores_fields_that_aws_config_updates() {
    let mut later = healthy();
    let status = &mut later.recorder.as_mut().unwrap().status;
    *status = Status {
        last: Some(Outcome::Pending),
        started: None,
        stopped: Some(at("2026-03-01T00:00:00Z")),
        ..status.clone()
    };
    later.channel.as_mut().unwrap().history.as_mut().unwrap().last_success = None;
    assert_eq!(later, healthy());
    later.recorder.as_mut().unwrap().status.recording = false;
    assert_ne!(later, healthy());
    assert_eq!(full(&later)["recorder"]["status"]["stopped"], json!("2026-03-01T00:00:00Z"));
}

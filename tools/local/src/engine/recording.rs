//! AWS Config's configuration recorder and delivery channel: API shapes, normalization of requests, and status.
//!
//! There is always one of each, healthy until a caller changes it; tests of an account without them use replayed
//! answers.
//!
//! moto has a recorder too, which is not used: AWS Config is served by this engine alone, and a recorder that moto
//! 5.2.5 starts stays PENDING forever and has no delivery status (`config/models.py`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::EngineSettings;
use super::clock::Epoch;

/// A channel delivers the history every six hours: at 00:00, 06:00, 12:00 and 18:00 UTC.
const HISTORY_INTERVAL: SignedDuration = SignedDuration::from_hours(6);

/// Recorder, status and channel.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) recorder: ConfigurationRecorder,
    pub(super) channel: DeliveryChannel,
    is_recording: bool,
    last_status: &'static str,
    changed: Timestamp,
    started: Timestamp,
    stopped: Option<Timestamp>,
    /// When the last history was delivered before the recorder was last started or stopped.
    delivered: Timestamp,
}

/// `ConfigurationRecorder` of the service model.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConfigurationRecorder {
    pub(super) arn: Option<String>,
    pub(super) name: Option<String>,
    #[serde(rename = "roleARN")]
    pub(super) role_arn: Option<String>,
    pub(super) recording_group: Option<RecordingGroup>,
    pub(super) recording_mode: Option<RecordingMode>,
    pub(super) recording_scope: Option<String>,
}

/// `RecordingGroup`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RecordingGroup {
    pub(super) all_supported: bool,
    pub(super) include_global_resource_types: bool,
    pub(super) resource_types: Vec<String>,
    pub(super) exclusion_by_resource_types: Excluded,
    pub(super) recording_strategy: Strategy,
}

/// `ExclusionByResourceTypes`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Excluded {
    pub(super) resource_types: Vec<String>,
}

/// `RecordingStrategy`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Strategy {
    pub(super) use_only: Option<String>,
}

/// `RecordingMode`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RecordingMode {
    pub(super) recording_frequency: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) recording_mode_overrides: Vec<ModeOverride>,
}

/// `RecordingModeOverride`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ModeOverride {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) resource_types: Vec<String>,
    pub(super) recording_frequency: String,
}

/// `DeliveryChannel`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeliveryChannel {
    pub(super) name: Option<String>,
    pub(super) s3_bucket_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s3_key_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s3_kms_key_arn: Option<String>,
    #[serde(rename = "snsTopicARN", skip_serializing_if = "Option::is_none")]
    pub(super) sns_topic_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) config_snapshot_delivery_properties: Option<Value>,
}

/// The default name of recorder and channel.
pub(super) const DEFAULT: &str = "default";
pub(super) const ALL: &str = "ALL_SUPPORTED_RESOURCE_TYPES";
pub(super) const ONLY: &str = "INCLUSION_BY_RESOURCE_TYPES";
pub(super) const EXCEPT: &str = "EXCLUSION_BY_RESOURCE_TYPES";

impl Recording {
    /// A recorder of all types, started at `now`, and its channel.
    pub(super) fn healthy(settings: &EngineSettings, now: Timestamp) -> Self {
        let EngineSettings { account, region, partition } = settings;
        let role = "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";
        let group = RecordingGroup { all_supported: true, include_global_resource_types: true, ..Default::default() };
        let recorder = ConfigurationRecorder {
            arn: Some(format!(
                "arn:{partition}:config:{region}:{account}:configuration-recorder/{DEFAULT}/0a1b2c3d4e5f6071"
            )),
            name: Some(DEFAULT.to_owned()),
            role_arn: Some(format!("arn:{partition}:iam::{account}:{role}")),
            recording_group: Some(RecordingGroup { recording_strategy: Strategy::of(ALL), ..group }),
            recording_mode: Some(RecordingMode::continuous()),
            recording_scope: Some("PAID".to_owned()),
        };
        let channel = DeliveryChannel {
            name: Some(DEFAULT.to_owned()),
            s3_bucket_name: Some(format!("config-{account}-{region}")),
            sns_topic_arn: Some(format!("arn:{partition}:sns:{region}:{account}:config")),
            ..DeliveryChannel::default()
        };
        Self {
            recorder,
            channel,
            is_recording: true,
            last_status: "SUCCESS",
            changed: now,
            started: now,
            stopped: None,
            delivered: now,
        }
    }

    pub(super) fn is_recording(&self) -> bool {
        self.is_recording
    }

    pub(super) fn recorder_name(&self) -> &str {
        self.recorder.name.as_deref().unwrap_or(DEFAULT)
    }

    pub(super) fn channel_name(&self) -> &str {
        self.channel.name.as_deref().unwrap_or(DEFAULT)
    }

    /// Starts the recorder; no effect if it is on.
    pub(super) fn start(&mut self, now: Timestamp) {
        if !self.is_recording {
            self.is_recording = true;
            self.started = now;
            self.set_status("PENDING", now);
        }
    }

    /// Stops the recorder. Its last status stays, and its start time is never later than its stop time.
    pub(super) fn stop(&mut self, now: Timestamp) {
        if self.is_recording {
            self.started = self.started.min(now);
            self.delivered = self.delivered(now).min(now);
            self.is_recording = false;
            self.stopped = Some(now);
        }
    }

    /// Notes that an item was recorded.
    pub(super) fn succeed(&mut self, now: Timestamp) {
        if self.is_recording && self.last_status != "SUCCESS" {
            self.set_status("SUCCESS", now);
        }
    }

    fn set_status(&mut self, status: &'static str, now: Timestamp) {
        self.last_status = status;
        self.changed = now;
    }

    /// `ConfigurationRecorderStatus`. AWS sends the status in capitals, although its model has `Success`.
    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "arn": self.recorder.arn, "name": self.recorder_name(), "recording": self.is_recording,
            "lastStatus": self.last_status, "lastStatusChangeTime": Epoch(self.changed),
            "lastStartTime": Epoch(self.started),
        });
        if let (Some(members), Some(stopped)) = (status.as_object_mut(), self.stopped) {
            members.insert("lastStopTime".to_owned(), Epoch(stopped).value());
        }
        status
    }

    /// When a running recorder last delivered its history.
    fn delivered(&self, now: Timestamp) -> Timestamp {
        let due = last_interval(now);
        if due < self.started { self.delivered } else { due.max(self.delivered) }
    }

    /// `DeliveryChannelStatus`: every delivery that was due until the recorder stopped has succeeded.
    pub(super) fn delivery(&self, now: Timestamp) -> Value {
        let delivered = if self.is_recording { self.delivered(now) } else { self.delivered };
        let stream = match self.channel.sns_topic_arn {
            Some(_) => json!({ "lastStatus": "SUCCESS", "lastStatusChangeTime": Epoch(self.started) }),
            None => json!({ "lastStatus": "NOT_APPLICABLE" }),
        };
        json!({
            "name": self.channel_name(),
            "configSnapshotDeliveryInfo": {},
            "configHistoryDeliveryInfo": {
                "lastStatus": "SUCCESS", "lastAttemptTime": Epoch(delivered), "lastSuccessfulTime": Epoch(delivered),
            },
            "configStreamDeliveryInfo": stream,
        })
    }
}

/// The start of the six-hour interval that contains `time`.
fn last_interval(time: Timestamp) -> Timestamp {
    let every = HISTORY_INTERVAL.as_secs();
    Timestamp::from_second(time.as_second().div_euclid(every) * every).unwrap_or(time)
}

impl Strategy {
    pub(super) fn of(name: &str) -> Self {
        Self { use_only: Some(name.to_owned()) }
    }
}

impl RecordingMode {
    pub(super) fn continuous() -> Self {
        Self { recording_frequency: "CONTINUOUS".to_owned(), recording_mode_overrides: Vec::new() }
    }
}

impl RecordingGroup {
    /// The group as AWS Config stores it; none if its members contradict each other.
    pub(super) fn normalized(self) -> Option<Self> {
        let Self { all_supported, include_global_resource_types, resource_types, exclusion_by_resource_types, .. } =
            self;
        let strategy = self.recording_strategy.use_only;
        let excluded = exclusion_by_resource_types.resource_types;
        let none = |types: &[String]| types.is_empty();
        let kind = match (strategy.as_deref(), all_supported) {
            (None | Some(ALL), true) if none(&resource_types) && none(&excluded) => ALL,
            (None | Some(ONLY), false) if !none(&resource_types) && none(&excluded) => ONLY,
            (Some(EXCEPT), false) if none(&resource_types) && !none(&excluded) => EXCEPT,
            _ => return None,
        };
        if include_global_resource_types && kind != ALL {
            return None;
        }
        Some(Self {
            all_supported,
            include_global_resource_types,
            resource_types,
            exclusion_by_resource_types: Excluded { resource_types: excluded },
            recording_strategy: Strategy::of(kind),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::engine::item::tests::bucket;
    use crate::engine::rule::tests::settings;

    const NOON: &str = "2026-03-04T12:30:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn history_is_delivered_every_six_hours_until_the_recorder_stops() {
        let mut recording = Recording::healthy(&settings(), at(NOON));
        let delivered = |recording: &Recording, now: &str| {
            let status = recording.delivery(at(now));
            status["configHistoryDeliveryInfo"]["lastSuccessfulTime"].clone()
        };
        assert_eq!(delivered(&recording, "2026-03-04T13:00:00Z"), Epoch(at(NOON)).value(), "not before its start");
        let evening = Epoch(at("2026-03-04T18:00:00Z")).value();
        assert_eq!(delivered(&recording, "2026-03-04T18:00:01Z"), evening);
        recording.stop(at("2026-03-04T20:00:00Z"));
        assert_eq!(delivered(&recording, "2026-03-06T20:00:00Z"), evening);
        recording.start(at("2026-03-06T21:00:00Z"));
        assert_eq!(delivered(&recording, "2026-03-06T22:00:00Z"), evening, "not immediately");
        let midnight = Epoch(at("2026-03-07T00:00:00Z")).value();
        assert_eq!(delivered(&recording, "2026-03-07T00:00:01Z"), midnight);
    }

    #[test]
    fn started_recorder_is_pending_until_an_item_is_recorded() {
        let (engine, _outputs) = Engine::new(settings());
        let status = || engine.lock().recording.status();
        assert_eq!((status()["recording"].clone(), status()["lastStatus"].clone()), (json!(true), json!("SUCCESS")));
        engine.stop_recorder(at(NOON));
        assert!(!engine.is_recording());
        assert_eq!(status()["lastStopTime"], Epoch(at(NOON)).value());
        engine.lock().recording.start(at("2026-03-04T13:00:00Z"));
        assert_eq!(status()["lastStatus"], "PENDING");
        engine.record(bucket("b", "2026-03-04T13:00:01.000Z", json!({}))).unwrap();
        assert_eq!(status()["lastStatus"], "SUCCESS");
    }

    #[test]
    fn group_has_one_strategy() {
        let strategy = |group: Value| {
            let group: RecordingGroup = serde_json::from_value(group).unwrap();
            group.normalized().and_then(|group| group.recording_strategy.use_only)
        };
        let types = json!(["AWS::S3::Bucket"]);
        for (group, kind) in [
            (json!({"allSupported": true, "includeGlobalResourceTypes": true}), Some(ALL)),
            (json!({"resourceTypes": types}), Some(ONLY)),
            (
                json!({"exclusionByResourceTypes": {"resourceTypes": types}, "recordingStrategy": {"useOnly": EXCEPT}}),
                Some(EXCEPT),
            ),
            (json!({}), None),
            (json!({"allSupported": true, "resourceTypes": types}), None),
            (json!({"allSupported": true, "recordingStrategy": {"useOnly": ONLY}}), None),
            (json!({"includeGlobalResourceTypes": true, "resourceTypes": types}), None),
            (json!({"exclusionByResourceTypes": {"resourceTypes": types}}), None),
        ] {
            assert_eq!(strategy(group.clone()).as_deref(), kind, "{group}");
        }
    }
}

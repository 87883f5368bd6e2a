//! What AWS Config records of an account in a region, and where it delivers that.
//!
//! Knows the recorder that is the customer's; those that AWS services make for themselves deliver nothing to anybody else.

use std::collections::BTreeSet;

use rectify_compliance::{AccountId, Region, ResourceKey, ResourceState, ShapeError, Tags, Timestamp};
use serde::{Deserialize, Serialize};

/// The types whose resources are the same in every region: it is enough that they are recorded in one.
pub const GLOBAL_TYPES: [&str; 4] = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// Recorder and delivery channel of one account in one region; AWS Config has at most one of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// The customer managed recorder, where there is one.
    pub recorder: Option<Recorder>,
    /// The delivery channel, where there is one.
    pub channel: Option<Channel>,
    /// An account has none here.
    #[serde(default)]
    pub tags: Tags,
}

/// `ConfigurationRecorder` with its `ConfigurationRecorderStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorder {
    /// `name`; `default` unless somebody named it.
    pub name: String,
    /// `roleARN`, where there is one.
    pub role_arn: Option<String>,
    /// `recordingGroup`.
    pub types: RecordedTypes,
    /// `recordingMode`.
    pub frequency: Frequency,
    /// How it stands.
    pub status: Status,
}

/// Which resource types are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RecordedTypes {
    /// All that AWS Config supports, of the [global ones](GLOBAL_TYPES) only where this says so.
    All {
        /// `includeGlobalResourceTypes`.
        include_global: bool,
    },
    /// All but these.
    Except(BTreeSet<String>),
    /// These and no other.
    Only(BTreeSet<String>),
}

/// How often changes are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Frequency {
    /// Each change.
    Continuous,
    /// Each change, but of these types once a day.
    DailyFor(BTreeSet<String>),
    /// Once a day, whatever is said of single types.
    Daily,
}

/// How the recorder stands.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `recording`: whether it is on.
    pub recording: bool,
    /// `lastStatus`: what became of the last thing it recorded, where that is stated.
    pub last: Option<Outcome>,
    /// `lastErrorCode`, where there is one.
    pub last_error: Option<String>,
    /// `lastStartTime`, where it was ever started.
    pub started: Option<Timestamp>,
    /// `lastStopTime`, where it was ever stopped.
    pub stopped: Option<Timestamp>,
}

impl PartialEq for Status {
    /// Whether it is on: all else AWS Config keeps by itself, so that no plan can tell it beforehand.
    fn eq(&self, other: &Self) -> bool {
        self.recording == other.recording
    }
}

/// What became of something: `RecorderStatus` and `DeliveryStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It has not ended.
    Pending,
    /// It was done.
    Success,
    /// It was not done.
    Failure,
    /// There was nothing to do.
    NotApplicable,
}

/// `DeliveryChannel` with its `DeliveryChannelStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// `s3BucketName`, where there is one.
    pub bucket: Option<String>,
    /// `snsTopicARN`, where there is one.
    pub topic: Option<String>,
    /// `configHistoryDeliveryInfo`, where anything is stated of it.
    pub history: Option<Delivery>,
    /// `configStreamDeliveryInfo`, where anything is stated of it.
    pub stream: Option<Delivery>,
    /// `configSnapshotDeliveryInfo`, where snapshots are scheduled (`configSnapshotDeliveryProperties.deliveryFrequency`)
    /// and anything is stated of them.
    #[serde(default)]
    pub snapshot: Option<Delivery>,
}

/// How the last delivery went.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// `lastStatus`.
    pub last: Option<Outcome>,
    /// `lastErrorCode`, where there is one.
    pub last_error: Option<String>,
    /// `lastSuccessfulTime`, where there was any; a stream has none.
    pub last_success: Option<Timestamp>,
}

impl PartialEq for Delivery {
    /// What became of it: when is AWS Config's own doing, so that no plan can tell it beforehand.
    fn eq(&self, other: &Self) -> bool {
        self.last == other.last
    }
}

impl ResourceState for Recording {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

impl Outcome {
    /// Reads a status as AWS Config writes it, `SUCCESS` or `Not_Applicable`, or as its model has it, `Success` or
    /// `NotApplicable`.
    ///
    /// # Errors
    /// [`ShapeError`] for a status that is not known.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        match text.replace('_', "").to_ascii_lowercase().as_str() {
            "pending" => Ok(Self::Pending),
            "success" => Ok(Self::Success),
            "failure" => Ok(Self::Failure),
            "notapplicable" => Ok(Self::NotApplicable),
            _ => Err(ShapeError::new(path, "Pending, Success, Failure or NotApplicable", text)),
        }
    }
}

impl RecordedTypes {
    /// Whether resources of this type are recorded.
    pub fn contain(&self, kind: &str) -> bool {
        match self {
            Self::All { include_global } => *include_global || !GLOBAL_TYPES.contains(&kind),
            Self::Except(excluded) => !excluded.contains(kind),
            Self::Only(included) => included.contains(kind),
        }
    }
}

/// The answers of AWS Config, before anything is known to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// `DescribeConfigurationRecorders`.
    pub recorders: Vec<RecorderAnswer>,
    /// `DescribeConfigurationRecorderStatus`, by the recorder's name.
    pub statuses: Vec<(Option<String>, Status)>,
    /// `DescribeDeliveryChannels`, by name: `s3BucketName` and `snsTopicARN`.
    pub channels: Vec<ChannelAnswer>,
    /// `DescribeDeliveryChannelStatus`, by the channel's name.
    pub deliveries: Vec<(Option<String>, DeliveriesAnswer)>,
}

/// `DeliveryChannelStatus` as it was answered: each part where anything is stated of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveriesAnswer {
    /// `configHistoryDeliveryInfo`.
    pub history: Option<Delivery>,
    /// `configStreamDeliveryInfo`.
    pub stream: Option<Delivery>,
    /// `configSnapshotDeliveryInfo`, which is also there where snapshots were requested one by one.
    pub snapshot: Option<Delivery>,
}

/// `ConfigurationRecorder` as it was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecorderAnswer {
    /// `name`.
    pub name: Option<String>,
    /// `roleARN`.
    pub role_arn: Option<String>,
    /// `servicePrincipal`: the AWS service that made it for itself.
    pub service_principal: Option<String>,
    /// `recordingScope`: `PAID` for the customer, `INTERNAL` for an AWS service.
    pub recording_scope: Option<String>,
    /// `recordingGroup`.
    pub group: Option<GroupAnswer>,
    /// `recordingMode.recordingFrequency`.
    pub frequency: Option<String>,
    /// `recordingMode.recordingModeOverrides`: frequency and types of each.
    pub overrides: Vec<(String, Vec<String>)>,
}

/// `RecordingGroup` as it was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupAnswer {
    /// `allSupported`.
    pub all_supported: bool,
    /// `includeGlobalResourceTypes`.
    pub include_global: bool,
    /// `resourceTypes`.
    pub included: Vec<String>,
    /// `exclusionByResourceTypes.resourceTypes`.
    pub excluded: Vec<String>,
    /// `recordingStrategy.useOnly`.
    pub strategy: Option<String>,
}

/// `DeliveryChannel` as it was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelAnswer {
    /// `name`.
    pub name: Option<String>,
    /// `s3BucketName`.
    pub bucket: Option<String>,
    /// `snsTopicARN`.
    pub topic: Option<String>,
    /// Whether `configSnapshotDeliveryProperties.deliveryFrequency` schedules snapshots.
    pub schedules_snapshots: bool,
}

impl Answers {
    /// Puts the answers together.
    ///
    /// # Errors
    /// [`ShapeError`] when there is more than one of what there can be one of, a recorder is without status, or a value is
    /// of a kind that is not known.
    pub fn read(self, account: AccountId, region: Region) -> Result<Recording, ShapeError> {
        let ours = self.recorders.into_iter().filter(RecorderAnswer::is_the_customers).collect();
        let recorder = one(ours, "ConfigurationRecorders")?.map(|it| it.read(self.statuses)).transpose()?;
        let channel = one(self.channels, "DeliveryChannels")?.map(|it| it.read(self.deliveries));
        Ok(Recording { account, region, recorder, channel, tags: Tags::new() })
    }
}

impl RecorderAnswer {
    fn is_the_customers(&self) -> bool {
        self.service_principal.is_none() && self.recording_scope.as_deref() != Some("INTERNAL")
    }

    fn read(self, statuses: Vec<(Option<String>, Status)>) -> Result<Recorder, ShapeError> {
        let name = filled(self.name).ok_or_else(|| ShapeError::missing("ConfigurationRecorder.name", "a name"))?;
        let status = statuses.into_iter().find(|(of, _)| of.as_ref() == Some(&name)).map(|(_, status)| status);
        let group = self.group.ok_or_else(|| ShapeError::missing("recordingGroup", "a recording group"))?;
        Ok(Recorder {
            role_arn: filled(self.role_arn),
            types: group.read()?,
            frequency: frequency(self.frequency, self.overrides)?,
            status: status.ok_or_else(|| ShapeError::missing("ConfigurationRecordersStatus", "one of the recorder"))?,
            name,
        })
    }
}

impl GroupAnswer {
    fn read(self) -> Result<RecordedTypes, ShapeError> {
        match self.strategy.as_deref() {
            Some("ALL_SUPPORTED_RESOURCE_TYPES") => Ok(RecordedTypes::All { include_global: self.include_global }),
            Some("EXCLUSION_BY_RESOURCE_TYPES") => Ok(RecordedTypes::Except(self.excluded.into_iter().collect())),
            Some("INCLUSION_BY_RESOURCE_TYPES") => Ok(RecordedTypes::Only(self.included.into_iter().collect())),
            // Recorders are older than strategies.
            None if self.all_supported => Ok(RecordedTypes::All { include_global: self.include_global }),
            None => Ok(RecordedTypes::Only(self.included.into_iter().collect())),
            Some(other) => Err(ShapeError::new("recordingStrategy.useOnly", "a known strategy", other)),
        }
    }
}

impl ChannelAnswer {
    fn read(self, deliveries: Vec<(Option<String>, DeliveriesAnswer)>) -> Channel {
        let stated = deliveries.into_iter().find(|(of, _)| *of == self.name);
        let DeliveriesAnswer { history, stream, snapshot } = stated.map(|(_, stated)| stated).unwrap_or_default();
        let snapshot = snapshot.filter(|_| self.schedules_snapshots);
        Channel { bucket: filled(self.bucket), topic: filled(self.topic), history, stream, snapshot }
    }
}

/// Recorders are older than daily recording: without a mode each change is recorded.
fn frequency(by_default: Option<String>, overrides: Vec<(String, Vec<String>)>) -> Result<Frequency, ShapeError> {
    let mut daily = BTreeSet::new();
    for (frequency, types) in overrides {
        if is_daily(&frequency)? {
            daily.extend(types);
        }
    }
    match by_default {
        Some(frequency) if is_daily(&frequency)? => Ok(Frequency::Daily),
        Some(_) | None if daily.is_empty() => Ok(Frequency::Continuous),
        Some(_) | None => Ok(Frequency::DailyFor(daily)),
    }
}

fn is_daily(frequency: &str) -> Result<bool, ShapeError> {
    match frequency {
        "DAILY" => Ok(true),
        "CONTINUOUS" => Ok(false),
        other => Err(ShapeError::new("recordingFrequency", "CONTINUOUS or DAILY", other)),
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|it| !it.is_empty())
}

fn one<T>(mut many: Vec<T>, path: &str) -> Result<Option<T>, ShapeError> {
    let first = many.pop();
    if many.is_empty() { Ok(first) } else { Err(ShapeError::new(path, "one at most", many.len() + 1)) }
}

#[cfg(test)]
pub(crate) mod tests;

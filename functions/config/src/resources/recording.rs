//! The configuration recorder and the delivery channel of an account in a region.
//!
//! Only the customer managed recorder counts: service-linked recorders deliver only to their service.

use std::collections::BTreeSet;

use rectify_compliance::{AccountId, Region, ResourceIdentity, ResourceState, ShapeError, Tags, Timestamp};
use serde::{Deserialize, Serialize};

/// Global resource types: their resources are the same in every region, so recording them in one is enough.
pub const GLOBAL_TYPES: [&str; 4] = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// Recorder and delivery channel of one account in one region; AWS Config has at most one of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// The customer managed recorder, if there is one.
    pub recorder: Option<Recorder>,
    /// The delivery channel, if there is one.
    pub channel: Option<Channel>,
    /// Always empty: an account has no tags here.
    #[serde(default)]
    pub tags: Tags,
}

/// `ConfigurationRecorder` with its `ConfigurationRecorderStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorder {
    /// `name`; `default` unless another one was chosen.
    pub name: String,
    /// `roleARN`, if there is one.
    pub role_arn: Option<String>,
    /// `recordingGroup`.
    pub types: RecordedTypes,
    /// `recordingMode`.
    pub frequency: Frequency,
    /// Its status.
    pub status: Status,
}

/// Which resource types are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RecordedTypes {
    /// All types that AWS Config supports; the [global ones](GLOBAL_TYPES) only with `include_global`.
    All {
        /// `includeGlobalResourceTypes`.
        include_global: bool,
    },
    /// All types except these.
    Except(BTreeSet<String>),
    /// Only these types.
    Only(BTreeSet<String>),
}

/// How often changes are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Frequency {
    /// On each change.
    Continuous,
    /// On each change, but once a day for these types.
    DailyFor(BTreeSet<String>),
    /// Once a day, whatever the overrides for single types.
    Daily,
}

/// The status of the recorder.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `recording`: whether it is on.
    pub recording: bool,
    /// `lastStatus`: the outcome of the last recording, if stated.
    pub last: Option<Outcome>,
    /// `lastErrorCode`, if there is one.
    pub last_error: Option<String>,
    /// `lastStartTime`, if it was ever started.
    pub started: Option<Timestamp>,
    /// `lastStopTime`, if it was ever stopped.
    pub stopped: Option<Timestamp>,
}

impl PartialEq for Status {
    /// Compares only whether it is on: AWS Config updates the other fields by itself, so no plan can predict them.
    fn eq(&self, other: &Self) -> bool {
        self.recording == other.recording
    }
}

/// The outcome of a recording (`RecorderStatus`) or a delivery (`DeliveryStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// In progress.
    Pending,
    /// Succeeded.
    Success,
    /// Failed.
    Failure,
    /// Nothing to do.
    NotApplicable,
}

/// `DeliveryChannel` with its `DeliveryChannelStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// `s3BucketName`, if there is one.
    pub bucket: Option<String>,
    /// `snsTopicARN`, if there is one.
    pub topic: Option<String>,
    /// `configHistoryDeliveryInfo`, if stated.
    pub history: Option<Delivery>,
    /// `configStreamDeliveryInfo`, if stated.
    pub stream: Option<Delivery>,
    /// `configSnapshotDeliveryInfo`, if stated and snapshots are scheduled
    /// (`configSnapshotDeliveryProperties.deliveryFrequency`).
    #[serde(default)]
    pub snapshot: Option<Delivery>,
}

/// The last delivery.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// `lastStatus`.
    pub last: Option<Outcome>,
    /// `lastErrorCode`, if there is one.
    pub last_error: Option<String>,
    /// `lastSuccessfulTime`, if there is one; a stream has none.
    pub last_success: Option<Timestamp>,
}

impl PartialEq for Delivery {
    /// Compares only the outcome: AWS Config sets the times by itself, so no plan can predict them.
    fn eq(&self, other: &Self) -> bool {
        self.last == other.last
    }
}

impl ResourceState for Recording {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { tags: &self.tags, ..ResourceIdentity::account(&self.account) }
    }
}

impl Outcome {
    /// Parses a status as AWS Config writes it, `SUCCESS` or `Not_Applicable`, or as in its API model, `Success` or
    /// `NotApplicable`.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown status.
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

/// The API responses of AWS Config; every field may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Responses {
    /// `DescribeConfigurationRecorders`.
    pub recorders: Vec<RecorderResponse>,
    /// `DescribeConfigurationRecorderStatus`, by the recorder's name.
    pub statuses: Vec<(Option<String>, Status)>,
    /// `DescribeDeliveryChannels`, by name: `s3BucketName` and `snsTopicARN`.
    pub channels: Vec<ChannelResponse>,
    /// `DescribeDeliveryChannelStatus`, by the channel's name.
    pub deliveries: Vec<(Option<String>, DeliveriesResponse)>,
}

/// `DeliveryChannelStatus` from the API; each field only if stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveriesResponse {
    /// `configHistoryDeliveryInfo`.
    pub history: Option<Delivery>,
    /// `configStreamDeliveryInfo`.
    pub stream: Option<Delivery>,
    /// `configSnapshotDeliveryInfo`; also present if snapshots were requested individually.
    pub snapshot: Option<Delivery>,
}

/// `ConfigurationRecorder` from the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecorderResponse {
    /// `name`.
    pub name: Option<String>,
    /// `roleARN`.
    pub role_arn: Option<String>,
    /// `servicePrincipal`: the AWS service that a service-linked recorder belongs to.
    pub service_principal: Option<String>,
    /// `recordingScope`: `PAID` for the customer, `INTERNAL` for an AWS service.
    pub recording_scope: Option<String>,
    /// `recordingGroup`.
    pub group: Option<GroupResponse>,
    /// `recordingMode.recordingFrequency`.
    pub frequency: Option<String>,
    /// `recordingMode.recordingModeOverrides`: frequency and types of each override.
    pub overrides: Vec<(String, Vec<String>)>,
}

/// `RecordingGroup` from the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupResponse {
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

/// `DeliveryChannel` from the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelResponse {
    /// `name`.
    pub name: Option<String>,
    /// `s3BucketName`.
    pub bucket: Option<String>,
    /// `snsTopicARN`.
    pub topic: Option<String>,
    /// Whether `configSnapshotDeliveryProperties.deliveryFrequency` schedules snapshots.
    pub schedules_snapshots: bool,
}

impl Responses {
    /// Combines the responses.
    ///
    /// # Errors
    /// [`ShapeError`] if there is more than one customer managed recorder or channel, a recorder has no status, or a value
    /// is unknown.
    pub fn read(self, account: AccountId, region: Region) -> Result<Recording, ShapeError> {
        let customer_managed = self.recorders.into_iter().filter(RecorderResponse::is_customer_managed).collect();
        let recorder =
            at_most_one(customer_managed, "ConfigurationRecorders")?.map(|it| it.read(self.statuses)).transpose()?;
        let channel = at_most_one(self.channels, "DeliveryChannels")?.map(|it| it.read(self.deliveries));
        Ok(Recording { account, region, recorder, channel, tags: Tags::new() })
    }
}

impl RecorderResponse {
    fn is_customer_managed(&self) -> bool {
        self.service_principal.is_none() && self.recording_scope.as_deref() != Some("INTERNAL")
    }

    fn read(self, statuses: Vec<(Option<String>, Status)>) -> Result<Recorder, ShapeError> {
        let name = filled(self.name).ok_or_else(|| ShapeError::missing("ConfigurationRecorder.name", "a name"))?;
        let status =
            statuses.into_iter().find(|(recorder, _)| recorder.as_ref() == Some(&name)).map(|(_, status)| status);
        let group = self.group.ok_or_else(|| ShapeError::missing("recordingGroup", "a recording group"))?;
        Ok(Recorder {
            role_arn: filled(self.role_arn),
            types: group.read()?,
            frequency: frequency(self.frequency, self.overrides)?,
            status: status
                .ok_or_else(|| ShapeError::missing("ConfigurationRecordersStatus", "a status of the recorder"))?,
            name,
        })
    }
}

impl GroupResponse {
    fn read(self) -> Result<RecordedTypes, ShapeError> {
        match self.strategy.as_deref() {
            Some("ALL_SUPPORTED_RESOURCE_TYPES") => Ok(RecordedTypes::All { include_global: self.include_global }),
            Some("EXCLUSION_BY_RESOURCE_TYPES") => Ok(RecordedTypes::Except(self.excluded.into_iter().collect())),
            Some("INCLUSION_BY_RESOURCE_TYPES") => Ok(RecordedTypes::Only(self.included.into_iter().collect())),
            // Recorders created before strategies existed have none.
            None if self.all_supported => Ok(RecordedTypes::All { include_global: self.include_global }),
            None => Ok(RecordedTypes::Only(self.included.into_iter().collect())),
            Some(other) => Err(ShapeError::new("recordingStrategy.useOnly", "a known strategy", other)),
        }
    }
}

impl ChannelResponse {
    fn read(self, deliveries: Vec<(Option<String>, DeliveriesResponse)>) -> Channel {
        let stated = deliveries.into_iter().find(|(channel, _)| *channel == self.name);
        let DeliveriesResponse { history, stream, snapshot } = stated.map(|(_, stated)| stated).unwrap_or_default();
        let snapshot = snapshot.filter(|_| self.schedules_snapshots);
        Channel { bucket: filled(self.bucket), topic: filled(self.topic), history, stream, snapshot }
    }
}

/// Recorders created before daily recording existed have no mode: they record continuously.
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

fn at_most_one<T>(mut many: Vec<T>, path: &str) -> Result<Option<T>, ShapeError> {
    let first = many.pop();
    if many.is_empty() { Ok(first) } else { Err(ShapeError::new(path, "at most one", many.len() + 1)) }
}

#[cfg(test)]
pub(crate) mod tests;

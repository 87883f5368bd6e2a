//! The calls to AWS Config for its recorder. The only place that names its SDK; it maps answers and decides nothing.

mod functions;

use aws_sdk_config::Client;
use aws_sdk_config::operation::describe_configuration_recorder_status::DescribeConfigurationRecorderStatusError;
use aws_sdk_config::operation::describe_configuration_recorders::DescribeConfigurationRecordersError;
use aws_sdk_config::operation::describe_delivery_channel_status::DescribeDeliveryChannelStatusError;
use aws_sdk_config::operation::describe_delivery_channels::DescribeDeliveryChannelsError;
use aws_sdk_config::primitives::DateTime;
use aws_sdk_config::types;
use aws_types::SdkConfig;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Region, ShapeError, Target, Timestamp};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, List, Page};
use rectify_runtime::config_service::milliseconds;

use rectify_config::controls::config_recorder_healthy::{
    Action, ConfigRecorderHealthy, ConfigRecorderHealthyParameters, Undo,
};
use rectify_config::resources::recording::{
    ChannelResponse, DeliveriesResponse, Delivery, GroupResponse, Outcome, RecorderResponse, Recording, Responses,
    Status,
};

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    config: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { config: Client::new(config) }
    }
}

impl Clients {
    /// Recorder and delivery channel with their status; none of these operations has pages. The status is read after
    /// the recorder: a recorder deleted in between has no status, which is an error.
    async fn recording(&self, account: &AccountId, region: &Region) -> Result<Recording, AwsError> {
        let answers = Responses {
            recorders: self.recorders().await?.into_iter().map(recorder).collect(),
            statuses: self.recorder_statuses().await?.into_iter().map(status).collect::<Result<_, _>>()?,
            channels: self.channels().await?.into_iter().map(channel).collect(),
            deliveries: self.channel_statuses().await?.into_iter().map(deliveries).collect::<Result<_, _>>()?,
        };
        Ok(answers.read(account.clone(), region.clone())?)
    }

    /// `DescribeConfigurationRecorders`: the customer managed recorder.
    async fn recorders(&self) -> Result<Vec<types::ConfigurationRecorder>, AwsError> {
        let none = DescribeConfigurationRecordersError::is_no_such_configuration_recorder_exception;
        match self.config.describe_configuration_recorders().send().await {
            Ok(answer) => Ok(answer.configuration_recorders.unwrap_or_default()),
            Err(error) if error.as_service_error().is_some_and(none) => Ok(Vec::new()),
            Err(error) => Err(AwsError::call("config:DescribeConfigurationRecorders", &error)),
        }
    }

    /// `DescribeConfigurationRecorderStatus`.
    async fn recorder_statuses(&self) -> Result<Vec<types::ConfigurationRecorderStatus>, AwsError> {
        let none = DescribeConfigurationRecorderStatusError::is_no_such_configuration_recorder_exception;
        match self.config.describe_configuration_recorder_status().send().await {
            Ok(answer) => Ok(answer.configuration_recorders_status.unwrap_or_default()),
            Err(error) if error.as_service_error().is_some_and(none) => Ok(Vec::new()),
            Err(error) => Err(AwsError::call("config:DescribeConfigurationRecorderStatus", &error)),
        }
    }

    /// `DescribeDeliveryChannels`.
    async fn channels(&self) -> Result<Vec<types::DeliveryChannel>, AwsError> {
        let none = DescribeDeliveryChannelsError::is_no_such_delivery_channel_exception;
        match self.config.describe_delivery_channels().send().await {
            Ok(answer) => Ok(answer.delivery_channels.unwrap_or_default()),
            Err(error) if error.as_service_error().is_some_and(none) => Ok(Vec::new()),
            Err(error) => Err(AwsError::call("config:DescribeDeliveryChannels", &error)),
        }
    }

    /// `DescribeDeliveryChannelStatus`.
    async fn channel_statuses(&self) -> Result<Vec<types::DeliveryChannelStatus>, AwsError> {
        let none = DescribeDeliveryChannelStatusError::is_no_such_delivery_channel_exception;
        match self.config.describe_delivery_channel_status().send().await {
            Ok(answer) => Ok(answer.delivery_channels_status.unwrap_or_default()),
            Err(error) if error.as_service_error().is_some_and(none) => Ok(Vec::new()),
            Err(error) => Err(AwsError::call("config:DescribeDeliveryChannelStatus", &error)),
        }
    }
}

impl List<Clients> for ConfigRecorderHealthy {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a ConfigRecorderHealthyParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Recording>, AwsError>> + Send + 'a {
        once(async move { Ok(Page::whole([clients.recording(&place.account, &place.region).await?])) })
    }
}

impl Fix<Clients> for ConfigRecorderHealthy {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &ConfigRecorderHealthyParameters,
    ) -> Result<Option<Recording>, AwsError> {
        clients.recording(&target.account, &target.region).await.map(Some)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::StartConfigurationRecorder { configuration_recorder_name } = action;
        let request = clients.config.start_configuration_recorder();
        let answer = request.configuration_recorder_name(configuration_recorder_name).send().await;
        answer.map(drop).map_err(|error| AwsError::call("config:StartConfigurationRecorder", &error))
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        let Undo::StopConfigurationRecorder { configuration_recorder_name } = undo;
        let request = clients.config.stop_configuration_recorder();
        let answer = request.configuration_recorder_name(configuration_recorder_name).send().await;
        answer.map(drop).map_err(|error| AwsError::call("config:StopConfigurationRecorder", &error))
    }
}

fn recorder(it: types::ConfigurationRecorder) -> RecorderResponse {
    let (frequency, overrides) = it.recording_mode.map_or((None, Vec::new()), |mode| {
        let overrides = mode.recording_mode_overrides.unwrap_or_default().into_iter();
        let overrides = overrides.map(|it| (it.recording_frequency.as_str().to_owned(), names(it.resource_types)));
        (Some(mode.recording_frequency.as_str().to_owned()), overrides.collect())
    });
    RecorderResponse {
        name: it.name,
        role_arn: it.role_arn,
        service_principal: it.service_principal,
        recording_scope: it.recording_scope.map(|it| it.as_str().to_owned()),
        group: it.recording_group.map(group),
        frequency,
        overrides,
    }
}

fn group(it: types::RecordingGroup) -> GroupResponse {
    GroupResponse {
        all_supported: it.all_supported,
        include_global: it.include_global_resource_types,
        included: names(it.resource_types.unwrap_or_default()),
        excluded: names(it.exclusion_by_resource_types.and_then(|it| it.resource_types).unwrap_or_default()),
        strategy: it.recording_strategy.and_then(|it| it.use_only).map(|it| it.as_str().to_owned()),
    }
}

fn names(types: Vec<types::ResourceType>) -> Vec<String> {
    types.into_iter().map(|it| it.as_str().to_owned()).collect()
}

fn status(it: types::ConfigurationRecorderStatus) -> Result<(Option<String>, Status), ShapeError> {
    let last = it.last_status.map(|it| Outcome::parse("lastStatus", it.as_str())).transpose()?;
    let status = Status {
        recording: it.recording,
        last,
        last_error: it.last_error_code,
        started: time("lastStartTime", it.last_start_time)?,
        stopped: time("lastStopTime", it.last_stop_time)?,
    };
    Ok((it.name, status))
}

fn channel(it: types::DeliveryChannel) -> ChannelResponse {
    let snapshots = it.config_snapshot_delivery_properties.and_then(|it| it.delivery_frequency);
    ChannelResponse {
        name: it.name,
        bucket: it.s3_bucket_name,
        topic: it.sns_topic_arn,
        schedules_snapshots: snapshots.is_some(),
    }
}

fn deliveries(it: types::DeliveryChannelStatus) -> Result<(Option<String>, DeliveriesResponse), ShapeError> {
    let history = it.config_history_delivery_info.map(|it| export("configHistoryDeliveryInfo", it));
    let snapshot = it.config_snapshot_delivery_info.map(|it| export("configSnapshotDeliveryInfo", it));
    let stream = it.config_stream_delivery_info.map(|stream| {
        let last = outcome("configStreamDeliveryInfo", stream.last_status.as_ref())?;
        Ok::<_, ShapeError>(Delivery { last, last_error: stream.last_error_code, last_success: None })
    });
    let answer = DeliveriesResponse {
        history: history.transpose()?,
        stream: stream.transpose()?,
        snapshot: snapshot.transpose()?,
    };
    Ok((it.name, answer))
}

fn export(at: &str, it: types::ConfigExportDeliveryInfo) -> Result<Delivery, ShapeError> {
    Ok(Delivery {
        last: outcome(at, it.last_status.as_ref())?,
        last_error: it.last_error_code,
        last_success: time(&format!("{at}.lastSuccessfulTime"), it.last_successful_time)?,
    })
}

fn outcome(at: &str, status: Option<&types::DeliveryStatus>) -> Result<Option<Outcome>, ShapeError> {
    status.map(|it| Outcome::parse(&format!("{at}.lastStatus"), it.as_str())).transpose()
}

fn time(path: &str, at: Option<DateTime>) -> Result<Option<Timestamp>, ShapeError> {
    at.map(|at| milliseconds(at).ok_or_else(|| ShapeError::new(path, "a time", at))).transpose()
}

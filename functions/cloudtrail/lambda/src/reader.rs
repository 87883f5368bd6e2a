//! Reads the trails visible in a region, with status and selectors. It changes nothing, so other crates may use it.

use aws_sdk_cloudtrail::types;
use aws_sdk_cloudtrail::{Client, config};
use aws_types::SdkConfig;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use rectify_compliance::{Region, ShapeError};
use rectify_runtime::client::Connect;
use rectify_runtime::{AwsError, CallErrorKind};

use rectify_cloudtrail::resources::qualifying::{ObservedTrail, Status};
use rectify_cloudtrail::resources::selectors::{
    AdvancedEventSelector, DataResource, EventSelector, FieldSelector, ReadWriteType, Selectors,
};
use rectify_cloudtrail::resources::trail::{Description, ObservedFrom, Settings, Trail, TrailOwnership};

/// How many trails are read concurrently.
const CONCURRENCY: usize = 4;

/// A read-only CloudTrail client. The permissions of [`observe`](Self::observe) are
/// [`OBSERVE`](rectify_cloudtrail::resources::qualifying::OBSERVE).
#[derive(Debug, Clone)]
pub struct TrailReader {
    client: Client,
}

impl Connect for TrailReader {
    fn connect(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

impl TrailReader {
    /// All trails visible from `seen_from`, including shadow and organization trails, with status and selectors, by
    /// ARN.
    ///
    /// A trail of this account is read in its home region, where it is changed. A trail of another account is read
    /// through its shadow trail here, since its home region may not be enabled for this account.
    ///
    /// # Errors
    /// [`AwsError`] when anything could not be read; a denied read of another account's trail is `None` instead.
    pub async fn observe(&self, seen_from: &ObservedFrom) -> Result<Vec<ObservedTrail>, AwsError> {
        let trails = self.describe(None, seen_from).await?;
        let observed: Vec<Option<ObservedTrail>> =
            stream::iter(trails).map(|trail| self.observe_trail(trail)).buffered(CONCURRENCY).try_collect().await?;
        let mut observed: Vec<ObservedTrail> = observed.into_iter().flatten().collect();
        observed.sort_by(|one, other| one.trail.arn.cmp(&other.trail.arn));
        Ok(observed)
    }

    /// Reads one trail; `None` when a trail of this account is already gone.
    async fn observe_trail(&self, trail: Trail) -> Result<Option<ObservedTrail>, AwsError> {
        if trail.ownership() == TrailOwnership::OtherAccount {
            let status = if_readable(self.status(&trail.arn).await)?;
            let selectors = if_readable(self.selectors(&trail.arn).await)?;
            return Ok(Some(ObservedTrail { trail, status, selectors }));
        }
        let at_home = self.at(&trail.home_region);
        let Some(status) = if_exists(at_home.status(&trail.arn).await)? else { return Ok(None) };
        let Some(selectors) = if_exists(at_home.selectors(&trail.arn).await)? else { return Ok(None) };
        Ok(Some(ObservedTrail { trail, status: Some(status), selectors: Some(selectors) }))
    }

    /// The reader for another region.
    pub(super) fn at(&self, region: &Region) -> Self {
        let region = config::Region::new(region.as_str().to_owned());
        Self { client: Client::from_conf(self.client.config().to_builder().region(region).build()) }
    }

    pub(super) fn into_client(self) -> Client {
        self.client
    }

    /// `DescribeTrails`, which has no pages: all trails visible here, or those of this account and region with this
    /// name.
    pub(super) async fn describe(&self, name: Option<&str>, seen_from: &ObservedFrom) -> Result<Vec<Trail>, AwsError> {
        let answer = self
            .client
            .describe_trails()
            .set_trail_name_list(name.map(|it| vec![it.to_owned()]))
            .include_shadow_trails(name.is_none())
            .send()
            .await
            .map_err(|error| AwsError::call("cloudtrail:DescribeTrails", &error))?;
        let trails = answer.trail_list.unwrap_or_default();
        Ok(trails.into_iter().map(|it| description(it).seen(seen_from.clone())).collect::<Result<_, _>>()?)
    }

    async fn status(&self, arn: &str) -> Result<Status, AwsError> {
        let request = self.client.get_trail_status().name(arn);
        let answer = request.send().await.map_err(|error| AwsError::call("cloudtrail:GetTrailStatus", &error))?;
        let is_logging =
            answer.is_logging.ok_or_else(|| ShapeError::missing(format!("{arn}.IsLogging"), "true or false"))?;
        let latest_delivery_error = answer.latest_delivery_error.filter(|it| !it.is_empty());
        Ok(Status { is_logging, latest_delivery_error })
    }

    async fn selectors(&self, arn: &str) -> Result<Selectors, AwsError> {
        let request = self.client.get_event_selectors().trail_name(arn);
        let answer = request.send().await.map_err(|error| AwsError::call("cloudtrail:GetEventSelectors", &error))?;
        let advanced = answer.advanced_event_selectors.unwrap_or_default();
        if !advanced.is_empty() {
            return Ok(Selectors::AdvancedEventSelectors(advanced.into_iter().map(advanced_selector).collect()));
        }
        let classic = answer.event_selectors.unwrap_or_default();
        Ok(Selectors::EventSelectors(classic.into_iter().map(selector).collect::<Result<_, _>>()?))
    }
}

/// A denied read of another account's trail is unknown, not an error.
fn if_readable<T>(read: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match read {
        Err(error) if error.kind() == Some(CallErrorKind::AccessDenied) => Ok(None),
        other => if_exists(other),
    }
}

/// `None` when there is no such trail.
fn if_exists<T>(read: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is("TrailNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn description(trail: types::Trail) -> Description {
    Description {
        name: trail.name,
        arn: trail.trail_arn,
        home_region: trail.home_region,
        log_file_validation_enabled: trail.log_file_validation_enabled,
        settings: Settings {
            s3_bucket_name: trail.s3_bucket_name,
            s3_key_prefix: trail.s3_key_prefix,
            sns_topic_arn: trail.sns_topic_arn,
            kms_key_id: trail.kms_key_id,
            cloud_watch_logs_log_group_arn: trail.cloud_watch_logs_log_group_arn,
            cloud_watch_logs_role_arn: trail.cloud_watch_logs_role_arn,
            include_global_service_events: trail.include_global_service_events,
            is_multi_region_trail: trail.is_multi_region_trail,
            is_organization_trail: trail.is_organization_trail,
            recursive_logging: trail.recursive_logging,
            has_custom_event_selectors: trail.has_custom_event_selectors,
            has_insight_selectors: trail.has_insight_selectors,
        },
    }
}

/// An unknown read-write type is refused: it may be narrower than the known ones.
fn selector(selector: types::EventSelector) -> Result<EventSelector, ShapeError> {
    let read_write_type = match selector.read_write_type {
        None | Some(types::ReadWriteType::All) => ReadWriteType::All,
        Some(types::ReadWriteType::ReadOnly) => ReadWriteType::ReadOnly,
        Some(types::ReadWriteType::WriteOnly) => ReadWriteType::WriteOnly,
        Some(other) => {
            return Err(ShapeError::new("EventSelectors.ReadWriteType", "All, ReadOnly or WriteOnly", other));
        }
    };
    let resources = selector.data_resources.unwrap_or_default();
    Ok(EventSelector {
        read_write_type,
        include_management_events: selector.include_management_events.unwrap_or(true),
        data_resources: resources
            .into_iter()
            .map(|it| DataResource { kind: it.r#type, values: it.values.unwrap_or_default() })
            .collect(),
        exclude_management_event_sources: selector.exclude_management_event_sources.unwrap_or_default(),
    })
}

fn advanced_selector(selector: types::AdvancedEventSelector) -> AdvancedEventSelector {
    AdvancedEventSelector {
        name: selector.name,
        field_selectors: selector
            .field_selectors
            .into_iter()
            .map(|it| FieldSelector {
                field: it.field,
                equals: it.equals.unwrap_or_default(),
                starts_with: it.starts_with.unwrap_or_default(),
                ends_with: it.ends_with.unwrap_or_default(),
                not_equals: it.not_equals.unwrap_or_default(),
                not_starts_with: it.not_starts_with.unwrap_or_default(),
                not_ends_with: it.not_ends_with.unwrap_or_default(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use rectify_compliance::{AccountId, Tags};

    use super::*;

    const ARN: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";

    #[test]
    fn every_setting_of_an_answer_is_kept() {
        let seen_from = ObservedFrom { account: AccountId::new("111122223333"), region: Region::new("eu-west-1") };
        let answer = types::Trail::builder()
            .name("main")
            .trail_arn(ARN)
            .home_region("eu-west-1")
            .log_file_validation_enabled(true)
            .s3_bucket_name("logs")
            .s3_key_prefix("org")
            .sns_topic_arn("topic")
            .kms_key_id("key")
            .cloud_watch_logs_log_group_arn("group")
            .cloud_watch_logs_role_arn("role")
            .include_global_service_events(true)
            .is_multi_region_trail(true)
            .is_organization_trail(false)
            .recursive_logging(false)
            .has_custom_event_selectors(true)
            .has_insight_selectors(false)
            .build();
        let expected = Trail {
            name: "main".into(),
            arn: ARN.into(),
            owner: AccountId::new("111122223333"),
            home_region: Region::new("eu-west-1"),
            seen_from: seen_from.clone(),
            log_file_validation: true,
            settings: Settings {
                s3_bucket_name: Some("logs".into()),
                s3_key_prefix: Some("org".into()),
                sns_topic_arn: Some("topic".into()),
                kms_key_id: Some("key".into()),
                cloud_watch_logs_log_group_arn: Some("group".into()),
                cloud_watch_logs_role_arn: Some("role".into()),
                include_global_service_events: Some(true),
                is_multi_region_trail: Some(true),
                is_organization_trail: Some(false),
                recursive_logging: Some(false),
                has_custom_event_selectors: Some(true),
                has_insight_selectors: Some(false),
            },
            tags: Tags::new(),
        };
        assert_eq!(description(answer).seen(seen_from), Ok(expected));
    }

    #[test]
    fn complete_selector_is_kept_and_an_unknown_read_write_type_is_refused() {
        let data = types::DataResource::builder().r#type("AWS::S3::Object").values("arn").build();
        let given = types::EventSelector::builder().data_resources(data).exclude_management_event_sources("kms");
        let expected = EventSelector {
            read_write_type: ReadWriteType::All,
            include_management_events: true,
            data_resources: vec![DataResource { kind: Some("AWS::S3::Object".into()), values: vec!["arn".into()] }],
            exclude_management_event_sources: vec!["kms".into()],
        };
        assert_eq!(selector(given.clone().build()), Ok(expected));
        let unknown = given.read_write_type("Some".into()).build();
        assert!(selector(unknown).unwrap_err().path.ends_with("ReadWriteType"));
    }
}

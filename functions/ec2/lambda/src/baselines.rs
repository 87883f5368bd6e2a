//! Approved baselines: read from Systems Manager, from S3, or from AWS Config's history.

use aws_sdk_config::primitives::DateTime;
use futures_util::stream::try_unfold;
use futures_util::{Stream, StreamExt};
use rectify_compliance::item::ApiItem;
use rectify_compliance::{ConfigurationItem, Resource, ResourceKey, ShapeError, Target, Timestamp};
use rectify_runtime::client::{AccountRegion, Fix, List, Listed, Page, ReadFacts, read_each};
use rectify_runtime::{AwsError, CallError};
use serde_json::{Value, json};

use super::Clients;
use super::groups::found_group;
use rectify_ec2::SecurityGroupDrift;
use rectify_ec2::controls::security_group_drift::RuleChange;
use rectify_ec2::controls::security_group_drift::baseline::Baseline;
use rectify_ec2::controls::security_group_drift::drift::{Approval, GroupAndBaseline};
use rectify_ec2::controls::security_group_drift::parameters::{BaselineSource, SecurityGroupDriftParameters};
use rectify_ec2::resources::security_group::{SecurityGroup, TYPE};

/// How many baselines are read concurrently.
const CONCURRENCY: usize = 8;

/// The maximum size of a baseline object, bytes: a group has at most a thousand rules.
const MAX_BASELINE_BYTES: i64 = 1 << 20;

impl ReadFacts<Clients> for SecurityGroupDrift {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        group: &SecurityGroup,
        params: &SecurityGroupDriftParameters,
    ) -> Result<Option<Approval>, AwsError> {
        clients.approval(group, params).await.map(Some)
    }
}

impl List<Clients> for SecurityGroupDrift {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a SecurityGroupDriftParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<GroupAndBaseline>, AwsError>> + Send + 'a {
        try_unfold(Box::pin(clients.group_pages(place, from)), move |mut pages| async move {
            let Some(page) = pages.next().await.transpose()? else { return Ok(None) };
            let read = |group: SecurityGroup| {
                let found = found_group(&group);
                let read = async move {
                    let approval = clients.approval(&group, params).await?;
                    Ok(Some(GroupAndBaseline::of(group, approval, None)))
                };
                (found, read)
            };
            let mut resources = read_each(page.groups.into_iter().map(read).collect(), CONCURRENCY).await;
            resources.extend(page.unreadable.into_iter().map(|(it, why)| Listed::Unreadable(it, why)));
            Ok(Some((Page { resources, next: page.next }, pages)))
        })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a SecurityGroupDriftParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        clients.group_keys(place)
    }
}

impl Fix<Clients> for SecurityGroupDrift {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &SecurityGroupDriftParameters,
    ) -> Result<Option<GroupAndBaseline>, AwsError> {
        let Some(group) = clients.group(target).await? else { return Ok(None) };
        let approval = clients.approval(&group, params).await?;
        let usage = Some(clients.usage(&group.id).await?.unnamed());
        Ok(Some(GroupAndBaseline::of(group, approval, usage)))
    }

    async fn apply(&self, clients: &Clients, _: &Target, action: &RuleChange) -> Result<(), AwsError> {
        match action {
            RuleChange::Authorize(open) => clients.reopen(open).await,
            RuleChange::Revoke(close) => clients.close(close).await,
        }
    }

    async fn apply_with_response(&self, clients: &Clients, _: &Target, action: &RuleChange) -> Result<Value, AwsError> {
        match action {
            RuleChange::Authorize(open) => clients.open(open).await.map(Value::from),
            RuleChange::Revoke(close) => clients.close(close).await.map(|()| json!([])),
        }
    }
}

impl Clients {
    /// The approval of a group.
    async fn approval(
        &self,
        group: &SecurityGroup,
        params: &SecurityGroupDriftParameters,
    ) -> Result<Approval, AwsError> {
        let group_id = group.id.as_str();
        let baseline = match params.baseline_source {
            BaselineSource::Ssm => self.in_parameter(group_id, params).await?,
            BaselineSource::S3 => self.in_object(group_id, params).await?,
            BaselineSource::Config => self.in_history(group, params).await?,
        };
        if baseline.is_none() && params.require_baseline.0 {
            return Err(ShapeError::missing(params.name_for(group_id), "a baseline").into());
        }
        Ok(Approval { baseline })
    }

    async fn in_parameter(
        &self,
        group_id: &str,
        params: &SecurityGroupDriftParameters,
    ) -> Result<Option<Baseline>, AwsError> {
        let request = self.ssm.get_parameter().name(params.name_for(group_id)).with_decryption(false);
        let found = match request.send().await {
            Ok(answer) => answer.parameter,
            Err(error) => {
                let error = AwsError::call("ssm:GetParameter", &error);
                return if error.is("ParameterNotFound") { Ok(None) } else { Err(error) };
            }
        };
        let found = found.ok_or_else(|| ShapeError::missing("Parameter", "a parameter"))?;
        let text = found.value().ok_or_else(|| ShapeError::missing("Parameter.Value", "a text"))?;
        let changed_at = found.last_modified_date().and_then(timestamp);
        Ok(Some(Baseline::parse(text, group_id, changed_at)?))
    }

    async fn in_object(
        &self,
        group_id: &str,
        params: &SecurityGroupDriftParameters,
    ) -> Result<Option<Baseline>, AwsError> {
        let named = params.object(group_id);
        let (bucket, key) = named.ok_or_else(|| ShapeError::missing("baselineName", "a bucket and a key"))?;
        let answer = match self.s3.get_object().bucket(bucket).key(&key).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("s3:GetObject", &error);
                return if error.is("NoSuchKey") { Ok(None) } else { Err(error) };
            }
        };
        if answer.content_length().is_none_or(|length| length > MAX_BASELINE_BYTES) {
            return Err(ShapeError::new(key, "a baseline of at most 1 MiB", "a larger object").into());
        }
        let changed_at = answer.last_modified().and_then(timestamp);
        let body =
            answer.body.collect().await.map_err(|error| {
                AwsError::Call(CallError::unanswered("s3:GetObject", "Response", error.to_string()))
            })?;
        let text = String::from_utf8(body.to_vec()).map_err(|_| ShapeError::new(key, "UTF-8", "other bytes"))?;
        Ok(Some(Baseline::parse(&text, group_id, changed_at)?))
    }

    /// The group as AWS Config recorded it at the approved time; `None` if it did not exist or was not recorded.
    async fn in_history(
        &self,
        group: &SecurityGroup,
        params: &SecurityGroupDriftParameters,
    ) -> Result<Option<Baseline>, AwsError> {
        let at = params.baseline_time.map(|it| it.0);
        let request = self.config.get_resource_config_history().resource_type(TYPE.into()).resource_id(&group.id);
        let request = request.set_later_time(at.map(|it| DateTime::from_millis(it.as_millisecond()))).limit(1);
        let items = match request.send().await {
            Ok(answer) => answer.configuration_items.unwrap_or_default(),
            Err(error) => {
                let error = AwsError::call("config:GetResourceConfigHistory", &error);
                return if error.is("ResourceNotDiscoveredException") { Ok(None) } else { Err(error) };
            }
        };
        let Some(item) = items.into_iter().next() else { return Ok(None) };
        let item = ApiItem {
            account: item.account_id,
            region: item.aws_region,
            status: item.configuration_item_status.map(|it| it.as_str().to_owned()),
            captured_at: item.configuration_item_capture_time.as_ref().and_then(timestamp).or(at),
            configuration: item.configuration,
            ..ApiItem::default()
        };
        let item = ConfigurationItem::from_api(item.about(&Target {
            account: group.account.clone(),
            region: group.region.clone(),
            resource: ResourceKey::new(TYPE, &group.id),
            name: group.name.clone(),
            arn: Some(group.arn.clone()),
        }))?;
        if !item.status.is_recorded() {
            return Ok(None);
        }
        Ok(Some(Baseline::of(SecurityGroup::from_item(&item)?.rules, at)?))
    }
}

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

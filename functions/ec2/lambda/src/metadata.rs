//! The instance metadata service: its options, and the number of calls without a token.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use aws_sdk_ec2::types::{HttpTokensState, InstanceMetadataOptionsResponse};
use rectify_compliance::{ShapeError, Target, Timestamp};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, ReadFacts};

use super::Clients;
use super::instances::instance;
use rectify_ec2::controls::ec2_imdsv2_check::{Ec2Imdsv2Check, Ec2Imdsv2CheckAction, Ec2Imdsv2CheckParameters};
use rectify_ec2::resources::instance_metadata::{
    HttpEndpoint, HttpTokens, InstanceMetadata, MetadataOptions, RecordedMetadata, TokenlessCalls,
};

/// The period of a datapoint, seconds: with an hour, 15 days fit into one page.
const PERIOD: i32 = 3600;

impl ReadFacts<Clients> for Ec2Imdsv2Check {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &RecordedMetadata,
        params: &Ec2Imdsv2CheckParameters,
    ) -> Result<Option<Option<MetadataOptions>>, AwsError> {
        if recorded.is_sufficient(params.max_hop_limit.is_some()) {
            return Ok(Some(None));
        }
        let Some(found) = clients.describe_instance(&target.resource.id).await? else { return Ok(None) };
        let live = options(found.metadata_options())?;
        Ok(Some(Some(live)))
    }
}

impl Fix<Clients> for Ec2Imdsv2Check {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &Ec2Imdsv2CheckParameters,
    ) -> Result<Option<InstanceMetadata>, AwsError> {
        let Some(found) = clients.describe_instance(&target.resource.id).await? else { return Ok(None) };
        let instance = instance(&found, &target.account, &target.region)?;
        if instance.is_gone() {
            return Ok(Some(InstanceMetadata { instance, options: None, tokenless_calls: None }));
        }
        let options = Some(options(found.metadata_options())?);
        let calls = clients.tokenless_calls(&instance.id, params.observation_days.get()).await?;
        Ok(Some(InstanceMetadata { instance, options, tokenless_calls: Some(calls) }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Ec2Imdsv2CheckAction) -> Result<(), AwsError> {
        clients.modify_metadata_options(action).await
    }
}

impl Clients {
    /// `ModifyInstanceMetadataOptions` of the tokens only.
    async fn modify_metadata_options(&self, action: &Ec2Imdsv2CheckAction) -> Result<(), AwsError> {
        let Ec2Imdsv2CheckAction::ModifyInstanceMetadataOptions { instance_id, http_tokens } = action;
        let tokens = match http_tokens {
            HttpTokens::Optional => HttpTokensState::Optional,
            HttpTokens::Required => HttpTokensState::Required,
        };
        let request = self.ec2.modify_instance_metadata_options().instance_id(instance_id).http_tokens(tokens);
        request.send().await.map(drop).map_err(|error| AwsError::call("ec2:ModifyInstanceMetadataOptions", &error))
    }

    /// `GetMetricData` of `MetadataNoToken` over the last `days` days, all pages.
    async fn tokenless_calls(&self, instance_id: &str, days: u32) -> Result<TokenlessCalls, AwsError> {
        const OPERATION: &str = "cloudwatch:GetMetricData";
        let now = Timestamp::now();
        let metric = Metric::builder()
            .namespace("AWS/EC2")
            .metric_name("MetadataNoToken")
            .dimensions(Dimension::builder().name("InstanceId").value(instance_id).build());
        let statistic = MetricStat::builder().metric(metric.build()).period(PERIOD).stat("Sum").build();
        let query = MetricDataQuery::builder().id("calls").metric_stat(statistic).return_data(true).build();
        let start = now.as_second() - i64::from(days) * 86_400;
        let request = self
            .cloudwatch
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(now.as_second()));
        let mut pages = request.into_paginator().send();
        let (mut datapoints, mut is_complete) = (Vec::new(), false);
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call(OPERATION, &error))?;
            for result in page.metric_data_results() {
                is_complete = result.status_code() == Some(&StatusCode::Complete);
                for (time, sum) in result.timestamps().iter().zip(result.values()) {
                    let at = Timestamp::from_second(time.secs())
                        .map_err(|_| ShapeError::new("MetricDataResults.Timestamps", "a time", time.secs()))?;
                    datapoints.push((at, *sum));
                }
            }
        }
        if !is_complete {
            return Err(ShapeError::new(format!("{OPERATION}.StatusCode"), "Complete", "another one").into());
        }
        Ok(TokenlessCalls::of(datapoints, now))
    }
}

/// The options of an answer. An existing instance always has options, and its tokens setting unless its endpoint is
/// disabled.
fn options(answer: Option<&InstanceMetadataOptionsResponse>) -> Result<MetadataOptions, ShapeError> {
    let answer = answer.ok_or_else(|| ShapeError::missing("MetadataOptions", "metadata options"))?;
    let tokens = answer.http_tokens().map(|it| it.as_str().to_owned());
    let endpoint = answer.http_endpoint().map(|it| it.as_str().to_owned());
    let http_endpoint = Some(match endpoint.as_deref() {
        None | Some("enabled") => HttpEndpoint::Enabled,
        Some("disabled") => HttpEndpoint::Disabled,
        Some(other) => return Err(ShapeError::new("MetadataOptions.HttpEndpoint", "enabled or disabled", other)),
    });
    let http_tokens = match tokens.as_deref() {
        Some("optional") => Some(HttpTokens::Optional),
        Some("required") => Some(HttpTokens::Required),
        None if http_endpoint == Some(HttpEndpoint::Disabled) => None,
        other => {
            let received = other.unwrap_or("nothing");
            return Err(ShapeError::new("MetadataOptions.HttpTokens", "optional or required", received));
        }
    };
    let hop_limit = answer.http_put_response_hop_limit().map(u32::try_from).transpose();
    let http_put_response_hop_limit = hop_limit
        .map_err(|_| ShapeError::new("MetadataOptions.HttpPutResponseHopLimit", "a number of hops", "less than 0"))?;
    Ok(MetadataOptions { http_tokens, http_endpoint, http_put_response_hop_limit })
}

//! `AWS::ElasticLoadBalancingV2::LoadBalancer`, with its attributes and tags.
//!
//! Source: aws-config-resource-schema, and an export from the console.

use std::borrow::Cow;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, LoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerTypeEnum, Tag,
};
use serde_json::{Map, Value, json};

use super::observation::{Observation, object, sorted, timestamp};
use super::{RecorderError, failed, required, unless};
use crate::engine::EngineSettings;

/// The error code for a load balancer deleted since it was listed.
const DELETED: [&str; 1] = ["LoadBalancerNotFound"];
const SEVERAL_ZONES: Cow<'static, str> = Cow::Borrowed("Multiple Availability Zones");

pub(super) async fn read(elb: &Client, settings: &EngineSettings) -> Result<Vec<Observation>, RecorderError> {
    let mut balancers = elb.describe_load_balancers().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(balancer) = balancers.next().await {
        let balancer = balancer.map_err(failed("elasticloadbalancing:DescribeLoadBalancers", "all load balancers"))?;
        observations.extend(observe(elb, &balancer, settings).await?);
    }
    Ok(observations)
}

/// Reads attributes and tags; none if the load balancer was deleted since it was listed.
async fn observe(
    elb: &Client,
    balancer: &LoadBalancer,
    settings: &EngineSettings,
) -> Result<Option<Observation>, RecorderError> {
    let arn = required("a load balancer", "loadBalancerArn", balancer.load_balancer_arn())?;
    let attributes = unless(&DELETED, elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await);
    let attributes = attributes.map_err(failed("elasticloadbalancing:DescribeLoadBalancerAttributes", arn))?;
    let Some(attributes) = attributes.and_then(|answer| answer.attributes) else { return Ok(None) };
    let tags = unless(&DELETED, elb.describe_tags().resource_arns(arn).send().await);
    let tags = tags.map_err(failed("elasticloadbalancing:DescribeTags", arn))?;
    let described = tags.and_then(|answer| answer.tag_descriptions).unwrap_or_default();
    let tags: Vec<Tag> = described.into_iter().flat_map(|it| it.tags.unwrap_or_default()).collect();
    Ok(Some(item(arn, balancer, &attributes, &tags, settings)?))
}

fn item(
    arn: &str,
    balancer: &LoadBalancer,
    attributes: &[LoadBalancerAttribute],
    tags: &[Tag],
    settings: &EngineSettings,
) -> Result<Observation, RecorderError> {
    let text = |value: Option<&str>| value.map(Value::from);
    let name = required(arn, "loadBalancerName", balancer.load_balancer_name())?;
    let zone = |it: &AvailabilityZone| json!({"zoneName": it.zone_name(), "subnetId": it.subnet_id()});
    let pair = |key: Option<&str>, value: Option<&str>| json!({"key": key, "value": value});
    let mut supplementary = Map::new();
    let attributes = attributes.iter().map(|it| pair(it.key(), it.value()));
    supplementary.insert("LoadBalancerAttributes".to_owned(), sorted(attributes));
    supplementary.insert("Tags".to_owned(), sorted(tags.iter().map(|it| pair(it.key(), it.value()))));
    let tag = |it: &Tag| Some((it.key()?.to_owned(), it.value().unwrap_or_default().to_owned()));
    Ok(Observation {
        resource_id: arn.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: SEVERAL_ZONES,
        created: balancer.created_time().and_then(timestamp),
        tags: tags.iter().filter_map(tag).collect(),
        relationships: Vec::new(),
        configuration: object([
            ("loadBalancerArn", text(Some(arn))),
            ("loadBalancerName", text(Some(name))),
            ("dNSName", text(balancer.dns_name())),
            ("scheme", text(balancer.scheme().map(LoadBalancerSchemeEnum::as_str))),
            ("vpcId", text(balancer.vpc_id())),
            ("state", balancer.state().and_then(|it| it.code()).map(|it| json!({"code": it.as_str()}))),
            ("type", text(balancer.r#type().map(LoadBalancerTypeEnum::as_str))),
            ("availabilityZones", Some(sorted(balancer.availability_zones().iter().map(zone)))),
            ("securityGroups", Some(sorted(balancer.security_groups().iter().map(|it| json!(it))))),
        ]),
        supplementary,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerState, LoadBalancerStateEnum};

    use super::*;

    #[test]
    fn load_balancer_becomes_an_aws_config_item() {
        let arn = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188";
        let state = LoadBalancerState::builder().code(LoadBalancerStateEnum::Active).build();
        let balancer = LoadBalancer::builder().load_balancer_name("shop").state(state).build();
        let attribute = LoadBalancerAttribute::builder().key("deletion_protection.enabled").value("false").build();
        let tag = Tag::builder().key("team").value("shop").build();
        let text = str::to_owned;
        let settings =
            EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") };
        let observation = item(arn, &balancer, &[attribute], &[tag], &settings).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.resource_name.as_deref()), (arn, Some("shop")));
        assert_eq!(
            observation.configuration,
            json!({"loadBalancerArn": arn, "loadBalancerName": "shop", "state": {"code": "active"},
                "availabilityZones": [], "securityGroups": []})
        );
        assert_eq!(
            Value::Object(observation.supplementary),
            json!({"LoadBalancerAttributes": [{"key": "deletion_protection.enabled", "value": "false"}],
                "Tags": [{"key": "team", "value": "shop"}]})
        );
        assert_eq!(observation.tags, [("team".to_owned(), "shop".to_owned())].into());
    }
}

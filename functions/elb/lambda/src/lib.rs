//! The calls to Elastic Load Balancing. The only place that names its SDK; it maps answers and decides nothing.

mod functions;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancer_attributes::DescribeLoadBalancerAttributesError;
use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancers::DescribeLoadBalancersError;
use aws_sdk_elasticloadbalancingv2::operation::describe_tags::DescribeTagsError;
use aws_sdk_elasticloadbalancingv2::types::{self, LoadBalancerAttribute, LoadBalancerStateEnum};
use aws_types::SdkConfig;
use rectify_compliance::{ResourceKey, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found};
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use rectify_elb::resources::load_balancer::{
    Attribute, DELETION_PROTECTION, LoadBalancer, RecordedLoadBalancer, TYPE, is_on,
};

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    elb: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { elb: Client::new(config) }
    }

    async fn ids(&self, _place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        if kind != TYPE {
            return Ok(None);
        }
        let mut pages = self.elb.describe_load_balancers().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("elasticloadbalancing:DescribeLoadBalancers", &error))?;
            for it in page.load_balancers.unwrap_or_default() {
                let arn = it.load_balancer_arn.ok_or_else(|| ShapeError::missing("LoadBalancerArn", "an ARN"))?;
                found.push(Found { resource: ResourceKey::new(TYPE, arn), name: it.load_balancer_name });
            }
        }
        Ok(Some(found))
    }
}

impl Clients {
    /// `DescribeLoadBalancers` of one load balancer; `None` when there is no such load balancer.
    async fn describe(&self, arn: &str) -> Result<Option<types::LoadBalancer>, AwsError> {
        match self.elb.describe_load_balancers().load_balancer_arns(arn).send().await {
            Ok(answer) => Ok(answer.load_balancers.unwrap_or_default().into_iter().next()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeLoadBalancersError::is_load_balancer_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("elasticloadbalancing:DescribeLoadBalancers", &error)),
        }
    }

    /// `DescribeLoadBalancerAttributes`: whether deletion protection is on; `None` when there is no such load balancer.
    async fn deletion_protection(&self, arn: &str) -> Result<Option<bool>, AwsError> {
        match self.elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await {
            Ok(answer) => Ok(Some(flag(answer.attributes(), DELETION_PROTECTION)?)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeLoadBalancerAttributesError::is_load_balancer_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("elasticloadbalancing:DescribeLoadBalancerAttributes", &error)),
        }
    }

    /// `DescribeTags`; `None` when the load balancer is already gone.
    async fn tags(&self, arn: &str) -> Result<Option<Tags>, AwsError> {
        match self.elb.describe_tags().resource_arns(arn).send().await {
            Ok(answer) => Ok(Some(tags_of(answer.tag_descriptions.unwrap_or_default(), arn))),
            Err(error)
                if error.as_service_error().is_some_and(DescribeTagsError::is_load_balancer_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("elasticloadbalancing:DescribeTags", &error)),
        }
    }
}

impl Views<LoadBalancer> for Clients {
    async fn facts(&self, _target: &Target, recorded: &RecordedLoadBalancer) -> Result<Option<Option<bool>>, AwsError> {
        if recorded.is_sufficient() {
            return Ok(Some(None));
        }
        Ok(self.deletion_protection(recorded.arn()).await?.map(Some))
    }

    async fn read(&self, target: &Target) -> Result<Option<LoadBalancer>, AwsError> {
        let arn = &target.resource.id;
        let Some(found) = self.describe(arn).await? else { return Ok(None) };
        let Some(deletion_protection) = self.deletion_protection(arn).await? else { return Ok(None) };
        let Some(tags) = self.tags(arn).await? else { return Ok(None) };
        Ok(Some(LoadBalancer { deletion_protection, tags, ..balancer(&found)? }))
    }

    async fn write(&self, arn: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let attributes: Vec<Attribute> = match member {
            "Attributes" => value_of(member, value)?,
            _ => return Err(unknown_member(member)),
        };
        let attribute = |it: Attribute| LoadBalancerAttribute::builder().key(it.key).value(it.value).build();
        let call = self.elb.modify_load_balancer_attributes().load_balancer_arn(arn);
        let call = call.set_attributes(Some(attributes.into_iter().map(attribute).collect()));
        call.send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("elasticloadbalancing:ModifyLoadBalancerAttributes", &error))
    }
}

/// A described load balancer, before its attributes and tags are read.
fn balancer(found: &types::LoadBalancer) -> Result<LoadBalancer, ShapeError> {
    let required = |value: Option<&str>, path: &str| {
        value.map(str::to_owned).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
    };
    Ok(LoadBalancer {
        name: required(found.load_balancer_name(), "LoadBalancerName")?,
        arn: required(found.load_balancer_arn(), "LoadBalancerArn")?,
        state: required(found.state().and_then(|it| it.code()).map(LoadBalancerStateEnum::as_str), "State.Code")?,
        deletion_protection: false,
        tags: Tags::new(),
    })
}

/// An attribute that is on or off. A missing one is an error: every load balancer has it.
fn flag(attributes: &[LoadBalancerAttribute], key: &str) -> Result<bool, ShapeError> {
    let mut named = attributes.iter().filter(|it| it.key() == Some(key));
    let value = named.next().and_then(LoadBalancerAttribute::value);
    is_on(key, value.ok_or_else(|| ShapeError::missing(key, "true or false"))?)
}

fn tags_of(descriptions: Vec<types::TagDescription>, arn: &str) -> Tags {
    let of_balancer = descriptions.into_iter().filter(|it| it.resource_arn.as_deref() == Some(arn));
    let tags = of_balancer.flat_map(|it| it.tags.unwrap_or_default());
    tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_read_by_its_key_and_must_be_there() {
        let attribute = |key: &str, value: &str| LoadBalancerAttribute::builder().key(key).value(value).build();
        let with = |value| [attribute("idle_timeout.timeout_seconds", "60"), attribute(DELETION_PROTECTION, value)];
        assert_eq!(flag(&with("true"), DELETION_PROTECTION), Ok(true));
        assert_eq!(flag(&with("false"), DELETION_PROTECTION), Ok(false));
        for attributes in [&with("yes")[..], &with("true")[..1], &[]] {
            assert!(flag(attributes, DELETION_PROTECTION).is_err(), "{attributes:?}");
        }
    }

    #[test]
    fn tags_of_other_resources_are_ignored() {
        let tag = |key: &str| types::Tag::builder().key(key).build();
        let of = |arn: &str, key: &str| types::TagDescription::builder().resource_arn(arn).tags(tag(key)).build();
        let tags = tags_of(vec![of("other", "a"), of("this", "b")], "this");
        assert_eq!(tags, Tags::from([("b".to_owned(), String::new())]));
    }
}

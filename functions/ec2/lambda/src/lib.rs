//! The EC2 clients, the only place that names an SDK: facts, listings, live reads, fixes and undo. They decide nothing.
//!
//! SDK types are converted to domain types before they leave this crate.

mod addresses;
mod baselines;
mod default_group;
mod ebs_defaults;
mod flow_logs;
mod functions;
mod groups;
mod instances;
mod internet;
mod membership;
mod metadata;
mod network;
mod network_acls;
mod rules;
mod snapshot_block;
mod snapshots;
mod stored;
mod subnets;
mod tagging;
mod volumes;

use aws_types::SdkConfig;
use futures_util::TryStreamExt;
use rectify_compliance::{ResourceKey, ShapeError, Tags};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found};
use rectify_runtime::clients::endpoint_is_overridden;

use rectify_ec2::resources::{instance, network_acl, security_group, subnet, volume};

pub use functions::{FUNCTIONS, OPERATIONS};

/// The clients of this crate, for one account and region.
#[derive(Debug, Clone)]
pub struct Clients {
    ec2: aws_sdk_ec2::Client,
    kms: aws_sdk_kms::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
    ssm: aws_sdk_ssm::Client,
    s3: aws_sdk_s3::Client,
    config: aws_sdk_config::Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(endpoint_is_overridden(config, "S3"));
        Self {
            ec2: aws_sdk_ec2::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(config),
            ssm: aws_sdk_ssm::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            config: aws_sdk_config::Client::new(config),
        }
    }

    async fn ids(&self, place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        let keys = match kind {
            security_group::TYPE => self.group_keys(place).try_concat().await?,
            instance::TYPE => self.instance_keys().await?,
            network_acl::TYPE => {
                let all: Result<Vec<_>, _> =
                    self.ec2.describe_network_acls().into_paginator().items().send().collect().await;
                let all = all.map_err(|error| AwsError::call("ec2:DescribeNetworkAcls", &error))?;
                keys(kind, all.into_iter().map(|it| it.network_acl_id))?
            }
            subnet::TYPE => {
                let all: Result<Vec<_>, _> =
                    self.ec2.describe_subnets().into_paginator().items().send().collect().await;
                let all = all.map_err(|error| AwsError::call("ec2:DescribeSubnets", &error))?;
                keys(kind, all.into_iter().map(|it| it.subnet_id))?
            }
            volume::TYPE => {
                let all: Result<Vec<_>, _> =
                    self.ec2.describe_volumes().into_paginator().items().send().collect().await;
                let all = all.map_err(|error| AwsError::call("ec2:DescribeVolumes", &error))?;
                keys(kind, all.into_iter().map(|it| it.volume_id))?
            }
            _ => return Ok(None),
        };
        Ok(Some(keys.into_iter().map(|resource| Found { resource, name: None }).collect()))
    }
}

/// The keys of listed resources.
fn keys(kind: &str, ids: impl IntoIterator<Item = Option<String>>) -> Result<Vec<ResourceKey>, ShapeError> {
    let key =
        |id: Option<String>| id.map(|id| ResourceKey::new(kind, id)).ok_or_else(|| ShapeError::missing(kind, "an id"));
    ids.into_iter().map(key).collect()
}

/// A filter of a `Describe…` call: any of `values`.
fn filter<I>(name: &str, values: I) -> aws_sdk_ec2::types::Filter
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    let values = values.into_iter().map(Into::into).collect();
    aws_sdk_ec2::types::Filter::builder().name(name).set_values(Some(values)).build()
}

/// Tags by key; a tag without a key is ignored.
fn tags(tags: &[aws_sdk_ec2::types::Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

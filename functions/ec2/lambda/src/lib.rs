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
mod listing;
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
use rectify_compliance::Tags;
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found};
use rectify_runtime::clients::endpoint_is_overridden;

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
        let found = |resource| Found { resource, name: None };
        Ok(self.listed(place, kind).await?.map(|keys| keys.into_iter().map(found).collect()))
    }
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

//! The only place that names an SDK: reads facts, lists, reads live, applies and reverts. Decides nothing.
//!
//! Every SDK type becomes one of ours before it leaves this module.

mod baselines;
mod default_group;
mod ebs_defaults;
mod groups;
mod instances;
mod internet;
mod membership;
mod metadata;
mod network;
mod rules;
mod stored;
mod tagging;

use aws_types::SdkConfig;
use rectify_compliance::Tags;
use rectify_ec2::Ec2EbsEncryptionByDefault;
use rectify_ec2::Ec2Imdsv2Check;
use rectify_ec2::Ec2InstanceRequiredSecurityGroup;
use rectify_ec2::RequiredTags;
use rectify_ec2::RestrictedCommonPorts;
use rectify_ec2::RestrictedSsh;
use rectify_ec2::SecurityGroupDrift;
use rectify_ec2::VpcDefaultSecurityGroupClosed;
use rectify_ec2::VpcSgOpenOnlyToAuthorizedPorts;
use rectify_runtime::clients::endpoint_is_overridden;
use rectify_runtime::edge::Connect;
use rectify_runtime::serve::Function;
use rectify_runtime::{Operations, remediation, rule};

/// The functions of these controls, by the name of their program.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "ec2-ebs-encryption-by-default-remediation",
        serve: remediation::serve::<Ec2EbsEncryptionByDefault, Clients>,
    },
    Function { name: "ec2-ebs-encryption-by-default", serve: rule::on_schedule::<Ec2EbsEncryptionByDefault, Clients> },
    Function { name: "ec2-imdsv2-check-remediation", serve: remediation::serve::<Ec2Imdsv2Check, Clients> },
    Function { name: "ec2-imdsv2-check", serve: rule::on_change::<Ec2Imdsv2Check, Clients> },
    Function {
        name: "ec2-instance-required-security-group-remediation",
        serve: remediation::serve::<Ec2InstanceRequiredSecurityGroup, Clients>,
    },
    Function {
        name: "ec2-instance-required-security-group",
        serve: rule::on_change_and_schedule::<Ec2InstanceRequiredSecurityGroup, Clients>,
    },
    Function { name: "required-tags-remediation", serve: remediation::serve::<RequiredTags, Clients> },
    Function { name: "required-tags", serve: rule::on_change::<RequiredTags, Clients> },
    Function {
        name: "restricted-common-ports-remediation",
        serve: remediation::serve::<RestrictedCommonPorts, Clients>,
    },
    Function { name: "restricted-common-ports", serve: rule::on_change_and_schedule::<RestrictedCommonPorts, Clients> },
    Function { name: "restricted-ssh-remediation", serve: remediation::serve::<RestrictedSsh, Clients> },
    Function { name: "restricted-ssh", serve: rule::on_change_and_schedule::<RestrictedSsh, Clients> },
    Function { name: "security-group-drift-remediation", serve: remediation::serve::<SecurityGroupDrift, Clients> },
    Function { name: "security-group-drift", serve: rule::on_change_and_schedule::<SecurityGroupDrift, Clients> },
    Function {
        name: "vpc-default-security-group-closed-remediation",
        serve: remediation::serve::<VpcDefaultSecurityGroupClosed, Clients>,
    },
    Function {
        name: "vpc-default-security-group-closed",
        serve: rule::on_change::<VpcDefaultSecurityGroupClosed, Clients>,
    },
    Function {
        name: "vpc-sg-open-only-to-authorized-ports-remediation",
        serve: remediation::serve::<VpcSgOpenOnlyToAuthorizedPorts, Clients>,
    },
    Function {
        name: "vpc-sg-open-only-to-authorized-ports",
        serve: rule::on_change_and_schedule::<VpcSgOpenOnlyToAuthorizedPorts, Clients>,
    },
];

/// What an operator can do with these controls: read, apply, undo.
pub const OPERATIONS: &[Operations] = &[
    Operations::of::<RestrictedSsh, Clients>(),
    Operations::of::<Ec2EbsEncryptionByDefault, Clients>(),
    Operations::of::<RestrictedCommonPorts, Clients>(),
    Operations::of::<VpcDefaultSecurityGroupClosed, Clients>(),
    Operations::of::<VpcSgOpenOnlyToAuthorizedPorts, Clients>(),
    Operations::of::<Ec2Imdsv2Check, Clients>(),
    Operations::of::<Ec2InstanceRequiredSecurityGroup, Clients>(),
    Operations::of::<RequiredTags, Clients>(),
    Operations::of::<SecurityGroupDrift, Clients>(),
];

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

/// Tags by key; a tag without a key is none.
fn tags(tags: &[aws_sdk_ec2::types::Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

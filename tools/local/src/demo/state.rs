//! A resource's state as lines, read independently of the functions: two readings show what a fix changed.

use std::collections::BTreeSet;

use aws_sdk_s3::types::PublicAccessBlockConfiguration;

use super::fixture::{Fixture, text};
use crate::engine::ResourceKey;
use crate::world::Clients;

/// One line per setting, without the rule ids and times that AWS assigns.
pub(super) type State = BTreeSet<String>;

/// Reads the state of the resource that the fixture created.
pub(super) async fn read(fixture: Fixture, resource: &ResourceKey, clients: &Clients) -> Result<State, String> {
    let id = resource.resource_id.as_str();
    match fixture {
        Fixture::SshOverIpv6 | Fixture::SshMixed | Fixture::AllTcpOpen | Fixture::SshFromOffice => {
            group(id, clients).await
        }
        Fixture::BucketByPolicy | Fixture::BucketByAcl { .. } => bucket(id, clients).await,
        Fixture::TrailWithoutValidation => trail(id, clients).await,
        Fixture::EbsEncryptionOff => {
            let answer = clients.ec2.get_ebs_encryption_by_default().send().await.map_err(text)?;
            let is_on = answer.ebs_encryption_by_default.unwrap_or_default();
            Ok(State::from([format!("EbsEncryptionByDefault={is_on}")]))
        }
        Fixture::RootAccessKey => {
            let answer = clients.iam.get_account_summary().send().await.map_err(text)?;
            let summary = answer.summary_map.unwrap_or_default();
            Ok(summary.iter().map(|(name, count)| format!("{}={count}", name.as_str())).collect())
        }
    }
}

async fn group(id: &str, clients: &Clients) -> Result<State, String> {
    let filter = aws_sdk_ec2::types::Filter::builder().name("group-id").values(id).build();
    let mut rules = clients.ec2.describe_security_group_rules().filters(filter).into_paginator().items().send();
    let mut state = State::new();
    while let Some(rule) = rules.next().await {
        let rule = rule.map_err(text)?;
        let direction = if rule.is_egress.unwrap_or_default() { "egress" } else { "ingress" };
        let referenced = rule.referenced_group_info.and_then(|group| group.group_id);
        let peer = rule.cidr_ipv4.or(rule.cidr_ipv6).or(rule.prefix_list_id).or(referenced).unwrap_or_default();
        let (protocol, description) = (rule.ip_protocol.unwrap_or_default(), rule.description.unwrap_or_default());
        let (from, to) = (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1));
        let mut line = format!("{direction} {protocol} {from}-{to} {peer} {description}").trim_end().to_owned();
        for tag in rule.tags.unwrap_or_default() {
            line.push_str(&format!(" [{}={}]", tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
        }
        state.insert(line);
    }
    Ok(state)
}

async fn bucket(name: &str, clients: &Clients) -> Result<State, String> {
    let mut state = State::new();
    let block = match clients.s3.get_public_access_block().bucket(name).send().await {
        Ok(answer) => answer.public_access_block_configuration,
        Err(error) if code(&error) == Some("NoSuchPublicAccessBlockConfiguration") => None,
        Err(error) => return Err(text(error)),
    };
    // A missing block counts as one with every flag off.
    let block = block.unwrap_or_else(|| PublicAccessBlockConfiguration::builder().build());
    for (flag, value) in [
        ("BlockPublicAcls", block.block_public_acls),
        ("IgnorePublicAcls", block.ignore_public_acls),
        ("BlockPublicPolicy", block.block_public_policy),
        ("RestrictPublicBuckets", block.restrict_public_buckets),
    ] {
        state.insert(format!("block {flag}={}", value.unwrap_or_default()));
    }
    let acl = clients.s3.get_bucket_acl().bucket(name).send().await.map_err(text)?;
    for grant in acl.grants.unwrap_or_default() {
        let grantee = grant.grantee.and_then(|grantee| grantee.uri.or(grantee.id)).unwrap_or_default();
        state.insert(format!("grant {grantee} {}", grant.permission.map(|it| it.to_string()).unwrap_or_default()));
    }
    match clients.s3.get_bucket_policy().bucket(name).send().await {
        Ok(answer) => state.insert(format!("policy {}", answer.policy.unwrap_or_default())),
        Err(error) if code(&error) == Some("NoSuchBucketPolicy") => state.insert("policy none".to_owned()),
        Err(error) => return Err(text(error)),
    };
    Ok(state)
}

async fn trail(name: &str, clients: &Clients) -> Result<State, String> {
    let answer = clients.cloudtrail.get_trail().name(name).send().await.map_err(text)?;
    let trail = answer.trail.ok_or("GetTrail: no Trail")?;
    Ok(State::from([
        format!("LogFileValidationEnabled={}", trail.log_file_validation_enabled.unwrap_or_default()),
        format!("IsMultiRegionTrail={}", trail.is_multi_region_trail.unwrap_or_default()),
        format!("IncludeGlobalServiceEvents={}", trail.include_global_service_events.unwrap_or_default()),
        format!("S3BucketName={}", trail.s3_bucket_name.unwrap_or_default()),
        format!("S3KeyPrefix={}", trail.s3_key_prefix.unwrap_or_default()),
        format!("KmsKeyId={}", trail.kms_key_id.unwrap_or_default()),
        format!("SnsTopicARN={}", trail.sns_topic_arn.unwrap_or_default()),
    ]))
}

fn code<E: aws_sdk_s3::error::ProvideErrorMetadata, R>(error: &aws_sdk_s3::error::SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(aws_sdk_s3::error::ProvideErrorMetadata::code)
}

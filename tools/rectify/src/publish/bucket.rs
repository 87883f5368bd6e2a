//! One bucket with releases: what it must be like, and the calls.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, VersioningConfiguration,
};
use aws_types::SdkConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use rectify_compliance::Region;
use rectify_policy::canonical::canonical;
use rectify_runtime::clients::endpoint_is_overridden;
use rectify_runtime::{AwsError, Error};
use serde_json::{Value, json};

use super::CONCURRENCY;
use super::release::{File, Release};
use crate::cli_error::CliError;

/// The timeout of one attempt of a call: a function has several megabytes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(300);

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    s3: aws_sdk_s3::Client,
    region: Region,
    name: String,
    account: String,
    policy: Value,
}

/// What a bucket lacks.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// Whether the bucket exists.
    pub(super) exists: bool,
    has_policy: bool,
    /// The files of the release that it does not have.
    pub(super) absent: Vec<File>,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, region: &Region, name: String, account: &str, organization: &str) -> Self {
        let builder = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(endpoint_is_overridden(config, "S3"))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build());
        let policy = policy(region, &name, organization);
        let (region, account) = (region.clone(), account.to_owned());
        Self { s3: aws_sdk_s3::Client::from_conf(builder.build()), region, name, account, policy }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn region(&self) -> &str {
        self.region.as_str()
    }

    /// Compares the bucket with what it must be like, and its objects with the release. Writes nothing.
    pub(super) async fn examine(&self, release: &Release) -> Result<Examined, CliError> {
        if !self.exists().await? {
            return Ok(Examined { absent: release.files.clone(), ..Examined::default() });
        }
        let has_policy = match self.read_policy().await? {
            None => false,
            Some(found) if canonical(&found) == canonical(&self.policy) => true,
            Some(found) => {
                return Err(CliError::Refused {
                    reason: format!(
                        "bucket {}: expected the policy of a release bucket of this organization: received another: \
                         delete the policy, or pass another --bucket-prefix",
                        self.name
                    ),
                    details: json!({ "bucket": self.name, "expected": self.policy, "received": found }),
                });
            }
        };
        let listed = self.list(&format!("{}/", release.version)).await?;
        let is_listed = |file: &&File| listed.contains(&release.key(file));
        let changed: Vec<String> = stream::iter(release.files.iter().filter(is_listed))
            .map(|file| async {
                let key = release.key(file);
                let is_same = self.checksum(&key).await? == Some(STANDARD.encode(file.sha256));
                Ok::<_, CliError>((!is_same).then_some(key))
            })
            .buffered(CONCURRENCY)
            .try_filter_map(|it| async { Ok(it) })
            .try_collect()
            .await?;
        if let Some(first) = changed.first() {
            return Err(CliError::Refused {
                reason: format!(
                    "bucket {}: {first}: {} of {} files differ from those published as version {}: a published version \
                     does not change: run `make release VERSION=…` with another version",
                    self.name,
                    changed.len(),
                    release.files.len(),
                    release.version
                ),
                details: json!({ "bucket": self.name, "changed": changed }),
            });
        }
        Ok(Examined {
            exists: true,
            has_policy,
            absent: release.files.iter().filter(|it| !is_listed(it)).cloned().collect(),
        })
    }

    /// Creates the bucket if it is absent, and sets everything but its policy.
    pub(super) async fn prepare(&self, examined: &Examined) -> Result<(), CliError> {
        if !examined.exists {
            self.create().await?;
        }
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let call = self.s3.put_public_access_block().bucket(&self.name).expected_bucket_owner(&self.account);
        let answer = call.public_access_block_configuration(all).send().await;
        answer.map_err(|error| failed("s3:PutPublicAccessBlock", &error))?;
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let call = self.s3.put_bucket_versioning().bucket(&self.name).expected_bucket_owner(&self.account);
        let answer = call.versioning_configuration(enabled).send().await;
        answer.map_err(|error| failed("s3:PutBucketVersioning", &error))?;
        Ok(())
    }

    /// Gives the organization's accounts access, if they do not have it yet.
    pub(super) async fn share(&self, examined: &Examined) -> Result<(), CliError> {
        if !examined.has_policy {
            let call = self.s3.put_bucket_policy().bucket(&self.name).expected_bucket_owner(&self.account);
            let answer = call.policy(self.policy.to_string()).send().await;
            answer.map_err(|error| failed("s3:PutBucketPolicy", &error))?;
        }
        Ok(())
    }

    /// Uploads a file that is not there; S3 verifies its checksum.
    pub(super) async fn put(&self, key: &str, file: &File, content: Vec<u8>) -> Result<(), CliError> {
        let call = self.s3.put_object().bucket(&self.name).expected_bucket_owner(&self.account).key(key);
        let call = call.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_sha256(STANDARD.encode(file.sha256));
        // Two operators may publish the same version at the same time: neither overwrites a file of the other.
        let answer = call.if_none_match("*").body(ByteStream::from(content)).send().await;
        answer.map_err(|error| failed("s3:PutObject", &error))?;
        Ok(())
    }

    async fn exists(&self) -> Result<bool, CliError> {
        let call = self.s3.head_bucket().bucket(&self.name).expected_bucket_owner(&self.account);
        let error = match call.send().await {
            Ok(answer) => match answer.bucket_region() {
                Some(region) if region != self.region.as_str() => {
                    return Err(self.refused(&format!("expected region {}: received {region}", self.region)));
                }
                _ => return Ok(true),
            },
            // An answer to HEAD has no body, and so no code.
            Err(error) => {
                (error.raw_response().map(|it| it.status().as_u16()), AwsError::call("s3:HeadBucket", &error))
            }
        };
        match error {
            (Some(404), _) => Ok(false),
            (Some(301), _) => Err(self.refused(&format!("expected region {}: received another", self.region))),
            (Some(403), _) => Err(self.refused(&format!(
                "expected a bucket of account {} that these credentials may read: received 403",
                self.account
            ))),
            (_, error) => Err(Error::from(error).into()),
        }
    }

    fn refused(&self, why: &str) -> CliError {
        let reason = format!("bucket {}: {why}: pass another --bucket-prefix", self.name);
        CliError::Refused { reason, details: json!({ "bucket": self.name }) }
    }

    async fn create(&self) -> Result<(), CliError> {
        // us-east-1 is the default, and S3 refuses it as a constraint.
        let constraint = (self.region.as_str() != "us-east-1").then(|| {
            let region = BucketLocationConstraint::from(self.region.as_str());
            CreateBucketConfiguration::builder().location_constraint(region).build()
        });
        let call = self.s3.create_bucket().bucket(&self.name).set_create_bucket_configuration(constraint);
        call.send().await.map_err(|error| failed("s3:CreateBucket", &error))?;
        Ok(())
    }

    async fn read_policy(&self) -> Result<Option<Value>, CliError> {
        let call = self.s3.get_bucket_policy().bucket(&self.name).expected_bucket_owner(&self.account);
        match call.send().await.map_err(|error| AwsError::call("s3:GetBucketPolicy", &error)) {
            Ok(answer) => {
                let text = answer.policy.unwrap_or_default();
                // A document that cannot be parsed is another policy.
                Ok(Some(serde_json::from_str(&text).unwrap_or(Value::String(text))))
            }
            Err(error) if error.is("NoSuchBucketPolicy") => Ok(None),
            Err(error) => Err(Error::from(error).into()),
        }
    }

    async fn list(&self, prefix: &str) -> Result<BTreeSet<String>, CliError> {
        let call = self.s3.list_objects_v2().bucket(&self.name).expected_bucket_owner(&self.account).prefix(prefix);
        let mut pages = call.into_paginator().send();
        let mut keys = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("s3:ListObjectsV2", &error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
        }
        Ok(keys)
    }

    /// The SHA-256 of an object as base64; `None` for one that was uploaded without it.
    async fn checksum(&self, key: &str) -> Result<Option<String>, CliError> {
        let call = self.s3.head_object().bucket(&self.name).expected_bucket_owner(&self.account).key(key);
        let answer = call.checksum_mode(ChecksumMode::Enabled).send().await;
        Ok(answer.map_err(|error| failed("s3:HeadObject", &error))?.checksum_sha256)
    }
}

/// Read access for the organization's accounts, by TLS only. The condition makes the policy non-public for S3.
fn policy(region: &Region, name: &str, organization: &str) -> Value {
    let bucket = format!("arn:{}:s3:::{name}", region.partition().as_str());
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OrganizationReads", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                "Resource": format!("{bucket}/*"),
                "Condition": { "StringEquals": { "aws:PrincipalOrgID": organization } },
            },
            {
                "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [bucket, format!("{bucket}/*")],
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            },
        ],
    })
}

fn failed<E>(
    operation: &'static str,
    error: &aws_sdk_s3::error::SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
) -> CliError
where
    E: aws_sdk_s3::error::ProvideErrorMetadata,
{
    Error::from(AwsError::call(operation, error)).into()
}

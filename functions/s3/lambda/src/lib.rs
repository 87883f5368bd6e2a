//! The calls to S3, S3 Control and KMS. The only place that names their SDKs; it maps answers and decides nothing.
//!
//! Every call for a bucket has `ExpectedBucketOwner`: a bucket with the same name that another account owns now is an
//! error, never a verdict. A bucket that is gone is reported as gone; every other failed read is an error.

mod access_points;
mod account;
mod bucket;
mod encryption;
mod functions;
mod lifecycle;
mod listing;
mod logging;
mod policy;
mod public_access;
mod ssl_requests_only;
mod versioning;

use aws_types::SdkConfig;
use futures_util::TryStreamExt;
use rectify_compliance::{AccountId, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found};
use rectify_runtime::clients::{WithoutAccountInHost, endpoint_is_overridden};

use rectify_s3::resources::bucket::TYPE;

pub use functions::{FUNCTIONS, OPERATIONS};

/// The clients of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The SDK configuration, from which clients for other regions are created.
    config: SdkConfig,
    s3: aws_sdk_s3::Client,
    control: aws_sdk_s3control::Client,
    kms: aws_sdk_kms::Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        let s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(endpoint_is_overridden(config, "S3")).build();
        let mut control = aws_sdk_s3control::config::Builder::from(config);
        if endpoint_is_overridden(config, "S3 Control") {
            control = control.interceptor(WithoutAccountInHost);
        }
        Self {
            config: config.clone(),
            s3: aws_sdk_s3::Client::from_conf(s3),
            control: aws_sdk_s3control::Client::from_conf(control.build()),
            kms: aws_sdk_kms::Client::new(config),
        }
    }

    async fn ids(&self, place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        if kind != TYPE {
            return Ok(None);
        }
        let keys = self.bucket_keys(place).try_concat().await?;
        Ok(Some(keys.into_iter().map(|resource| Found { resource, name: None }).collect()))
    }
}

impl Clients {
    /// The clients for another region of the same account.
    fn elsewhere(&self, region: &Region) -> Self {
        let region = aws_types::region::Region::new(region.as_str().to_owned());
        Self::connect(&self.config.to_builder().region(region).build())
    }
}

/// One bucket, with everything a call needs.
#[derive(Debug, Clone, Copy)]
struct Named<'a> {
    name: &'a str,
    account: &'a AccountId,
    region: &'a Region,
}

impl<'a> Named<'a> {
    /// The bucket of a target: its id is its name.
    fn of(target: &'a Target) -> Self {
        Self { name: &target.resource.id, account: &target.account, region: &target.region }
    }
}

/// `None` if the answer is the error `code`, with which S3 reports that there is none.
fn unless<T>(code: &str, answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is(code) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unless_gone<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    unless("NoSuchBucket", answer)
}

/// The error for an input that the SDK cannot build.
fn build_error(path: &str, error: &dyn std::error::Error) -> ShapeError {
    ShapeError::new(path, "a valid input of the API", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rectify_runtime::CallError;

    #[test]
    fn only_the_given_error_code_is_none() {
        let failed = |code: &str| -> Result<(), AwsError> {
            Err(AwsError::Call(CallError::answered("s3:GetBucketAcl", 404, code, "no message")))
        };
        assert_eq!(unless_gone(failed("NoSuchBucket")), Ok(None));
        assert_eq!(unless_gone(Ok(())), Ok(Some(())));
        for code in ["AccessDenied", "NoSuchBucketPolicy", "PermanentRedirect", "NotFound"] {
            assert!(unless_gone(failed(code)).unwrap_err().is(code));
        }
    }
}

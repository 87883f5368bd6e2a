//! The calls to S3 and S3 Control. The only place that names their SDKs; it maps answers and decides nothing.
//!
//! Every call about a bucket carries `ExpectedBucketOwner`: a bucket of the same name that somebody else owns by now is an
//! error, never a verdict. A bucket that is gone is told as such; anything else that cannot be read is an error.

mod access_points;
mod bucket;
mod listing;

use aws_types::SdkConfig;
use futures_util::Stream;
use rectify_compliance::{AccountId, Region, Target};
use rectify_runtime::AwsError;
use rectify_runtime::clients::{WithoutAccountInHost, endpoint_is_overridden};
use rectify_runtime::edge::{Apply, Connect, List, Place, ReadFacts, ReadLive, Revert};

use crate::access::Flags;
use crate::bucket::Bucket;
use crate::public_access::{Action, Facts, Params, Subject, Undo};
use crate::{S3BucketPublicReadProhibited, S3BucketPublicWriteProhibited};

/// The clients of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    s3: aws_sdk_s3::Client,
    control: aws_sdk_s3control::Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        let s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(endpoint_is_overridden(config, "S3")).build();
        let mut control = aws_sdk_s3control::config::Builder::from(config);
        if endpoint_is_overridden(config, "S3 Control") {
            control = control.interceptor(WithoutAccountInHost);
        }
        Self { s3: aws_sdk_s3::Client::from_conf(s3), control: aws_sdk_s3control::Client::from_conf(control.build()) }
    }
}

/// One bucket, named well enough to be called about.
#[derive(Debug, Clone, Copy)]
struct Named<'a> {
    name: &'a str,
    account: &'a AccountId,
    region: &'a Region,
}

impl<'a> Named<'a> {
    /// The id of a bucket is its name.
    fn of(target: &'a Target) -> Self {
        Self { name: &target.resource.id, account: &target.account, region: &target.region }
    }
}

impl Clients {
    async fn facts(&self, target: &Target, item: &Bucket) -> Result<Option<Facts>, AwsError> {
        unless_gone(self.facts_of(Named::of(target), item).await)
    }

    async fn facts_of(&self, bucket: Named<'_>, item: &Bucket) -> Result<Facts, AwsError> {
        Ok(Facts {
            account_block: self.account_block(bucket.account).await?,
            ownership: self.ownership(bucket).await?,
            acl: match item.acl {
                Some(_) => None,
                None => Some(self.acl(bucket).await?),
            },
            policy: match item.policy {
                Some(_) => None,
                None => Some(self.policy(bucket).await?),
            },
        })
    }

    /// A bucket as a listing judges it: without what only a plan depends on.
    async fn listed(&self, bucket: Named<'_>, params: &Params, block: Flags) -> Result<Option<Subject>, AwsError> {
        unless_gone(self.subject(bucket, params, block).await)
    }

    /// A bucket whole.
    async fn live(&self, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        let bucket = Named::of(target);
        let block = self.account_block(bucket.account).await?;
        unless_gone(self.whole(bucket, params, block).await)
    }

    async fn whole(&self, bucket: Named<'_>, params: &Params, block: Flags) -> Result<Subject, AwsError> {
        let subject = self.subject(bucket, params, block).await?;
        let (tags, website) = (self.tags(bucket).await?, self.website(bucket).await?);
        Ok(Subject { tags, website: Some(website), ..subject })
    }

    async fn subject(&self, bucket: Named<'_>, params: &Params, block: Flags) -> Result<Subject, AwsError> {
        let access_points = match params.check_access_points.0 {
            true => self.access_points(bucket).await?,
            false => Vec::new(),
        };
        Ok(Subject {
            bucket: bucket.name.to_owned(),
            account: bucket.account.clone(),
            region: bucket.region.clone(),
            arn: crate::bucket::arn(bucket.region, bucket.name),
            tags: rectify_compliance::Tags::new(),
            acl: Some(self.acl(bucket).await?),
            ownership: self.ownership(bucket).await?,
            policy: Some(self.policy(bucket).await?),
            policy_is_public: Some(self.policy_is_public(bucket).await?),
            block: self.block(bucket).await?,
            account_block: block,
            website: None,
            access_points,
        })
    }

    async fn apply(&self, action: &Action) -> Result<(), AwsError> {
        match action {
            Action::PutPublicAccessBlock(call) => self.put_block(call).await,
        }
    }

    async fn revert(&self, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::PutPublicAccessBlock(call) => self.put_block(call).await,
            Undo::DeletePublicAccessBlock { bucket, expected_bucket_owner } => {
                self.delete_block(bucket, expected_bucket_owner).await
            }
        }
    }
}

/// Implements the edge for a control; both read and write the same.
macro_rules! edge {
    ($control:ty) => {
        impl ReadFacts<Clients> for $control {
            async fn facts(
                clients: &Clients,
                target: &Target,
                resource: &Bucket,
                _params: &Params,
            ) -> Result<Option<Facts>, AwsError> {
                clients.facts(target, resource).await
            }
        }

        impl List<Clients> for $control {
            fn pages<'a>(
                clients: &'a Clients,
                place: &'a Place,
                params: &'a Params,
            ) -> impl Stream<Item = Result<Vec<Subject>, AwsError>> + Send + 'a {
                clients.pages(place, params)
            }
        }

        impl ReadLive<Clients> for $control {
            async fn live(clients: &Clients, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
                clients.live(target, params).await
            }
        }

        impl Apply<Clients> for $control {
            async fn apply(clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
                clients.apply(action).await
            }
        }

        impl Revert<Clients> for $control {
            async fn revert(clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
                clients.revert(undo).await
            }
        }
    };
}

edge!(S3BucketPublicReadProhibited);
edge!(S3BucketPublicWriteProhibited);

/// `None` where the answer is the error `code`: S3 tells "there is none" that way.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rectify_runtime::{CallError, CallErrorKind};

    #[test]
    fn only_the_code_that_means_none_is_taken_for_none() {
        let failed = |code: &str| -> Result<(), AwsError> {
            Err(AwsError::Call(CallError {
                operation: "s3:GetBucketAcl",
                code: code.to_owned(),
                message: "no message".to_owned(),
                kind: CallErrorKind::Rejected,
            }))
        };
        assert_eq!(unless_gone(failed("NoSuchBucket")), Ok(None));
        assert_eq!(unless_gone(Ok(())), Ok(Some(())));
        for code in ["AccessDenied", "NoSuchBucketPolicy", "PermanentRedirect", "NotFound"] {
            assert!(unless_gone(failed(code)).unwrap_err().is(code));
        }
    }
}

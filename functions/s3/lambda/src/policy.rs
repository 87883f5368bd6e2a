//! The calls for a bucket's policy.

use aws_sdk_s3::types;
use rectify_compliance::ShapeError;
use rectify_policy::{Document, Policy};
use rectify_runtime::AwsError;

use super::{Clients, Named, unless};
use rectify_s3::controls::s3_bucket_ssl_requests_only::BucketPolicy;
use rectify_s3::resources::bucket::OwnedBucket;

impl Clients {
    /// `GetBucketPolicy`: the text as S3 returns it; `None` if the bucket has no policy.
    pub(super) async fn document(&self, bucket: Named<'_>) -> Result<Option<Document>, AwsError> {
        let call = self.s3.get_bucket_policy().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketPolicy", &error));
        let Some(answer) = unless("NoSuchBucketPolicy", answer)? else { return Ok(None) };
        let text = answer.policy().ok_or_else(|| ShapeError::missing("Policy", "a policy document"))?;
        Ok(Some(Document::parse("Policy", text)?))
    }

    /// The statements of the policy; empty if the bucket has none.
    pub(super) async fn policy(&self, bucket: Named<'_>) -> Result<Policy, AwsError> {
        Ok(self.document(bucket).await?.map(Policy::from).unwrap_or_default())
    }

    /// `GetBucketPolicyStatus`; without a policy it is not public.
    pub(super) async fn policy_is_public(&self, bucket: Named<'_>) -> Result<bool, AwsError> {
        let call =
            self.s3.get_bucket_policy_status().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketPolicyStatus", &error));
        let Some(answer) = unless("NoSuchBucketPolicy", answer)? else { return Ok(false) };
        let public = answer.policy_status().and_then(types::PolicyStatus::is_public);
        Ok(public.ok_or_else(|| ShapeError::missing("PolicyStatus.IsPublic", "true or false"))?)
    }

    /// `PutBucketPolicy`.
    pub(super) async fn put_policy(&self, call: &BucketPolicy) -> Result<(), AwsError> {
        self.s3
            .put_bucket_policy()
            .bucket(&call.bucket.name)
            .expected_bucket_owner(call.bucket.owner.as_str())
            .policy(call.policy.text())
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("s3:PutBucketPolicy", &error))
    }

    /// `DeleteBucketPolicy`; idempotent.
    pub(super) async fn delete_policy(&self, bucket: &OwnedBucket) -> Result<(), AwsError> {
        let call = self.s3.delete_bucket_policy().bucket(&bucket.name).expected_bucket_owner(bucket.owner.as_str());
        call.send().await.map(drop).map_err(|error| AwsError::call("s3:DeleteBucketPolicy", &error))
    }
}

//! Versioning of buckets.

use aws_sdk_s3::types;
use rectify_compliance::{ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, ReadFacts};

use super::{Clients, Named, unless_gone};
use rectify_s3::S3BucketVersioningEnabled;
use rectify_s3::controls::s3_bucket_versioning_enabled::{Action, Params, RecordedVersioning, Subject};
use rectify_s3::resources::bucket::Identity;
use rectify_s3::resources::versioning::{Versioning, VersioningConfiguration};

impl Clients {
    /// `GetBucketVersioning`; S3 returns no status if it was never on, and no `MFADelete` if that was never on.
    pub(super) async fn versioning(&self, bucket: Named<'_>) -> Result<VersioningConfiguration, AwsError> {
        let call = self.s3.get_bucket_versioning().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketVersioning", &error))?;
        let status = answer.status().map(types::BucketVersioningStatus::as_str);
        let status = status.map_or(Ok(Versioning::Off), |status| Versioning::parse("Status", status))?;
        let mfa_delete = match answer.mfa_delete() {
            None | Some(types::MfaDeleteStatus::Disabled) => false,
            Some(types::MfaDeleteStatus::Enabled) => true,
            Some(other) => return Err(ShapeError::new("MFADelete", "Enabled or Disabled", other).into()),
        };
        Ok(VersioningConfiguration { status, mfa_delete })
    }

    async fn with_versioning(&self, target: &Target) -> Result<Subject, AwsError> {
        let bucket = Named::of(target);
        Ok(Subject {
            versioning: self.versioning(bucket).await?,
            bucket: Identity { tags: self.tags(bucket).await?, ..Identity::of_target(target) },
        })
    }

    /// `PutBucketVersioning`.
    async fn put_versioning(&self, action: &Action) -> Result<(), AwsError> {
        let Action::PutBucketVersioning(call) = action;
        let status = types::BucketVersioningStatus::from(call.versioning_configuration.status.name());
        let configuration = types::VersioningConfiguration::builder().status(status).build();
        let put = self.s3.put_bucket_versioning().bucket(&call.bucket.name);
        let put = put.expected_bucket_owner(call.bucket.owner.as_str()).versioning_configuration(configuration);
        put.send().await.map(drop).map_err(|error| AwsError::call("s3:PutBucketVersioning", &error))
    }
}

impl ReadFacts<Clients> for S3BucketVersioningEnabled {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &RecordedVersioning,
        _params: &Params,
    ) -> Result<Option<Option<VersioningConfiguration>>, AwsError> {
        match recorded.versioning {
            Some(_) => Ok(Some(None)),
            None => Ok(unless_gone(clients.versioning(Named::of(target)).await)?.map(Some)),
        }
    }
}

impl Fix<Clients> for S3BucketVersioningEnabled {
    async fn live(&self, clients: &Clients, target: &Target, _params: &Params) -> Result<Option<Subject>, AwsError> {
        unless_gone(clients.with_versioning(target).await)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.put_versioning(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Action) -> Result<(), AwsError> {
        clients.put_versioning(undo).await
    }
}

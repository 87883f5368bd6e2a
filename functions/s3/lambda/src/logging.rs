//! Access logging of buckets, and the settings of the bucket that receives the logs.

use aws_sdk_s3::types;
use rectify_compliance::{ShapeError, Target};
use rectify_policy::{PolicyDocument, decode};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::{Clients, Named, build_error, unless, unless_gone};
use rectify_s3::S3BucketLoggingEnabled;
use rectify_s3::controls::s3_bucket_logging_enabled::target::{Settings, Target as LogTarget};
use rectify_s3::controls::s3_bucket_logging_enabled::{Action, Params, Subject};
use rectify_s3::resources::bucket::Identity;
use rectify_s3::resources::encryption::Rule;
use rectify_s3::resources::logging::LoggingEnabled;

impl Clients {
    /// `GetBucketLogging`; `None` if logging is off.
    pub(super) async fn logging(&self, bucket: Named<'_>) -> Result<Option<LoggingEnabled>, AwsError> {
        let call = self.s3.get_bucket_logging().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketLogging", &error))?;
        Ok(answer
            .logging_enabled
            .map(|it| LoggingEnabled { target_bucket: it.target_bucket, target_prefix: it.target_prefix }))
    }

    /// `GetObjectLockConfiguration`: whether there is one.
    async fn object_lock(&self, bucket: Named<'_>) -> Result<bool, AwsError> {
        let call =
            self.s3.get_object_lock_configuration().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetObjectLockConfiguration", &error));
        Ok(unless("ObjectLockConfigurationNotFoundError", answer)?.is_some())
    }

    /// `GetBucketRequestPayment`: whether the requester pays.
    async fn requester_pays(&self, bucket: Named<'_>) -> Result<bool, AwsError> {
        let call =
            self.s3.get_bucket_request_payment().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketRequestPayment", &error))?;
        match answer.payer() {
            Some(types::Payer::BucketOwner) => Ok(false),
            Some(types::Payer::Requester) => Ok(true),
            other => Err(ShapeError::new("Payer", "BucketOwner or Requester", format!("{other:?}")).into()),
        }
    }

    async fn log_target(&self, bucket: Named<'_>) -> Result<LogTarget, AwsError> {
        if !self.has_bucket(bucket).await? {
            return Ok(LogTarget::Elsewhere);
        }
        let policy = self.document(bucket).await?;
        let policy = policy.map(|it| decode("Policy", it.text())).transpose()?;
        Ok(LogTarget::Here(Box::new(Settings {
            logging: self.logging(bucket).await?,
            algorithm: self.encryption(bucket).await?.as_ref().and_then(Rule::algorithm),
            object_lock: self.object_lock(bucket).await?,
            requester_pays: self.requester_pays(bucket).await?,
            policy: policy.map(PolicyDocument),
            acl: self.acl(bucket).await?,
            ownership: self.ownership(bucket).await?,
        })))
    }

    async fn with_logging(&self, target: &Target, params: &Params) -> Result<Subject, AwsError> {
        let bucket = Named::of(target);
        let logging = self.logging(bucket).await?;
        let identity = Identity { tags: self.tags(bucket).await?, ..Identity::of_target(target) };
        let mut subject = Subject { bucket: identity, logging, target: None };
        if let Some(name) = params.target_for(&subject) {
            // A target that was deleted meanwhile: the bucket of the finding still exists.
            let read = unless_gone(self.log_target(Named { name, ..bucket }).await)?;
            subject.target = Some(read.unwrap_or(LogTarget::Elsewhere));
        }
        Ok(subject)
    }

    /// `PutBucketLogging`.
    async fn put_logging(&self, action: &Action) -> Result<(), AwsError> {
        let Action::PutBucketLogging(call) = action;
        let enabled = |it: &LoggingEnabled| {
            let to = types::LoggingEnabled::builder().target_bucket(&it.target_bucket).target_prefix(&it.target_prefix);
            to.build().map_err(|error| build_error("BucketLoggingStatus.LoggingEnabled", &error))
        };
        let enabled = call.bucket_logging_status.logging_enabled.as_ref().map(enabled).transpose()?;
        let status = types::BucketLoggingStatus::builder().set_logging_enabled(enabled).build();
        let put = self.s3.put_bucket_logging().bucket(&call.bucket.name);
        let put = put.expected_bucket_owner(call.bucket.owner.as_str()).bucket_logging_status(status);
        put.send().await.map(drop).map_err(|error| AwsError::call("s3:PutBucketLogging", &error))
    }
}

impl Fix<Clients> for S3BucketLoggingEnabled {
    async fn live(&self, clients: &Clients, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        unless_gone(clients.with_logging(target, params).await)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.put_logging(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Action) -> Result<(), AwsError> {
        clients.put_logging(undo).await
    }
}

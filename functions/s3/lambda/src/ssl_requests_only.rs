//! The calls of `s3-bucket-ssl-requests-only`. Its rule needs only the item.

use rectify_compliance::{NoParameters, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::{Clients, Named, unless_gone};
use rectify_s3::S3BucketSslRequestsOnly;
use rectify_s3::controls::s3_bucket_ssl_requests_only::{Action, Subject, Undo};
use rectify_s3::resources::bucket::Identity;

impl Clients {
    async fn with_policy(&self, target: &Target) -> Result<Subject, AwsError> {
        let bucket = Named::of(target);
        Ok(Subject {
            policy: self.document(bucket).await?,
            website: self.website(bucket).await?,
            bucket: Identity { tags: self.tags(bucket).await?, ..Identity::of_target(target) },
        })
    }
}

impl Fix<Clients> for S3BucketSslRequestsOnly {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &NoParameters,
    ) -> Result<Option<Subject>, AwsError> {
        unless_gone(clients.with_policy(target).await)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::PutBucketPolicy(call) = action;
        clients.put_policy(call).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::PutBucketPolicy(call) => clients.put_policy(call).await,
            Undo::DeleteBucketPolicy(bucket) => clients.delete_policy(bucket).await,
        }
    }
}

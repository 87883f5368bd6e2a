//! The calls of the controls for public access: a bucket with everything that determines access to it.

use futures_util::Stream;
use rectify_compliance::{ResourceKey, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page, ReadFacts};

use super::{Clients, Named, unless_gone};
use rectify_s3::S3BucketLevelPublicAccessProhibited;
use rectify_s3::controls::s3_bucket_level_public_access_prohibited as level;
use rectify_s3::families::access::Flags;
use rectify_s3::families::public_access::{Action, Facts, Params, PublicAccess, Subject, Undo};
use rectify_s3::resources::bucket::{Bucket, Identity};

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

    /// A bucket for a listing: without the facts that only a plan needs.
    pub(super) async fn listed(
        &self,
        bucket: Named<'_>,
        params: &Params,
        block: Flags,
    ) -> Result<Option<Subject>, AwsError> {
        unless_gone(self.subject(bucket, params, block).await)
    }

    /// A complete bucket.
    async fn live(&self, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        let bucket = Named::of(target);
        let block = self.account_block(bucket.account).await?;
        unless_gone(self.complete(bucket, params, block).await)
    }

    async fn complete(&self, bucket: Named<'_>, params: &Params, block: Flags) -> Result<Subject, AwsError> {
        let subject = self.subject(bucket, params, block).await?;
        let (tags, website) = (self.tags(bucket).await?, self.website(bucket).await?);
        Ok(Subject { bucket: Identity { tags, ..subject.bucket }, website: Some(website), ..subject })
    }

    async fn subject(&self, bucket: Named<'_>, params: &Params, block: Flags) -> Result<Subject, AwsError> {
        let access_points = match params.check_access_points.0 {
            true => self.access_points(bucket).await?,
            false => Vec::new(),
        };
        Ok(Subject {
            bucket: Identity::named(bucket.name, bucket.account, bucket.region),
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
            Undo::DeletePublicAccessBlock(bucket) => self.delete_block(bucket).await,
        }
    }
}

impl ReadFacts<Clients> for PublicAccess {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        resource: &Bucket,
        _params: &Params,
    ) -> Result<Option<Facts>, AwsError> {
        clients.facts(target, resource).await
    }
}

impl List<Clients> for PublicAccess {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a Params,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Subject>, AwsError>> + Send + 'a {
        clients.pages(place, params, from)
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a Params,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        clients.bucket_keys(place)
    }
}

impl Fix<Clients> for PublicAccess {
    async fn live(&self, clients: &Clients, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        clients.live(target, params).await
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.apply(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        clients.revert(undo).await
    }
}

impl ReadFacts<Clients> for S3BucketLevelPublicAccessProhibited {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &level::RecordedBlock,
        params: &level::Params,
    ) -> Result<Option<level::Facts>, AwsError> {
        let account_block = match params.needs_account_block(recorded) {
            true => clients.account_block(&target.account).await?,
            false => Flags::NONE,
        };
        Ok(Some(level::Facts { account_block }))
    }
}

impl Fix<Clients> for S3BucketLevelPublicAccessProhibited {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &level::Params,
    ) -> Result<Option<Subject>, AwsError> {
        clients.live(target, &Params::default()).await
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.apply(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        clients.revert(undo).await
    }
}

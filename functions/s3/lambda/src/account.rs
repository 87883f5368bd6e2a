//! The account's public access block, and the public access to its buckets in all regions.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::types::{Bucket, BucketLocationConstraint};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use rectify_compliance::{AccountId, Region, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::listing::{CONCURRENCY, name};
use super::{Clients, Named, unless, unless_gone};
use rectify_s3::S3AccountLevelPublicAccessBlocksPeriodic;
use rectify_s3::controls::s3_account_level_public_access_blocks_periodic::{
    AccountBlock, Action, MAX_EXPOSED_BUCKETS, Params, Undo, exposed,
};
use rectify_s3::families::access::Flags;
use rectify_s3::families::public_access;
use rectify_s3::families::public_access_block::{OfAccount, PublicAccessBlock};

/// The public access that a block of the account would end.
#[derive(Debug, Default)]
struct Exposure {
    buckets: BTreeSet<String>,
    unreadable: BTreeSet<String>,
}

impl Exposure {
    /// Records a bucket that cannot be read. A transient failure is an error instead: the next delivery reads the
    /// bucket.
    fn unread(&mut self, bucket: &str, error: AwsError) -> Result<(), AwsError> {
        if error.may_pass() {
            return Err(error);
        }
        self.unreadable.insert(format!("{bucket} ({})", error.brief()));
        Ok(())
    }

    /// Whether further buckets would not change the plan.
    fn is_decided(&self) -> bool {
        self.buckets.len() == MAX_EXPOSED_BUCKETS || self.unreadable.len() == MAX_EXPOSED_BUCKETS
    }
}

impl Clients {
    /// s3control `GetPublicAccessBlock`: the account's flags, including those from the organization, if there are any.
    async fn own_account_block(&self, account: &AccountId) -> Result<Option<Flags>, AwsError> {
        let answer = self.control.get_public_access_block().account_id(account.as_str()).send().await;
        let answer = answer.map_err(|error| AwsError::call("s3control:GetPublicAccessBlock", &error));
        let Some(answer) = unless("NoSuchPublicAccessBlockConfiguration", answer)? else { return Ok(None) };
        let block = answer.public_access_block_configuration().ok_or_else(super::bucket::missing_block)?;
        Ok(Some(super::access_points::flags(block)))
    }

    /// The same; all flags off if there are none.
    pub(super) async fn account_block(&self, account: &AccountId) -> Result<Flags, AwsError> {
        Ok(self.own_account_block(account).await?.unwrap_or_default())
    }

    async fn put_account_block(&self, call: &PublicAccessBlock<OfAccount>) -> Result<(), AwsError> {
        let flags = call.public_access_block_configuration;
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(flags.block_public_acls)
            .ignore_public_acls(flags.ignore_public_acls)
            .block_public_policy(flags.block_public_policy)
            .restrict_public_buckets(flags.restrict_public_buckets)
            .build();
        let put = self.control.put_public_access_block().account_id(call.resource.account_id.as_str());
        let answer = put.public_access_block_configuration(block).send().await;
        answer.map(drop).map_err(|error| AwsError::call("s3control:PutPublicAccessBlock", &error))
    }

    /// s3control `DeletePublicAccessBlock`; idempotent.
    async fn delete_account_block(&self, account: &AccountId) -> Result<(), AwsError> {
        let answer = self.control.delete_public_access_block().account_id(account.as_str()).send().await;
        answer.map(drop).map_err(|error| AwsError::call("s3control:DeletePublicAccessBlock", &error))
    }

    /// The buckets of all regions whose public access the `wanted` flags of the account would end, and those that
    /// cannot be read. Memory does not grow with the account: one page of buckets at a time, and a bounded number of
    /// names.
    async fn exposed(&self, account: &AccountId, now: Flags, wanted: Flags) -> Result<Exposure, AwsError> {
        let mut exposure = Exposure::default();
        let mut regions: BTreeMap<Region, Self> = BTreeMap::new();
        let mut token = None;
        loop {
            let (buckets, next) = self.bucket_page(None, token).await?;
            let mut located = Vec::with_capacity(buckets.len());
            for bucket in &buckets {
                match unless_gone(self.region_of(bucket, account).await) {
                    Ok(None) => {}
                    Ok(Some(region)) => {
                        regions.entry(region.clone()).or_insert_with(|| self.elsewhere(&region));
                        located.push((name(bucket)?, region));
                    }
                    Err(error) => exposure.unread(name(bucket)?, error)?,
                }
            }
            // A loop, because a closure that returns these futures is not general enough for every lifetime.
            let mut reads = Vec::with_capacity(located.len());
            for (name, region) in &located {
                let clients = regions.get(region).unwrap_or(self);
                reads.push(clients.exposed_bucket(Named { name, account, region }, now, wanted));
            }
            let mut page = stream::iter(located.iter()).zip(stream::iter(reads).buffered(CONCURRENCY));
            while let Some(((name, _), read)) = page.next().await {
                match read {
                    Ok(bucket) => exposure.buckets.extend(bucket),
                    Err(error) => exposure.unread(name, error)?,
                }
                if exposure.is_decided() {
                    return Ok(exposure);
                }
            }
            match next {
                Some(next) => token = Some(next),
                None => return Ok(exposure),
            }
        }
    }

    /// Stops early if the bucket's own block already ends all public access.
    async fn exposed_bucket(&self, bucket: Named<'_>, now: Flags, wanted: Flags) -> Result<Option<String>, AwsError> {
        let Some(block) = unless_gone(self.block(bucket).await)? else { return Ok(None) };
        let flags = block.unwrap_or_default().or(now);
        if flags.ignore_public_acls && flags.restrict_public_buckets {
            return Ok(None);
        }
        let read = self.listed(bucket, &public_access::Params::default(), now).await?;
        Ok(read.and_then(|subject| exposed(&subject, wanted)))
    }

    /// The region of a listed bucket; read with another call if the listing does not contain it.
    async fn region_of(&self, bucket: &Bucket, account: &AccountId) -> Result<Region, AwsError> {
        if let Some(region) = bucket.bucket_region().filter(|it| !it.is_empty()) {
            return Ok(Region::new(region));
        }
        let call = self.s3.get_bucket_location().bucket(name(bucket)?).expected_bucket_owner(account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketLocation", &error))?;
        Ok(Region::new(region(answer.location_constraint().map(BucketLocationConstraint::as_str))))
    }
}

/// The region of a location constraint: without one it is `us-east-1`, and `EU` is the old name of `eu-west-1`.
fn region(constraint: Option<&str>) -> &str {
    match constraint {
        None | Some("") => "us-east-1",
        Some("EU") => "eu-west-1",
        Some(region) => region,
    }
}

impl List<Clients> for S3AccountLevelPublicAccessBlocksPeriodic {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a Params,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<AccountBlock>, AwsError>> + Send + 'a {
        stream::once(async move {
            let block = clients.own_account_block(&place.account).await?;
            Ok(Page::whole([AccountBlock::new(&place.account, block)]))
        })
    }
}

impl Fix<Clients> for S3AccountLevelPublicAccessBlocksPeriodic {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &Params,
    ) -> Result<Option<AccountBlock>, AwsError> {
        let block = clients.own_account_block(&target.account).await?;
        let subject = AccountBlock::new(&target.account, block);
        if !subject.lacks(params) {
            return Ok(Some(subject));
        }
        let (now, wanted) = (block.unwrap_or_default(), subject.wanted(params));
        let Exposure { buckets, unreadable } = clients.exposed(&target.account, now, wanted).await?;
        Ok(Some(AccountBlock { exposed: Some(buckets), unreadable, ..subject }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::PutPublicAccessBlock(call) = action;
        clients.put_account_block(call).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::PutPublicAccessBlock(call) => clients.put_account_block(call).await,
            Undo::DeletePublicAccessBlock(of) => clients.delete_account_block(&of.account_id).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_constraint_names_the_region() {
        for (constraint, expected) in [
            (None, "us-east-1"),
            (Some(""), "us-east-1"),
            (Some("EU"), "eu-west-1"),
            (Some("eu-central-1"), "eu-central-1"),
        ] {
            assert_eq!(region(constraint), expected);
        }
    }
}

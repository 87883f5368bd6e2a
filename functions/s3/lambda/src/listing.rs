//! All buckets of one region, page by page. Each region's function lists its own: without a region filter,
//! `ListBuckets` returns the account's buckets of all regions. Directory buckets are not included.

use aws_sdk_s3::types;
use futures_util::stream::{self, Stream};
use rectify_compliance::{Region, ResourceKey, ShapeError};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Found, Page, read_each};

use super::{Clients, Named};
use rectify_s3::families::access::Flags;
use rectify_s3::families::public_access::{Params, Subject};
use rectify_s3::resources::bucket::TYPE;

/// Buckets per page: the maximum number of evaluations of one `PutEvaluations` call.
const BUCKETS_PER_PAGE: i32 = 100;
/// How many buckets are read concurrently; each takes five calls or more.
pub(super) const CONCURRENCY: usize = 8;

/// The position of a listing.
enum Cursor {
    /// At the page with this token, or the first.
    At {
        token: Option<String>,
        account_block: Option<Flags>,
    },
    End,
}

impl Clients {
    /// All buckets of `place` from `token` on. The account's block is read once; without it no bucket can be evaluated.
    pub(super) fn pages<'a>(
        &'a self,
        place: &'a AccountRegion,
        params: &'a Params,
        token: Option<String>,
    ) -> impl Stream<Item = Result<Page<Subject>, AwsError>> + Send + 'a {
        let start = Cursor::At { token, account_block: None };
        stream::try_unfold(start, move |cursor| self.page(place, params, cursor))
    }

    async fn page(
        &self,
        place: &AccountRegion,
        params: &Params,
        cursor: Cursor,
    ) -> Result<Option<(Page<Subject>, Cursor)>, AwsError> {
        let Cursor::At { token, account_block } = cursor else { return Ok(None) };
        let account_block = match account_block {
            Some(known) => known,
            None => self.account_block(&place.account).await?,
        };
        let (buckets, next) = self.bucket_page(Some(&place.region), token).await?;
        // A loop, because a closure that returns these futures is not general enough for every lifetime.
        let mut reads = Vec::new();
        for bucket in &buckets {
            let name = name(bucket)?;
            let found = Found { resource: ResourceKey::new(TYPE, name), name: None };
            let named = Named { name, account: &place.account, region: &place.region };
            reads.push((found, self.listed(named, params, account_block)));
        }
        let resources = read_each(reads, CONCURRENCY).await;
        let then = match &next {
            Some(token) => Cursor::At { token: Some(token.clone()), account_block: Some(account_block) },
            None => Cursor::End,
        };
        Ok(Some((Page { resources, next }, then)))
    }

    /// The keys of all buckets of `place`.
    pub(super) fn bucket_keys<'a>(
        &'a self,
        place: &'a AccountRegion,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        stream::try_unfold(Some(None), move |token: Option<Option<String>>| async move {
            let Some(token) = token else { return Ok(None) };
            let (buckets, next) = self.bucket_page(Some(&place.region), token).await?;
            let keys = buckets.iter().map(|bucket| Ok(ResourceKey::new(TYPE, name(bucket)?)));
            Ok(Some((keys.collect::<Result<Vec<_>, ShapeError>>()?, next.map(Some))))
        })
    }

    /// `ListBuckets`: whether the account has this bucket in this region. A name sorts before every longer one that
    /// begins with it, so it is on the first page.
    pub(super) async fn has_bucket(&self, bucket: Named<'_>) -> Result<bool, AwsError> {
        let list = self.s3.list_buckets().bucket_region(bucket.region.as_str()).prefix(bucket.name);
        let page = list.max_buckets(BUCKETS_PER_PAGE).send().await;
        let page = page.map_err(|error| AwsError::call("s3:ListBuckets", &error))?;
        Ok(page.buckets().iter().any(|it| it.name() == Some(bucket.name)))
    }

    /// `ListBuckets`: the page with this token, of one region or of all, and the token of the next page.
    pub(super) async fn bucket_page(
        &self,
        region: Option<&Region>,
        token: Option<String>,
    ) -> Result<(Vec<types::Bucket>, Option<String>), AwsError> {
        let page = self
            .s3
            .list_buckets()
            .set_bucket_region(region.map(|region| region.as_str().to_owned()))
            .max_buckets(BUCKETS_PER_PAGE)
            .set_continuation_token(token.clone())
            .send()
            .await
            .map_err(|error| AwsError::call("s3:ListBuckets", &error))?;
        let next = page.continuation_token.filter(|it| !it.is_empty());
        if next.is_some() && next == token {
            return Err(ShapeError::new("ContinuationToken", "another token than the last", "the same").into());
        }
        Ok((page.buckets.unwrap_or_default(), next))
    }
}

/// The name of a listed bucket.
pub(super) fn name(bucket: &types::Bucket) -> Result<&str, ShapeError> {
    bucket.name().ok_or_else(|| ShapeError::missing("Buckets.Name", "a bucket name"))
}

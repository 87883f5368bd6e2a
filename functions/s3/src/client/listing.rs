//! All buckets of one region, page by page. Each region's function lists its own: `ListBuckets` names those of the account
//! in every region unless it is told which. Directory buckets are not among them.

use aws_sdk_s3::types;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use rectify_compliance::{Region, ShapeError};
use rectify_runtime::AwsError;
use rectify_runtime::edge::Place;

use super::{Clients, Named};
use crate::access::Flags;
use crate::public_access::{Params, Subject};

/// Buckets a page: about as many evaluations as AWS Config takes at once.
const PAGE: i32 = 100;
/// Buckets read at the same time; each takes five calls and more.
pub(super) const AT_ONCE: usize = 8;

/// How far a listing has come.
enum Cursor {
    Start,
    Next { token: String, account_block: Flags },
    End,
}

impl Clients {
    /// Every bucket of `place`, judged under one reading of the account's block.
    pub(super) fn pages<'a>(
        &'a self,
        place: &'a Place,
        params: &'a Params,
    ) -> impl Stream<Item = Result<Vec<Subject>, AwsError>> + Send + 'a {
        stream::try_unfold(Cursor::Start, move |cursor| self.page(place, params, cursor))
    }

    async fn page(
        &self,
        place: &Place,
        params: &Params,
        cursor: Cursor,
    ) -> Result<Option<(Vec<Subject>, Cursor)>, AwsError> {
        let (token, account_block) = match cursor {
            Cursor::Start => (None, self.account_block(&place.account).await?),
            Cursor::Next { token, account_block } => (Some(token), account_block),
            Cursor::End => return Ok(None),
        };
        let (buckets, next) = self.bucket_page(Some(&place.region), token).await?;
        // A loop, not a closure: the compiler cannot tell that one returning these futures holds for every lifetime.
        let mut reads = Vec::new();
        for bucket in &buckets {
            let name = name(bucket)?;
            let named = Named { name, account: &place.account, region: &place.region };
            reads.push(self.listed(named, params, account_block));
        }
        let subjects: Vec<Option<Subject>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let next = next.map_or(Cursor::End, |token| Cursor::Next { token, account_block });
        Ok(Some((subjects.into_iter().flatten().collect(), next)))
    }

    /// `ListBuckets`: the page that `token` names, of one region or of all, and the token of the next.
    pub(super) async fn bucket_page(
        &self,
        region: Option<&Region>,
        token: Option<String>,
    ) -> Result<(Vec<types::Bucket>, Option<String>), AwsError> {
        let page = self
            .s3
            .list_buckets()
            .set_bucket_region(region.map(|region| region.as_str().to_owned()))
            .max_buckets(PAGE)
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

//! The calls that set and remove the public access block of a bucket or of the account.

use rectify_compliance::AccountId;
use serde::{Deserialize, Serialize};

use crate::families::access::Flags;

/// Input of `PutPublicAccessBlock`. `R` identifies the bucket, [`OwnedBucket`](crate::resources::bucket::OwnedBucket), or
/// the account, [`OfAccount`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublicAccessBlock<R> {
    /// The bucket or the account.
    #[serde(flatten)]
    pub resource: R,
    /// `PublicAccessBlockConfiguration`, complete: the API replaces all four flags.
    pub public_access_block_configuration: Flags,
}

/// The account in a call of s3control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfAccount {
    /// `AccountId`.
    pub account_id: AccountId,
}

/// The calls of the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action<R> {
    /// Sets the block.
    PutPublicAccessBlock(PublicAccessBlock<R>),
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo<R> {
    /// Restores the previous flags.
    PutPublicAccessBlock(PublicAccessBlock<R>),
    /// Removes the block, where there was none.
    DeletePublicAccessBlock(R),
}

impl<R> Action<R> {
    /// The call that sets these flags.
    pub fn put(resource: R, flags: Flags) -> Self {
        Self::PutPublicAccessBlock(PublicAccessBlock { resource, public_access_block_configuration: flags })
    }

    /// The flags that it sets.
    pub fn flags(&self) -> Flags {
        let Self::PutPublicAccessBlock(put) = self;
        put.public_access_block_configuration
    }
}

impl<R> Undo<R> {
    /// The call that restores this block.
    pub fn restore(resource: R, before: Option<Flags>) -> Self {
        match before {
            Some(flags) => {
                Self::PutPublicAccessBlock(PublicAccessBlock { resource, public_access_block_configuration: flags })
            }
            None => Self::DeletePublicAccessBlock(resource),
        }
    }

    /// The block after the call.
    pub fn flags(&self) -> Option<Flags> {
        match self {
            Self::PutPublicAccessBlock(put) => Some(put.public_access_block_configuration),
            Self::DeletePublicAccessBlock(_) => None,
        }
    }
}

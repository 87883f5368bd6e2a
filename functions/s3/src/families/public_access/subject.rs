//! One bucket with everything that decides who can reach it.

use rectify_policy::Policy;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::families::access::exposure::Settings;
use crate::families::access::{AccessPoint, Acl, Exposure, Flags, Ownership};
use crate::resources::bucket::{Bucket, Identity, state_of_bucket};

/// A bucket as it is judged, from an item with facts, a listing or a live read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Which one; a listing, which has no use for tags, leaves them empty.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its ACL. `None` when neither item nor facts held it: judged as open.
    pub acl: Option<Acl>,
    /// Its object ownership.
    pub ownership: Ownership,
    /// Its policy. `None` when neither item nor facts held it: judged as open.
    pub policy: Option<Policy>,
    /// `GetBucketPolicyStatus`; `None` on change events, which do not ask.
    pub policy_is_public: Option<bool>,
    /// Its own block; `None` where none exists, which undo restores as such.
    pub block: Option<Flags>,
    /// The account's block, with what the organization adds to it.
    pub account_block: Flags,
    /// Whether it serves a website; `None` in a listing, which has no use for it.
    pub website: Option<bool>,
    /// Its access points owned by this account; empty on change events and where they are not to be looked at.
    pub access_points: Vec<AccessPoint>,
}

/// What an item does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// s3control `GetPublicAccessBlock`: all false where none exists.
    pub account_block: Flags,
    /// `GetBucketOwnershipControls`: `ObjectWriter` where none exist.
    pub ownership: Ownership,
    /// `GetBucketAcl`, read where the item has no ACL.
    #[serde(default)]
    pub acl: Option<Acl>,
    /// `GetBucketPolicy`, read where the item has no policy; no statements where none exists.
    #[serde(default)]
    pub policy: Option<Policy>,
}

state_of_bucket!(Subject);

impl Subject {
    /// Item and facts together; what the item says goes before what was read later.
    pub fn of(bucket: Bucket, facts: Facts) -> Self {
        Self {
            bucket: bucket.identity,
            acl: bucket.acl.or(facts.acl),
            ownership: facts.ownership,
            policy: bucket.policy.or(facts.policy),
            policy_is_public: None,
            block: bucket.block,
            account_block: facts.account_block,
            website: Some(bucket.website),
            access_points: Vec::new(),
        }
    }

    /// Through what the public comes in.
    pub fn exposure(&self, params: &Params) -> Exposure {
        Exposure::of(&Settings {
            arn: &self.bucket.arn,
            flags: self.block.unwrap_or_default().or(self.account_block),
            ownership: self.ownership,
            acl: self.acl.as_ref(),
            policy: self.policy.as_ref(),
            policy_is_public: self.policy_is_public,
            access_points: if params.check_access_points.0 { &self.access_points } else { &[] },
            authenticated_users: params.treat_authenticated_users_as_public.0,
        })
    }
}

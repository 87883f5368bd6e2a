//! One bucket with all settings that decide about access to it.

use rectify_compliance::{ResourceIdentity, ResourceState};
use rectify_policy::Policy;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::families::access::exposure::Settings;
use crate::families::access::{AccessPoint, Acl, Exposure, Flags, Ownership};
use crate::resources::bucket::{Bucket, Identity};

/// A bucket as it is evaluated, from an item with facts, a listing or a live read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket; a listing does not need tags and leaves them empty.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its ACL. `None` when neither item nor facts have it: treated as public.
    pub acl: Option<Acl>,
    /// Its object ownership.
    pub ownership: Ownership,
    /// Its policy. `None` when neither item nor facts have it: treated as public.
    pub policy: Option<Policy>,
    /// `GetBucketPolicyStatus`; `None` on change events, which do not read it.
    pub policy_is_public: Option<bool>,
    /// Its bucket-level block; `None` where none exists, and undo removes it again.
    pub block: Option<Flags>,
    /// The account's block, including the flags set by an organization policy.
    pub account_block: Flags,
    /// Whether it serves a website; `None` in a listing, which does not need it.
    pub website: Option<bool>,
    /// Its access points owned by this account; empty on change events and where they are not evaluated.
    pub access_points: Vec<AccessPoint>,
}

/// The settings that an item lacks.
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

impl ResourceState for Subject {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.bucket.identity()
    }
}

impl Subject {
    /// Combines item and facts; the item takes precedence.
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

    /// The causes of public access.
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

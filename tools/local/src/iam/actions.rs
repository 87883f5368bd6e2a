//! Which IAM actions an API operation needs: names differ, and some operations need several.
//!
//! Source: Service Authorization Reference, read in November 2026. An operation that is not here is allowed by the action
//! of its own name, so a row stands only where that is not so, or where an operation needs more than itself.

/// Rows of `service:Operation` as the API and the clients name it, and the IAM actions it needs.
const RENAMED: &[(&str, &[&str])] = &[
    ("lambda:Invoke", &["lambda:InvokeFunction"]),
    // S3 names permissions after what they are about, not after the operation.
    ("s3:ListBuckets", &["s3:ListAllMyBuckets"]),
    ("s3:HeadBucket", &["s3:ListBucket"]),
    ("s3:GetPublicAccessBlock", &["s3:GetBucketPublicAccessBlock"]),
    ("s3:PutPublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    // There is no action for deleting the block: who may write it may remove it.
    ("s3:DeletePublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    ("s3:GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
    ("s3:PutBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3:DeleteBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3:GetBucketLifecycleConfiguration", &["s3:GetLifecycleConfiguration"]),
    ("s3:PutBucketLifecycleConfiguration", &["s3:PutLifecycleConfiguration"]),
    ("s3:DeleteBucketLifecycle", &["s3:PutLifecycleConfiguration"]),
    ("s3:DeleteBucketLifecycleConfiguration", &["s3:PutLifecycleConfiguration"]),
    ("s3:GetBucketReplication", &["s3:GetReplicationConfiguration"]),
    ("s3:GetBucketAccelerateConfiguration", &["s3:GetAccelerateConfiguration"]),
    // s3control signs as `s3`; its operations on the account have actions of their own.
    ("s3control:GetPublicAccessBlock", &["s3:GetAccountPublicAccessBlock"]),
    ("s3control:PutPublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]),
    ("s3control:DeletePublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]),
    ("s3control:ListAccessPoints", &["s3:ListAccessPoints"]),
    ("s3control:GetAccessPoint", &["s3:GetAccessPoint"]),
    ("s3control:GetAccessPointPolicy", &["s3:GetAccessPointPolicy"]),
    ("s3control:GetAccessPointPolicyStatus", &["s3:GetAccessPointPolicyStatus"]),
    // Tags given at creation are authorized as a second action, on what is created.
    ("ec2:AuthorizeSecurityGroupIngress", &["ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags"]),
    ("ec2:AuthorizeSecurityGroupEgress", &["ec2:AuthorizeSecurityGroupEgress", "ec2:CreateTags"]),
    // A transaction is authorized as its members are.
    (
        "dynamodb:TransactWriteItems",
        &["dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
    ),
];

/// The IAM actions that `operation`, written `service:Operation`, needs.
#[must_use]
pub fn actions(operation: &str) -> Vec<&str> {
    RENAMED.iter().find(|(name, _)| *name == operation).map_or_else(|| vec![operation], |(_, actions)| actions.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_allowed_by_the_action_of_its_name_unless_a_row_says_otherwise() {
        assert_eq!(actions("iam:GetAccountSummary"), ["iam:GetAccountSummary"]);
        assert_eq!(actions("s3:GetPublicAccessBlock"), ["s3:GetBucketPublicAccessBlock"]);
        assert_eq!(actions("s3control:GetPublicAccessBlock"), ["s3:GetAccountPublicAccessBlock"]);
    }
}

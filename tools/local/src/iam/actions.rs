//! The IAM actions that an API operation needs: some have other names, and some operations need several.
//!
//! Source: Service Authorization Reference, read in November 2026. An operation without a row needs the action of its
//! own name, so a row exists only if the name differs or the operation needs more actions.

/// `service:Operation` as in the API, and the IAM actions it needs.
const RENAMED: &[(&str, &[&str])] = &[
    ("lambda:Invoke", &["lambda:InvokeFunction"]),
    // S3 names actions after the resource or setting, not after the operation.
    ("s3:ListBuckets", &["s3:ListAllMyBuckets"]),
    ("s3:HeadBucket", &["s3:ListBucket"]),
    ("s3:GetPublicAccessBlock", &["s3:GetBucketPublicAccessBlock"]),
    ("s3:PutPublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    // There is no action for deleting the block: writing it includes removing it.
    ("s3:DeletePublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    ("s3:GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
    ("s3:PutBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3:DeleteBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3:GetBucketLifecycleConfiguration", &["s3:GetLifecycleConfiguration"]),
    ("s3:PutBucketLifecycleConfiguration", &["s3:PutLifecycleConfiguration"]),
    ("s3:DeleteBucketLifecycle", &["s3:PutLifecycleConfiguration"]),
    ("s3:DeleteBucketLifecycleConfiguration", &["s3:PutLifecycleConfiguration"]),
    ("s3:GetObjectLockConfiguration", &["s3:GetBucketObjectLockConfiguration"]),
    ("s3:GetBucketReplication", &["s3:GetReplicationConfiguration"]),
    ("s3:GetBucketAccelerateConfiguration", &["s3:GetAccelerateConfiguration"]),
    // s3control signs as `s3`; its account operations have their own actions.
    ("s3control:GetPublicAccessBlock", &["s3:GetAccountPublicAccessBlock"]),
    ("s3control:PutPublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]),
    ("s3control:DeletePublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]),
    ("s3control:ListAccessPoints", &["s3:ListAccessPoints"]),
    ("s3control:GetAccessPoint", &["s3:GetAccessPoint"]),
    ("s3control:GetAccessPointPolicy", &["s3:GetAccessPointPolicy"]),
    ("s3control:GetAccessPointPolicyStatus", &["s3:GetAccessPointPolicyStatus"]),
    // Tags on creation are authorized as a second action on the created resource.
    ("ec2:AuthorizeSecurityGroupIngress", &["ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags"]),
    ("ec2:AuthorizeSecurityGroupEgress", &["ec2:AuthorizeSecurityGroupEgress", "ec2:CreateTags"]),
    // Flow logs for S3 are deliveries of CloudWatch Logs.
    ("ec2:CreateFlowLogs", &["ec2:CreateFlowLogs", "logs:CreateLogDelivery", "logs:DeleteLogDelivery"]),
    ("ec2:DeleteFlowLogs", &["ec2:DeleteFlowLogs", "logs:DeleteLogDelivery"]),
    // A transaction is authorized item by item.
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
    fn operation_needs_the_action_of_its_name_unless_a_row_differs() {
        assert_eq!(actions("iam:GetAccountSummary"), ["iam:GetAccountSummary"]);
        assert_eq!(actions("s3:GetPublicAccessBlock"), ["s3:GetBucketPublicAccessBlock"]);
        assert_eq!(actions("s3control:GetPublicAccessBlock"), ["s3:GetAccountPublicAccessBlock"]);
    }
}

//! `cloudwatch-alarm-s3-bucket-policy-changes`: changes to S3 bucket policies raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// One statement in a bucket policy makes its objects public.
    /// A lifecycle rule deletes them, and a replication rule copies them to another account.
    pub CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES {
        id: "cloudwatch-alarm-s3-bucket-policy-changes",
        title: "Changes to S3 bucket policies raise no alarm",
        subject: "changes to access, CORS, lifecycle and replication of S3 buckets",
        events: [
            "PutBucketAcl",
            "PutBucketPolicy",
            "PutBucketCors",
            "PutBucketLifecycle",
            "PutBucketReplication",
            "DeleteBucketPolicy",
            "DeleteBucketCors",
            "DeleteBucketLifecycle",
            "DeleteBucketReplication",
        ],
        and: "$.eventSource = s3.amazonaws.com",
        metric: "BucketPolicyChanges",
        cis: "4.8",
        security_hub: "8",
    }
}

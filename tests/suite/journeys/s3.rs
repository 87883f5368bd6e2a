//! Buckets.

use aws_sdk_s3::types;
use rectify_local::engine::ResourceKey;
use rectify_local::world::{ACCOUNT, World};

use super::run_lifecycle;

/// A bucket whose ACL grants this permission to everyone.
async fn open_bucket(world: &World, permission: &str) -> ResourceKey {
    let s3 = &world.clients().s3;
    s3.create_bucket().bucket("open").send().await.unwrap();
    let everyone = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";
    let put = s3.put_bucket_acl().bucket("open");
    let put = if permission == "READ" { put.grant_read(everyone) } else { put.grant_write(everyone) };
    put.send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", "open")
}

#[tokio::test(flavor = "multi_thread")]
async fn public_read_is_blocked_and_undone() {
    run_lifecycle("s3-bucket-public-read-prohibited", "{}", async |world| open_bucket(world, "READ").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_write_is_blocked_and_undone() {
    run_lifecycle("s3-bucket-public-write-prohibited", "{}", async |world| open_bucket(world, "WRITE").await).await;
}

/// A bucket whose policy lets its account read over any transport.
async fn plain_bucket(world: &World) -> ResourceKey {
    let s3 = &world.clients().s3;
    s3.create_bucket().bucket("plain").send().await.unwrap();
    let policy = r#"{ "Version": "2012-10-17", "Statement": { "Sid": "Own", "Effect": "Allow",
        "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::plain/*" } }"#;
    s3.put_bucket_policy().bucket("plain").policy(policy).send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", "plain")
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_denied_and_undone() {
    run_lifecycle("s3-bucket-ssl-requests-only", "{}", plain_bucket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bucket_block_is_set_and_undone() {
    let bucket = async |world: &World| {
        world.clients().s3.create_bucket().bucket("bare").send().await.unwrap();
        ResourceKey::new("AWS::S3::Bucket", "bare")
    };
    run_lifecycle("s3-bucket-level-public-access-prohibited", "{}", bucket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_block_is_set_and_undone() {
    let account = async |world: &World| {
        world.clients().s3.create_bucket().bucket("private").send().await.unwrap();
        ResourceKey::new("AWS::::Account", ACCOUNT)
    };
    run_lifecycle("s3-account-level-public-access-blocks-periodic", r#"{"accountWide": "true"}"#, account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kms_encryption_is_set_and_undone() {
    let bucket = async |world: &World| {
        world.clients().s3.create_bucket().bucket("weak").send().await.unwrap();
        ResourceKey::new("AWS::S3::Bucket", "weak")
    };
    run_lifecycle("s3-bucket-server-side-encryption-enabled", r#"{"requiredAlgorithm": "aws:kms"}"#, bucket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versioning_is_enabled_and_suspended_by_the_undo() {
    let bucket = async |world: &World| {
        world.clients().s3.create_bucket().bucket("unversioned").send().await.unwrap();
        ResourceKey::new("AWS::S3::Bucket", "unversioned")
    };
    run_lifecycle("s3-bucket-versioning-enabled", "{}", bucket).await;
}

/// A bucket without access logs, and another to which S3 may deliver them.
async fn unlogged_bucket(world: &World) -> ResourceKey {
    let s3 = &world.clients().s3;
    for bucket in ["access-logs", "unlogged"] {
        s3.create_bucket().bucket(bucket).send().await.unwrap();
    }
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject",
        "Principal": {"Service": "logging.s3.amazonaws.com"}, "Resource": "arn:aws:s3:::access-logs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]}"#;
    s3.put_bucket_policy().bucket("access-logs").policy(policy).send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", "unlogged")
}

#[tokio::test(flavor = "multi_thread")]
async fn access_logging_is_turned_on_and_off_by_the_undo() {
    run_lifecycle("s3-bucket-logging-enabled", r#"{"targetBucket": "access-logs"}"#, unlogged_bucket).await;
}

/// A versioned log bucket whose lifecycle rules do part of what is required, and something else.
async fn log_bucket(world: &World) -> ResourceKey {
    let s3 = &world.clients().s3;
    s3.create_bucket().bucket("logs-web").send().await.unwrap();
    let versioning = types::VersioningConfiguration::builder().status(types::BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket("logs-web").versioning_configuration(versioning).send().await.unwrap();
    let rule = |id: &str, filter: types::LifecycleRuleFilter| {
        types::LifecycleRule::builder().id(id).status(types::ExpirationStatus::Enabled).filter(filter)
    };
    let abort = types::AbortIncompleteMultipartUpload::builder().days_after_initiation(3).build();
    let tag = types::Tag::builder().key("kind").value("audit").build().unwrap();
    let and = types::LifecycleRuleAndOperator::builder().prefix("audit/").tags(tag).build();
    let audit = rule("audit", types::LifecycleRuleFilter::builder().and(and).build())
        .expiration(types::LifecycleExpiration::builder().days(3650).build());
    let uploads =
        rule("uploads", types::LifecycleRuleFilter::builder().build()).abort_incomplete_multipart_upload(abort);
    let rules = types::BucketLifecycleConfiguration::builder();
    let rules = rules.rules(uploads.build().unwrap()).rules(audit.build().unwrap()).build().unwrap();
    let put = s3.put_bucket_lifecycle_configuration().bucket("logs-web").lifecycle_configuration(rules);
    put.send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", "logs-web")
}

#[tokio::test(flavor = "multi_thread")]
async fn log_archive_is_set_and_undone() {
    run_lifecycle("s3-lifecycle-log-archive", r#"{"bucketNames": "logs-*"}"#, log_bucket).await;
}

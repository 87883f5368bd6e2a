//! Buckets.

use rectify_local::engine::ResourceKey;
use rectify_local::world::{ACCOUNT, World};

use super::travel;

/// A bucket that everyone has this permission on, by its ACL.
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
async fn readers_are_blocked_and_let_in_again() {
    travel("s3-bucket-public-read-prohibited", "{}", async |world| open_bucket(world, "READ").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_are_blocked_and_let_in_again() {
    travel("s3-bucket-public-write-prohibited", "{}", async |world| open_bucket(world, "WRITE").await).await;
}

/// A bucket that lets its own account read, whatever the transport.
async fn plain_bucket(world: &World) -> ResourceKey {
    let s3 = &world.clients().s3;
    s3.create_bucket().bucket("plain").send().await.unwrap();
    let policy = r#"{ "Version": "2012-10-17", "Statement": { "Sid": "Own", "Effect": "Allow",
        "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::plain/*" } }"#;
    s3.put_bucket_policy().bucket("plain").policy(policy).send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", "plain")
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_refused_and_answered_again() {
    travel("s3-bucket-ssl-requests-only", "{}", plain_bucket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn block_is_completed_and_removed_again() {
    let bucket = async |world: &World| {
        world.clients().s3.create_bucket().bucket("bare").send().await.unwrap();
        ResourceKey::new("AWS::S3::Bucket", "bare")
    };
    travel("s3-bucket-level-public-access-prohibited", "{}", bucket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn block_of_the_account_is_set_and_removed_again() {
    let account = async |world: &World| {
        world.clients().s3.create_bucket().bucket("private").send().await.unwrap();
        ResourceKey::new("AWS::::Account", ACCOUNT)
    };
    travel("s3-account-level-public-access-blocks-periodic", r#"{"accountWide": "true"}"#, account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_are_encrypted_by_kms_and_no_longer() {
    let bucket = async |world: &World| {
        world.clients().s3.create_bucket().bucket("weak").send().await.unwrap();
        ResourceKey::new("AWS::S3::Bucket", "weak")
    };
    travel("s3-bucket-server-side-encryption-enabled", r#"{"requiredAlgorithm": "aws:kms"}"#, bucket).await;
}

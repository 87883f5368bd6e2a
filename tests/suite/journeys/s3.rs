//! Buckets.

use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

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
